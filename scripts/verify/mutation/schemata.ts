// One source that holds all mutants. Each site reads `mutated` while `block.coinbase` is the number of its mutant, and what was written
// otherwise: so one compilation serves every mutant, and 0 is the original.

import { type Node, part, spanOf, textOf, walk } from "./ast.ts";
import type { Form, Mutant, Site } from "./mutant.ts";
import type { Source } from "./source.ts";

type Switch = { readonly number: number; readonly text: string };
type Place = {
  readonly form: Form | "purity";
  readonly start: number;
  readonly end: number;
  readonly switches: Switch[];
};

/**
 * Writes the sources with all mutants in them.
 *
 * @param sources parsed
 * @param mutants the first gets the number 1
 * @returns text by file
 */
export function instrument(sources: readonly Source[], mutants: readonly Mutant[]): Readonly<Record<string, string>> {
  const places = new Map<string, Map<string, Place>>();
  for (const [index, { sites }] of mutants.entries()) {
    for (const site of sites) add(places, site, { number: index + 1, text: site.text });
  }
  return Object.fromEntries(
    sources.map((source) => {
      const found = [...(places.get(source.file)?.values() ?? []), ...impurities(source.tree)];
      found.sort((a, b) => a.start - b.start || b.end - a.end || order(b.form) - order(a.form));
      return [source.file, render(source.bytes, { start: 0, end: source.bytes.length }, found)];
    }),
  );
}

function add(places: Map<string, Map<string, Place>>, site: Site & { readonly file: string }, choice: Switch): void {
  const inFile = places.get(site.file) ?? new Map<string, Place>();
  places.set(site.file, inFile);
  const key = `${site.form} ${site.start} ${site.end}`;
  const place = inFile.get(key) ?? { form: site.form, start: site.start, end: site.end, switches: [] };
  inFile.set(key, place);
  place.switches.push(choice);
}

/** Of two places with the same bytes, the statement is outside. */
function order(form: Place["form"]): number {
  return form.endsWith("statement") ? 1 : 0;
}

/** Switches read the block: nothing is pure any more. */
function impurities(tree: Node): readonly Place[] {
  const found: Place[] = [];
  walk(tree, (node) => {
    if (node.nodeType !== "FunctionDefinition") return true;
    const body = part(node, "body");
    const parameters = part(node, "parameters");
    if (textOf(node, "stateMutability") === "pure" && body !== undefined && parameters !== undefined) {
      found.push({ form: "purity", start: spanOf(parameters).end, end: spanOf(body).start, switches: [] });
    }
    return false;
  });
  return found;
}

/** A range with the places inside it, which are in order: a place that holds others comes before them. */
function render(bytes: Buffer, range: { start: number; end: number }, places: readonly Place[]): string {
  let text = "";
  let at = range.start;
  for (let index = 0; index < places.length; ) {
    const place = places[index];
    if (place === undefined) break;
    const rest = places.slice(index + 1);
    const past = rest.findIndex(
      ({ start, end }) => start >= place.end && !(start === place.start && end === place.end),
    );
    const inside = past === -1 ? rest : rest.slice(0, past);
    for (const inner of inside) {
      if (inner.end > place.end) throw new Error(`places cross at byte ${inner.start}`);
    }
    text += bytes.subarray(at, place.start).toString("utf8");
    const original = bytes.subarray(place.start, place.end).toString("utf8");
    text += choose(place, original, render(bytes, place, inside));
    at = place.end;
    index += 1 + inside.length;
  }
  return text + bytes.subarray(at, range.end).toString("utf8");
}

/** A place with its switches. `plain` is without any, `inner` with those of the places inside. */
function choose({ form, switches }: Place, plain: string, inner: string): string {
  switch (form) {
    case "purity":
      return inner.replace(/\bpure\b/, "view");
    case "expression":
      return `(${switches.map(({ number, text }) => `${on(number)} ? (${text}) : `).join("")}(${inner}))`;
    case "statement":
      return `{ ${switches.map(({ number, text }) => `if (${on(number)}) { ${text} } else `).join("")}{ ${inner} } }`;
    case "insertion":
      return `${switches.map(({ number, text }) => ` if (${on(number)}) { ${text} }`).join("")}${inner}`;
    case "function":
      return twins(switches, inner);
    case "yul-expression":
      return switches.reduce(
        (chosen, { number, text }) => `xor(${chosen}, mul(eq(coinbase(), ${number}), xor(${plain}, ${text})))`,
        inner,
      );
    case "yul-statement": {
      const cases = switches.map(({ number, text }) => `case ${number} { ${text} }`).join(" ");
      return `switch coinbase() ${cases} default { ${inner} }`;
    }
  }
}

function on(number: number): string {
  return `block.coinbase == address(${number})`;
}

/** A modifier cannot be switched: the function becomes two private ones, and one that chooses. */
function twins(switches: readonly Switch[], inner: string): string {
  const head = /^function\s+(\w+)\s*\(([^)]*)\)/.exec(inner);
  const [whole, name, list] = head ?? [];
  if (whole === undefined || name === undefined || list === undefined || !/\)\s*external\b/.test(inner)) {
    throw new Error(`not an external function: ${inner.slice(0, 80)}`);
  }
  const given = list.split(",").map((parameter) => parameter.trim().split(/\s+/).at(-1) ?? "");
  const twin = (text: string, suffix: string): string =>
    text.replace(whole, `function ${name}${suffix}(${list})`).replace(/\bexternal\b/, "private");
  const calls = switches
    .map(({ number }) => `if (${on(number)}) ${name}_${number}(${given.join(", ")}); else `)
    .join("");
  return [
    `function ${name}(${list}) external { ${calls}${name}_0(${given.join(", ")}); }`,
    ...switches.map(({ number, text }) => twin(text, `_${number}`)),
    twin(inner, "_0"),
  ].join("\n");
}
