import { createChildren } from "../host/children.ts";
import { runService } from "../host/run-service.ts";

// A service with a child of its own; its manner of ending is chosen by the caller.
const [manner] = process.argv.slice(2);
const children = createChildren();
const code = await runService(
  async (signal) => {
    const stubborn = "process.on('SIGTERM', () => {}); process.stdout.write('up'); setInterval(() => {}, 1000)";
    const child = children.spawn(process.execPath, ["-e", stubborn], { stdio: ["ignore", "pipe", "ignore"] });
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    process.stdout.write(`${child.pid}\n`);
    if (manner === "throw") throw new Error("broken");
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    if (manner === "hang") await new Promise(() => setInterval(() => {}, 1000));
    process.stdout.write("clean\n");
  },
  { deadlineMs: manner === "hang" ? 60_000 : 1000, exit: (forced) => process.exit(forced), children },
);
process.exitCode = code;
