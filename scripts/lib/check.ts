// The common frame of the checks: --help, findings on standard error, exit code 1 when there are any.
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

/** What a check found and what it can say when all is well. */
export type CheckResult = { readonly findings: readonly string[]; readonly summary: string };

/** A check as a script. */
export type Check = {
  /** What it does, in a sentence or two, for --help. */
  readonly about: string;
  /** Set where the check can mend what it finds. */
  readonly writes?: true;
  /**
   * Looks; with `write` it mends what it can and returns what remains.
   *
   * @param write whether --write was given
   */
  run(write: boolean): CheckResult;
};

/**
 * Runs a check if its module is the script that was started.
 *
 * @param moduleUrl `import.meta.url` of the check
 * @param check the check
 */
export function checkMain(moduleUrl: string, check: Check): void {
  if (moduleUrl !== pathToFileURL(process.argv[1] ?? "").href) return;
  const { values } = parseArgs({
    options: { help: { type: "boolean", default: false }, write: { type: "boolean", default: false } },
  });
  if (values.help) {
    console.log(`${check.about}\n\nusage: node ${process.argv[1]}${check.writes === true ? " [--write]" : ""}`);
    return;
  }
  if (values.write && check.writes !== true) throw new Error("this check has nothing to write");
  const { findings, summary } = check.run(values.write);
  for (const finding of findings) console.error(finding);
  console.log(findings.length === 0 ? summary : `${findings.length} findings`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}
