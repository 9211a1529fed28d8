// The time lines of one patient, one below the other on one time axis. Lines differ by stroke as well as by colour.
(() => {
  "use strict";
  const section = document.querySelector("[data-series]");
  if (!section) return;
  const words = section.dataset;
  // As the dates beside the charts are written: plain English would be the American way.
  const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang || undefined;
  const longDay = new Intl.DateTimeFormat(language, { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const STROKES = [{ width: 2, dash: [] }, { width: 1.25, dash: [5, 4] }, { width: 1.25, dash: [1.5, 3] }, { width: 1, dash: [8, 3, 2, 3] }];
  const DAY = 86400;
  let plots = [];
  let data = null;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // Values that lie further apart than the measure allows aren't joined; null tells uPlot so.
  function withGaps(chart) {
    const x = [];
    const lines = chart.lines.map(() => []);
    chart.x.forEach((at, index) => { x.push(at); chart.lines.forEach((line, n) => lines[n].push(line.y[index])); });
    return [x, ...lines];
  }

  function spread(chart) {
    // Days without a value that a line bridges become undefined, which uPlot joins; all others stay null, which it doesn't.
    const [x, ...lines] = withGaps(chart);
    if (chart.level) {
      lines.push([...chart.level], chart.level.map((level, index) => (level === null ? null : level + chart.error[index])), chart.level.map((level, index) => (level === null ? null : level - chart.error[index])));
    }
    for (const line of lines) {
      let last = -1;
      for (let index = 0; index < line.length; index++) {
        if (line[index] === null) continue;
        if (last >= 0 && x[index] - x[last] <= chart.joined * DAY) for (let gap = last + 1; gap < index; gap++) line[gap] = undefined;
        last = index;
      }
    }
    return [x, ...lines];
  }

  // On a narrow screen the lines need the room that the names of the bands have beside them elsewhere.
  const NARROW = 600;
  const TALL = 210, USUAL = 170;

  // The names of the bands stand beside the lines, or at their right end where it is narrow.
  function names(plot, chart) {
    const { ctx, bbox } = plot;
    const ratio = window.devicePixelRatio || 1;
    ctx.save();
    ctx.font = `${11 * ratio}px system-ui, sans-serif`; ctx.fillStyle = colour("--soft"); ctx.textBaseline = "middle";
    const narrow = plot.width <= NARROW;
    ctx.textAlign = narrow ? "right" : "left";
    const place = bbox.left + bbox.width + (narrow ? -4 : 6) * ratio;
    let free = Infinity;
    for (const band of chart.bands) {
      const middle = plot.valToPos((band.from + Math.min(band.below, chart.high)) / 2, "y", true);
      if (free - middle < 11 * ratio) continue;
      ctx.fillText(band.name.replaceAll("-", " "), place, middle);
      free = middle;
    }
    ctx.restore();
  }

  function marks(plot, chart, first) {
    const { ctx, bbox } = plot;
    const ratio = window.devicePixelRatio || 1;
    const y = (value) => plot.valToPos(value, "y", true);
    const x = (value) => plot.valToPos(value, "x", true);
    const inside = (value) => value >= plot.scales.x.min && value <= plot.scales.x.max;
    ctx.save();
    ctx.beginPath(); ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height); ctx.clip();
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    chart.bands.forEach((band, index) => {
      const top = y(Math.min(band.below, chart.high)), bottom = y(band.from);
      if (index % 2) { ctx.fillStyle = colour("--band"); ctx.fillRect(bbox.left, top, bbox.width, bottom - top); }
    });
    // Treatments lie behind everything, phases along the bottom; their names stand on the first chart.
    data.treatments.forEach((band) => {
      const left = x(band.from - DAY / 2), right = x(band.to + DAY / 2);
      ctx.fillStyle = colour("--treatment"); ctx.fillRect(left, bbox.top, Math.max(right - left, 2 * ratio), bbox.height);
      if (!first) return;
      ctx.fillStyle = colour("--ink"); ctx.textAlign = "left"; ctx.textBaseline = "top";
      ctx.fillText(band.title, Math.max(left, bbox.left) + 3 * ratio, bbox.top + 2 * ratio);
    });
    data.phases.forEach((band, index) => {
      const left = x(band.from - DAY / 2), right = x(band.to + DAY / 2), height = (first ? 13 : 4) * ratio;
      ctx.fillStyle = colour(index % 2 ? "--wash" : "--line"); ctx.fillRect(left, bbox.top + bbox.height - height, right - left, height);
      if (!first) return;
      ctx.save(); ctx.beginPath(); ctx.rect(left, bbox.top, right - left, bbox.height); ctx.clip();
      ctx.fillStyle = colour("--ink"); ctx.textAlign = "left"; ctx.textBaseline = "bottom";
      ctx.fillText(band.title, Math.max(left, bbox.left) + 3 * ratio, bbox.top + bbox.height - 1 * ratio);
      ctx.restore();
    });
    if (chart.baseline !== null) {
      ctx.strokeStyle = colour("--accent"); ctx.lineWidth = ratio; ctx.setLineDash([2 * ratio, 4 * ratio]);
      ctx.beginPath(); ctx.moveTo(bbox.left, y(chart.baseline)); ctx.lineTo(bbox.left + bbox.width, y(chart.baseline)); ctx.stroke();
      const text = `${words.baseline} ${number.format(chart.baseline)}`;
      ctx.fillStyle = colour("--card"); ctx.fillRect(bbox.left + 2 * ratio, y(chart.baseline) - 15 * ratio, ctx.measureText(text).width + 6 * ratio, 13 * ratio);
      ctx.fillStyle = colour("--accent"); ctx.textAlign = "left"; ctx.textBaseline = "bottom";
      ctx.fillText(text, bbox.left + 4 * ratio, y(chart.baseline) - 2 * ratio);
    }
    const upright = (at, text, style, dash) => {
      if (!inside(at)) return;
      ctx.strokeStyle = ctx.fillStyle = style; ctx.lineWidth = ratio; ctx.setLineDash(dash.map((n) => n * ratio));
      ctx.beginPath(); ctx.moveTo(x(at), bbox.top); ctx.lineTo(x(at), bbox.top + bbox.height); ctx.stroke();
      const right = x(at) > bbox.left + bbox.width * 0.75;
      ctx.textAlign = right ? "right" : "left"; ctx.textBaseline = "bottom";
      ctx.fillText(text, x(at) + (right ? -4 : 4) * ratio, bbox.top + bbox.height - (first && data.phases.length ? 16 : 3) * ratio);
    };
    if (data.programme !== null) upright(data.programme, first ? words.programme : "", colour("--soft"), [6, 4]);
    for (const at of chart.changes) upright(at, words.changed, colour("--accent"), [2, 3]);
    for (const [n, threshold] of chart.thresholds.entries()) {
      ctx.strokeStyle = ctx.fillStyle = colour("--better"); ctx.lineWidth = ratio; ctx.setLineDash([1 * ratio, 3 * ratio]);
      ctx.beginPath(); ctx.moveTo(bbox.left, y(threshold.at)); ctx.lineTo(bbox.left + bbox.width, y(threshold.at)); ctx.stroke();
      ctx.textAlign = "right"; ctx.textBaseline = "bottom";
      const end = plot.width <= NARROW ? bbox.width * 0.6 : bbox.width;
      ctx.fillText(threshold.title, bbox.left + end - (4 + 44 * n) * ratio, y(threshold.at) - 1 * ratio);
    }
    if (chart.slope) {
      ctx.strokeStyle = colour("--worse"); ctx.lineWidth = 1.5 * ratio; ctx.setLineDash([10 * ratio, 4 * ratio]);
      ctx.beginPath(); ctx.moveTo(x(chart.slope.from), y(chart.slope.at_from)); ctx.lineTo(x(chart.slope.to), y(chart.slope.at_to)); ctx.stroke();
    }
    if (first) for (const note of data.notes) {
      if (!inside(note.x)) continue;
      ctx.fillStyle = colour("--accent"); ctx.textAlign = "center"; ctx.textBaseline = "top";
      ctx.fillText("✎", x(note.x), bbox.top + 22 * ratio);
    }
    for (const alert of data.alerts) {
      if (!inside(alert.x)) continue;
      ctx.fillStyle = colour("--solid");
      ctx.beginPath(); ctx.moveTo(x(alert.x) - 5 * ratio, bbox.top); ctx.lineTo(x(alert.x) + 5 * ratio, bbox.top); ctx.lineTo(x(alert.x), bbox.top + 9 * ratio); ctx.fill();
    }
    if (chart.key === "pain") for (const at of data.flares) {
      if (!inside(at)) continue;
      ctx.fillStyle = colour("--worse"); ctx.textAlign = "center"; ctx.textBaseline = "top";
      ctx.fillText("✱", x(at), bbox.top + 10 * ratio);
    }
    ctx.restore();
  }

  function readOut(at) {
    for (const { plot, chart, figure } of plots) {
      const index = chart.x.indexOf(at);
      const told = chart.lines.filter((line) => index >= 0 && line.y[index] !== null).map((line) => (chart.lines.length > 1 ? `${line.title} ` : "") + number.format(line.y[index]));
      const notes = data.alerts.filter((alert) => alert.x === at).map((alert) => alert.title);
      if (chart.key === "pain" && data.flares.includes(at)) notes.push(words.flare);
      if (chart.level && index >= 0 && chart.level[index] !== null) told.push(`${words.level} ${number.format(chart.level[index])} ± ${number.format(chart.error[index])}`);
      if (plot === plots[0].plot) {
        const during = (band) => band.from <= at && at <= band.to;
        notes.push(...data.treatments.filter(during).map((band) => band.title), ...data.phases.filter(during).map((band) => `${words.phase} ${band.title}`), ...data.notes.filter((note) => note.x === at).map((note) => note.title));
      }
      const spoken = `${longDay.format(at * 1000)}: ${told.join(", ") || words.none}${notes.length ? ` · ${notes.join(", ")}` : ""}`;
      const output = figure.querySelector(".readout");
      if (output.textContent !== spoken) output.textContent = spoken;
      const place = Math.round((at - data.from) / DAY) * DAY + data.from;
      plot.setCursor({ left: plot.valToPos(place, "x"), top: -10 }, false);
    }
  }

  // The first chart holds the most lines, and the names of phases and treatments.
  const heightOf = (figure) => (figure === section.querySelector("[data-chart]") ? TALL : USUAL);

  function draw() {
    for (const { plot } of plots) plot.destroy();
    plots = [];
    for (const figure of section.querySelectorAll("[data-chart]")) {
      const chart = data.charts.find((each) => each.key === figure.dataset.chart);
      if (!chart) continue;
      const place = figure.querySelector(".plot");
      const ink = colour("--ink"), soft = colour("--soft"), line = colour("--line");
      const inks = [ink, colour("--accent"), colour("--worse"), soft];
      const axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "11px system-ui, sans-serif" };
      const high = chart.key === "load" ? Math.max(...chart.lines.flatMap((each) => each.y.filter((value) => value !== null)), 60) * 1.1 : chart.high;
      const room = (high - chart.low) * 0.03; // a line along the edge is not cut in half
      const options = {
        width: place.clientWidth, height: heightOf(figure), padding: [6, (plot) => (plot.width > NARROW ? 116 : 8), 0, 0], legend: { show: false },
        tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "UTC"),
        scales: { x: { min: data.from, max: data.to, time: true }, y: { range: [chart.low - room, high + room] } },
        cursor: { sync: { key: "patient" }, drag: { x: true, y: false }, points: { show: false }, y: false },
        axes: [{ ...axis, space: 55, size: 30, values: (_plot, splits) => splits.map(shortDay) }, { ...axis, size: 40, space: 26 }],
        bands: chart.level ? [{ series: [chart.lines.length + 2, chart.lines.length + 3], fill: colour("--level") }] : [],
        series: [{}, ...chart.lines.map((each, n) => ({
          stroke: inks[n % 4], width: STROKES[n % 4].width, dash: STROKES[n % 4].dash, spanGaps: false,
          points: { show: n === 0, size: chart.x.length > 200 ? 2 : 4, fill: inks[0] },
        })), ...(chart.level ? [2.5, 0, 0].map((width) => ({ stroke: width ? colour("--accent") : undefined, width, spanGaps: false, points: { show: false } })) : [])],
        hooks: {
          drawClear: [(plot) => { marks(plot, { ...chart, high }, figure === section.querySelector("[data-chart]")); names(plot, { ...chart, high }); }],
          setCursor: [(plot) => { if (plot.cursor.left >= 0 && plot.cursor.event) readOut(day(plot)); }],
          setScale: [(plot, key) => { if (key === "x") zoomTo(plot.scales.x); }],
        },
      };
      const plot = new uPlot(options, spread(chart), place);
      const legend = figure.querySelector(".legend");
      legend.replaceChildren(
        ...chart.lines.map((each, n) => sample(each.title, inks[n % 4], STROKES[n % 4].dash)),
        ...(chart.level ? [sample(words.level, colour("--accent"), [])] : []),
        ...(chart.slope ? [sample(words.slope, colour("--worse"), [10, 4])] : []),
      );
      plots.push({ plot, chart, figure });
    }
    section.classList.add("drawn");
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

  const day = (plot) => Math.round((plot.posToVal(plot.cursor.left, "x") - data.from) / DAY) * DAY + data.from;

  function shortDay(at) {
    const long = data.to - data.from > 300 * DAY;
    return new Intl.DateTimeFormat(language, long ? { month: "short", year: "2-digit", timeZone: "UTC" } : { day: "numeric", month: "short", timeZone: "UTC" }).format(at * 1000);
  }

  // A stretch that is drawn on one chart is shown on all of them.
  let zooming = false;
  function zoomTo({ min, max }) {
    if (zooming) return;
    zooming = true;
    for (const { plot } of plots) if (plot.scales.x.min !== min || plot.scales.x.max !== max) plot.setScale("x", { min, max });
    zooming = false;
  }

  async function load() {
    try {
      const response = await fetch(words.series, { headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(response.status);
      data = await response.json();
      draw();
    } catch {
      const problem = section.querySelector("[data-problem]");
      problem.textContent = words.failed;
      problem.hidden = false;
    }
  }

  // Days that have a value, one by one, from the keyboard.
  section.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -7, PageDown: 7, Home: -Infinity, End: Infinity }[event.key];
    const held = plots.find(({ figure }) => figure.contains(event.target) && event.target.classList.contains("plot"));
    if (step === undefined || !held) return;
    event.preventDefault();
    const days = held.chart.x.filter((_at, index) => held.chart.lines.some((line) => line.y[index] !== null));
    const now = held.at === undefined ? days.length : days.indexOf(held.at);
    const next = Math.min(Math.max(now + step, 0), days.length - 1);
    for (const each of plots) each.at = days[next];
    readOut(days[next]);
  });

  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (!data || window.innerWidth === width) return;
    width = window.innerWidth;
    for (const { plot, figure } of plots) plot.setSize({ width: figure.querySelector(".plot").clientWidth, height: heightOf(figure) });
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => data && draw());
  load();
})();
