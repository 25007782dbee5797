/** Values attached to an event of the log. */
export type LogFields = Record<string, unknown>;

/** Where events of a running program go. Implementations redact secrets. */
export type Logger = {
  /** Detail for a developer. */
  debug(event: string, fields?: LogFields): void;
  /** Something expected happened. */
  info(event: string, fields?: LogFields): void;
  /** Something unexpected was handled. */
  warn(event: string, fields?: LogFields): void;
  /** Something failed and a person should look. */
  error(event: string, fields?: LogFields): void;
  /** A logger that adds these fields to every event. */
  child(fields: LogFields): Logger;
};

/** A logger that says nothing. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};
