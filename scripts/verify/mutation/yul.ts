// Operators on inline assembly.
import { type Node, part, parts, textOf, walk } from "./ast.ts";
import type { Collector } from "./collect.ts";

const SWAPS: Readonly<Record<string, string>> = {
  add: "sub",
  sub: "add",
  mul: "div",
  shl: "shr",
  shr: "shl",
  and: "or",
  or: "and",
  xor: "and",
  lt: "gt",
  gt: "lt",
};

/** What must not be evaluated twice. */
const IMPURE = /\b(staticcall|call|delegatecall|create2?|log\d|mstore8?|sstore|tstore)\(/;

/**
 * Finds the mutants of an assembly block.
 *
 * @param out where they go
 * @param block an `InlineAssembly`
 */
export function mutateAssembly(out: Collector, block: Node): void {
  const inside = part(block, "AST");
  if (inside === undefined) return;
  walk(inside, (node, above) => {
    switch (node.nodeType) {
      case "YulFunctionCall":
        mutateCall(out, node);
        break;
      case "YulLiteral":
        mutateLiteral(out, node);
        break;
      case "YulExpressionStatement":
        out.add("call removal", "yul-statement", node, "");
        break;
      case "YulAssignment":
        if (above[1]?.nodeType !== "YulForLoop") out.add("assignment removal", "yul-statement", node, "");
        break;
      case "YulIf": {
        const condition = part(node, "condition");
        if (condition !== undefined) {
          out.add("condition forced", "yul-expression", condition, "0");
          out.add("condition forced", "yul-expression", condition, "1");
        }
        break;
      }
    }
    return true;
  });
}

function mutateCall(out: Collector, node: Node): void {
  const text = out.text(node);
  const name = part(node, "functionName");
  if (name === undefined || IMPURE.test(text)) return;
  const given = parts(node, "arguments");
  const swap = SWAPS[textOf(name, "name")];
  const operator = ["shl", "shr"].includes(textOf(name, "name")) ? "shift" : "arithmetic";
  if (swap !== undefined) out.add(operator, "yul-expression", node, out.textWith(node, name, swap));
  if (textOf(name, "name") === "iszero") out.add("negation removal", "yul-expression", node, `iszero(${text})`);
  const [first, second] = given;
  if (
    ["sub", "shl", "shr", "lt", "gt", "eq"].includes(textOf(name, "name")) &&
    first !== undefined &&
    second !== undefined
  ) {
    if (textOf(name, "name") === "eq") out.add("relational negation", "yul-expression", node, `iszero(${text})`);
    else if (textOf(name, "name") === "sub") {
      const swapped = `sub(${out.text(second)}, ${out.text(first)})`;
      out.add("swapped arguments", "yul-expression", node, swapped);
    } else if (["lt", "gt"].includes(textOf(name, "name"))) {
      out.add(
        "relational boundary",
        "yul-expression",
        node,
        `iszero(${swap}(${out.text(first)}, ${out.text(second)}))`,
      );
    }
  }
}

function mutateLiteral(out: Collector, node: Node): void {
  if (textOf(node, "kind") !== "number") return;
  const value = BigInt(textOf(node, "value"));
  const hex = (changed: bigint): string => `0x${changed.toString(16).padStart(2, "0")}`;
  out.add("literal", "yul-expression", node, hex(value + 1n));
  if (value >= 0x20n) out.add("offset", "yul-expression", node, hex(value - 0x20n));
  else if (value > 0n) out.add("literal", "yul-expression", node, hex(value - 1n));
}
