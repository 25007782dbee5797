import assert from "node:assert/strict";
import { checked, type DemoProgram, readDataset } from "./program.ts";
import { stockVolatilitySource } from "./stock-volatility-source.ts";

const BASELINE = "MSFT";

type Row = { readonly symbol: string; readonly year: number; readonly month: number; readonly price: number };

type SymbolStatistics = {
  readonly symbol: string;
  readonly months: number;
  readonly totalReturn: number;
  readonly meanMonthlyReturn: number;
  readonly annualVolatility: number;
  readonly maxDrawdown: number;
  readonly correlation: number;
};

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function parse(text: string): Row[] {
  return text
    .split("\n")
    .slice(1)
    .filter((line) => line !== "")
    .map((line) => {
      const [symbol = "", date = "", price = ""] = line.split(",");
      const [month = "", , year = ""] = date.split(" ");
      return { symbol, year: Number(year), month: MONTHS.indexOf(month), price: Number.parseFloat(price) };
    })
    .sort((a, b) => a.year - b.year || a.month - b.month);
}

function returnsByMonth(rows: readonly Row[]): Map<number, number> {
  const returns = new Map<number, number>();
  let previous: Row | undefined;
  for (const row of rows) {
    if (previous !== undefined) returns.set(row.year * 12 + row.month, (row.price - previous.price) / previous.price);
    previous = row;
  }
  return returns;
}

/** Mean, sample variance and covariance in one pass (Welford), unlike the program's two. */
function moments(pairs: readonly (readonly [number, number])[]): {
  readonly meanA: number;
  readonly varianceA: number;
  readonly varianceB: number;
  readonly covariance: number;
} {
  let [count, meanA, meanB, squaresA, squaresB, products] = [0, 0, 0, 0, 0, 0];
  for (const [a, b] of pairs) {
    count += 1;
    const [fromA, fromB] = [a - meanA, b - meanB];
    meanA += fromA / count;
    meanB += fromB / count;
    squaresA += fromA * (a - meanA);
    squaresB += fromB * (b - meanB);
    products += fromA * (b - meanB);
  }
  const free = count - 1;
  return { meanA, varianceA: squaresA / free, varianceB: squaresB / free, covariance: products / free };
}

/** Statistics of every symbol's monthly returns in a QuickJS job. */
export const stockVolatility: DemoProgram = {
  name: "stock-volatility",
  title: "Risk and return of five stocks",
  description:
    "Monthly returns, yearly volatility, worst drawdown and correlation with MSFT over stocks.csv of vega-datasets, in JavaScript.",

  async build() {
    return {
      manifest: {
        version: 1,
        engine: { name: "quickjs", version: "0.32.0+1" },
        program: "stocks.js",
        args: [BASELINE],
        env: {},
        limits: { fuel: 1_000_000_000, memoryBytes: 67_108_864, outputBytes: 65_536, wallTimeMs: 60_000 },
      },
      files: new Map([
        ["stocks.js", new TextEncoder().encode(stockVolatilitySource)],
        ["stocks.csv", await readDataset("stocks.csv")],
      ]),
    };
  },

  async expected() {
    const rows = parse(new TextDecoder().decode(await readDataset("stocks.csv")));
    const series = Map.groupBy(rows, ({ symbol }) => symbol);
    const market = returnsByMonth(series.get(BASELINE) ?? []);
    const symbols = [...series.keys()].sort().map((symbol): SymbolStatistics => {
      const own = series.get(symbol) ?? [];
      const returns = returnsByMonth(own);
      const all = moments([...returns.values()].map((value) => [value, value]));
      const common = moments(
        [...returns].flatMap(([month, value]) => {
          const other = market.get(month);
          return other === undefined ? [] : [[value, other] as const];
        }),
      );
      const drawdowns = own.map(({ price }, index) => {
        const peak = Math.max(...own.slice(0, index + 1).map((row) => row.price));
        return (peak - price) / peak;
      });
      return {
        symbol,
        months: returns.size,
        totalReturn: ((own.at(-1)?.price ?? 0) - (own[0]?.price ?? 0)) / (own[0]?.price ?? 1),
        meanMonthlyReturn: all.meanA,
        annualVolatility: Math.sqrt(12 * all.varianceA),
        maxDrawdown: Math.max(...drawdowns),
        correlation: common.covariance / Math.sqrt(common.varianceA * common.varianceB),
      };
    });
    return { baseline: BASELINE, symbols };
  },

  check(output) {
    return checked(async () => {
      const actual = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(output)) as StocksResult;
      const expected = (await stockVolatility.expected()) as StocksResult;
      assert.equal(actual.baseline, expected.baseline);
      assert.deepEqual(
        actual.symbols.map(({ symbol, months }) => [symbol, months]),
        expected.symbols.map(({ symbol, months }) => [symbol, months]),
      );
      for (const [index, symbol] of expected.symbols.entries()) {
        for (const key of Object.keys(symbol) as (keyof SymbolStatistics)[]) {
          const value = symbol[key];
          if (typeof value !== "number") continue;
          // The program gives six digits.
          const difference = Math.abs(value - Number(actual.symbols[index]?.[key]));
          assert.ok(difference <= 6e-7, `${symbol.symbol} ${key}: ${actual.symbols[index]?.[key]} is not ${value}`);
        }
      }
      return expected.symbols
        .map(({ symbol, annualVolatility }) => `${symbol} ${(annualVolatility * 100).toFixed(1)} %`)
        .join(", ");
    });
  },
};

type StocksResult = { readonly baseline: string; readonly symbols: readonly SymbolStatistics[] };
