// docs/guides/errors.md lists every error code with what its message says, from the source.
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";
import { type CheckResult, checkMain } from "./lib/check.ts";
import { loadProgram } from "./lib/program.ts";
import { packageNames, root } from "./lib/workspace.ts";

const PAGE = "docs/guides/errors.md";
const CODE = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/;

/** A place in the source that gives an error its code. */
export type ErrorUse = {
  readonly code: string;
  /** Folder name under `packages/`. */
  readonly package: string;
  /** Its message with `…` for what is filled in; undefined where a helper makes it. */
  readonly message: string | undefined;
  /** Whether the same call may succeed later; undefined where the class does not say. */
  readonly retryable: boolean | undefined;
};

/** Text of a string, a template or a sum of them, with `…` for what is filled in. */
function textOf(node: ts.Expression | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map((span) => `…${span.literal.text}`).join("");
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const left = textOf(node.left);
    const right = textOf(node.right);
    return left === undefined && right === undefined ? undefined : `${left ?? "…"}${right ?? "…"}`;
  }
  if (ts.isParenthesizedExpression(node)) return textOf(node.expression);
  return undefined;
}

/** Literal codes of an expression: one, or both branches of a condition. */
function codesOf(node: ts.Expression | undefined): readonly string[] {
  if (node === undefined) return [];
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isConditionalExpression(node)) return [...codesOf(node.whenTrue), ...codesOf(node.whenFalse)];
  if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node)) return codesOf(node.expression);
  return [];
}

/**
 * Finds the error codes of files: string literals that are passed for a parameter called `code`, to an error's constructor or to a
 * helper that makes errors; a helper's own prefix (`INVALID_${code}`) is put before.
 *
 * @param program that holds the files
 * @param files absolute path with the package it belongs to
 * @returns uses in the order of the source
 */
export function findErrorUses(
  program: ts.Program,
  files: readonly { readonly package: string; readonly file: string }[],
): readonly ErrorUse[] {
  const checker = program.getTypeChecker();
  const uses: ErrorUse[] = [];
  for (const { package: name, file } of files) {
    const source = program.getSourceFile(file);
    if (source === undefined) continue;
    const visit = (node: ts.Node): void => {
      ts.forEachChild(node, visit);
      if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return;
      const args = node.arguments ?? [];
      if (!args.some((arg) => codesOf(arg).some((code) => CODE.test(code)))) return;
      const declaration = checker.getResolvedSignature(node)?.declaration;
      if (declaration === undefined || !("parameters" in declaration)) return;
      const position = declaration.parameters.findIndex(
        (parameter) => ts.isIdentifier(parameter.name) && parameter.name.text === "code",
      );
      if (position < 0 || ts.isJSDocSignature(declaration)) return;
      if (!isOurs(declaration) || !makesErrors(checker, node, declaration)) return;
      const codes = codesOf(args[position]).filter((code) => CODE.test(code));
      const prefix = prefixOf(declaration);
      for (const code of codes) {
        uses.push({
          code: prefix + code,
          package: name,
          message: textOf(args[position + 1]),
          retryable: isRetryable(checker, node, declaration),
        });
      }
    };
    visit(source);
  }
  return uses;
}

function isOurs(node: ts.Node): boolean {
  return !node.getSourceFile().isDeclarationFile;
}

/** Names of the classes that an expression's type is of, up to the root. */
function classesOf(checker: ts.TypeChecker, type: ts.Type): readonly string[] {
  const bases = type.isClassOrInterface() ? checker.getBaseTypes(type) : [];
  return [type.symbol?.name ?? "", ...bases.flatMap((base) => classesOf(checker, base))];
}

/** Constructors of errors, `super(…)` in them, and helpers that throw or return one. */
function makesErrors(
  checker: ts.TypeChecker,
  node: ts.CallExpression | ts.NewExpression,
  declaration: ts.SignatureDeclaration,
): boolean {
  if (ts.isNewExpression(node)) return classesOf(checker, checker.getTypeAtLocation(node)).includes("QuorateError");
  if (node.expression.kind === ts.SyntaxKind.SuperKeyword) return true;
  const returned = checker.getReturnTypeOfSignature(checker.getResolvedSignature(node) as ts.Signature);
  if (classesOf(checker, returned).includes("QuorateError")) return true;
  return errorsIn(declaration).length > 0;
}

