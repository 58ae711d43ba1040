// Draws every canvas that names its data. Without this script, or without Chart.js, the tables stay open.
// The data is {labels, series: [{colour, title, values}]} for counts, stacked unless side_by_side. What is measured has an axis of
// local time, with times told apart and instants: {type, from, to, bands: [{kind, from, to, text}],
// marks: [{kind, at, text}]}, and as type "register" {floor, series: [{colour?, title, points: [[minute, kWh]]}],
// aside: [[minute, kWh, quality]]},
// as type "yield" {series: [{title, days: [[date, kind, kWh, note]]}]}.
"use strict";

(() => {
  if (!window.Chart) return;

  const DAY = 86400000;
  const EDGE = 8; // points on the edge of the chart are drawn whole
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  // Colours and sizes are those of the scale in app.css.
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const MARK = parseFloat(colour("--text-xs")) * parseFloat(getComputedStyle(document.documentElement).fontSize);
  const colourOf = (series) => colour(series.colour ? `--palette-${series.colour}` : "--accent");
  // Local wall-clock time is drawn as if it were UTC: a chart needs no zone, and no day is shorter than another.
  const instant = (label) => Date.parse(label.length > 10 ? `${label.replace(" ", "T")}Z` : label);
  const format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
  const day = format({ day: "numeric", month: "short" });
  const kwh = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 2 });
  const month = format({ month: "short", year: "numeric" });

  const axis = (more) => ({
    border: { display: false },
    grid: { color: colour("--line") },
    ...more,
    ticks: { color: colour("--muted"), ...more.ticks },
  });

  // ---- Jobs a day --------------------------------------------------------------------------------------

  const bars = (series) => ({
    label: series.title,
    data: series.values,
    backgroundColor: colourOf(series),
    borderRadius: 3,
    maxBarThickness: 44,
    pointStyle: "rectRounded", // in the legend
  });

  const counts = ({ labels, series, side_by_side: apart = false }) => ({
    type: "bar",
    data: { labels, datasets: series.map(bars) },
    scales: {
      x: axis({ stacked: !apart, grid: { display: false } }),
      y: axis({ stacked: !apart, beginAtZero: true, suggestedMax: 4, ticks: { precision: 0 } }),
    },
  });

  // ---- What is measured --------------------------------------------------------------------------------

  // Ticks from now backwards, so that the axis names its end; as many as there is room for.
  const timeAxis = ({ from, to }) => {
    const [min, max] = [instant(from), instant(to)];
    const today = Math.floor((max - 1) / DAY) * DAY;
    const days = Math.max(1, Math.ceil((max - min) / DAY));
    return axis({
      type: "linear",
      min,
      max,
      grid: { display: false },
      afterBuildTicks: (scale) => {
        const step = Math.ceil(days / Math.max(2, Math.min(8, Math.floor(scale.width / 76))));
        scale.ticks = [];
        for (let at = today; at >= min; at -= step * DAY) scale.ticks.unshift({ value: at });
      },
      ticks: { callback: (value) => (days > 330 ? month : day).format(value), maxRotation: 0, autoSkip: false },
    });
  };

  // Points where there is room for them, and where a reading with nothing on either side makes no line.
  const line = (series, place, { from, to }) => {
    const points = series.points.map(([label, value]) => ({ x: instant(label), y: value, label }));
    const share = ((points.at(-1)?.x ?? 0) - (points[0]?.x ?? 0)) / (instant(to) - instant(from));
    const radius = (chart) => (points.length * 7 > chart.width * share ? 0 : 2.5);
    const isAlone = (i) => [i - 1, i + 1].every((k) => (points[k]?.y ?? null) === null);
    return {
      label: series.title,
      data: points,
      borderColor: colourOf(series),
      backgroundColor: colourOf(series),
      borderWidth: 2,
      clip: EDGE,
      order: -place, // what a job was opened on lies over the register of now
      pointRadius: ({ chart, dataIndex }) => (isAlone(dataIndex) ? 2.5 : radius(chart)),
      pointHitRadius: 8,
    };
  };

  // Readings that are set aside: each quality has a sign of its own. They do not stretch the axis.
  const SIGNS = {
    doubtful: { title: "In doubt", pointStyle: "triangle", colour: "--warning" },
    wrong: { title: "Wrong", pointStyle: "cross", colour: "--bad" },
    ignored: { title: "Ignored", pointStyle: "crossRot", colour: "--muted" },
    estimated: { title: "Estimated", pointStyle: "circle", colour: "--muted", isHollow: true },
  };

  const wholeSteps = (low, high) => {
    const rough = (high - low) / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const stepSize = [1, 2, 5, 10].map((number) => number * power).find((step) => step >= rough);
    const [min, max] = [Math.floor(low / stepSize) * stepSize, Math.ceil(high / stepSize) * stepSize];
    return { min, max, ticks: { stepSize } };
  };

  const signs = (aside, { min, max }) => Object.entries(SIGNS).flatMap(([quality, sign]) => {
    const points = aside.filter(([, , own]) => own === quality).map(([label, value]) => (
      { x: instant(label), y: Math.max(min, Math.min(max, value)), value, label }
    ));
    return points.length === 0 ? [] : [{
      label: `${sign.title}, kWh`,
      data: points,
      showLine: false,
      borderColor: colour(sign.colour),
      backgroundColor: sign.isHollow ? colour("--surface") : colour(sign.colour),
      borderWidth: 2,
      pointStyle: sign.pointStyle,
      pointRadius: 5,
      pointHitRadius: 8,
      clip: EDGE,
      order: -9,
    }];
  });

  const register = (data) => {
    const values = data.series.flatMap(({ points }) => points.map(([, value]) => value)).filter((v) => v !== null);
    const doubted = data.aside.filter(([, , quality]) => quality === "doubtful").map(([, value]) => value);
    const all = doubted.length > values.length ? [...values, ...doubted] : values;
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const room = (high - low) / 10 || 1;
    const lowest = data.floor === null ? low - room : Math.max(data.floor, low - room);
    const lines = data.series.map((series, place) => line(series, place, data));
    const suggested = { suggestedMin: lowest, suggestedMax: high + room, ticks: { maxTicksLimit: 6 } };
    const fixed = data.aside.length && all.length ? wholeSteps(lowest, high + room) : null;
    return {
      type: "line",
      data: { datasets: [...lines, ...signs(data.aside, fixed ?? { min: -Infinity, max: Infinity })] },
      scales: { x: timeAxis(data), y: axis(fixed ?? suggested) },
      title: (items) => items[0]?.raw.label,
      label: ({ dataset, raw }) => `${dataset.label.replace(", kWh", "")}: ${kwh.format(raw.value ?? raw.y)} kWh`,
    };
  };

  // Each day's bar stands over its noon. A day of nothing is a tick, today is pale, what a meter change hides is
  // a triangle.
  const yieldOfDays = (data) => {
    const [{ title, days }] = data.series;
    const accent = colour("--accent");
    const points = days.map(([label, kind, value, note]) => (
      { x: instant(label) + DAY / 2, y: value === null ? null : Math.max(0, value), value, label, kind, note }
    ));
    const isTick = ({ raw }) => raw?.y === 0 && raw.kind === "known";
    const share = (instant(data.to) - instant(data.from)) / DAY;
    return {
      type: "bar",
      data: {
        datasets: [{
          label: title,
          data: points,
          grouped: false,
          minBarLength: 4,
          barThickness: ({ chart }) => Math.max(1, Math.min(44, (chart.chartArea?.width ?? 300) / share - 2)),
          backgroundColor: (item) => (
            isTick(item) ? colour("--palette-orange") : item.raw?.kind === "so_far" ? `${accent}55` : accent
          ),
          borderColor: accent,
          borderWidth: ({ raw }) => (raw?.kind === "so_far" ? 1 : 0),
          borderRadius: 2,
          clip: EDGE,
        }],
      },
      scales: {
        x: { ...timeAxis(data), offset: false },
        y: axis({ beginAtZero: true, suggestedMax: 1, ticks: { maxTicksLimit: 6 } }),
      },
      title: (items) => items[0]?.raw.label,
      label: ({ raw }) => `${title}: ${kwh.format(raw.value)}`,
      footer: ([item]) => item.raw.note,
      hidden: points.filter(({ kind }) => kind === "changed"),
    };
  };

  // ---- Times told apart, and instants --------------------------------------------------------------------

  const BANDS = { silent: "--bad", missing: "--bad", flat: "--palette-orange", snoozed: "--info" };
  const NAMES = { ...BANDS, flat: "--warning" };
  const MARKS = { threshold: "--bad", opened: "--ink", recovered: "--good", closed: "--muted", meter: "--info" };

  const hatch = (context, left, right, { top, bottom }) => {
    context.beginPath();
    for (let x = left - (bottom - top); x < right; x += 7) {
      context.moveTo(x, bottom);
      context.lineTo(x + bottom - top, top);
    }
    context.stroke();
  };

  const drawBand = ({ ctx: context, chartArea: area, scales: { x } }, band, isHatched) => {
    const left = Math.max(area.left, x.getPixelForValue(instant(band.from)));
    const right = Math.min(area.right, x.getPixelForValue(instant(band.to)));
    context.save();
    context.beginPath();
    context.rect(left, area.top, right - left, area.bottom - area.top);
    context.clip();
    context.fillStyle = context.strokeStyle = colour(BANDS[band.kind]);
    context.globalAlpha = (isHatched ? 0.05 : 0.1) * (dark.matches ? 2 : 1);
    context.fill();
    context.globalAlpha = dark.matches ? 0.5 : 0.35;
    if (isHatched) hatch(context, left, right, area);
    context.restore();
  };

  // Names stand where no other name does: those of bands at the top, those of marks beside their line.
  const name = (context, taken, text, places, rows) => {
    const width = context.measureText(text).width;
    for (const y of rows) {
      for (const { x, room } of places(width)) {
        const clash = taken.some((other) => (
          Math.abs(other.y - y) < 14 && x < other.right + 6 && other.left < x + width + 6
        ));
        if (width > room || clash) continue;
        taken.push({ y, left: x, right: x + width });
        context.strokeText(text, x, y);
        context.fillText(text, x, y);
        return;
      }
    }
  };

  const triangle = (context, middle, foot, half) => {
    context.beginPath();
    context.moveTo(middle - half, foot - 8);
    context.lineTo(middle + half, foot - 8);
    context.lineTo(middle, foot);
    context.fill();
  };

  const upright = (context, at, { top, bottom }) => {
    context.beginPath();
    context.moveTo(at, top);
    context.lineTo(at, bottom);
    context.stroke();
  };

  const drawNames = ({ ctx: context, chartArea: area, scales: { x } }, { type, bands, marks }) => {
    const taken = [];
    const pixel = (label) => x.getPixelForValue(instant(label));
    const font = (weight) => `${weight} ${MARK}px ${window.Chart.defaults.font.family}`;
    context.textBaseline = "middle";
    context.strokeStyle = colour("--surface");
    context.lineWidth = 3;
    context.lineJoin = "round";
    context.font = font(600);
    for (const { kind, from, to, text } of bands) {
      const [left, right] = [Math.max(area.left, pixel(from)), Math.min(area.right, pixel(to))];
      const inside = (at, width) => Math.max(area.left + 4, Math.min(area.right - width - 4, at));
      // A short stretch of missing days needs no name: its hatching is explained.
      const room = kind === "missing" ? right - left : area.width - 8;
      const over = (width) => [{ x: inside((left + right - width) / 2, width), room }];
      context.fillStyle = colour(NAMES[kind]);
      name(context, taken, text, over, [12, 28, 44].map((down) => area.top + down));
    }
    context.font = font(400);
    // A register is low on the left and high on the right, a yield stands on the foot: names keep clear of both.
    const rows = [13, 28, 43, 58].map((away) => (type === "yield" ? area.top + away : area.bottom - away));
    for (const { kind, at, text } of marks) {
      const beside = (width) => [
        { x: pixel(at) + 5, room: area.right - pixel(at) - 5 },
        { x: pixel(at) - 5 - width, room: pixel(at) - 5 - area.left },
      ];
      context.fillStyle = colour(MARKS[kind]);
      name(context, taken, text, beside, rows);
    }
  };

  const around = (data, hidden = []) => ({
    id: "around",
    beforeDatasetsDraw: (chart) => {
      const isYield = data.type === "yield";
      for (const band of data.bands) drawBand(chart, band, isYield && band.kind !== "snoozed");
    },
    afterDatasetsDraw: (chart) => {
      const { ctx: context, chartArea: area, scales: { x } } = chart;
      context.save();
      context.fillStyle = colour("--info");
      const half = Math.min(4, (DAY * area.width) / (x.max - x.min) / 2);
      for (const { x: at } of hidden) triangle(context, x.getPixelForValue(at), area.bottom - 2, half);
      context.setLineDash([4, 3]);
      for (const { kind, at } of data.marks) {
        context.strokeStyle = colour(MARKS[kind]);
        upright(context, x.getPixelForValue(instant(at)), area);
      }
      context.setLineDash([]);
      drawNames(chart, data);
      context.restore();
    },
  });

  // ---- Drawing -----------------------------------------------------------------------------------------

  const kinds = { register, yield: yieldOfDays };
  const described = (data) => (kinds[data.type] ?? counts)(data);

  const options = (data, { scales, title, label, footer, data: { datasets: { length: many } } }) => ({
    animation: false,
    maintainAspectRatio: false,
    scales,
    layout: { padding: data.type ? { right: EDGE } : 0 },
    interaction: { mode: data.type ? "nearest" : "index", axis: "x", intersect: false },
    plugins: {
      tooltip: { callbacks: { ...(title && { title }), ...(label && { label }), ...(footer && { footer }) } },
      legend: {
        display: many > 1,
        position: "bottom",
        labels: {
          color: colour("--ink"),
          usePointStyle: true,
          boxHeight: 8,
          padding: 20,
          sort: (one, other) => one.datasetIndex - other.datasetIndex,
        },
      },
    },
  });

  // On paper the numbers stand beside their chart.
  const folded = [];
  window.addEventListener("beforeprint", () => {
    folded.push(...document.querySelectorAll(".chart-numbers:not([open])"));
    for (const part of folded) part.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const part of folded.splice(0)) part.open = false;
  });

  window.Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  window.Chart.defaults.font.size = MARK;
  for (const canvas of document.querySelectorAll("canvas[data-chart]")) {
    const data = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
    const box = canvas.closest(".chart");
    for (const part of box.querySelectorAll("[hidden]")) part.hidden = false;
    box.querySelector(".chart-numbers").open = false;
    const drawn = described(data);
    const chart = new window.Chart(canvas, {
      type: drawn.type,
      data: drawn.data,
      options: options(data, drawn),
      plugins: data.type ? [around(data, drawn.hidden)] : [],
    });
    dark.addEventListener("change", () => {
      const again = described(data);
      chart.data = again.data;
      chart.options = options(data, again);
      chart.update();
    });
  }
})();
