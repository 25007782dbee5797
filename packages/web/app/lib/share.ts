import { canonicalJson, FatalError, utf8 } from "@quorate/core";
import { saveText } from "./save.ts";

/** Longest text that is read from a paste, a file or an address, characters. */
const LONGEST = 1_000_000;

/**
 * Packs JSON so that it fits into the fragment of an address: base64url of its canonical form.
 *
 * @param json - Plain JSON.
 */
export function toLinkPart(json: unknown): string {
  let binary = "";
  for (const byte of utf8(canonicalJson(json))) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * Reads what somebody handed over: JSON as text, a link of this app, or the part of such a link that holds the JSON.
 *
 * @param text - Pasted, from a file or from an address.
 * @param what - For the error, as `a receipt`.
 * @throws FatalError `SHARED_TEXT_INVALID`.
 */
export function readShared(text: string, what: string): unknown {
  const trimmed = text.trim();
  const unreadable = (cause?: unknown): FatalError =>
    new FatalError(
      "SHARED_TEXT_INVALID",
      `This is not ${what}: neither a file of it nor a link to one. Paste the whole text, from its first to its last character.`,
      { cause },
    );
  if (trimmed === "" || trimmed.length > LONGEST) throw unreadable();
  try {
    return JSON.parse(trimmed.startsWith("{") ? trimmed : fromBase64Url(trimmed.slice(trimmed.lastIndexOf("/") + 1)));
  } catch (cause) {
    throw unreadable(cause);
  }
}

function fromBase64Url(text: string): string {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
}

/**
 * The whole address of a page of this app, to hand to somebody.
 *
 * @param fragment - As `#/check/…`.
 */
export function addressOf(fragment: string): string {
  return new URL(fragment, document.baseURI).href;
}

/**
 * Hands JSON to the visitor as a file.
 *
 * @param name - Of the file.
 * @param json - Plain JSON.
 */
export function downloadJson(name: string, json: unknown): void {
  saveText(name, `${JSON.stringify(json, null, 2)}\n`);
}
