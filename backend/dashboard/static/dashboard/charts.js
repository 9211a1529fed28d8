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
  let told = null; // the day that is read out, on all charts

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
  const WIDE = 1600;
  const PAPER = 690; // A4 within its margins
  const TALL = 210, USUAL = 170;
  const letters = () => 11 * parseFloat(getComputedStyle(document.documentElement).fontSize) / 14; // of the page's 14 px
  const font = (size) => `${size}px system-ui, sans-serif`;

  // Words are written when the lines are drawn, with a rim that keeps them apart from what is under them.
  let captions = [];
  const write = (text, x, y, style, align, baseline) => captions.push({ text, x, y, style, align, baseline });

  function captioned({ ctx }, ratio) {
    ctx.save();
    ctx.font = font(letters() * ratio); ctx.lineJoin = "round"; ctx.lineWidth = 3 * ratio; ctx.strokeStyle = colour("--card");
    for (const { text, x, y, style, align, baseline } of captions) {
      ctx.textAlign = align; ctx.textBaseline = baseline; ctx.fillStyle = style;
      ctx.strokeText(text, x, y); ctx.fillText(text, x, y);
    }
    ctx.restore();
  }

  // The names of the bands stand beside the lines, or at their right end where it is narrow.
  function names(plot, chart) {
    const { ctx, bbox } = plot;
    const ratio = window.devicePixelRatio || 1;
    const narrow = plot.width <= NARROW;
    const place = bbox.left + bbox.width + (narrow ? -4 : 6) * ratio;
    let free = Infinity;
    for (const band of chart.bands) {
      const middle = plot.valToPos((band.from + Math.min(band.below, chart.high)) / 2, "y", true);
      if (free - middle < letters() * ratio) continue;
      write(band.name.replaceAll("-", " "), place, middle, colour("--soft"), narrow ? "right" : "left", "middle");
      free = middle;
    }
  }

  // The higher line is named above itself and the lower one below: so they never stand on each other.
  function thresholds(plot, chart, ratio) {
    const { ctx, bbox } = plot;
    const lines = chart.thresholds.map(({ title, at }) => ({ title, y: plot.valToPos(at, "y", true) })).sort((a, b) => a.y - b.y);
    const room = (letters() + 3) * ratio, style = colour("--better");
    let right = bbox.left + (plot.width <= NARROW ? bbox.width * 0.6 : bbox.width) - 4 * ratio;
    lines.forEach(({ title, y }, n) => {
      ctx.strokeStyle = style; ctx.lineWidth = ratio; ctx.setLineDash([1 * ratio, 3 * ratio]);
      ctx.beginPath(); ctx.moveTo(bbox.left, y); ctx.lineTo(bbox.left + bbox.width, y); ctx.stroke();
      const under = (n > 0 || y - room < bbox.top) && y + room < bbox.top + bbox.height;
      if (n > 0 && !under) right -= ctx.measureText(lines[0].title).width + 8 * ratio;
      write(title, right, y + (under ? 2 : -1) * ratio, style, "right", under ? "top" : "bottom");
    });
  }

  function marks(plot, chart, first) {
    const { ctx, bbox } = plot;
    const ratio = window.devicePixelRatio || 1;
    const y = (value) => plot.valToPos(value, "y", true);
    const x = (value) => plot.valToPos(value, "x", true);
    const inside = (value) => value >= plot.scales.x.min && value <= plot.scales.x.max;
    ctx.save();
    ctx.beginPath(); ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height); ctx.clip();
    ctx.font = font(letters() * ratio);
    chart.bands.forEach((band, index) => {
      const top = y(Math.min(band.below, chart.high)), bottom = y(band.from);
      if (index % 2) { ctx.fillStyle = colour("--band"); ctx.fillRect(bbox.left, top, bbox.width, bottom - top); }
    });
    // Treatments lie behind everything, phases along the bottom; their names stand on the first chart.
    data.treatments.forEach((band) => {
      const left = x(band.from - DAY / 2), right = x(band.to + DAY / 2);
      ctx.fillStyle = colour("--treatment"); ctx.fillRect(left, bbox.top, Math.max(right - left, 2 * ratio), bbox.height);
      if (!first) return;
      write(band.title, Math.max(left, bbox.left) + 3 * ratio, bbox.top + 2 * ratio, colour("--ink"), "left", "top");
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
      write(`${words.baseline} ${number.format(chart.baseline)}`, bbox.left + 4 * ratio, y(chart.baseline) - 2 * ratio, colour("--accent"), "left", "bottom");
    }
    const upright = (at, text, style, dash) => {
      if (!inside(at)) return;
      ctx.strokeStyle = style; ctx.lineWidth = ratio; ctx.setLineDash(dash.map((n) => n * ratio));
      ctx.beginPath(); ctx.moveTo(x(at), bbox.top); ctx.lineTo(x(at), bbox.top + bbox.height); ctx.stroke();
      const end = bbox.left + bbox.width - (plot.width <= NARROW ? 40 * ratio : 0);
      const right = x(at) + ctx.measureText(text).width + 8 * ratio > end;
      write(text, x(at) + (right ? -4 : 4) * ratio, bbox.top + bbox.height - (first && data.phases.length ? 16 : 3) * ratio, style, right ? "right" : "left", "bottom");
    };
    if (data.programme !== null) upright(data.programme, first ? words.programme : "", colour("--soft"), [6, 4]);
    for (const at of chart.changes) upright(at, words.changed, colour("--accent"), [2, 3]);
    thresholds(plot, chart, ratio);
    if (chart.slope) {
      ctx.strokeStyle = colour("--worse"); ctx.lineWidth = 1.5 * ratio; ctx.setLineDash([10 * ratio, 4 * ratio]);
      ctx.beginPath(); ctx.moveTo(x(chart.slope.from), y(chart.slope.at_from)); ctx.lineTo(x(chart.slope.to), y(chart.slope.at_to)); ctx.stroke();
    }
    ctx.restore(); // a sign on the last day is not cut in half
    ctx.save();
    ctx.font = font(letters() * ratio);
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

  // What a chart holds of a day, in words.
  function spoken({ plot, chart }, at) {
    const index = chart.x.indexOf(at);
    const values = chart.lines.filter((line) => index >= 0 && line.y[index] !== null).map((line) => (chart.lines.length > 1 ? `${line.title} ` : "") + number.format(line.y[index]));
    const notes = data.alerts.filter((alert) => alert.x === at).map((alert) => alert.title);
    if (chart.key === "pain" && data.flares.includes(at)) notes.push(words.flare);
    if (chart.level && index >= 0 && chart.level[index] !== null) values.push(`${words.level} ${number.format(chart.level[index])} ± ${number.format(chart.error[index])}`);
    if (plot === plots[0].plot) {
      const during = (band) => band.from <= at && at <= band.to;
      notes.push(...data.treatments.filter(during).map((band) => band.title), ...data.phases.filter(during).map((band) => `${words.phase} ${band.title}`), ...data.notes.filter((note) => note.x === at).map((note) => note.title));
    }
    return `${longDay.format(at * 1000)}: ${values.join(", ") || words.none}${notes.length ? ` · ${notes.join(", ")}` : ""}`;
  }

  function readOut(at) {
    told = at;
    for (const each of plots) {
      each.figure.querySelector(".readout").textContent = spoken(each, at);
      slide(each, at);
      point(each.plot);
    }
  }

  // To a screen reader a chart is a slider over its days: what a day holds is the slider's value, and is said when it moves.
  function slide(each, at) {
    const place = each.figure.querySelector(".plot");
    place.tabIndex = 0;
    place.role = "slider";
    place.ariaLabel = place.dataset.name;
    place.ariaValueMin = 0;
    place.ariaValueMax = each.days.length - 1;
    place.ariaValueNow = Math.min(each.days.filter((day) => day < at).length, each.days.length - 1);
    place.ariaValueText = spoken(each, at);
  }

  function point(plot) {
    const { min, max } = plot.scales.x;
    const left = told !== null && told >= min && told <= max ? plot.valToPos(told, "x") : -10;
    plot.setCursor({ left, top: -10 }, false);
  }

  // The first chart holds the most lines, and the names of phases and treatments.
  const heightOf = (figure, width) => Math.round((figure === section.querySelector("[data-chart]") ? TALL : USUAL) * (width > WIDE ? 1.4 : 1));
  const sized = (figure, width = figure.querySelector(".plot").clientWidth) => ({ width, height: heightOf(figure, width) });

  function draw() {
    for (const { plot } of plots) plot.destroy();
    plots = [];
    for (const figure of section.querySelectorAll("[data-chart]")) {
      const chart = data.charts.find((each) => each.key === figure.dataset.chart);
      if (!chart) continue;
      const place = figure.querySelector(".plot");
      const ink = colour("--ink"), soft = colour("--soft"), line = colour("--line");
      const inks = [ink, colour("--accent"), colour("--worse"), soft];
      const axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: font(letters()) };
      const high = chart.key === "load" ? Math.max(...chart.lines.flatMap((each) => each.y.filter((value) => value !== null)), 60) * 1.1 : chart.high;
      const room = (high - chart.low) * 0.03; // a line along the edge is not cut in half
      const options = {
        ...sized(figure), padding: [6, (plot) => (plot.width > NARROW ? 116 * letters() / 11 : 8), 0, 0], legend: { show: false },
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
          drawClear: [(plot) => { captions = []; marks(plot, { ...chart, high }, figure === section.querySelector("[data-chart]")); names(plot, { ...chart, high }); }],
          draw: [(plot) => { captioned(plot, window.devicePixelRatio || 1); point(plot); }],
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
      const days = chart.x.filter((_at, index) => chart.lines.some((each) => each.y[index] !== null));
      plots.push({ plot, chart, figure, days });
    }
    for (const each of plots) slide(each, each.days.at(-1));
    if (told !== null) readOut(told);
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

  const holding = (target) => plots.find(({ figure }) => target === figure.querySelector(".plot"));
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

  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (!data || window.innerWidth === width) return;
    width = window.innerWidth;
    for (const { plot, figure } of plots) plot.setSize(sized(figure));
  });
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) matchMedia(query).addEventListener("change", () => data && draw());
  // On paper the colours are the light ones, and the sheet is narrower than most screens.
  for (const [name, printing] of [["beforeprint", true], ["afterprint", false]]) window.addEventListener(name, () => {
    document.documentElement.classList.toggle("printing", printing);
    if (!data) return;
    draw();
    if (printing) for (const { plot, figure } of plots) plot.setSize(sized(figure, Math.min(PAPER, plot.width)));
  });
  load();
})();
