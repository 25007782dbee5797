import { readFile } from "node:fs/promises";
import { FatalError } from "@quorate/core";
import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import type { ZodType } from "zod";

/** One thing that is wrong with a file. */
export type PolicyProblem = {
  /** Path within the file, like `offers.minBond`; empty for the whole. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly message: string;
};

/** A policy file that cannot be used, with every problem found. */
export class PolicyError extends FatalError {
  readonly problems: readonly PolicyProblem[];

  constructor(file: string, problems: readonly PolicyProblem[]) {
    const lines = problems.map(
      ({ path, line, column, message }) => `  ${file}:${line}:${column}${path === "" ? "" : ` ${path}`}: ${message}`,
    );
    super("POLICY_INVALID", `${file} cannot be used:\n${lines.join("\n")}`, {
      details: { file, problems: problems.length },
    });
    this.problems = problems;
  }
}

/**
 * Reads a policy from text: JSON that may have comments and trailing commas.
 *
 * @param text Content.
 * @param file Name for messages.
 * @param schema What the policy must be; unknown fields are errors when the schema is strict.
 * @throws {@link PolicyError}, code `POLICY_INVALID`.
 */
export function parsePolicy<T>(text: string, file: string, schema: ZodType<T>): T {
  const at = (offset: number): { line: number; column: number } => {
    const before = text.slice(0, offset).split("\n");
    return { line: before.length, column: (before.at(-1) as string).length + 1 };
  };
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true });
  if (errors.length > 0 || tree === undefined) {
    const problems = errors.map((error) => ({
      path: "",
      ...at(error.offset),
      message: printParseErrorCode(error.error),
    }));
    throw new PolicyError(
      file,
      problems.length > 0 ? problems : [{ path: "", line: 1, column: 1, message: "the file is empty" }],
    );
  }
  const repeated: PolicyProblem[] = [];
  const value = readValue(tree, "", (path, node) =>
    repeated.push({ path, ...at(node.offset), message: "appears twice" }),
  );
  if (repeated.length > 0) throw new PolicyError(file, repeated);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new PolicyError(
    file,
    parsed.error.issues.map((issue) => {
      const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
      // A missing field has no place: the object that lacks it has.
      let node: Node | undefined;
      for (let length = path.length; node === undefined && length >= 0; length -= 1)
        node = findNodeAtLocation(tree, path.slice(0, length));
      return { path: path.join("."), ...at(node?.offset ?? 0), message: issue.message };
    }),
  );
}

/** As `getNodeValue`, but a repeated key is reported: the second would win silently. */
function readValue(node: Node, path: string, repeated: (path: string, node: Node) => void): unknown {
  if (node.type === "array")
    return (node.children ?? []).map((child, i) => readValue(child, `${path}${path === "" ? "" : "."}${i}`, repeated));
  if (node.type !== "object") return node.value as unknown;
  const result = new Map<string, unknown>();
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? [];
    if (key === undefined || value === undefined) continue;
    const name = key.value as string;
    const here = path === "" ? name : `${path}.${name}`;
    if (result.has(name)) repeated(here, key);
    result.set(name, readValue(value, here, repeated));
  }
  return Object.fromEntries(result);
}

/**
 * Reads a policy file.
 *
 * @param file Path.
 * @param schema What the policy must be.
 * @throws {@link PolicyError}; `POLICY_MISSING`.
 */
export async function loadPolicyFile<T>(file: string, schema: ZodType<T>): Promise<T> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new FatalError(
      "POLICY_MISSING",
      `The policy file ${file} cannot be read (${(error as { code?: string }).code ?? "error"}). Check the path.`,
      { cause: error, details: { file } },
    );
  }
  return parsePolicy(text, file, schema);
}
