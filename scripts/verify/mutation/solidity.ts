// Operators on Solidity: every node of a function and the faults that can be planted there.
import { type Node, part, parts, type Span, spanOf, textOf, typeNameOf, typeOf, walk } from "./ast.ts";
import type { Collector } from "./collect.ts";
import { mutateAssembly } from "./yul.ts";

/** Enumerations by id: their members in order. */
export type Enums = ReadonlyMap<number, readonly string[]>;

const RELATIONS: Readonly<Record<string, readonly [operator: string, replacement: string][]>> = {
  "<": [
    ["relational boundary", "<="],
    ["relational negation", ">="],
  ],
  "<=": [
    ["relational boundary", "<"],
    ["relational negation", ">"],
  ],
  ">": [
    ["relational boundary", ">="],
    ["relational negation", "<="],
  ],
  ">=": [
    ["relational boundary", ">"],
    ["relational negation", "<"],
  ],
  "==": [["relational negation", "!="]],
  "!=": [["relational negation", "=="]],
  "+": [["arithmetic", "-"]],
  "-": [["arithmetic", "+"]],
  "*": [["arithmetic", "/"]],
  "/": [["arithmetic", "*"]],
  "%": [["arithmetic", "*"]],
  "<<": [["shift", ">>"]],
  ">>": [["shift", "<<"]],
  "&": [["bitwise", "|"]],
  "|": [["bitwise", "&"]],
  "^": [["bitwise", "&"]],
  "&&": [["logical", "||"]],
  "||": [["logical", "&&"]],
};

const ASSIGNMENTS: Readonly<Record<string, readonly string[]>> = {
  "+=": ["-=", "="],
  "-=": ["+=", "="],
  "|=": ["&=", "="],
  "&=": ["|=", "="],
};

/**
 * Finds the mutants of one function.
 *
 * @param out where they go
 * @param definition the function
 * @param enums every enumeration
 */
export function mutateFunction(out: Collector, definition: Node, enums: Enums): void {
  const body = part(definition, "body");
  if (body === undefined) return;
  mutateReturn(out, definition, body);
  mutateModifiers(out, definition);
  walk(
    body,
    (node, above) => {
      switch (node.nodeType) {
        case "BinaryOperation":
          mutateBinary(out, node);
          break;
        case "UnaryOperation":
          mutateUnary(out, node, above);
          break;
        case "Conditional":
          mutateCondition(out, part(node, "condition"));
          break;
        case "IfStatement":
          mutateCondition(out, part(node, "condition"));
          force(out, part(node, "condition"));
          break;
        case "WhileStatement":
          mutateCondition(out, part(node, "condition"));
          break;
        case "Return":
          mutateCondition(out, part(node, "expression"));
          removeJump(out, node, above);
          break;
        case "Continue":
          removeJump(out, node, above);
          break;
        case "Assignment":
          mutateAssignment(out, node, above);
          break;
        case "Literal":
          mutateLiteral(out, node, above);
          break;
        case "MemberAccess":
          mutateEnum(out, node, enums);
          break;
        case "FunctionCall":
          swapArguments(out, node);
          break;
        case "EmitStatement":
          remove(out, "emit removal", node, above);
          mutateArguments(out, "event argument", part(node, "eventCall"));
          break;
        case "RevertStatement":
          remove(out, "revert removal", node, above);
          mutateArguments(out, "error argument", part(node, "errorCall"));
          break;
        case "TryStatement":
          out.add("call removal", "statement", node, "");
          break;
        case "ExpressionStatement":
          removeStatement(out, node, above);
          break;
        case "InlineAssembly":
          mutateAssembly(out, node);
          return false;
      }
      return true;
    },
    [definition],
  );
}

