// What a year's weather was like, month by month, from seattle-weather.csv.
// The first argument names the year.
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export default function ({ files, args }) {
  const [year = "2015"] = args;
  const days = files
    .text("seattle-weather.csv")
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","))
    .filter(([date]) => date.startsWith(year));
  if (days.length === 0) throw new Error(`The data has no day of ${year}.`);

  return MONTHS.map((name, index) => {
    const month = days.filter(([date]) => Number(date.slice(5, 7)) === index + 1);
    const column = (position) => month.map((day) => Number(day[position]));
    return {
      month: name,
      rainyDays: column(1).filter((millimetres) => millimetres > 0).length,
      rainMillimetres: rounded(column(1).reduce((sum, value) => sum + value, 0)),
      warmestCelsius: Math.max(...column(2)),
      coldestCelsius: Math.min(...column(3)),
    };
  });
}

function rounded(value) {
  return Number(value.toFixed(1));
}
