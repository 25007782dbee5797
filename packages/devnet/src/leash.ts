/**
 * Preloaded into every actor: ends the actor when the process that started it is gone, however that one ended.
 * The channel is Node's own; an actor needs no code for it.
 */
import { enableCompileCache } from "node:module";

// A dozen actors run the same modules: what the first has compiled, the others load.
enableCompileCache();

if (process.channel) {
  process.channel.unref();
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
}