function mutateBinary(out: Collector, node: Node): void {
  const [left, right] = [part(node, "leftExpression"), part(node, "rightExpression")];
  if (left === undefined || right === undefined || isRational(node)) return;
  const [a, b] = [out.text(left), out.text(right)];
  for (const [operator, replacement] of RELATIONS[textOf(node, "operator")] ?? []) {
    out.add(operator, "expression", node, `${a} ${replacement} ${b}`);
  }
  if (["&&", "||"].includes(textOf(node, "operator"))) {
    out.add("logical operand", "expression", node, a);
    out.add("logical operand", "expression", node, b);
  }
}

function mutateUnary(out: Collector, node: Node, above: readonly Node[]): void {
  const operand = part(node, "subExpression");
  if (operand === undefined || isRational(node)) return;
  const text = out.text(operand);
  switch (textOf(node, "operator")) {
    case "!":
      out.add("negation removal", "expression", node, text);
      break;
    case "~":
      out.add("bitwise", "expression", node, text);
      break;
    case "++":
    case "--": {
      const other = textOf(node, "operator") === "++" ? "--" : "++";
      const prefix = node.prefix === true;
      // In a loop's header `--i` runs until gas is out: nothing is learnt from it.
      if (above[0]?.nodeType === "ExpressionStatement" && above[1]?.nodeType === "ForStatement") break;
      out.add("increment", "expression", node, prefix ? other + text : text + other);
      break;
    }
  }
}

/** Conditions that no other operator touches. */
function mutateCondition(out: Collector, condition: Node | undefined): void {
  if (condition === undefined || typeOf(condition) !== "t_bool") return;
  if (["BinaryOperation", "UnaryOperation", "Literal"].includes(condition.nodeType)) return;
  out.add("condition negation", "expression", condition, `!(${out.text(condition)})`);
}

function force(out: Collector, condition: Node | undefined): void {
  if (condition === undefined) return;
  out.add("condition forced", "expression", condition, "false");
  out.add("condition forced", "expression", condition, "true");
}

function mutateAssignment(out: Collector, node: Node, above: readonly Node[]): void {
  const [left, right] = [part(node, "leftHandSide"), part(node, "rightHandSide")];
  const statement = above[0];
  if (left === undefined || right === undefined || statement?.nodeType !== "ExpressionStatement") return;
  for (const operator of ASSIGNMENTS[textOf(node, "operator")] ?? []) {
    const replacement = `${out.text(left)} ${operator} ${out.text(right)}`;
    if (above[1]?.nodeType === "ForStatement") out.add("assignment operator", "expression", node, replacement);
    else out.addAt("assignment operator", "statement", statementSpan(out, statement), `${replacement};`);
  }
}

function mutateLiteral(out: Collector, node: Node, above: readonly Node[]): void {
  const kind = textOf(node, "kind");
  if (kind === "bool") {
    out.add("true and false", "expression", node, textOf(node, "value") === "true" ? "false" : "true");
    return;
  }
  if (kind !== "number" || typeof node.subdenomination === "string") return;
  const value = BigInt(textOf(node, "value").replaceAll("_", ""));
  const site = siteOfLiteral(node, above);
  if (site === undefined) return;
  for (const changed of value === 0n ? [1n] : [value + 1n, value - 1n]) {
    out.add("literal", "expression", site, out.textWith(site, node, String(changed)));
  }
}

/**
 * Where a changed number can be switched. A choice between two literals has the smallest type that holds both, so it must stand where
 * a small number serves as well; elsewhere what is around the literal is switched.
 */
