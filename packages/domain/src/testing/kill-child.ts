/**
 * An agent that dies at a step. Arguments: folder, step ("" for none). Goes on from wherever an earlier one died: a quote, the
 * question, its answer; prints what the chain says in the end. Used by tests only.
 */
import { World } from "./world.ts";

const [dataDir = "", deadly = ""] = process.argv.slice(2);
const world = new World({
  dataDir,
  onStep: (step) => {
    if (step === deadly) process.kill(process.pid, "SIGKILL");
  },
});
await world.open();
const { domain, market } = world;
if (domain.status().datasets[0]?.root === undefined) {
  domain.publish(domain.datasets[0] as never);
  world.settle();
}
if (market.questions().length === 0) {
  // An asker whose quote was lost asks anew; one that has it goes to the chain.
  if (domain.status().questions.quoted === 0) await world.quote();
  world.askStored();
}
await world.work();
const status = domain.status();
const uses = world.state.db.prepare("SELECT count(*) AS n FROM use").get()?.n as number;
const left = world.state.db.prepare("SELECT count(*) AS n FROM question WHERE key IS NOT NULL").get()?.n as number;
world.close();
console.log(
  JSON.stringify({
    chain: market.questions().map((question) => question.status),
    answered: status.questions.answered,
    open: status.questions.asked + status.questions.proven + status.questions.expiring,
    uses,
    left,
  }),
);