/** Names of the error classes that a helper's body makes with `new`. */
function errorsIn(declaration: ts.Node): readonly string[] {
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node) && /Error$/.test(node.expression.getText())) names.push(node.expression.getText());
    ts.forEachChild(node, visit);
  };
  visit(declaration);
  return names;
}

function prefixOf(declaration: ts.Node): string {
  let prefix = "";
  const visit = (node: ts.Node): void => {
    const [span] = ts.isTemplateExpression(node) ? node.templateSpans : [];
    if (
      ts.isTemplateExpression(node) &&
      span !== undefined &&
      span.expression.getText() === "code" &&
      CODE.test(node.head.text.replace(/_$/, ""))
    ) {
      prefix = node.head.text;
    }
    ts.forEachChild(node, visit);
  };
  visit(declaration);
  return prefix;
}

function isRetryable(
  checker: ts.TypeChecker,
  node: ts.CallExpression | ts.NewExpression,
  declaration: ts.Node,
): boolean | undefined {
  const names = ts.isNewExpression(node)
    ? classesOf(checker, checker.getTypeAtLocation(node))
    : node.expression.kind === ts.SyntaxKind.SuperKeyword
      ? classesOf(checker, checker.getTypeAtLocation(node.expression))
      : errorsIn(declaration);
  if (names.includes("RetryableError")) return true;
  return names.includes("FatalError") ? false : undefined;
}

/**
 * Writes the page.
 *
 * @param uses from {@link findErrorUses}
 * @returns Markdown, one row a code
 */
export function renderPage(uses: readonly ErrorUse[]): string {
  const rows = [...new Set(uses.map(({ code }) => code))].sort().map((code) => {
    const same = uses.filter((use) => use.code === code);
    const packages = [...new Set(same.map((use) => use.package))]
      .sort()
      .map((name) => `\`${name}\``)
      .join(", ");
    const kinds = new Set(same.map(({ retryable }) => retryable));
    const again = kinds.has(true) ? (kinds.has(false) ? "sometimes" : "yes") : "no";
    const messages = [...new Set(same.flatMap(({ message }) => (message === undefined ? [] : [message])))].slice(0, 3);
    const cell = messages
      .map((message) => message.replaceAll(/\s+/g, " ").replaceAll("|", "\\|").replaceAll("<", "&lt;"))
      .join("<br>");
    return `| \`${code}\` | ${packages} | ${again} | ${cell || "–"} |`;
  });
  return [
    "<!-- Generated by scripts/check-errors.ts --write from the source of the packages. Do not edit. -->",
    "# Errors",
    "",
    "Every error of the packages is a `QuorateError` of `@quorate/core` with a stable `code`. Programs decide by the code and by the class: the",
    "same call may succeed later for a `RetryableError` (column *again*), never for a `FatalError`. The message says what happened, why, and what",
    "to do; `…` stands for what is filled in. `cause` holds what was thrown below, `details` plain values, and neither ever holds a secret.",
    "",
    "Reverts of the contracts are described in [`IJobMarket.sol`](../../contracts/interfaces/IJobMarket.sol).",
    "",
    "| code | package | again | message |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function checkErrors(write: boolean): CheckResult {
  const files = packageNames().flatMap((name) => {
    const folder = join(root, "packages", name);
    return globSync("{src,app}/**/*.{ts,tsx}", { cwd: folder })
      .filter((file) => !/\.test\.tsx?$/.test(file))
      .sort()
      .map((file) => ({ package: name, file: join(folder, file) }));
  });
  const uses = findErrorUses(loadProgram(files.map(({ file }) => file)), files);
  const page = renderPage(uses);
  const target = join(root, PAGE);
  if (write) writeFileSync(target, page);
  const current = existsSync(target) ? readFileSync(target, "utf8") : "";
  const findings =
    current === page
      ? []
      : [...differences(current, page), `${PAGE} is out of date: node scripts/check-errors.ts --write`];
  return {
    findings,
    summary: `${new Set(uses.map(({ code }) => code)).size} error codes are in ${relative(root, target)}`,
  };
}

function differences(before: string, after: string): readonly string[] {
  const old = new Set(before.split("\n"));
  const fresh = new Set(after.split("\n"));
  return [
    ...[...fresh].filter((line) => !old.has(line)).map((line) => `+ ${line}`),
    ...[...old].filter((line) => !fresh.has(line)).map((line) => `- ${line}`),
  ];
}

checkMain(import.meta.url, {
  about:
    "Checks that docs/guides/errors.md has a row for every error code in the packages, with its message; --write renders the page.",
  writes: true,
  run: checkErrors,
});
