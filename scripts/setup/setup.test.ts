// The set-up in a folder of its own, with an npm that the test writes: what it installs is this Node under the pinned name.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { root } from "../lib/workspace.ts";

const platform = `linux-${process.arch}`;
let project = "";
const running: ChildProcess[] = [];

/** A stand-in for npm: counts its calls, waits while a file `hold` is there, installs what the lockfile names. */
const NPM = `
const fs = require("node:fs"), path = require("node:path");
fs.appendFileSync("npm-calls", process.argv.slice(2).join(" ") + "\\n");
fs.rmSync("node_modules", { recursive: true, force: true });
const lock = JSON.parse(fs.readFileSync("package-lock.json", "utf8"));
const place = (name) => {
  const folder = path.join("node_modules", name);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "package.json"), "{}");
};
place("first");
fs.writeFileSync("npm-busy", "");
const finish = () => {
  if (fs.existsSync("hold")) return setTimeout(finish, 10);
  if (fs.existsSync("break")) { console.error("npm error no network"); process.exit(7); }
  for (const name of Object.keys(lock.packages).filter(Boolean)) place(name.slice("node_modules/".length));
  const bin = "node_modules/node-${platform}/bin";
  fs.mkdirSync(bin, { recursive: true });
  fs.symlinkSync(${JSON.stringify(process.execPath)}, path.join(bin, "node"));
  fs.writeFileSync("node_modules/.package-lock.json", JSON.stringify({ packages: Object.fromEntries(Object.entries(lock.packages).filter(([k]) => k)) }));
};
finish();
`;

function lockfile(version: string): string {
  const entry = (version: string): object => ({ version, integrity: `sha512-${version}` });
  const edr = `node_modules/@nomicfoundation/edr-linux-${process.arch}-gnu`;
  const packages = {
    "": {},
    "node_modules/first": entry(version),
    [`node_modules/node-${platform}`]: entry("24.0.0"),
    [edr]: entry("1.0.0"),
  };
  return JSON.stringify({ lockfileVersion: 3, packages });
}

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "quorate-setup-"));
  mkdirSync(join(project, "scripts"), { recursive: true });
  cpSync(join(root, "scripts", "setup.mjs"), join(project, "scripts", "setup.mjs"));
  cpSync(join(root, "scripts", "setup"), join(project, "scripts", "setup"), { recursive: true });
  // What `npm test` needs besides packages is made by a program of the workspace; here it has nothing to do.
  writeFileSync(join(project, "scripts", "circuits.ts"), "");
  writeFileSync(join(project, "npm-cli.cjs"), NPM);
  writeFileSync(join(project, "package-lock.json"), lockfile("1.0.0"));
  command(
    `console.log(JSON.stringify({ args: process.argv.slice(2), node: process.execPath, path: process.env.PATH, quiet: process.env.HARDHAT_DISABLE_TELEMETRY }));`,
  );
});

afterEach(() => {
  for (const child of running.splice(0)) if (child.exitCode === null && child.pid !== undefined) child.kill("SIGKILL");
  // What a failing test leaves behind runs in this folder: the npm of the test, the command's children.
  for (const pid of readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)) {
    if (pid !== process.pid && folderOf(pid)?.startsWith(project) === true) process.kill(pid, "SIGKILL");
  }
  rmSync(project, { recursive: true, force: true });
});

function folderOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    // It has ended, or belongs to somebody else.
    return undefined;
  }
}

/** Writes the script behind `npm test`. */
function command(text: string): void {
  writeFileSync(join(project, "scripts", "test.ts"), text);
}

function environment(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: process.env.HOME, npm_execpath: join(project, "npm-cli.cjs"), ...extra };
}

function setup(
  args: readonly string[] = ["test"],
  extra: Record<string, string> = {},
): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(project, "scripts", "setup.mjs"), ...args], {
    cwd: tmpdir(),
    encoding: "utf8",
    env: environment(extra),
  });
}

type Started = {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
};

