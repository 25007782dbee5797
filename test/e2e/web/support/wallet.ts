import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { WalletSettings } from "./wallet-page.ts";

let bundled: Promise<string> | undefined;

async function bundle(): Promise<string> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL("./wallet-page.ts", import.meta.url))],
    bundle: true,
    write: false,
    platform: "browser",
    format: "iife",
    logLevel: "silent",
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error("esbuild wrote nothing");
  return file.text;
}

/**
 * Script that puts a test wallet into a page before anything else runs.
 *
 * @param settings its key, its chain, its manners
 */
export async function walletScript(settings: WalletSettings): Promise<string> {
  bundled ??= bundle();
  // A blank page has no storage, and no app either.
  return `if (location.protocol === "http:") {\nwindow.testWalletSettings = ${JSON.stringify(settings)};\n${await bundled}}`;
}
