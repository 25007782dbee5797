/** Thrown by the host through the program to end it: the program called for its end. */
export class ProgramExit extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** Thrown by the host through the program: it wrote more than its limit. */
export class OutputExceeded extends Error {}

/** Thrown by the host through the program: work of the host used up its fuel. */
export class FuelExhausted extends Error {}

/** Thrown by the host through the program: this host could not do what it must. */
export class HostFailed extends Error {}
