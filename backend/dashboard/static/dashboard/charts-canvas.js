// What stands around the lines of a chart, on the same canvas: bands, periods, baseline, thresholds, marks, and their names.

import { DAY, number } from "./charts-data.js";

// On a narrow screen the lines need the room that the names of the bands have beside them elsewhere.
export const NARROW = 600;

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
export const letters = () => 11 * parseFloat(getComputedStyle(document.documentElement).fontSize) / 14; // of the page's 14 px
export const font = (size) => `${size}px system-ui, sans-serif`;

// `first`: this chart is the uppermost, which alone names periods and shows notes.
export function painted(chart, data, words, first) {
  let sheet;
  return {
    under: (plot) => {
      sheet = sheetOf(plot);
      const { ctx, left, top, width, height } = sheet;
      ctx.save();
      ctx.beginPath(); ctx.rect(left, top, width, height); ctx.clip();
      ctx.font = font(letters() * sheet.ratio);
      bands(sheet, chart);
      treatments(sheet, data, first);
      phases(sheet, data, first);
      baseline(sheet, chart, words);
      uprights(sheet, chart, data, words, first);
      thresholds(sheet, chart);
      slope(sheet, chart);
      ctx.restore(); // a sign on the last day is not cut in half
      ctx.save();
      ctx.font = font(letters() * sheet.ratio);
      signs(sheet, chart, data, first);
      ctx.restore();
      names(sheet, chart);
    },
    over: () => captions(sheet),
  };
}

// A plot's canvas, in its own pixels. Words are kept until the lines are drawn.
function sheetOf(plot) {
  const { ctx, bbox, scales } = plot;
  const ratio = window.devicePixelRatio || 1;
  const kept = [];
  return {
    ctx, ratio, kept, left: bbox.left, top: bbox.top, width: bbox.width, height: bbox.height,
    right: bbox.left + bbox.width, bottom: bbox.top + bbox.height, narrow: plot.width <= NARROW,
    x: (value) => plot.valToPos(value, "x", true),
    y: (value) => plot.valToPos(value, "y", true),
    inside: (value) => value >= scales.x.min && value <= scales.x.max,
    write: (text, x, y, style, align, baseline) => kept.push({ text, x, y, style, align, baseline }),
    line: (style, width, dash, ...ends) => {
      ctx.strokeStyle = style; ctx.lineWidth = width * ratio; ctx.setLineDash(dash.map((n) => n * ratio));
      ctx.beginPath(); ctx.moveTo(...ends[0]); ctx.lineTo(...ends[1]); ctx.stroke();
    },
  };
}

// With a rim that keeps words apart from what is under them.
function captions({ ctx, ratio, kept }) {
  ctx.save();
  ctx.font = font(letters() * ratio); ctx.lineJoin = "round"; ctx.lineWidth = 3 * ratio; ctx.strokeStyle = colour("--card");
  for (const { text, x, y, style, align, baseline } of kept) {
    ctx.textAlign = align; ctx.textBaseline = baseline; ctx.fillStyle = style;
    ctx.strokeText(text, x, y); ctx.fillText(text, x, y);
  }
  ctx.restore();
}

function bands({ ctx, left, width, y }, chart) {
  ctx.fillStyle = colour("--band");
  chart.bands.forEach((band, index) => {
    const top = y(Math.min(band.below, chart.high));
    if (index % 2) ctx.fillRect(left, top, width, y(band.from) - top);
  });
}

// The names of the bands stand beside the lines, or at their right end where it is narrow.
function names({ right, narrow, ratio, y, write }, chart) {
  const place = right + (narrow ? -4 : 6) * ratio;
  let free = Infinity;
  for (const band of chart.bands) {
    const middle = y((band.from + Math.min(band.below, chart.high)) / 2);
    if (free - middle < letters() * ratio) continue;
    write(band.name.replaceAll("-", " "), place, middle, colour("--soft"), narrow ? "right" : "left", "middle");
    free = middle;
  }
}

// Treatments lie behind everything, phases along the bottom; their names stand on the first chart.
function treatments({ ctx, left, top, height, ratio, x, write }, data, first) {
  for (const band of data.treatments) {
    const from = x(band.from - DAY / 2), to = x(band.to + DAY / 2);
    ctx.fillStyle = colour("--treatment"); ctx.fillRect(from, top, Math.max(to - from, 2 * ratio), height);
    if (first) write(band.title, Math.max(from, left) + 3 * ratio, top + 2 * ratio, colour("--ink"), "left", "top");
  }
}

