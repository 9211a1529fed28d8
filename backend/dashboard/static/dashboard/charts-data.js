// What the time lines hold: as uPlot takes it, and in words.

export const DAY = 86400;

// As the dates beside the charts are written: plain English would be the American way.
const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang || undefined;
const dates = (parts) => new Intl.DateTimeFormat(language, { ...parts, timeZone: "UTC" });
const long = dates({ day: "numeric", month: "long", year: "numeric" });
const short = dates({ day: "numeric", month: "short" });
const month = dates({ month: "short", year: "2-digit" });
const figures = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });

export const number = (value) => figures.format(value);
export const shortDay = (at, { from, to }) => (to - from > 300 * DAY ? month : short).format(at * 1000);

// All lines of a chart, and its level between its bounds. Days without a value that a line bridges become undefined, which
// uPlot joins; values that lie further apart than the measure allows aren't joined: null tells uPlot so.
export function linesOf({ x, lines, level, error, joined }) {
  const all = lines.map((line) => [...line.y]);
  if (level) {
    const bound = (sign) => level.map((value, index) => (value === null ? null : value + sign * error[index]));
    all.push(...[0, 1, -1].map(bound));
  }
  for (const line of all) {
    let last = -1;
    line.forEach((value, index) => {
      if (value === null) return;
      if (last >= 0 && x[index] - x[last] <= joined * DAY) line.fill(undefined, last + 1, index);
      last = index;
    });
  }
  return [x, ...all];
}

export const daysOf = ({ x, lines }) => x.filter((_at, index) => lines.some((line) => line.y[index] !== null));

// What a chart holds of a day. Only the first tells of treatments, phases and notes: they are the same for all.
export function spoken(chart, data, words, at, first) {
  const index = chart.x.indexOf(at);
  const there = (line) => index >= 0 && line[index] !== null;
  const values = chart.lines.filter((line) => there(line.y)).map((line) => (chart.lines.length > 1 ? `${line.title} ` : "") + number(line.y[index]));
  if (chart.level && there(chart.level)) values.push(`${words.level} ${number(chart.level[index])} ± ${number(chart.error[index])}`);
  const notes = data.alerts.filter((alert) => alert.x === at).map((alert) => alert.title);
  if (chart.key === "pain" && data.flares.includes(at)) notes.push(words.flare);
  if (first) {
    const during = (band) => band.from <= at && at <= band.to;
    notes.push(...data.treatments.filter(during).map((band) => band.title));
    notes.push(...data.phases.filter(during).map((band) => `${words.phase} ${band.title}`));
    notes.push(...data.notes.filter((note) => note.x === at).map((note) => note.title));
  }
  return `${long.format(at * 1000)}: ${values.join(", ") || words.none}${notes.length ? ` · ${notes.join(", ")}` : ""}`;
}
