import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isQuorateError } from "@quorate/core";
import { parseSiteConfig } from "../config.ts";
import { type RunningWeb, startWeb } from "./startWeb.ts";

const config = parseSiteConfig({
  version: 1,
  networks: [
    {
      name: "Local",
      chainId: 31337,
      rpc: ["http://127.0.0.1:8545"],
      market: `0x${"1".repeat(40)}`,
      tokens: [{ address: `0x${"2".repeat(40)}`, symbol: "tUSD", decimals: 6 }],
    },
  ],
});

describe("the app is served", () => {
  let folder = "";
  let web: RunningWeb;
  const get = (path: string): Promise<Response> => fetch(new URL(path, web.url));

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "quorate-site-"));
    mkdirSync(join(folder, "assets"));
    writeFileSync(join(folder, "index.html"), "<title>app</title>");
    writeFileSync(join(folder, "assets", "index-abc.js"), "export {}");
    web = await startWeb({ port: 0, config, folder });
  });
  after(async () => {
    await web.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("with its configuration, which no cache may keep", async () => {
    const response = await get("config.json");
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.deepEqual(parseSiteConfig(await response.json()), config);
  });

  test("with a policy that lets no foreign script, no inline script and no frame in", async () => {
    const response = await get("");
    const policy = response.headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /script-src 'self' 'wasm-unsafe-eval'(;|$)/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.equal(response.headers.get("referrer-policy"), "no-referrer");
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.equal(response.headers.get("x-powered-by"), null);
  });

  test("so that files named by their content are kept for ever and the page is asked for each time", async () => {
    assert.match((await get("assets/index-abc.js")).headers.get("cache-control") ?? "", /immutable/);
    assert.equal((await get("")).headers.get("cache-control"), "no-cache");
  });

  test("and nothing else: other paths are unknown", async () => {
    assert.equal((await get("jobs")).status, 404);
    assert.equal((await get("..%2f..%2fpackage.json")).status >= 400, true);
  });

  test("but not on a port that is taken, and not before it is built", async () => {
    const port = Number(new URL(web.url).port);
    await assert.rejects(startWeb({ port, config, folder }), (error) => isQuorateError(error, "PORT_IN_USE"));
    await assert.rejects(startWeb({ port: 0, config, folder: join(folder, "assets") }), (error) =>
      isQuorateError(error, "WEB_NOT_BUILT"),
    );
  });
});
