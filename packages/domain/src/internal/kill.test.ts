import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { papers, World } from "../testing/world.ts";
import type { DomainStep } from "./domain.ts";

const child = fileURLToPath(new URL("../testing/kill-child.ts", import.meta.url));

async function run(dataDir: string, step: string): Promise<{ signal: string | null; output: string }> {
  const agent = spawn(process.execPath, [child, dataDir, step], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  agent.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [, signal] = (await once(agent, "exit")) as [number | null, string | null];
  return { signal, output };
}

/** Each moment at which the disk knows something new, or the world does. */
const steps: readonly DomainStep[] = [
  "root-queued",
  "key-stored",
  "question-stored",
  "events-stored",
  "proof-made",
  "proof-stored",
];

describe("an agent that is killed", () => {
  it("at each of its steps, one after the other, answers its question once and leaves nothing behind", async () => {
    using world = new World();
    await world.init();
    const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
    const now = world.clock.now();
    const month = 30 * 86_400_000;
    await world.importCsv(
      `employee,income,from,until,budget\nE1,52000,${dayOf(now - month)},${dayOf(now + month)},3\n`,
    );
    const { code } = await world.register("E1", papers);
    await world.open();
    await world.speak("enrol", { code, nk: world.subject.nk, papers });
    world.close();
    for (const step of steps) {
      const killed = await run(world.dataDir, step);
      assert.equal(killed.signal, "SIGKILL", `${step}: ${killed.output}`);
    }
    const { signal, output } = await run(world.dataDir, "");
    assert.equal(signal, null, output);
    assert.deepEqual(JSON.parse(output), { chain: ["answered"], answered: 1, open: 0, uses: 1, left: 0 });
  });
});
