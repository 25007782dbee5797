// Gathers the mutants of one file while its tree is walked.
import { type Node, type Span, spanOf } from "./ast.ts";
import type { Draft, Form } from "./mutant.ts";
import type { Source } from "./source.ts";

/** Collects drafts; knows the text of its file and the function that is being walked. */
export class Collector {
  readonly file: string;
  readonly drafts: Draft[] = [];
  scope = "";
  readonly #bytes: Buffer;

  constructor(source: Source) {
    this.file = source.file;
    this.#bytes = source.bytes;
  }

  /** Text of a node or a range. */
  text(at: Node | Span): string {
    const { start, end } = "nodeType" in at ? spanOf(at) : at;
    return this.#bytes.subarray(start, end).toString("utf8");
  }

  /** Text of a node with one part of it replaced. */
  textWith(node: Node, inner: Node | Span, replacement: string): string {
    const outer = spanOf(node);
    const { start, end } = "nodeType" in inner ? spanOf(inner) : inner;
    return this.text({ start: outer.start, end: start }) + replacement + this.text({ start: end, end: outer.end });
  }

  /** A mutant that shows at one node, where `replacement` stands instead. */
  add(operator: string, form: Form, node: Node, replacement: string): void {
    this.addAt(operator, form, spanOf(node), replacement);
  }

  /** A mutant that shows at one range. */
  addAt(operator: string, form: Form, span: Span, replacement: string): void {
    const original = this.text(span);
    this.push(operator, span, original, replacement, [{ form, ...span, text: replacement }]);
  }

  /** A mutant that shows at several places of this file, or of others. */
  push(
    operator: string,
    span: Span,
    original: string,
    replacement: string,
    sites: readonly { form: Form; start: number; end: number; text: string; file?: string }[],
  ): void {
    const line = 1 + this.#bytes.subarray(0, span.start).filter((byte) => byte === 0x0a).length;
    this.drafts.push({
      operator,
      file: this.file,
      scope: this.scope,
      line,
      original,
      replacement,
      sites: sites.map((site) => ({ file: this.file, ...site })),
    });
  }
}
