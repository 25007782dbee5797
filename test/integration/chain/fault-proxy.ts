import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

/** A JSON-RPC request as the proxy sees it. */
export type RpcRequest = { readonly id: unknown; readonly method: string; readonly params: readonly unknown[] };

/**
 * What happens to a matching request:
 * - `drop`: the connection is closed, nothing reaches the node;
 * - `hang`: no answer, nothing reaches the node, until the proxy closes;
 * - `lose-reply`: the node gets it, the caller does not get the answer;
 * - `duplicate`: the node gets it twice, the caller the second answer;
 * - `delay`: answered later;
 * - `refuse`: answered with a JSON-RPC error or an HTTP status, nothing reaches the node;
 * - `rewrite`: the node's result is changed on its way back.
 */
export type FaultAction =
  | { readonly do: "drop" | "hang" | "lose-reply" | "duplicate" }
  | { readonly do: "delay"; readonly ms: number }
  | { readonly do: "refuse"; readonly code?: number; readonly message?: string; readonly httpStatus?: number }
  | { readonly do: "rewrite"; readonly result: (result: unknown, request: RpcRequest) => unknown };

/** A fault and when it strikes. */
export type FaultRule = FaultAction & {
  /** Methods that it strikes; all when absent. */
  readonly method?: string | RegExp;
  /** Further condition on the request. */
  readonly when?: (request: RpcRequest) => boolean;
  /** How often it strikes; for ever when absent. */
  readonly times?: number;
  /** Chance of each strike in [0, 1]; 1 when absent. */
  readonly chance?: number;
};

/** A running proxy. */
export type FaultProxy = {
  readonly url: string;
  /** Every request that arrived, in order. */
  readonly seen: readonly RpcRequest[];
  /** How often each kind of fault struck. */
  readonly struck: ReadonlyMap<FaultAction["do"], number>;
  /** Adds a fault; the first matching one strikes. Returns what removes it. */
  add(rule: FaultRule): () => void;
  /** Removes all faults. */
  heal(): void;
  /** Sends requests to another node from now on. */
  retarget(url: string): void;
  close(): Promise<void>;
};

/** The usual lie: logs are there, the node says there are none. */
export const emptyLogs: FaultRule = { do: "rewrite", method: "eth_getLogs", result: () => [] };

/**
 * Starts a proxy between an actor and a JSON-RPC node, on loopback. Batches are taken apart; each request meets its own fate.
 *
 * @param options Node to forward to; generator for `chance`, uniform in [0, 1).
 */
export async function startFaultProxy(options: {
  readonly target: string;
  readonly random?: () => number;
}): Promise<FaultProxy> {
  let target = options.target;
  const random = options.random ?? Math.random;
  const rules: { rule: FaultRule; left: number }[] = [];
  const seen: RpcRequest[] = [];
  const struck = new Map<FaultAction["do"], number>();

  function strike(request: RpcRequest): FaultRule | undefined {
    for (const entry of rules) {
      const { method, when, chance = 1 } = entry.rule;
      const matches =
        method === undefined || (typeof method === "string" ? method === request.method : method.test(request.method));
      if (!matches || entry.left <= 0 || (when !== undefined && !when(request)) || random() >= chance) continue;
      entry.left -= 1;
      struck.set(entry.rule.do, (struck.get(entry.rule.do) ?? 0) + 1);
      return entry.rule;
    }
    return undefined;
  }

  async function forward(request: RpcRequest): Promise<Record<string, unknown>> {
    const response = await fetch(target, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", ...request }),
    });
    return (await response.json()) as Record<string, unknown>;
  }

  /** The answer, `"cut"` to close the connection, or a number: the HTTP status of a refusal. */
  async function answer(request: RpcRequest): Promise<Record<string, unknown> | "cut" | "hang" | number> {
    seen.push(request);
    const fault = strike(request);
    switch (fault?.do) {
      case undefined:
        return await forward(request);
      case "drop":
        return "cut";
      case "hang":
        return "hang";
      case "lose-reply":
        await forward(request);
        return "cut";
      case "duplicate":
        await forward(request);
        return await forward(request);
      case "delay":
        await wait(fault.ms);
        return await forward(request);
      case "refuse":
        if (fault.httpStatus !== undefined) return fault.httpStatus;
        return {
          jsonrpc: "2.0",
          id: request.id,
          error: { code: fault.code ?? -32000, message: fault.message ?? "refused" },
        };
      case "rewrite": {
        const honest = await forward(request);
        return "result" in honest ? { ...honest, result: fault.result(honest.result, request) } : honest;
      }
      default:
        return fault satisfies never;
    }
  }

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as RpcRequest | RpcRequest[];
    const requests = (Array.isArray(body) ? body : [body]).map(({ id, method, params }) => ({
      id,
      method,
      params: params ?? [],
    }));
    const answers = await Promise.all(requests.map(answer));
    if (answers.includes("hang")) return;
    if (answers.includes("cut")) return void outgoing.destroy();
    const status = answers.find((each) => typeof each === "number");
    outgoing.writeHead(status ?? 200, { "content-type": "application/json" });
    outgoing.end(status === undefined ? JSON.stringify(Array.isArray(body) ? answers : answers[0]) : "{}");
  }

  const server = createServer((incoming, outgoing) => {
    // The node is gone or was killed: to the caller this is a cut connection.
    handle(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    struck,
    add(rule) {
      const entry = { rule, left: rule.times ?? Number.POSITIVE_INFINITY };
      rules.push(entry);
      return () => {
        const index = rules.indexOf(entry);
        if (index >= 0) rules.splice(index, 1);
      };
    },
    heal() {
      rules.length = 0;
    },
    retarget(url) {
      target = url;
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