function start(args: readonly string[] = ["test"]): Started {
  const child = spawn(process.execPath, [join(project, "scripts", "setup.mjs"), ...args], {
    cwd: project,
    env: environment(),
    detached: true,
  });
  running.push(child);
  const output = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk) => (output.stdout += chunk));
  child.stderr?.on("data", (chunk) => (output.stderr += chunk));
  return {
    child,
    output,
    ended: new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal }))),
  };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; !holds(); ) {
    assert.ok(Date.now() < deadline, `never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const calls = (): number =>
  existsSync(join(project, "npm-calls")) ? readFileSync(join(project, "npm-calls"), "utf8").split("\n").length - 1 : 0;
const isRunning = (pid: number): boolean => {
  try {
    // A zombie that nobody has collected yet has ended.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
};

describe("set-up", { timeout: 120_000 }, () => {
  it("installs, runs the command with the pinned Node, and keeps standard output for it", () => {
    const { status, stdout, stderr } = setup(["test", "--json", "two words"]);
    assert.equal(status, 0, stderr);
    const seen = JSON.parse(stdout) as { args: string[]; path: string; quiet: string };
    assert.deepEqual(seen.args, ["--json", "two words"]);
    assert.equal(seen.path.split(":")[0], join(project, "node_modules", ".bin"));
    assert.equal(seen.quiet, "true");
    assert.match(stderr, /Installing/);
    assert.match(
      readFileSync(join(project, "npm-calls"), "utf8"),
      /^ci --ignore-scripts --include=dev --include=optional/,
    );
  });

  it("does not call npm a second time", () => {
    setup();
    const { status, stderr } = setup();
    assert.equal(status, 0);
    assert.equal(stderr, "");
    assert.equal(calls(), 1);
  });

  it("installs again when the lockfile changes, and when a package is gone", () => {
    setup();
    writeFileSync(join(project, "package-lock.json"), lockfile("2.0.0"));
    assert.equal(setup().status, 0);
    assert.equal(calls(), 2);
    rmSync(join(project, "node_modules", "first"), { recursive: true });
    assert.equal(setup().status, 0);
    assert.equal(calls(), 3);
  });

  it("takes over a whole tree that somebody installed by hand, and no tree of another platform", () => {
    spawnSync(process.execPath, [join(project, "npm-cli.cjs")], { cwd: project });
    assert.equal(setup().status, 0);
    assert.equal(calls(), 1);
    const stamp = join(project, "node_modules", ".quorate-setup.json");
    writeFileSync(stamp, readFileSync(stamp, "utf8").replace("linux", "plan9"));
    assert.equal(setup().status, 0);
    assert.equal(calls(), 2);
  });

  it("repairs a tree that was killed half-way, and ends the npm that was left behind", async () => {
    writeFileSync(join(project, "hold"), "");
    const first = start();
    await until("npm works", () => existsSync(join(project, "npm-busy")));
    const lock = join(project, ".cache", "setup.lock");
    await until("the lock names npm", () => readFileSync(lock, "utf8").includes('"child"'));
    const { child } = JSON.parse(readFileSync(lock, "utf8")) as { child: { pid: number } };
    first.child.kill("SIGKILL");
    // Not its end of output: npm holds that open, which is the point.
    await until("the first command is dead", () => first.child.signalCode === "SIGKILL");
    assert.ok(isRunning(child.pid), "npm outlives its command");
    rmSync(join(project, "npm-busy"));
    const second = start();
    await until("the second npm works", () => existsSync(join(project, "npm-busy")));
    assert.ok(!isRunning(child.pid), "the first npm was ended");
    rmSync(join(project, "hold"));
    assert.equal((await second.ended).code, 0, second.output.stderr);
    assert.match(second.output.stderr, /Ending an installer that outlived its command/);
    assert.ok(existsSync(join(project, "node_modules", `node-${platform}`, "package.json")));
  });

  it("makes a second command wait, says for whom, and installs once", async () => {
    writeFileSync(join(project, "hold"), "");
    const first = start();
    await until("npm works", () => existsSync(join(project, "npm-busy")));
    const second = start();
    await until("the second says that it waits", () => second.output.stderr.includes("Waiting"));
    assert.match(second.output.stderr, new RegExp(`Waiting for "npm test" \\(pid ${first.child.pid}, since `));
    rmSync(join(project, "hold"));
    assert.equal((await first.ended).code, 0);
    assert.equal((await second.ended).code, 0);
    assert.equal(calls(), 1);
    assert.ok(!existsSync(join(project, ".cache", "setup.lock")));
  });

  it("takes over the lock of a dead process, also when its pid is somebody else's by now", () => {
    mkdirSync(join(project, ".cache"));
    const stale = (owner: object): void =>
      writeFileSync(join(project, ".cache", "setup.lock"), JSON.stringify({ owner, command: "npm test", since: "x" }));
    stale({ pid: 2 ** 22 - 1, started: "1" });
    assert.equal(setup().status, 0);
    stale({ pid: process.pid, started: "1" });
    assert.equal(setup().status, 0);
    writeFileSync(join(project, ".cache", "setup.lock"), '{"owner":');
    assert.equal(setup().status, 0);
  });

  it("ten commands at once take over a stale lock and install once", async () => {
    mkdirSync(join(project, ".cache"));
    writeFileSync(
      join(project, ".cache", "setup.lock"),
      JSON.stringify({ owner: { pid: 2 ** 22 - 1, started: "1" }, command: "npm test", since: "x" }),
    );
    const all = Array.from({ length: 10 }, () => start());
    for (const { ended, output } of all) assert.equal((await ended).code, 0, output.stderr);
    assert.equal(calls(), 1);
  });

  it("says what npm said and what to do when the install fails, and starts again next time", () => {
    writeFileSync(join(project, "break"), "");
    const { status, stdout, stderr } = setup();
    assert.equal(status, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /npm error no network/);
    assert.match(stderr, /npm ci failed \(exit code 7\).*\n.*needs the npm registry/);
    rmSync(join(project, "break"));
    assert.equal(setup().status, 0);
  });

  it("an interrupt during the install ends npm", async () => {
    writeFileSync(join(project, "hold"), "");
    const { child, output, ended } = start();
    await until("npm works", () => existsSync(join(project, "npm-busy")));
    const lock = join(project, ".cache", "setup.lock");
    await until("the lock names npm", () => readFileSync(lock, "utf8").includes('"child"'));
    const record = JSON.parse(readFileSync(lock, "utf8")) as { child: { pid: number } };
    child.kill("SIGINT");
    assert.equal((await ended).code, 130);
    assert.match(output.stderr, /Interrupted while installing/);
    assert.ok(!isRunning(record.child.pid));
    assert.ok(!existsSync(lock));
  });

  it("says what to do on a platform without a Node in the lockfile, on an old Node, and without Hardhat's engine", () => {
    const pretend = (text: string): Record<string, string> => ({
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(text)}`,
    });
    const old = 'Object.defineProperty(process.versions, "node", { value: "18.20.0" });';
    assert.match(setup(["test"], pretend(old)).stderr, /Node 18\.20\.0 is too old .*20\.11 or newer/);
    setup();
    const strange =
      'Object.defineProperty(process, "platform", { value: "freebsd" }); Object.defineProperty(process.versions, "node", { value: "20.20.0" });';
    const { status, stderr } = setup(["test"], pretend(strange));
    assert.equal(status, 1);
    assert.match(stderr, /This is freebsd-\w+ with Node 20\.20\.0.*\nInstall Node 24/);
    assert.equal(calls(), 1);
    rmSync(join(project, "node_modules", ".quorate-setup.json"));
    const musl = "process.report.getReport = () => ({ header: {} });";
    assert.match(
      setup(["test"], pretend(musl)).stderr,
      /no build of Hardhat's engine for linux-\w+-musl \(@nomicfoundation\/edr-linux-\w+-musl\)/,
    );
  });

  it("refuses an unknown command with the list of what there is, and hands a benchmark its name", () => {
    assert.match(setup(["tset"]).stderr, /Unknown command "tset"/);
    assert.equal(setup(["tset"]).status, 64);
    writeFileSync(join(project, "scripts", "bench.ts"), "console.log('measured', ...process.argv.slice(2));");
    assert.equal(setup(["bench", "gas", "--json"]).stdout, "measured gas --json\n");
  });
});

