import { createServer } from "node:net";

/**
 * Finds neighbouring ports on loopback that are free now.
 *
 * @param count - How many in a row.
 * @returns The first of them.
 * @throws Error when fifty attempts find none.
 */
export async function freePorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const first = await bind(0);
    if (first === undefined || first > 65_535 - count) continue;
    const others = await Promise.all(Array.from({ length: count - 1 }, (_, index) => bind(first + index + 1)));
    if (others.every((port) => port !== undefined)) return first;
  }
  throw new Error(`no ${count} neighbouring ports are free`);
}

function bind(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => {
      const { port: bound } = server.address() as { port: number };
      server.close(() => resolve(bound));
    });
  });
}
