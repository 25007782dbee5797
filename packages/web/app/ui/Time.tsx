import type { ReactNode } from "react";
import { formatDuration, formatMoment } from "../lib/format.ts";

/** A moment of the chain, in the reader's time zone. */
export function Moment({ at }: { readonly at: number }): ReactNode {
  return <time dateTime={new Date(at * 1000).toISOString()}>{formatMoment(at)}</time>;
}

/** How long ago something was, or how long until it is, by the chain's time. */
export function Relative({ at, now }: { readonly at: number; readonly now: number | undefined }): ReactNode {
  if (now === undefined) return <Moment at={at} />;
  const text = at > now ? `in ${formatDuration(at - now)}` : `${formatDuration(now - at)} ago`;
  return (
    <time dateTime={new Date(at * 1000).toISOString()} title={formatMoment(at)}>
      {text}
    </time>
  );
}

/** Time that is left until a deadline, by the chain's time. */
export function Countdown({
  until,
  now,
  over,
}: {
  readonly until: number;
  readonly now: number | undefined;
  /** Said once it is over. */
  readonly over: string;
}): ReactNode {
  if (now === undefined) return <Moment at={until} />;
  return <span className="numeric">{now >= until ? over : `${formatDuration(until - now)} left`}</span>;
}
