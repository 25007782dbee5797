import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { RelayConfigInput } from "@quorate/relay";
import { testDomain } from "@quorate/testkit";

/** A relay in a process of its own. */
export type RelayProcess = {
  readonly url: string;
  readonly dataDir: string;
  readonly pid: number;
  /** Ends the process without a word; its folder stays. */
  kill(): Promise<void>;
};

const started: ChildProcess[] = [];
const folders: string[] = [];

/**
 * Starts a relay on loopback.
 *
 * @param settings What differs from the defaults; give `dataDir` and `port` to start one again.
 */
export async function startRelayProcess(settings: Partial<RelayConfigInput> = {}): Promise<RelayProcess> {
  const dataDir = settings.dataDir ?? (await mkdtemp(join(tmpdir(), "quorate-relay-")));
  if (settings.dataDir === undefined) folders.push(dataDir);
  const config = { markets: [testDomain], port: 0, ...settings, dataDir };
  const script = join(import.meta.dirname, "relay-process.ts");
  const child = spawn(process.execPath, [script, JSON.stringify(config)], { stdio: ["ignore", "pipe", "inherit"] });
  started.push(child);
  const lines = createInterface({ input: child.stdout });
  const exited = once(child, "exit").then(() => Promise.reject(new Error("the relay ended before it listened")));
  const [url] = (await Promise.race([once(lines, "line"), exited])) as [string];
  exited.catch(() => {});
  return {
    url,
    dataDir,
    pid: child.pid as number,
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** Ends every relay that was started and removes its folder. */
export async function stopAll(): Promise<void> {
  for (const child of started) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  for (const server of proxies) server.close().closeAllConnections();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
}

const proxies: Server[] = [];

/** What a lying proxy does with an answer of its relay. */
export type Lie = (path: string, body: Buffer) => Buffer;

/**
 * A relay that lies: passes everything on and changes what comes back.
 *
 * @param target URL of an honest relay.
 * @param lie Changes bodies.
 */
export async function startLiar(target: string, lie: Lie): Promise<string> {
  const server = createServer(async (req, res) => {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk as Buffer);
      const hasBody = req.method === "POST" || req.method === "PUT";
      const answer = await fetch(target + req.url, {
        method: req.method ?? "GET",
        headers: { "content-type": req.headers["content-type"] ?? "", accept: req.headers.accept ?? "*/*" },
        ...(hasBody ? { body: Buffer.concat(chunks) } : {}),
      });
      const body = lie(req.url ?? "", Buffer.from(await answer.arrayBuffer()));
      res.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" }).end(body);
    } catch {
      res.destroy();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  proxies.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
