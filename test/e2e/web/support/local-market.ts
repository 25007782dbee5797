import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { NetworkConfig } from "@quorate/web";
import { freePorts } from "../../support/free-ports.ts";

const cli = fileURLToPath(new URL("../../../../packages/cli/bin/quorate.mjs", import.meta.url));

/** Somebody who has a code at the payroll provider and has not enrolled yet; as the local market writes it. */
export type Enrollee = {
  readonly code: string;
  readonly papers: { readonly name: string; readonly birthDate: string; readonly documentNumber: string };
  readonly provider: `0x${string}`;
  readonly providerUrl: string;
};

/** A local market with its web app, as `npm start` brings it up, without stories of its own. */
export type WebMarket = {
  /** Address of the web app. */
  readonly url: string;
  readonly network: NetworkConfig;
  readonly enrollee: Enrollee;
  /** One of the organizations. */
  readonly provider: `0x${string}`;
  readonly folder: string;
  /** Sends a signal to every process of a kind, to stop it for a while or to let it go on; returns how many there are. */
  signal(kind: "agent-process" | "domain-process", signal: "SIGSTOP" | "SIGCONT"): number;
  stop(): Promise<void>;
};

const START_TIMEOUT_MS = 300_000;

/**
 * Starts a local market in a folder of its own.
 *
 * @throws Error with everything it said when it does not come up
 */
export async function startWebMarket(): Promise<WebMarket> {
  const scratch = mkdtempSync(join(tmpdir(), "quorate-web-"));
  const folder = join(scratch, "market");
  const port = await freePorts(6);
  const args = [cli, "devnet", "start", "--no-stories", "--port", String(port), "--folder", folder];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill("SIGINT");
    await ended;
    rmSync(scratch, { recursive: true, force: true });
  };
  let said = "";
  try {
    const url = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`The market did not come up in time:\n${said}`)),
        START_TIMEOUT_MS,
      );
      const hear = (chunk: Buffer): void => {
        said += chunk.toString();
        const address = /web app\s+(http:\S+)/.exec(said)?.[1];
        // The log folder is the line after: everything before it was printed whole.
        if (address === undefined || !said.includes("logs  ")) return;
        clearTimeout(timer);
        resolve(address);
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      void ended.then(() => reject(new Error(`The market ended:\n${said}`)));
    });
    const { config } = JSON.parse(readFileSync(join(folder, "web.json"), "utf8")) as {
      config: { networks: [NetworkConfig] };
    };
    const enrollee = JSON.parse(readFileSync(join(folder, "visitor.json"), "utf8")) as Enrollee;
    const { provider } = JSON.parse(readFileSync(join(folder, "aurora", "agent.json"), "utf8")) as WebMarket;
    const signal: WebMarket["signal"] = (kind, name) => {
      const pids = processesOf(kind, folder);
      for (const pid of pids) process.kill(pid, name);
      return pids.length;
    };
    return { url, network: config.networks[0], enrollee, provider, folder, signal, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Processes of a market, by the module that they run. */
function processesOf(kind: string, folder: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => {
      if (!/^\d+$/.test(name)) return false;
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8");
        return command.includes(kind) && command.includes(folder);
      } catch {
        // It ended meanwhile.
        return false;
      }
    })
    .map(Number);
}
