// `npm run test:web`: the web app in a browser, apart from the other tests.
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./lib/workspace.ts";
import { debianPackages, ensureDebianPackages, thisMachine } from "./test/debian.ts";

const USAGE = `usage: npm run test:web -- [options]

The stories and pages of the web app in Debian's Chromium, against a local market with real agents and real proofs.

  --full                  also the long stories: reload and close at each step, contract accounts, every state of every page
  --screenshots <folder>  writes a picture of every page, in both themes and at both widths
  --only <pattern>        tests whose name matches
  --help                  print this`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      full: { type: "boolean", default: false },
      screenshots: { type: "string" },
      only: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const chromium = debianPackages.filter(({ name }) => name === "chromium");
  const line = ensureDebianPackages(thisMachine, console.error, chromium);
  if (line !== undefined) {
    console.error(
      `The tests need a Debian package that this account may not install. Run this, then try again:\n  ${line}`,
    );
    return 1;
  }
  const files = globSync("test/e2e/web/*.test.ts", { cwd: root });
  const args = [
    "--test",
    "--test-concurrency=1",
    ...(values.only === undefined ? [] : ["--test-name-pattern", values.only]),
  ];
  const child = spawn(process.execPath, [...args, ...files.map((file) => join(root, file))], {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      ...(values.full ? { QUORATE_WEB_FULL: "1" } : {}),
      ...(values.screenshots === undefined ? {} : { QUORATE_SCREENSHOTS: resolve(values.screenshots) }),
    },
  });
  return await new Promise((done) => child.once("close", (code) => done(code ?? 1)));
}

process.exitCode = await main();