function siteOfLiteral(node: Node, above: readonly Node[]): Node | undefined {
  let site = node;
  for (const outer of above) {
    const other = outer.nodeType === "BinaryOperation" ? otherOperand(outer, site) : undefined;
    if (other !== undefined) {
      const isShift = ["<<", ">>", "**"].includes(textOf(outer, "operator"));
      if (isRational(outer) || (isShift && part(outer, "leftExpression") === site)) {
        site = outer;
        if (!isRational(outer)) return site;
        continue;
      }
      return /^t_(uint|rational)/.test(typeOf(other)) ? site : undefined;
    }
    if (outer.nodeType === "UnaryOperation" && isRational(outer)) {
      site = outer;
      continue;
    }
    if (outer.nodeType === "FunctionCall" && textOf(outer, "kind") === "typeConversion") {
      // Only zero becomes bytes.
      return typeOf(outer).startsWith("t_bytes") ? undefined : outer;
    }
    // A fixed-size type, not a value.
    if (outer.nodeType.endsWith("TypeName")) return undefined;
    // To bytes or an address only the literal 0 is assigned.
    const target = outer.nodeType === "Assignment" ? typeOf(part(outer, "leftHandSide")) : "";
    if (/^t_(bytes|address)/.test(target)) return undefined;
    return isReturnedAsNumber(site, above) ? site : undefined;
  }
  return undefined;
}

/** Whether what is returned is a number; so too when nothing is returned here. */
function isReturnedAsNumber(site: Node, above: readonly Node[]): boolean {
  const jump = above.find(({ nodeType }) => nodeType === "Return");
  const value = part(jump, "expression");
  if (value === undefined) return true;
  const place = value === site ? 0 : parts(value, "components").indexOf(site);
  const definition = above.find(({ nodeType }) => nodeType === "FunctionDefinition");
  const returned = parts(part(definition, "returnParameters"), "parameters")[place];
  return returned === undefined || typeOf(returned).startsWith("t_uint");
}

function otherOperand(binary: Node, operand: Node): Node | undefined {
  const [left, right] = [part(binary, "leftExpression"), part(binary, "rightExpression")];
  if (left === operand) return right;
  return right === operand ? left : undefined;
}

function mutateEnum(out: Collector, node: Node, enums: Enums): void {
  const members = enums.get(Number(part(node, "expression")?.referencedDeclaration ?? -1));
  if (members === undefined || !typeOf(node).startsWith("t_enum")) return;
  const next = members[(members.indexOf(textOf(node, "memberName")) + 1) % members.length] ?? "";
  const expression = part(node, "expression");
  if (expression !== undefined) out.add("enumeration", "expression", node, `${out.text(expression)}.${next}`);
}

/** Neighbours of one type change places, without being evaluated in another order. */
function swapArguments(out: Collector, node: Node): void {
  if (textOf(node, "kind") !== "functionCall") return;
  const given = parts(node, "arguments").filter((argument) => argument.nodeType !== "TupleExpression");
  for (const [index, first] of given.entries()) {
    const second = given.slice(index + 1).find((other) => typeNameOf(other) === typeNameOf(first));
    if (second === undefined || isRational(first) || typeOf(first).startsWith("t_type")) continue;
    const [a, b] = [out.text(first), out.text(second)];
    if (a === b) continue;
    const span = { start: spanOf(first).start, end: spanOf(second).end };
    const between = out.text({ start: spanOf(first).end, end: spanOf(second).start });
    out.push("swapped arguments", span, out.text(span), b + between + a, [
      { form: "expression", ...spanOf(first), text: b },
      { form: "expression", ...spanOf(second), text: a },
    ]);
  }
}

function mutateArguments(out: Collector, operator: string, call: Node | undefined): void {
  for (const argument of parts(call, "arguments")) {
    const [type, text] = [typeOf(argument), out.text(argument)];
    if (type === "t_bool") out.add(operator, "expression", argument, `!(${text})`);
    else if (/^t_uint\d+$/.test(type)) out.add(operator, "expression", argument, `(${text}) ^ 1`);
    else if (/^t_bytes\d+$/.test(type)) out.add(operator, "expression", argument, `~(${text})`);
    else if (type === "t_address") out.add(operator, "expression", argument, `address(~uint160(${text}))`);
    else if (isRational(argument) && /^\d+$/.test(text))
      out.add(operator, "expression", argument, String(BigInt(text) + 1n));
  }
}

function removeJump(out: Collector, node: Node, above: readonly Node[]): void {
  if (part(node, "expression") === undefined) remove(out, "jump removal", node, above);
}