function phases({ ctx, left, top, bottom, ratio, x }, data, first) {
  data.phases.forEach((band, index) => {
    const from = x(band.from - DAY / 2), width = x(band.to + DAY / 2) - from, height = (first ? 13 : 4) * ratio;
    ctx.fillStyle = colour(index % 2 ? "--wash" : "--line"); ctx.fillRect(from, bottom - height, width, height);
    if (!first) return;
    ctx.save(); ctx.beginPath(); ctx.rect(from, top, width, bottom - top); ctx.clip();
    ctx.fillStyle = colour("--ink"); ctx.textAlign = "left"; ctx.textBaseline = "bottom";
    ctx.fillText(band.title, Math.max(from, left) + 3 * ratio, bottom - ratio);
    ctx.restore();
  });
}

function baseline({ left, right, ratio, y, line, write }, chart, words) {
  if (chart.baseline === null) return;
  const at = y(chart.baseline), style = colour("--accent");
  line(style, 1, [2, 4], [left, at], [right, at]);
  write(`${words.baseline} ${number(chart.baseline)}`, left + 4 * ratio, at - 2 * ratio, style, "left", "bottom");
}

// The start of the programme, and the days from which a new level holds.
function uprights({ ctx, top, bottom, right, narrow, ratio, x, inside, line, write }, chart, data, words, first) {
  const end = right - (narrow ? 40 * ratio : 0);
  const height = bottom - (first && data.phases.length ? 16 : 3) * ratio;
  const upright = (day, text, style, dash) => {
    if (!inside(day)) return;
    const at = x(day);
    line(style, 1, dash, [at, top], [at, bottom]);
    const before = at + ctx.measureText(text).width + 8 * ratio > end;
    write(text, at + (before ? -4 : 4) * ratio, height, style, before ? "right" : "left", "bottom");
  };
  if (data.programme !== null) upright(data.programme, first ? words.programme : "", colour("--soft"), [6, 4]);
  for (const day of chart.changes) upright(day, words.changed, colour("--accent"), [2, 3]);
}

// The higher line is named above itself and the lower one below: so they never stand on each other.
function thresholds({ ctx, left, top, width, right, bottom, narrow, ratio, y, line, write }, chart) {
  const lines = chart.thresholds.map(({ title, at }) => ({ title, at: y(at) })).sort((a, b) => a.at - b.at);
  const room = (letters() + 3) * ratio, style = colour("--better");
  let end = left + (narrow ? width * 0.6 : width) - 4 * ratio;
  lines.forEach(({ title, at }, n) => {
    line(style, 1, [1, 3], [left, at], [right, at]);
    const under = (n > 0 || at - room < top) && at + room < bottom;
    if (n > 0 && !under) end -= ctx.measureText(lines[0].title).width + 8 * ratio;
    write(title, end, at + (under ? 2 : -1) * ratio, style, "right", under ? "top" : "bottom");
  });
}

function slope({ x, y, line }, { slope }) {
  if (slope) line(colour("--worse"), 1.5, [10, 4], [x(slope.from), y(slope.at_from)], [x(slope.to), y(slope.at_to)]);
}

// Notes, alerts and flares.
function signs({ ctx, top, ratio, x, inside }, chart, data, first) {
  const sign = (text, day, under, style) => {
    if (!inside(day)) return;
    ctx.fillStyle = style; ctx.textAlign = "center"; ctx.textBaseline = "top";
    ctx.fillText(text, x(day), top + under * ratio);
  };
  if (first) for (const note of data.notes) sign("✎", note.x, 22, colour("--accent"));
  ctx.fillStyle = colour("--solid");
  for (const alert of data.alerts) {
    if (!inside(alert.x)) continue;
    const at = x(alert.x);
    ctx.beginPath(); ctx.moveTo(at - 5 * ratio, top); ctx.lineTo(at + 5 * ratio, top); ctx.lineTo(at, top + 9 * ratio); ctx.fill();
  }
  if (chart.key === "pain") for (const day of data.flares) sign("✱", day, 10, colour("--worse"));
}
