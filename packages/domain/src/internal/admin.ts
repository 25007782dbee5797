import { createHmac, timingSafeEqual } from "node:crypto";
import { chmodSync, existsSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import { join } from "node:path";
import { FatalError, isQuorateError, type Logger } from "@quorate/core";
import { decodeState, encodeState, type KeyAccount } from "@quorate/service";
import type { RowProblem } from "./import/mapping.ts";
import { ImportError } from "./import/run.ts";

/** What a running agent does for whoever holds its key on the same machine. */
export type AdminOrder = "import" | "register" | "audit" | "status";

/** Does an order; `parts` comes from the same version of this package. */
export type AdminHandlers = Readonly<Record<AdminOrder, (parts: never, signal: AbortSignal) => unknown>>;

type Reply =
  | { readonly result: unknown }
  | { readonly error: { readonly code: string; readonly message: string; readonly problems?: readonly RowProblem[] } };

/** Sockets of Unix have short names; macOS takes 103 bytes. */
const MOST_PATH_BYTES = 100;
const MOST_BODY_BYTES = 1_048_576;
/** How old an order may be, ms. */
const LIFE_MS = 60_000;

const socketOf = (dataDir: string): string => join(dataDir, "admin.sock");

/** Orders carry a mark that only the key makes: to be the same user of the machine is not enough. */
function markOf(account: KeyAccount, body: Uint8Array): Buffer {
  return createHmac("sha256", account.deriveSecret("domain-admin")).update(body).digest();
}

/**
 * Listens for orders on a socket in the state's folder, which nobody but its owner can enter.
 *
 * @param input Folder, key, what does the orders.
 * @returns How to end it; undefined where there can be no such socket, which is logged.
 */
export async function serveAdmin(input: {
  readonly dataDir: string;
  readonly account: KeyAccount;
  readonly handlers: AdminHandlers;
  readonly now: () => number;
  readonly logger: Logger;
}): Promise<{ close(): Promise<void> } | undefined> {
  const { dataDir, account, handlers, now, logger } = input;
  const path = socketOf(dataDir);
  if (process.platform === "win32" || Buffer.byteLength(path) > MOST_PATH_BYTES) {
    logger.warn("admin_unavailable", { reason: "the path of the folder is too long for a socket" });
    return undefined;
  }
  const stop = new AbortController();
  const seen = new Map<string, number>();

  const perform = async (body: Uint8Array, mark: string): Promise<Reply> => {
    const expected = markOf(account, body);
    const given = Buffer.from(mark, "hex");
    const refused: Reply = {
      error: { code: "STATE_KEY_WRONG", message: "The order was not made with the agent's key, or not just now." },
    };
    // Before a byte of it is read.
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return refused;
    const { order, parts, at } = decodeState(Buffer.from(body).toString()) as {
      order: AdminOrder;
      parts: never;
      at: number;
    };
    for (const [earlier, time] of seen) if (time < now() - 2 * LIFE_MS) seen.delete(earlier);
    if (Math.abs(now() - at) > LIFE_MS || seen.has(mark)) return refused;
    seen.set(mark, now());
    return { result: await handlers[order](parts, stop.signal) };
  };

  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    let size = 0;
    incoming.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > MOST_BODY_BYTES) incoming.destroy();
      else chunks.push(chunk);
    });
    incoming.on("end", () => {
      perform(Buffer.concat(chunks), String(incoming.headers["x-mark"] ?? ""))
        .catch((error: unknown): Reply => {
          const code = isQuorateError(error) ? error.code : "INTERNAL";
          if (!isQuorateError(error)) logger.error("admin_failed", { error });
          const problems = error instanceof ImportError ? { problems: error.problems } : {};
          return { error: { code, message: error instanceof Error ? error.message : String(error), ...problems } };
        })
        .then((reply) => response.end(encodeState(reply)));
    });
    incoming.on("error", () => response.destroy());
  });
  // Left behind by a killed agent; the lock of the state says that there is no other.
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return {
    async close() {
      stop.abort(new Error("the agent stops"));
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await closed;
    },
  };
}

/**
 * Gives an order to the agent that holds a state.
 *
 * @param access Folder and key.
 * @param order What to do.
 * @param parts With what.
 * @param otherwise Thrown when no agent listens: something else uses the state.
 * @param signal Ends the wait.
 * @throws What the agent threw, with its code.
 */
export async function callAdmin(
  { dataDir, account }: { readonly dataDir: string; readonly account: KeyAccount },
  order: AdminOrder,
  parts: unknown,
  otherwise: Error,
  signal?: AbortSignal,
): Promise<unknown> {
  if (!existsSync(socketOf(dataDir))) throw otherwise;
  const body = Buffer.from(encodeState({ order, parts, at: Date.now(), id: crypto.randomUUID() }));
  const text = await new Promise<string>((resolve, reject) => {
    const call = request(
      {
        socketPath: socketOf(dataDir),
        method: "POST",
        headers: { "x-mark": markOf(account, body).toString("hex"), "content-length": body.length },
        ...(signal === undefined ? {} : { signal }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve(Buffer.concat(chunks).toString()));
        response.on("error", reject);
      },
    );
    call.on("error", (error: NodeJS.ErrnoException) => {
      reject(error.code === "ECONNREFUSED" || error.code === "ENOENT" ? otherwise : error);
    });
    call.end(body);
  });
  const reply = decodeState(text) as Reply;
  if ("result" in reply) return reply.result;
  const { code, message, problems } = reply.error;
  if (problems !== undefined) throw new ImportError(problems, problems.length);
  throw new FatalError(code, message, { docsPath: "guides/domain.md" });
}
