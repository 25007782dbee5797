// The compiler's own syntax tree, read with as little typing as the operators need.

/** A node of Solidity or Yul. `src` is `start:length:file`, in bytes. */
export type Node = { readonly nodeType: string; readonly src: string; readonly id?: number } & Readonly<
  Record<string, unknown>
>;

/** Bytes of a file, end excluded. */
export type Span = { readonly start: number; readonly end: number };

/**
 * Where a node stands.
 *
 * @param node any node
 * @returns its bytes
 */
export function spanOf(node: Node): Span {
  const [start = 0, length = 0] = node.src.split(":").map(Number);
  return { start, end: start + length };
}

/**
 * Whether a value is a node.
 *
 * @param value anything
 * @returns so, or not
 */
export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).nodeType === "string";
}

/**
 * A part of a node.
 *
 * @param node that has it
 * @param name of the part
 * @returns the node there, if there is one
 */
export function part(node: Node | undefined, name: string): Node | undefined {
  const value = node?.[name];
  return isNode(value) ? value : undefined;
}

/**
 * A list of parts of a node; holes, as in `(a, , b)`, are left out.
 *
 * @param node that has them
 * @param name of the list
 * @returns the nodes
 */
export function parts(node: Node | undefined, name: string): readonly Node[] {
  const value = node?.[name];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/**
 * Everything below a node, and what it belongs to.
 *
 * @param node to begin with
 * @param visit is called with each node and its ancestors, the nearest first; says whether to go on below it
 * @param above ancestors of the node
 */
export function walk(
  node: Node,
  visit: (node: Node, above: readonly Node[]) => boolean,
  above: readonly Node[] = [],
): void {
  if (!visit(node, above)) return;
  const inside = [node, ...above];
  for (const [name, value] of Object.entries(node)) {
    if (name === "typeDescriptions" || name === "commonType") continue;
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, visit, inside);
  }
}

/**
 * The type of an expression as the compiler spells it for machines.
 *
 * @param node an expression
 * @returns as `t_uint256`, empty where there is none
 */
export function typeOf(node: Node | undefined): string {
  const found = node?.typeDescriptions as { readonly typeIdentifier?: string } | undefined;
  return found?.typeIdentifier ?? "";
}

/**
 * The type of an expression as a source would name it.
 *
 * @param node an expression
 * @returns as `uint256`
 */
export function typeNameOf(node: Node | undefined): string {
  const found = node?.typeDescriptions as { readonly typeString?: string } | undefined;
  return found?.typeString ?? "";
}

/**
 * A text part of a node.
 *
 * @param node that has it
 * @param name of the part
 * @returns it, or nothing
 */
export function textOf(node: Node | undefined, name: string): string {
  const value = node?.[name];
  return typeof value === "string" ? value : "";
}
