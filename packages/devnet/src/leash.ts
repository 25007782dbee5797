/**
 * Preloaded into every actor: ends the actor when the process that started it is gone, however that one ended.
 * The channel is Node's own; an actor needs no code for it.
 */
if (process.channel) {
  process.channel.unref();
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
}