describe("running a command", { timeout: 60_000 }, () => {
  it("hands on the exit code, and 128 + n for a signal", () => {
    command("process.exit(42);");
    assert.equal(setup().status, 42);
    command('process.kill(process.pid, "SIGKILL");');
    assert.equal(setup().status, 137);
  });

  const family = `
    import { spawn } from "node:child_process";
    const sleeper = spawn(process.execPath, ["-e", "process.on('SIGINT', () => {}); process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')"], { stdio: ["ignore", "pipe", "inherit"] });
    sleeper.stdout.once("data", () => console.log(sleeper.pid));`;

  it("ends what the command leaves behind, also what ignores SIGTERM", async () => {
    command(`${family} sleeper.stdout.once("data", () => process.exit(3));`);
    const { output, ended } = start();
    assert.equal((await ended).code, 3);
    assert.ok(!isRunning(Number(output.stdout)));
  });

  it("passes an interrupt on once, though npm repeats it, and keeps the command's own exit code", async () => {
    command(
      'let n = 0; process.on("SIGINT", () => { n++; setTimeout(() => { console.log("interrupts", n); process.exit(9); }, 300); }); setInterval(() => {}, 1000); console.log("ready");',
    );
    const { child, output, ended } = start();
    await until("it runs", () => output.stdout.includes("ready"));
    child.kill("SIGINT");
    child.kill("SIGINT");
    assert.equal((await ended).code, 9);
    assert.match(output.stdout, /interrupts 1\n/);
  });

  it("a second interrupt kills the whole group", async () => {
    command(`${family} process.on("SIGINT", () => console.log("first")); setInterval(() => {}, 1000);`);
    const { child, output, ended } = start();
    await until("it runs", () => /\d+\n/.test(output.stdout));
    const pid = Number(/\d+/.exec(output.stdout)?.[0]);
    child.kill("SIGINT");
    await until("it saw the first", () => output.stdout.includes("first"));
    await new Promise((resolve) => setTimeout(resolve, 600));
    child.kill("SIGINT");
    assert.equal((await ended).code, 137);
    assert.ok(!isRunning(pid));
  });
});
