// Debian packages that the tests need beyond Node: the one list of them, and how they come onto the machine.
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** A Debian package and the program by which it is recognised. */
export type DebianPackage = { readonly name: string; readonly program: string; readonly why: string };

/** Everything that `npm test` needs from Debian. */
export const debianPackages: readonly DebianPackage[] = [
  { name: "bubblewrap", program: "bwrap", why: "the stronger isolation of the sandbox" },
  { name: "postgresql", program: "pg_ctlcluster", why: "imports of records from a real Postgres server" },
  { name: "chromium", program: "chromium", why: "the tests of the web app" },
];

/** What {@link ensureDebianPackages} uses of the machine; tests put their own in. */
export type Machine = {
  readonly path: string;
  readonly isRoot: boolean;
  /** Runs a program; true if it exits with 0. */
  run(argv: readonly string[]): boolean;
};

/** The machine that this process runs on. */
export const thisMachine: Machine = {
  path: process.env.PATH ?? "",
  isRoot: process.getuid?.() === 0,
  run: ([program = "", ...args]) => {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    // Its words go to standard error: standard output may be read by a program.
    return spawnSync(program, args, { env, stdio: ["ignore", 2, 2] }).status === 0;
  },
};

function has(machine: Machine, program: string): boolean {
  // /usr/sbin and the like are on root's path only, and that is where some tools live.
  const folders = [...machine.path.split(delimiter), "/usr/sbin", "/sbin"];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Installs the missing Debian packages if this process may, by `apt-get` as root or through a sudo that asks for no password.
 *
 * @param machine to look at
 * @param say tells what is being done
 * @param packages that are needed
 * @returns undefined when all are there, else the line to paste into a shell
 */
export function ensureDebianPackages(
  machine: Machine,
  say: (line: string) => void,
  packages: readonly DebianPackage[] = debianPackages,
): string | undefined {
  const missing = packages.filter(({ program }) => !has(machine, program));
  if (missing.length === 0) return undefined;
  const names = missing.map(({ name }) => name);
  const prefix = machine.isRoot ? [] : ["sudo", "-n"];
  const mayInstall =
    has(machine, "apt-get") && (machine.isRoot || (has(machine, "sudo") && machine.run(["sudo", "-n", "true"])));
  if (mayInstall) {
    say(`Installing from Debian: ${missing.map(({ name, why }) => `${name} (${why})`).join(", ")}`);
    const install = [...prefix, "apt-get", "install", "-y", "-qq", "--no-install-recommends", ...names];
    // The package lists of a fresh container are empty; those of a used machine mostly do.
    if (machine.run(install)) return undefined;
    if (machine.run([...prefix, "apt-get", "update", "-qq"]) && machine.run(install)) return undefined;
  }
  return `${machine.isRoot ? "" : "sudo "}apt-get update && ${machine.isRoot ? "" : "sudo "}apt-get install -y ${names.join(" ")}`;
}
