import { FatalError } from "@quorate/core";
import weatherUrl from "vega-datasets/data/seattle-weather.csv?url";
import stocksUrl from "vega-datasets/data/stocks.csv?url";
import type { DraftFile } from "./draft.ts";
import stocksSource from "./programs/stocks.js?raw";
import weatherSource from "./programs/weather.js?raw";

/** A job that works as it is, on public data. */
export type Example = {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly program: string;
  readonly source: string;
  readonly args: readonly string[];
  readonly data: readonly { readonly name: string; readonly url: string }[];
};

/** Everything that a newcomer can send in a minute. */
export const examples: readonly Example[] = [
  {
    id: "stocks",
    title: "Risk and return of five stocks",
    note: "Ten years of monthly prices of AAPL, AMZN, GOOG, IBM and MSFT: volatility, worst drawdown, correlation.",
    program: "stocks.js",
    source: stocksSource,
    args: ["MSFT"],
    data: [{ name: "stocks.csv", url: stocksUrl }],
  },
  {
    id: "weather",
    title: "A year of weather in Seattle",
    note: "Daily measurements of 2012 to 2015: rain and temperatures of each month of one year.",
    program: "weather.js",
    source: weatherSource,
    args: ["2015"],
    data: [{ name: "seattle-weather.csv", url: weatherUrl }],
  },
];

/**
 * Program and data of an example; the data comes from where the app came from.
 *
 * @param example - Chosen one.
 * @throws FatalError `EXAMPLE_UNREADABLE` when its data cannot be loaded.
 */
export async function loadExample(
  example: Example,
): Promise<{ readonly program: DraftFile; readonly data: readonly DraftFile[] }> {
  const data = await Promise.all(
    example.data.map(async ({ name, url }): Promise<DraftFile> => {
      try {
        const response = await fetch(url);
        if (!response.ok) throw new Error(`status ${response.status}`);
        return { name, bytes: new Uint8Array(await response.arrayBuffer()) };
      } catch (cause) {
        throw new FatalError(
          "EXAMPLE_UNREADABLE",
          `The example's data ${name} could not be loaded from this site. Choose it again, or drop a file of your own.`,
          { cause },
        );
      }
    }),
  );
  return { program: { name: example.program, bytes: new TextEncoder().encode(example.source) }, data };
}
