import { startRelay } from "@quorate/relay";

// A relay as a process of its own. The settings come as JSON in the first argument; the URL goes out on the first line.
const [settings] = process.argv.slice(2);
const relay = await startRelay(JSON.parse(settings ?? "{}"));
process.stdout.write(`${relay.url}\n`);
process.once("SIGTERM", () => void relay.close());
