import type { PlotOptions } from "@observablehq/plot";
import { type ReactNode, useCallback } from "react";
import { type Bucket, type Counted, countBy } from "../market/index.ts";
import { Chart, Legend, type Plot } from "../ui/index.ts";

/** One colour of a chart. */
export type Series<Name extends string> = {
  readonly id: Name;
  readonly title: string;
  /** Of the tokens, as CSS. */
  readonly colour: string;
};

const HEIGHT = 220;

/** Bars over time, stacked by series. */
export function TimeBars<Name extends string>({
  events,
  series,
  bucket,
  unit,
  summary,
}: {
  /** Keep the same array while it holds the same. */
  readonly events: readonly { readonly at: number; readonly series: Name; readonly value: number }[];
  /** Keep the same array; bottom first. */
  readonly series: readonly Series<Name>[];
  readonly bucket: Bucket;
  /** Of the values. */
  readonly unit: string;
  /** In a sentence with its main numbers. */
  readonly summary: string;
}): ReactNode {
  const { size } = bucket;
  const draw = useCallback(
    (plot: Plot, width: number): PlotOptions => {
      const bars = countBy(events, size).map((bar: Counted<Name>) => ({
        ...bar,
        from: new Date(bar.at * 1000),
        to: new Date((bar.at + size) * 1000),
      }));
      const times = bars.flatMap(({ from, to }) => [from, to]).map(Number);
      // A single bar would fill the whole width: it stands among empty ones instead.
      const end = Math.max(...times);
      const start = Math.min(Math.min(...times), end - LEAST_BARS * size * 1000);
      return {
        height: HEIGHT,
        marginLeft: 48,
        x: {
          type: "time",
          domain: [new Date(start), new Date(end)],
          label: null,
          ticks: Math.min(5, Math.floor(width / LABEL_WIDTH)),
          tickFormat: tickOf(size),
        },
        // A count has no half.
        y: { grid: true, label: unit, nice: true, ticks: Math.min(4, Math.max(1, highest(bars))), tickFormat: "~s" },
        color: { domain: series.map(({ id }) => id), range: series.map(({ colour }) => colour) },
        marks: [
          plot.rectY(bars, {
            x1: "from",
            x2: "to",
            y: "value",
            fill: "series",
            order: series.map(({ id }) => id),
            insetLeft: 1,
            insetRight: 1,
            title: ({ at, series: id, value }: Counted<Name>) =>
              `${new Date(at * 1000).toLocaleString("en-GB")}: ${numbers.format(value)} ${unit}, ${id}`,
          }),
          plot.ruleY([0]),
        ],
      };
    },
    [events, series, size, unit],
  );
  const shown = series.filter(({ id }) => events.some((event) => event.series === id));
  return (
    <div className="stack-tight">
      <Legend entries={shown.map(({ title, colour }) => [title, colour] as const)} />
      <Chart summary={summary} caption={`Each bar is ${spanWords(bucket)}, in your time zone.`} draw={draw} />
    </div>
  );
}

/** Room for the words under a bar, pixels. */
const LABEL_WIDTH = 110;
const LEAST_BARS = 8;
const DAY_S = 86_400;
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const dayAndClock = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit" });

/** The sum of what stands on one place, at most. */
function highest(bars: readonly { readonly at: number; readonly value: number }[]): number {
  const sums = new Map<number, number>();
  for (const { at, value } of bars) sums.set(at, (sums.get(at) ?? 0) + value);
  return Math.max(0, ...sums.values());
}

function tickOf(size: number): (date: Date) => string {
  const format = size >= DAY_S ? day : size >= 3_600 ? dayAndClock : clock;
  return (date) => format.format(date);
}

function spanWords({ size, name }: Bucket): string {
  if (/^[0-9]/.test(name)) return name;
  return size === 3_600 ? `an ${name}` : `a ${name}`;
}

const numbers = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
