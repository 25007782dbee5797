import type { Hex } from "@quorate/core";

/** What an id that a person wrote stands for. */
export type IdMatch =
  | { readonly kind: "found"; readonly id: Hex }
  | { readonly kind: "malformed" }
  | { readonly kind: "unknown"; readonly prefix: Hex }
  | { readonly kind: "ambiguous"; readonly prefix: Hex; readonly ids: readonly Hex[] };

/**
 * The id that a person means: a whole one, or the beginning of one.
 *
 * @param known - Ids to choose from; a whole id need not be among them.
 * @param text - `0x` and hex digits, at least four.
 */
export function matchId(known: readonly Hex[], text: string): IdMatch {
  if (/^(0x)?[0-9a-f]{64}$/i.test(text)) return { kind: "found", id: withPrefix(text) };
  if (!/^(0x)?[0-9a-f]{4,63}$/i.test(text)) return { kind: "malformed" };
  const prefix = withPrefix(text);
  const ids = known.filter((id) => id.startsWith(prefix));
  const [id] = ids;
  if (id === undefined) return { kind: "unknown", prefix };
  return ids.length > 1 ? { kind: "ambiguous", prefix, ids } : { kind: "found", id };
}

function withPrefix(text: string): Hex {
  return (text.toLowerCase().startsWith("0x") ? text : `0x${text}`).toLowerCase() as Hex;
}
