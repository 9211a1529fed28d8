// The time lines of one patient, one below the other on one time axis: drawn, read out, zoomed, as wide as their place.

import { NARROW, colour, font, letters, painted } from "./charts-canvas.js";
import { DAY, daysOf, linesOf, shortDay, spoken } from "./charts-data.js";

const section = document.querySelector("[data-series]");
const words = section.dataset;
const figures = [...section.querySelectorAll("[data-chart]")];
const page = document.documentElement;

// Lines differ by stroke as well as by colour.
const STROKES = [{ width: 2, dash: [] }, { width: 1.25, dash: [5, 4] }, { width: 1.25, dash: [1.5, 3] }, { width: 1, dash: [8, 3, 2, 3] }];
const INKS = ["--ink", "--accent", "--worse", "--soft"];
const WIDE = 1600;
const PAPER = 690; // A4 within its margins
const TALL = 210, USUAL = 170;

let data = null;
let plots = [];
let told = null; // the day that is read out, on all charts

// The first chart holds the most lines, and the names of phases and treatments.
const isFirst = (figure) => figure === figures[0];
const placeOf = (figure) => figure.querySelector(".plot");
const sized = (figure, width = placeOf(figure).clientWidth) => ({ width, height: Math.round((isFirst(figure) ? TALL : USUAL) * (width > WIDE ? 1.4 : 1)) });

function draw() {
  for (const { plot } of plots) plot.destroy();
  plots = [];
  for (const figure of figures) {
    const chart = data.charts.find((each) => each.key === figure.dataset.chart);
    if (!chart) continue;
    if (chart.key === "load") chart.high = Math.max(...chart.lines.flatMap((each) => each.y), 60) * 1.1;
    const plot = new uPlot(options(chart, figure), linesOf(chart), placeOf(figure));
    figure.querySelector(".legend").replaceChildren(...legend(chart));
    plots.push({ plot, chart, figure, days: daysOf(chart) });
  }
  for (const each of plots) slide(each, each.days.at(-1));
  if (told !== null) readOut(told);
  section.classList.add("drawn");
}

function options(chart, figure) {
  const line = colour("--line");
  const axis = { stroke: colour("--soft"), grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: font(letters()) };
  const room = (chart.high - chart.low) * 0.03; // a line along the edge is not cut in half
  const level = (width) => ({ stroke: width ? colour("--accent") : undefined, width, spanGaps: false, points: { show: false } });
  const { under, over } = painted(chart, data, words, isFirst(figure));
  return {
    ...sized(figure), padding: [6, (plot) => (plot.width > NARROW ? 116 * letters() / 11 : 8), 0, 0], legend: { show: false },
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "UTC"),
    scales: { x: { min: data.from, max: data.to, time: true }, y: { range: [chart.low - room, chart.high + room] } },
    cursor: { sync: { key: "patient" }, drag: { x: true, y: false }, points: { show: false }, y: false },
    axes: [{ ...axis, space: 55, size: 30, values: (_plot, splits) => splits.map((at) => shortDay(at, data)) }, { ...axis, size: 40, space: 26 }],
    bands: chart.level ? [{ series: [chart.lines.length + 2, chart.lines.length + 3], fill: colour("--level") }] : [],
    series: [{}, ...chart.lines.map((_line, n) => ({
      stroke: colour(INKS[n % 4]), ...STROKES[n % 4], spanGaps: false,
      points: { show: n === 0, size: chart.x.length > 200 ? 2 : 4, fill: colour(INKS[0]) },
    })), ...(chart.level ? [2.5, 0, 0].map(level) : [])],
    hooks: {
      drawClear: [under],
      draw: [(plot) => { over(); point(plot); }],
      setCursor: [(plot) => { if (plot.cursor.left >= 0 && plot.cursor.event) readOut(pointedAt(plot)); }],
      setScale: [(plot, key) => { if (key === "x") zoomTo(plot.scales.x); }],
    },
  };
}

