// All mutants of the sources, in the order of files and lines.
import { type Node, part, parts, type Span, spanOf, textOf, typeNameOf, typeOf, walk } from "./ast.ts";
import { Collector } from "./collect.ts";
import { type Form, type Mutant, nameMutants } from "./mutant.ts";
import { mutateFunction } from "./solidity.ts";
import type { Source } from "./source.ts";

type Use = { readonly file: string; readonly form: Form } & Span;

/**
 * Finds every mutant that the operators know.
 *
 * @param sources parsed, all that refer to each other
 * @returns mutants with their ids
 */
export function findMutants(sources: readonly Source[]): readonly Mutant[] {
  const enums = new Map<number, readonly string[]>();
  const uses = new Map<number, Use[]>();
  for (const { file, tree } of sources) {
    walk(tree, (node, above) => {
      if (node.nodeType === "EnumDefinition") {
        enums.set(
          node.id ?? -1,
          parts(node, "members").map((member) => textOf(member, "name")),
        );
      }
      collectUses(uses, file, node, above);
      return true;
    });
  }
  const drafts = sources.flatMap((source) => {
    const out = new Collector(source);
    walk(source.tree, (node, above) => {
      const owner = above.find(({ nodeType }) => nodeType === "ContractDefinition");
      const name = textOf(node, "name") || textOf(node, "kind");
      out.scope = owner === undefined ? name : `${textOf(owner, "name")}.${name}`;
      if (node.nodeType === "FunctionDefinition") mutateFunction(out, node, enums);
      else if (node.nodeType === "VariableDeclaration" && node.constant === true) mutateConstant(out, node, uses);
      return node.nodeType === "SourceUnit" || node.nodeType === "ContractDefinition";
    });
    return out.drafts;
  });
  return nameMutants(drafts);
}

/** Where constants are read in code that runs; initial values of other constants stay as they are. */
function collectUses(uses: Map<number, Use[]>, file: string, node: Node, above: readonly Node[]): void {
  const put = (declaration: number, form: Form, span: Span): void => {
    const list = uses.get(declaration) ?? [];
    list.push({ file, form, ...span });
    uses.set(declaration, list);
  };
  if (!above.some(({ nodeType }) => nodeType === "FunctionDefinition")) return;
  if (node.nodeType === "Identifier") put(Number(node.referencedDeclaration), "expression", spanOf(node));
  if (node.nodeType !== "InlineAssembly") return;
  const references = node.externalReferences as readonly { declaration: number; src: string }[];
  for (const { declaration, src } of references) put(declaration, "yul-expression", spanOf({ nodeType: "", src }));
}

/** A constant is changed wherever it is read. */
function mutateConstant(out: Collector, node: Node, uses: ReadonlyMap<number, readonly Use[]>): void {
  const places = uses.get(node.id ?? -1) ?? [];
  if (places.length === 0) return;
  const [name, type, value] = [textOf(node, "name"), typeNameOf(node), part(node, "value")];
  const write = (solidity: string, yul: string, shown: string): void =>
    out.push(
      "constant",
      spanOf(node),
      out.text(node),
      shown,
      places.map((place) => ({ ...place, text: place.form === "expression" ? solidity : yul })),
    );
  if (/^t_uint/.test(typeOf(node))) {
    write(`${type}(${name} + 1)`, `add(${name}, 1)`, `${name} + 1`);
    if (textOf(value, "value") !== "0") write(`${type}(${name} - 1)`, `sub(${name}, 1)`, `${name} - 1`);
  } else if (typeOf(node) === "t_bytes32") {
    write(`(~${name})`, `not(${name})`, `~${name}`);
  }
}
