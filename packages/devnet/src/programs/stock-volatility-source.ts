/**
 * The program of the job, as its author would send it. It runs in QuickJS: reads `stocks.csv`, returns for each symbol
 * the statistics of its monthly returns. Text, so that it is packed with the module that sends it.
 */
export const stockVolatilitySource: string = String.raw`export default function ({ files, args }) {
  const [baseline] = args;
  const prices = parsePrices(files.text("stocks.csv"));
  const returns = new Map([...prices].map(([symbol, series]) => [symbol, monthlyReturns(series)]));
  const market = returns.get(baseline);
  if (market === undefined) throw new Error("no symbol " + baseline + " in the data");
  return {
    baseline,
    symbols: [...returns.keys()].sort().map((symbol) => ({
      symbol,
      months: returns.get(symbol).size,
      totalReturn: round(totalReturn(prices.get(symbol))),
      meanMonthlyReturn: round(mean([...returns.get(symbol).values()])),
      annualVolatility: round(deviation([...returns.get(symbol).values()]) * Math.sqrt(12)),
      maxDrawdown: round(maxDrawdown(prices.get(symbol))),
      correlation: round(correlation(returns.get(symbol), market)),
    })),
  };
}

function parsePrices(text) {
  const prices = new Map();
  for (const line of text.trim().split("\n").slice(1)) {
    const [symbol, date, price] = line.split(",");
    if (!prices.has(symbol)) prices.set(symbol, []);
    prices.get(symbol).push({ month: Date.parse(date + " UTC"), price: Number(price) });
  }
  for (const series of prices.values()) series.sort((a, b) => a.month - b.month);
  return prices;
}

function monthlyReturns(series) {
  return new Map(series.slice(1).map(({ month, price }, index) => [month, price / series[index].price - 1]));
}

function totalReturn(series) {
  return series.at(-1).price / series[0].price - 1;
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values) {
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

function maxDrawdown(series) {
  let peak = 0;
  let worst = 0;
  for (const { price } of series) {
    peak = Math.max(peak, price);
    worst = Math.max(worst, 1 - price / peak);
  }
  return worst;
}

function correlation(own, market) {
  const months = [...own.keys()].filter((month) => market.has(month));
  const a = months.map((month) => own.get(month));
  const b = months.map((month) => market.get(month));
  const [meanA, meanB] = [mean(a), mean(b)];
  const covariance = a.reduce((sum, value, index) => sum + (value - meanA) * (b[index] - meanB), 0) / (a.length - 1);
  return covariance / (deviation(a) * deviation(b));
}

function round(value) {
  return Number(value.toFixed(6));
}
`;
