// Random histories of calls, by fast-check: contract and model have to agree after each.
import fc from "fast-check";
import { apply, judgeOffers, type Outcome, type Step, type World } from "../model/world.ts";
import { Chain, type Replaced, START, show } from "./chain.ts";
import { createMemory, Dice, type Memory, PLANS, setUp, timeOf, WEIGHTS } from "./scenario.ts";

/** Most calls of a history. */
const LONGEST = 40;
/** Most random numbers of a call. */
const MOST_NUMBERS = 48;

/** So long a history that fails is made shorter. */
const SHRINK_MS = 20_000;

/** What the model side of a history knows. */
type Model = { world: World; memory: Memory; now: number };
/** What happened, over all histories: `name:ok` or `name:Error` and how often. */
export type Tally = Map<string, number>;

/** Histories against one deployment. */
export class Differential {
  readonly chain: Chain;
  readonly tally: Tally = new Map();
  /** Calls that were compared. */
  calls = 0;
  readonly #world: World;
  readonly #now: number;

  private constructor(chain: Chain, world: World, now: number) {
    this.chain = chain;
    this.#world = world;
    this.#now = now;
  }

  /**
   * Deploys, and makes the calls by which every history begins.
   *
   * @param replaced other contracts in the place of `JobMarket` or `QueryMarket`
   */
  static async create(replaced?: Replaced): Promise<Differential> {
    const chain = await Chain.create(replaced);
    let { world } = chain;
    let now = START;
    for (const step of setUp(chain.cast, START)) {
      const outcome = apply(world, step);
      await chain.perform(step, outcome);
      if (!outcome.result.ok) throw new Error(`the set-up fails: ${show(step.call)}: ${show(outcome.result)}`);
      ({ world } = outcome);
      now = step.now;
    }
    await chain.keep();
    return new Differential(chain, world, now);
  }

  /**
   * Runs histories; throws with the shortest that was found when contract and model disagree.
   *
   * @param seed of the first; every history follows from it
   * @param sequences how many
   */
  async run(seed: number, sequences: number): Promise<void> {
    const histories = fc.array(command(this), { minLength: 1, maxLength: LONGEST, size: "max" });
    let last = Number.POSITIVE_INFINITY;
    const property = fc.asyncProperty(histories, async (commands) => {
      fc.pre(performance.now() < last);
      await this.chain.reset();
      const model: Model = { world: this.#world, memory: createMemory(), now: this.#now };
      try {
        await fc.asyncModelRun(() => ({ model, real: this.chain }), commands);
        await this.chain.observeAll(model.world, model.now);
      } catch (thrown) {
        last = Math.min(last, performance.now() + SHRINK_MS);
        throw thrown;
      }
    });
    const found = await fc.check(property, { seed, numRuns: sequences });
    if (!found.failed) return;
    const { counterexamplePath, numRuns, numShrinks, errorInstance } = found;
    throw new Error(
      [
        `contract and model disagree (seed ${seed}, history ${numRuns}, ${numShrinks} times shrunk, path ${counterexamplePath})`,
        String(errorInstance instanceof Error ? errorInstance.message : errorInstance),
        ...(found.counterexample?.[0].map(String) ?? []),
      ].join("\n"),
    );
  }

  /** Counts what a call came to. */
  count({ call }: Step, { result, events }: Outcome): void {
    this.calls += 1;
    const name = "name" in call ? `${call.on}.${call.name}` : call.on;
    this.#add(`${name}: ${result.ok ? "ok" : (result.error.name ?? "no data")}`);
    for (const event of events) {
      const { cause, well, burnt, success, results, voided } = event.args;
      const isBurnt = event.name === "QuarantineClaimed" ? burnt : undefined;
      const detail = [cause, well, isBurnt, success, voided === undefined ? undefined : voided !== 0];
      this.#add(["event", event.name, ...detail.filter((each) => each !== undefined)].join(" "));
      if (!Array.isArray(results)) continue;
      for (const { verdict } of results as { verdict: number }[]) this.#add(`verdict ${verdict}`);
    }
    if (result.ok || result.error.name !== "BadOffers") return;
    for (const { fault } of result.error.args[0] as { fault: number }[]) this.#add(`offer fault ${fault}`);
  }

  #add(key: string): void {
    this.tally.set(key, (this.tally.get(key) ?? 0) + 1);
  }
}

/** A step that is planned when it is its turn: it knows the world as it is then. */
class Command implements fc.AsyncCommand<Model, Chain> {
  readonly #kind: string;
  readonly #numbers: readonly number[];
  readonly #run: Differential;
  #last = "not run";

  constructor(kind: string, numbers: readonly number[], run: Differential) {
    this.#kind = kind;
    this.#numbers = numbers;
    this.#run = run;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, chain: Chain): Promise<void> {
    const dice = new Dice(this.#numbers);
    const { world, memory, now: before } = model;
    const at = (natural?: number): number => timeOf(dice, world, memory, before, natural);
    const step = PLANS[this.#kind]?.({ cast: chain.cast, world, memory, dice, before, at });
    if (step === undefined) return;
    const outcome = apply(world, step);
    this.#last = [step.now, step.sender, show(step.call), "→", show(outcome.result)].join(" ");
    this.#run.count(step, outcome);
    if (step.call.on === "jobs" && step.call.name === "open") {
      const expected = judgeOffers(world, before, ...step.call.args);
      await chain.compareOffers(...step.call.args, expected);
    }
    await chain.perform(step, outcome);
    model.world = outcome.world;
    model.now = step.now;
  }

  toString(): string {
    return this.#last;
  }
}

function command(run: Differential): fc.Arbitrary<Command> {
  const numbers = fc.array(fc.nat(65_535), { maxLength: MOST_NUMBERS, size: "max" });
  const kinds = Object.entries(WEIGHTS).map(([kind, weight]) => ({
    weight: Math.round(weight * 10),
    arbitrary: numbers.map((drawn) => new Command(kind, drawn, run)),
  }));
  return fc.oneof({ withCrossShrink: false }, ...kinds);
}
