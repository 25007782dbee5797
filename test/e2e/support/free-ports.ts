import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Ports below those that systems give out by themselves: nothing takes one of them between looking and listening. */
const LOWEST = 20_000;
const HIGHEST = 32_000;

/**
 * Finds neighbouring ports that are free on loopback.
 *
 * @param count How many.
 * @returns The first.
 * @throws Error when fifty attempts find none.
 */
export async function freePorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const first = randomInt(LOWEST, HIGHEST - count);
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)));
    if (free.every((is) => is)) return first;
  }
  throw new Error(`no ${count} neighbouring ports are free`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
