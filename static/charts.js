// Draws every canvas that names its data. Without this script, or without Chart.js, the tables stay open.
// The data is {labels, series: [{colour, title, values}]} for stacked counts, or
// {type: "line" | "bar", series: [{colour?, title, points: [{label, value}]}]} for what was measured.
"use strict";

(() => {
  if (!window.Chart) return;

  const DAY = 86400000;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colourOf = (series) => colour(series.colour ? `--palette-${series.colour}` : "--accent");
  // Local wall-clock time is drawn as if it were UTC: a chart needs no zone, and no day is shorter than another.
  const instant = (label) => Date.parse(label.length > 10 ? `${label.replace(" ", "T")}Z` : label);
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
  const dayOf = (label) => day.format(instant(label));

  const axis = (more) => ({
    border: { display: false },
    grid: { color: colour("--line") },
    ...more,
    ticks: { color: colour("--muted"), ...more.ticks },
  });

  const bars = (series, values) => ({
    label: series.title,
    data: values,
    backgroundColor: colourOf(series),
    borderRadius: 3,
    maxBarThickness: 44,
  });

  const line = (series) => ({
    label: series.title,
    data: series.points.map(({ label, value }) => ({ x: instant(label), y: value, label })),
    borderColor: colourOf(series),
    backgroundColor: colourOf(series),
    borderWidth: 2,
    pointRadius: series.points.length > 100 ? 0 : 2.5,
    pointHitRadius: 8,
  });

  const days = (series) => {
    const all = series.flatMap(({ points }) => points.map(({ label }) => instant(label)));
    const first = Math.floor(Math.min(...all) / DAY);
    const last = Math.max(first + 1, Math.ceil(Math.max(...all) / DAY));
    const step = Math.ceil((last - first) / 8);
    const ticks = [];
    for (let number = first; number <= last; number += step) ticks.push({ value: number * DAY });
    return { min: first * DAY, max: last * DAY, ticks };
  };

  const counts = ({ labels, series }) => ({
    type: "bar",
    data: { labels, datasets: series.map((each) => bars(each, each.values)) },
    scales: {
      x: axis({ stacked: true, grid: { display: false } }),
      y: axis({ stacked: true, beginAtZero: true, suggestedMax: 4, ticks: { precision: 0 } }),
    },
  });

  const perDay = ({ series: [only] }) => ({
    type: "bar",
    data: {
      labels: only.points.map(({ label }) => dayOf(label)),
      datasets: [bars(only, only.points.map(({ value }) => value))],
    },
    scales: {
      x: axis({ grid: { display: false }, ticks: { maxRotation: 0, autoSkipPadding: 16 } }),
      y: axis({ beginAtZero: true, ticks: { maxTicksLimit: 6 } }),
    },
  });

  const overTime = ({ series }) => {
    const { min, max, ticks } = days(series);
    return {
      type: "line",
      data: { datasets: series.map(line) },
      scales: {
        x: axis({
          type: "linear",
          min,
          max,
          grid: { display: false },
          afterBuildTicks: (scale) => { scale.ticks = ticks; },
          ticks: { callback: (value) => day.format(value), maxRotation: 0 },
        }),
        y: axis({ grace: "10%", ticks: { maxTicksLimit: 6 } }),
      },
      title: (items) => items[0]?.raw.label,
    };
  };

  const described = (data) => (data.labels ? counts : data.type === "line" ? overTime : perDay)(data);

  const options = ({ scales, title, data: { datasets: { length: many } } }) => ({
    animation: false,
    maintainAspectRatio: false,
    scales,
    interaction: { mode: "index", intersect: false },
    plugins: {
      tooltip: { callbacks: title ? { title } : {} },
      legend: {
        display: many > 1,
        position: "bottom",
        labels: { color: colour("--ink"), usePointStyle: true, pointStyle: "rectRounded", padding: 20 },
      },
    },
  });

  window.Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  for (const canvas of document.querySelectorAll("canvas[data-chart]")) {
    const data = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
    canvas.parentElement.hidden = false;
    canvas.closest(".chart").querySelector(".chart-numbers").open = false;
    const drawn = described(data);
    const chart = new window.Chart(canvas, { type: drawn.type, data: drawn.data, options: options(drawn) });
    dark.addEventListener("change", () => {
      const again = described(data);
      chart.data = again.data;
      chart.options = options(again);
      chart.update();
    });
  }
})();