function removeStatement(out: Collector, node: Node, above: readonly Node[]): void {
  const expression = part(node, "expression");
  if (expression === undefined || above[0]?.nodeType === "ForStatement") return;
  const operator = nameOfRemoval(expression);
  if (operator !== undefined) remove(out, operator, node, above);
}

function nameOfRemoval(expression: Node): string | undefined {
  if (expression.nodeType === "FunctionCall") return "call removal";
  const target = part(expression, "leftHandSide") ?? part(expression, "subExpression");
  // A pointer without a value does not compile.
  const isPointer = target?.nodeType === "Identifier" && /_(storage_ptr|calldata)/.test(typeOf(target));
  if (target === undefined || isPointer) return undefined;
  if (textOf(expression, "operator") === "delete") return "delete removal";
  return isStorage(target) ? "storage write removal" : "assignment removal";
}

function isStorage(target: Node): boolean {
  let found = false;
  walk(target, (node) => {
    if (/_storage|^t_mapping/.test(typeOf(node))) found = true;
    return true;
  });
  return found;
}

/** Without a statement; the only one of a branch goes with its condition, which is forced already. */
function remove(out: Collector, operator: string, node: Node, above: readonly Node[]): void {
  const [outer, next] = above[0]?.nodeType === "Block" ? [above[1], above[0]] : [above[0], node];
  const alone = next === node || parts(next, "statements").length === 1;
  if (outer?.nodeType === "IfStatement" && alone && part(outer, "falseBody") === undefined) return;
  out.addAt(operator, "statement", statementSpan(out, node), "");
}

/** With the semicolon, which the tree leaves out. */
function statementSpan(out: Collector, node: Node): Span {
  const { start, end } = spanOf(node);
  return out.text({ start: end, end: end + 1 }) === ";" ? { start, end: end + 1 } : { start, end };
}

/** The function does nothing, and returns what it would if it never assigned anything. */
function mutateReturn(out: Collector, definition: Node, body: Node): void {
  if (textOf(definition, "kind") === "constructor" || parts(body, "statements").length === 0) return;
  const returned = parts(part(definition, "returnParameters"), "parameters");
  const values = returned.map((parameter) => zeroOf(parameter));
  if (values.includes(undefined)) return;
  const text = values.length === 0 ? "return;" : `return (${values.join(", ")});`;
  const start = spanOf(body).start + 1;
  out.push("early return", spanOf(body), "{ … }", `{ ${text} }`, [{ form: "insertion", start, end: start, text }]);
}

function zeroOf(parameter: Node): string | undefined {
  const type = typeOf(parameter);
  const name = textOf(parameter, "name");
  if (/_(storage|calldata)/.test(type)) return undefined;
  if (name !== "") return name;
  if (type === "t_bool") return "false";
  const typeName = typeNameOf(parameter).replace(/^(enum|contract) /, "");
  return /^t_(uint|bytes\d|address|enum)/.test(type) ? `${typeName}(0)` : undefined;
}

function mutateModifiers(out: Collector, definition: Node): void {
  for (const modifier of parts(definition, "modifiers")) {
    if (part(modifier, "modifierName")?.name !== "nonReentrant") {
      mutateBaseArguments(out, modifier);
      continue;
    }
    const span = spanOf(definition);
    out.push("modifier removal", spanOf(modifier), out.text(modifier), "", [
      { form: "function", ...span, text: out.textWith(definition, modifier, "") },
    ]);
  }
}

/** Words that a constructor hands to a base. */
function mutateBaseArguments(out: Collector, modifier: Node): void {
  for (const argument of parts(modifier, "arguments")) {
    if (argument.nodeType === "Literal" && textOf(argument, "kind") === "string") {
      out.add("literal", "expression", argument, `"${textOf(argument, "value")}x"`);
    }
  }
}

function isRational(node: Node): boolean {
  return typeOf(node).startsWith("t_rational");
}
