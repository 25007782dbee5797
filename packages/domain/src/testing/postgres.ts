/** A real Postgres server on loopback, from Debian's packages. Used by tests only. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, globSync, mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { until } from "@quorate/testkit";
import { Client } from "pg";

/** A running server. */
export type Postgres = AsyncDisposable & { readonly url: string };

function programs(): string {
  const found = globSync("/usr/lib/postgresql/*/bin/initdb").sort().at(-1);
  if (found === undefined) throw new Error("Postgres is not installed: apt-get install -y postgresql");
  return join(found, "..");
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Starts a server with an empty database. It refuses to run as root, so the packages' user runs it. */
export async function startPostgres(): Promise<Postgres> {
  const bin = programs();
  const root = userInfo().uid === 0;
  const idOf = (option: string): number => Number(execFileSync("id", [option, "postgres"], { encoding: "utf8" }));
  const owner = root ? { uid: idOf("-u"), gid: idOf("-g") } : {};
  const dir = mkdtempSync(join(tmpdir(), "quorate-postgres-"));
  if (root) execFileSync("chown", ["postgres:postgres", dir]);
  chmodSync(dir, 0o700);
  const data = join(dir, "data");
  const options = { ...owner, cwd: dir, env: { PATH: process.env.PATH ?? "", LC_ALL: "C" } };
  execFileSync(
    join(bin, "initdb"),
    ["-D", data, "-U", "quorate", "--auth=trust", "--encoding=UTF8", "--no-sync", "--no-instructions"],
    { ...options, stdio: ["ignore", "ignore", "inherit"] },
  );
  const port = await freePort();
  const settings = ["fsync=off", "listen_addresses=127.0.0.1", `unix_socket_directories=${dir}`];
  const child = spawn(
    join(bin, "postgres"),
    ["-D", data, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])],
    { ...options, stdio: "ignore" },
  );
  const url = `postgres://quorate@127.0.0.1:${port}/postgres`;
  const ended = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGINT");
    await ended;
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await until(
      async () => {
        if (child.exitCode !== null) throw new Error(`postgres ended with ${child.exitCode}`);
        const client = new Client({ connectionString: url });
        client.on("error", () => {});
        await client.connect();
        await client.end();
        return true;
      },
      { timeoutMs: 30_000, everyMs: 100, what: "Postgres" },
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, [Symbol.asyncDispose]: stop };
}
