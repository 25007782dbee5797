import type { LogFields, Logger } from "@quorate/core";
import { pino, stdTimeFunctions } from "pino";
import { redact } from "./redact.ts";

/** How grave an event is. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** Settings of {@link createLogger}. */
export type LoggerOptions = {
  /** Events below are left out; `info` by default. */
  readonly level?: LogLevel;
  /** One JSON object a line, or lines for people; `json` by default. */
  readonly format?: "json" | "pretty";
  /** Where lines go; standard error by default, so that standard output stays free for results. */
  readonly stream?: { write(line: string): unknown };
  /** Fields of every event. */
  readonly fields?: LogFields;
};

/**
 * Makes a logger. Every field is redacted: no private keys, passphrases, salts, or URLs with API keys.
 *
 * @param options Level, format, stream.
 */
export function createLogger(options: LoggerOptions = {}): Logger {
  const stream = options.stream ?? process.stderr;
  const sink = options.format === "pretty" ? { write: (line: string) => stream.write(pretty(line)) } : stream;
  const root = pino(
    {
      level: options.level ?? "info",
      base: null,
      messageKey: "event",
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => void sink.write(line) },
  );
  return wrap(root, options.fields === undefined ? {} : (redact(options.fields) as LogFields));
}

type Sink = {
  isLevelEnabled(level: string): boolean;
} & Record<"debug" | "info" | "warn" | "error", (fields: LogFields, event: string) => void>;

function wrap(root: Sink, base: LogFields): Logger {
  const write =
    (level: "debug" | "info" | "warn" | "error") =>
    (event: string, fields?: LogFields): void => {
      if (!root.isLevelEnabled(level)) return;
      root[level]({ ...base, ...(fields === undefined ? {} : (redact(fields) as LogFields)) }, event);
    };
  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    child: (fields) => wrap(root, { ...base, ...(redact(fields) as LogFields) }),
  };
}

/** `12:34:56 WARN  source.lied source=a code=SOURCE_LIED` */
function pretty(line: string): string {
  const { time, level, event, ...fields } = JSON.parse(line) as { time: string; level: string; event: string };
  const rest = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === "string" && !/[\s"]/.test(value) ? value : JSON.stringify(value)}`,
  );
  return `${[time.slice(11, 19), level.toUpperCase().padEnd(5), event, ...rest].join(" ")}\n`;
}
