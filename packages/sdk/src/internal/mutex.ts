/** Runs tasks one after the other, in the order they came. */
export class Mutex {
  #tail: Promise<unknown> = Promise.resolve();

  /**
   * Runs `task` once all earlier tasks have ended, however they ended.
   *
   * @param task - what to run alone
   * @returns what the task returns
   */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(task, task);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}
