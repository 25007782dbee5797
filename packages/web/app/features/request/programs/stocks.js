// Risk and return of each stock in stocks.csv, by its monthly prices.
// The first argument names the stock that the others are compared with.
export default function ({ files, args }) {
  const prices = readPrices(files.text("stocks.csv"));
  const returns = new Map([...prices].map(([symbol, series]) => [symbol, monthlyReturns(series)]));
  const compared = args[0] ?? [...prices.keys()][0];
  const baseline = returns.get(compared);
  if (baseline === undefined) throw new Error(`The data has no stock ${compared}.`);

  return {
    comparedWith: compared,
    stocks: [...prices.keys()].sort().map((symbol) => {
      const own = [...returns.get(symbol).values()];
      return {
        symbol,
        months: own.length,
        totalReturn: percent(prices.get(symbol).at(-1).price / prices.get(symbol)[0].price - 1),
        yearlyVolatility: percent(deviation(own) * Math.sqrt(12)),
        worstDrawdown: percent(worstDrawdown(prices.get(symbol))),
        correlation: Number(correlation(returns.get(symbol), baseline).toFixed(3)),
      };
    }),
  };
}

function readPrices(csv) {
  const prices = new Map();
  for (const line of csv.trim().split("\n").slice(1)) {
    const [symbol, date, price] = line.split(",");
    if (!prices.has(symbol)) prices.set(symbol, []);
    prices.get(symbol).push({ month: Date.parse(`${date} UTC`), price: Number(price) });
  }
  for (const series of prices.values()) series.sort((a, b) => a.month - b.month);
  return prices;
}

function monthlyReturns(series) {
  return new Map(series.slice(1).map(({ month, price }, index) => [month, price / series[index].price - 1]));
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values) {
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

function worstDrawdown(series) {
  let peak = 0;
  return series.reduce((worst, { price }) => {
    peak = Math.max(peak, price);
    return Math.max(worst, 1 - price / peak);
  }, 0);
}

function correlation(own, other) {
  const months = [...own.keys()].filter((month) => other.has(month));
  const a = months.map((month) => own.get(month));
  const b = months.map((month) => other.get(month));
  const [meanA, meanB] = [mean(a), mean(b)];
  const together = a.reduce((sum, value, index) => sum + (value - meanA) * (b[index] - meanB), 0);
  return together / (a.length - 1) / (deviation(a) * deviation(b));
}

function percent(share) {
  return Number((share * 100).toFixed(2));
}
