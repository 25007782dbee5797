// Which steps run, and when: as many at a time as the machine has cores for, each after those it needs.
import type { StepResult } from "./run-step.ts";
import type { Step } from "./steps.ts";

/**
 * Picks steps, with all that they need.
 *
 * @param all the table
 * @param choice names or prefixes of names, and whether only fast steps are wanted; nothing chosen means all
 * @returns steps in the order of the table
 * @throws Error for a name that fits no step
 */
export function selectSteps(
  all: readonly Step[],
  choice: { readonly only: readonly string[]; readonly fast: boolean },
): readonly Step[] {
  if (choice.only.length === 0) return choice.fast ? all.filter((step) => step.fast === true) : all;
  const chosen = new Set<Step>();
  const add = (step: Step): void => {
    if (chosen.has(step)) return;
    chosen.add(step);
    for (const name of step.after ?? []) {
      const needed = all.find((other) => other.name === name);
      if (needed === undefined) throw new Error(`step "${step.name}" comes after "${name}", which is no step`);
      add(needed);
    }
  };
  for (const wanted of choice.only) {
    const exact = all.filter((step) => step.name === wanted);
    const fitting = exact.length > 0 ? exact : all.filter((step) => step.name.startsWith(wanted));
    if (fitting.length === 0)
      throw new Error(`no step is called "${wanted}"; there are: ${all.map((step) => step.name).join(", ")}`);
    for (const step of fitting) add(step);
  }
  return all.filter((step) => chosen.has(step));
}

/**
 * Runs steps side by side.
 *
 * @param steps in the order in which they are to be started
 * @param cores how much load may run at a time; a step that wants more gets the machine for itself
 * @param run runs one step; a throw counts as a failed test of that step
 * @returns results in the order of `steps`; a step whose predecessor failed is not run and counts as one failed test
 */
export async function schedule(
  steps: readonly Step[],
  cores: number,
  run: (step: Step) => Promise<StepResult>,
): Promise<readonly StepResult[]> {
  const done = new Map<string, StepResult>();
  const waiting = [...steps];
  const running = new Map<Step, Promise<void>>();
  const fail = (step: Step, detail: string): StepResult => ({
    step: step.name,
    ms: 0,
    passed: [],
    failures: [{ name: "the step is run", file: step.name, ms: 0, detail }],
  });
  while (waiting.length > 0 || running.size > 0) {
    let load = [...running.keys()].reduce((sum, step) => sum + Math.min(step.load, cores), 0);
    for (const step of [...waiting]) {
      const before = (step.after ?? []).map((name) => done.get(name));
      const broken = before.find((result) => result !== undefined && result.failures.length > 0);
      if (broken !== undefined) {
        waiting.splice(waiting.indexOf(step), 1);
        done.set(step.name, fail(step, `"${broken.step}", which it needs, failed`));
        continue;
      }
      const cost = Math.min(step.load, cores);
      if (before.includes(undefined) || load + cost > cores) continue;
      waiting.splice(waiting.indexOf(step), 1);
      load += cost;
      const settled = run(step)
        .catch((error: unknown) => fail(step, error instanceof Error ? (error.stack ?? error.message) : String(error)))
        .then((result) => {
          done.set(step.name, result);
          running.delete(step);
        });
      running.set(step, settled);
    }
    if (running.size > 0) await Promise.race(running.values());
    else if (waiting.length > 0 && !waiting.some((step) => (step.after ?? []).every((name) => done.has(name)))) {
      throw new Error(`steps wait for what is not run: ${waiting.map((step) => step.name).join(", ")}`);
    }
  }
  return steps.map((step) => done.get(step.name) ?? fail(step, "it was never started"));
}
