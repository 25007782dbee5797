import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { it } from "node:test";
import { engines, runPackage } from "@quorate/sandbox";
import { buildParts, emptyDraft } from "./draft.ts";

const datasets = join(dirname(dirname(createRequire(import.meta.url).resolve("vega-datasets"))), "data");

async function runExample(program: string, data: string, arg: string): Promise<unknown> {
  const parts = buildParts(
    { ...emptyDraft, args: arg },
    {
      program: { name: program, bytes: await readFile(new URL(`programs/${program}`, import.meta.url)) },
      data: [{ name: data, bytes: await readFile(join(datasets, data)) }],
    },
    engines,
  );
  assert.ok(parts.problems === undefined);
  const result = await runPackage(parts);
  assert.ok(result.kind === "ok", JSON.stringify(result));
  return JSON.parse(new TextDecoder().decode(result.output));
}

it("the stock example gives what the data says, by another way to compute it", async () => {
  const { stocks } = (await runExample("stocks.js", "stocks.csv", "MSFT")) as {
    stocks: readonly { symbol: string; months: number; totalReturn: number; yearlyVolatility: number }[];
  };
  const lines = (await readFile(join(datasets, "stocks.csv"), "utf8")).trim().split("\n").slice(1);
  for (const { symbol, months, totalReturn, yearlyVolatility } of stocks) {
    const prices = lines.filter((line) => line.startsWith(`${symbol},`)).map((line) => Number(line.split(",")[2]));
    const returns = prices.slice(1).map((price, index) => price / (prices[index] as number) - 1);
    assert.equal(months, returns.length);
    assert.ok(Math.abs(totalReturn - 100 * ((prices.at(-1) as number) / (prices[0] as number) - 1)) < 0.006);
    // By the sum of squares, not by deviations from the mean.
    const sum = returns.reduce((total, value) => total + value, 0);
    const squares = returns.reduce((total, value) => total + value * value, 0);
    const variance = (squares - (sum * sum) / returns.length) / (returns.length - 1);
    assert.ok(Math.abs(yearlyVolatility - 100 * Math.sqrt(12 * variance)) < 0.006, symbol);
  }
  assert.deepEqual(
    stocks.map(({ symbol }) => symbol),
    ["AAPL", "AMZN", "GOOG", "IBM", "MSFT"],
  );
});

it("the weather example counts rainy days and extremes of each month", async () => {
  const months = (await runExample("weather.js", "seattle-weather.csv", "2015")) as readonly {
    month: string;
    rainyDays: number;
    warmestCelsius: number;
  }[];
  const rainy = new Map<number, number>();
  let warmest = Number.NEGATIVE_INFINITY;
  for (const line of (await readFile(join(datasets, "seattle-weather.csv"), "utf8")).split("\n")) {
    const [date = "", rain, high] = line.split(",");
    if (!date.startsWith("2015-")) continue;
    const month = Number(date.slice(5, 7));
    rainy.set(month, (rainy.get(month) ?? 0) + Number(Number(rain) > 0));
    warmest = Math.max(warmest, Number(high));
  }
  assert.deepEqual(
    months.map(({ rainyDays }) => rainyDays),
    [...rainy].sort(([a], [b]) => a - b).map(([, days]) => days),
  );
  assert.equal(Math.max(...months.map(({ warmestCelsius }) => warmestCelsius)), warmest);
});
