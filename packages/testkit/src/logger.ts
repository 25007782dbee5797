import type { LogFields, Logger } from "@quorate/core";

/** One event that was logged. */
export type LogEntry = {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly event: string;
  readonly fields: LogFields;
};

/** A logger that remembers. */
export type RecordingLogger = Logger & {
  /** In the order of logging, children included. */
  readonly entries: readonly LogEntry[];
};

/** A logger whose entries a test can look at. */
export function recordingLogger(): RecordingLogger {
  const entries: LogEntry[] = [];
  const create = (base: LogFields): Logger => {
    const log =
      (level: LogEntry["level"]) =>
      (event: string, fields: LogFields = {}): void => {
        entries.push({ level, event, fields: { ...base, ...fields } });
      };
    return {
      debug: log("debug"),
      info: log("info"),
      warn: log("warn"),
      error: log("error"),
      child: (fields) => create({ ...base, ...fields }),
    };
  };
  return { ...create({}), entries };
}
