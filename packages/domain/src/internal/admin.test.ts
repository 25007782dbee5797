import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { describe, it } from "node:test";
import { silentLogger } from "@quorate/core";
import { encodeState, keyAccountFrom } from "@quorate/service";
import { assertCode, testHash } from "@quorate/testkit";
import { day, papers, startS, World } from "../testing/world.ts";
import { type AdminHandlers, serveAdmin } from "./admin.ts";
import { ImportError } from "./import/run.ts";
import { auditLog, domainStatus, importRecords, registerSubject } from "./offline.ts";
import { auditOf, importInto, registerIn, summaryOf } from "./operations.ts";

/** A world whose agent takes orders. */
async function served(work: (world: World) => Promise<void>): Promise<void> {
  using world = await World.start();
  const { state } = world;
  const handlers: AdminHandlers = {
    import: (order: Parameters<typeof importInto>[1], signal: AbortSignal) => importInto(state, order, signal),
    register: (order: Parameters<typeof registerIn>[1]) => registerIn(state, order),
    audit: (order: Parameters<typeof auditOf>[1]) => auditOf(state, order),
    status: () => summaryOf(state),
  };
  const { dataDir, account } = world;
  const admin = await serveAdmin({ dataDir, account, handlers, now: () => Date.now(), logger: silentLogger });
  assert.ok(admin !== undefined);
  try {
    await work(world);
  } finally {
    await admin.close();
  }
}

describe("a running agent", () => {
  it("registers, imports and tells what it holds for whoever has its key", async () => {
    await served(async ({ dataDir, account, state }) => {
      const access = { dataDir, account };
      const registered = await registerSubject({ ...access, reference: "E2", papers });
      assert.match(registered.code, /^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/);
      assert.equal(registered.isNew, true);
      const path = join(dataDir, "more.csv");
      const rows = (id: string): string =>
        `id,income,from,until\n${id},5,${day(startS)},${day(startS + 86_400)}\nE3,6,${day(startS)},${day(startS)}\n`;
      const mapping = {
        version: 1,
        subject: { column: "id" },
        records: [
          {
            attribute: "income",
            value: { column: "income" },
            validFrom: { column: "from" },
            validUntil: { column: "until" },
            budget: 2,
          },
        ],
      };
      const source = { format: "csv" as const, path };
      writeFileSync(path, rows("E2"));
      assert.deepEqual(await importRecords({ ...access, source, mapping }), {
        rows: 2,
        subjects: 1,
        added: 2,
        corrected: 0,
        unchanged: 0,
      });
      const again = await importRecords({ ...access, source, mapping }).then(
        () => assert.fail("it was imported twice"),
        (error: unknown) => error,
      );
      assert.ok(again instanceof ImportError);
      assert.deepEqual(
        again.problems.map(({ line, rule }) => [line, rule]),
        [
          [2, "VALIDITY_OVERLAPS"],
          [3, "VALIDITY_OVERLAPS"],
        ],
      );
      const status = await domainStatus(access);
      assert.deepEqual([status.subjects, status.enrolled, status.datasets[0]?.records], [3, 1, 3]);
      assert.deepEqual(status, summaryOf(state));
      assert.deepEqual(await auditLog({ ...access, reference: "E1" }), []);
    });
  });

  it("takes no order from another key, and none twice; its socket is its owner's", async () => {
    await served(async ({ dataDir, account }) => {
      const socketPath = join(dataDir, "admin.sock");
      assert.equal(statSync(socketPath).mode & 0o777, 0o600);
      await assertCode(domainStatus({ dataDir, account: keyAccountFrom(testHash(1)) }), "STATE_KEY_WRONG");
      const send = (body: string, mark: string): Promise<string> =>
        new Promise((resolve, reject) => {
          const call = request({ socketPath, method: "POST", headers: { "x-mark": mark } }, (response) => {
            let text = "";
            response.on("data", (chunk: Buffer) => {
              text += chunk.toString();
            });
            response.on("end", () => resolve(text));
          });
          call.on("error", reject);
          call.end(body);
        });
      const markOf = (body: string): string =>
        createHmac("sha256", account.deriveSecret("domain-admin")).update(body).digest("hex");
      const fresh = encodeState({ order: "status", parts: {}, at: Date.now() });
      assert.match(await send(fresh, markOf(fresh)), /"result"/);
      assert.match(await send(fresh, markOf(fresh)), /STATE_KEY_WRONG/);
      const old = encodeState({ order: "status", parts: {}, at: Date.now() - 61_000 });
      assert.match(await send(old, markOf(old)), /STATE_KEY_WRONG/);
      assert.match(await send("garbage", ""), /STATE_KEY_WRONG/);
      assert.match(await send("garbage", markOf("garbage")), /STATE_CORRUPT/);
    });
  });

  it("that left its socket behind holds nobody up, and a state that something else holds is said to be in use", async () => {
    using world = await World.start();
    const { dataDir, account } = world;
    await assertCode(domainStatus({ dataDir, account }), "ALREADY_RUNNING");
    world.close();
    assert.equal((await domainStatus({ dataDir, account })).subjects, 1);
  });
});
