// `npm run format`: formats everything and sorts imports. With no argument the whole repository, else the given paths.
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { extname, join } from "node:path";
import { root } from "./lib/workspace.ts";

const paths = process.argv.slice(2);
if (paths.includes("--help")) {
  console.log(
    "usage: npm run format -- [path…]\n\nFormats TypeScript, JavaScript and JSON with Biome, Solidity with Prettier.",
  );
  process.exit(0);
}
const solidity =
  paths.length === 0
    ? globSync("{contracts,test}/**/*.sol", { cwd: root })
    : paths.filter((path) => extname(path) === ".sol");
const others = paths.length === 0 ? ["."] : paths.filter((path) => extname(path) !== ".sol");
const bin = (name: string): string => join(root, "node_modules", ".bin", name);
const runs = [
  ...(others.length > 0 ? [[bin("biome"), "check", "--write", ...others]] : []),
  ...(solidity.length > 0 ? [[bin("prettier"), "--write", "--log-level=warn", ...solidity]] : []),
];
for (const [program = "", ...args] of runs) {
  const { status } = spawnSync(program, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