function legend(chart) {
  return [
    ...chart.lines.map((line, n) => sample(line.title, colour(INKS[n % 4]), STROKES[n % 4].dash)),
    ...(chart.level ? [sample(words.level, colour("--accent"), [])] : []),
    ...(chart.slope ? [sample(words.slope, colour("--worse"), [10, 4])] : []),
  ];
}

function sample(title, stroke, dash) {
  const item = document.createElement("span");
  item.innerHTML = '<svg width="26" height="8" aria-hidden="true"><line x1="1" y1="4" x2="25" y2="4" stroke-width="2"/></svg> ';
  const drawn = item.querySelector("line");
  drawn.setAttribute("stroke", stroke);
  if (dash.length) drawn.setAttribute("stroke-dasharray", dash.join(" "));
  item.append(title);
  return item;
}

function readOut(at) {
  told = at;
  for (const each of plots) {
    each.figure.querySelector(".readout").textContent = said(each, at);
    slide(each, at);
    point(each.plot);
  }
}

const said = ({ chart, figure }, at) => spoken(chart, data, words, at, isFirst(figure));
const pointedAt = (plot) => Math.round((plot.posToVal(plot.cursor.left, "x") - data.from) / DAY) * DAY + data.from;

function point(plot) {
  const { min, max } = plot.scales.x;
  const left = told !== null && told >= min && told <= max ? plot.valToPos(told, "x") : -10;
  plot.setCursor({ left, top: -10 }, false);
}

// To a screen reader a chart is a slider over its days: what a day holds is the slider's value, and is said when it moves.
function slide(each, at) {
  const place = placeOf(each.figure);
  place.tabIndex = 0;
  place.role = "slider";
  place.ariaLabel = place.dataset.name;
  place.ariaValueMin = 0;
  place.ariaValueMax = each.days.length - 1;
  place.ariaValueNow = Math.min(each.days.filter((day) => day < at).length, each.days.length - 1);
  place.ariaValueText = said(each, at);
}

// A stretch that is drawn on one chart is shown on all of them.
let zooming = false;
function zoomTo({ min, max }) {
  if (zooming) return;
  zooming = true;
  for (const { plot } of plots) if (plot.scales.x.min !== min || plot.scales.x.max !== max) plot.setScale("x", { min, max });
  zooming = false;
}

const holding = (target) => plots.find(({ figure }) => target === placeOf(figure));
section.addEventListener("focusin", (event) => {
  const held = holding(event.target);
  if (held && told === null) readOut(held.days.at(-1));
});

// Days that have a value, one by one, from the keyboard.
section.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -7, PageUp: 7, Home: -Infinity, End: Infinity }[event.key];
  const held = holding(event.target);
  if (step === undefined || !held) return;
  event.preventDefault();
  const { min, max } = held.plot.scales.x;
  const days = held.days.filter((at) => at >= min && at <= max);
  if (!days.length) return;
  const now = days.filter((at) => at < told).length;
  const between = days[now] !== told && step > 0 ? 1 : 0; // from a day on which only another chart has a value
  readOut(days[Math.min(Math.max(now + step - between, 0), days.length - 1)]);
});

// A chart is as wide as its place, but for paper: while that is laid out the place is still as wide as the screen.
const watch = new ResizeObserver(() => requestAnimationFrame(() => {
  if (page.classList.contains("printing")) return;
  for (const { plot, figure } of plots) if (plot.width !== placeOf(figure).clientWidth) plot.setSize(sized(figure));
}));

// On paper the colours are the light ones, and the sheet is narrower than most screens.
for (const [name, printing] of [["beforeprint", true], ["afterprint", false]]) window.addEventListener(name, () => {
  page.classList.toggle("printing", printing);
  if (!data) return;
  draw();
  if (printing) for (const { plot, figure } of plots) plot.setSize(sized(figure, Math.min(PAPER, plot.width)));
});
for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) matchMedia(query).addEventListener("change", () => data && draw());

try {
  const response = await fetch(words.series, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(response.status);
  data = await response.json();
  draw();
  for (const figure of figures) watch.observe(placeOf(figure));
} catch {
  const problem = section.querySelector("[data-problem]");
  problem.textContent = words.failed;
  problem.hidden = false;
}
