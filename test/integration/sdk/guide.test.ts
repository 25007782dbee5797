import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startRelay } from "@quorate/relay";
import { fileKeyStore } from "@quorate/sdk/node";
import { createRelayClient } from "@quorate/wire";
import { bytesToHex } from "viem";
import { startChain, temporaryFolder } from "./fixture.ts";
import { serveNextRequest } from "./honestProvider.ts";
import { scriptedProviders } from "./scriptedProvider.ts";

const workspace = new URL("../../../", import.meta.url);

/** The code block that follows `<!-- example: <name> -->` in a guide. */
async function exampleOf(guide: string, name: string): Promise<string> {
  const text = await readFile(new URL(`docs/guides/${guide}`, workspace), "utf8");
  const block = text.split(`<!-- example: ${name} -->\n`)[1]?.match(/^```ts\n([\s\S]*?)\n```$/m)?.[1];
  assert.ok(block, `${guide} has an example ${name}`);
  return block;
}

test("the example of the guide requests a job on real relays and prints its result", {
  timeout: 240_000,
}, async (t) => {
  const chain = await startChain();
  t.after(() => chain.stop());
  const relays = await Promise.all(
    [0, 1].map(async () => {
      const dataDir = await mkdtemp(join(tmpdir(), "quorate-relay-"));
      const relay = await startRelay({ host: "127.0.0.1", port: 0, dataDir, markets: [chain.domain] });
      t.after(async () => {
        await relay.close();
        await rm(dataDir, { recursive: true, force: true });
      });
      return relay;
    }),
  );
  const urls = relays.map(({ url }) => url);
  const stop = new AbortController();
  t.after(() => stop.abort());
  const client = createRelayClient({ urls, domain: chain.domain, waitMs: 1_000, signal: stop.signal });
  const providers = await scriptedProviders(chain, client, [2, 3, 4]);
  const requester = chain.account(1);
  await chain.mint(requester.address, 100_000_000n);

  const folder = await temporaryFolder(t);
  const keyStore = join(folder, "jobs");
  await symlink(fileURLToPath(new URL("node_modules", workspace)), join(folder, "node_modules"));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await writeFile(join(folder, "request.ts"), await exampleOf("sdk.md", "request.ts"));
  const settings = {
    rpcUrl: chain.rpcUrl,
    ...chain.domain,
    token: chain.token,
    relays: urls,
    privateKey: bytesToHex(requester.getHdKey().privateKey as Uint8Array),
    keyStore,
    trust: { version: 1, allow: providers.map(({ address }) => ({ provider: address })) },
  };
  await writeFile(join(folder, "settings.json"), JSON.stringify(settings));

  const serving = serveNextRequest(chain, client, providers, stop.signal);
  const child = spawn(process.execPath, ["request.ts", "settings.json"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const code = await new Promise((resolve) => child.once("exit", resolve));
  assert.equal(code, 0, output);
  const jobId = await serving;
  assert.match(output, new RegExp(`^requested ${jobId}, at most \\d+ base units$`, "m"));
  assert.equal(output.match(/asks 900000: the provider is on the allow list/g)?.length, 3);
  assert.match(output, /^accepted: seat opened, seat opened, seat opened$/m);
  assert.match(output, /^result: 42$/m);
  assert.equal((await fileKeyStore({ directory: keyStore }).list())[0]?.jobId, jobId);
});
