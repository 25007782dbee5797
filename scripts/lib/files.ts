// Which files belong to the repository.
import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { join } from "node:path";
import { root } from "./workspace.ts";

const IGNORED = /(^|\/)(node_modules|dist|cache|artifacts|coverage|\.git|\.cache|\.quorate)(\/|$)/;

/**
 * Files of the repository: those that git knows or would add; without git (an unpacked archive) those that lie there.
 *
 * @returns paths relative to the root, sorted
 */
export function repositoryFiles(): readonly string[] {
  const git = spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: root,
    encoding: "utf8",
  });
  const files =
    git.status === 0
      ? git.stdout.split("\0").filter((file) => file !== "")
      : globSync("**/*", { cwd: root, exclude: (path) => IGNORED.test(path), withFileTypes: false });
  return [...new Set(files)].filter((file) => !IGNORED.test(file) && existsSync(join(root, file))).sort();
}

/**
 * Tests and what only tests use: `*.test.ts`, and files or folders called `test`, `testing` or `fixtures`. They are not packed, and
 * nothing that is may import them.
 *
 * @param file path within its package
 * @returns whether it belongs to tests
 */
export function isTestFile(file: string): boolean {
  return /\.test\.m?tsx?$|(^|\/)(test|testing|fixtures)(\/|\.m?tsx?$)/.test(file);
}
