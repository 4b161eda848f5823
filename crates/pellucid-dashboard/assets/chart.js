// Charts: Chart.js with the page's colors, each with a table beside it that says the same.

import { h } from "./dom.js";
import { table } from "./table.js";

const drawn = new Set();

/** Ends the charts of the screen that is left. */
export function clearCharts() {
  for (const chart of drawn) chart.destroy();
  drawn.clear();
}

/** A color of the page, light or dark as it is now. */
export function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Viridis, 0 for low to 1 for high, without its darkest or lightest colors where they would be lost. */
export function valueColor(share) {
  if (share === null || share === undefined) return color("missing");
  const stops = [[0x44, 0x01, 0x54], [0x3b, 0x52, 0x8b], [0x21, 0x91, 0x8c], [0x5e, 0xc9, 0x62], [0xca, 0xdf, 0x36]];
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
  return mix(stops, dark ? 0.25 + 0.75 * share : share);
}

/** The diverging palette of Pellucid's heatmaps: blue below zero, red above. */
export function signedColor(value) {
  const stops = [[0x22, 0x65, 0xa3], [0x57, 0x9d, 0xc9], [0xaa, 0xd1, 0xe5], [0xf2, 0xef, 0xee], [0xfa, 0xce, 0xb7], [0xe7, 0x89, 0x6e], [0xac, 0x20, 0x2f]];
  return mix(stops, 0.5 + 0.5 * Math.max(-1, Math.min(1, value)));
}

function mix(stops, share) {
  const place = Math.max(0, Math.min(1, share)) * (stops.length - 1);
  const index = Math.min(stops.length - 2, Math.floor(place));
  const channel = (c) => Math.round(stops[index][c] + (stops[index + 1][c] - stops[index][c]) * (place - index));
  return `rgb(${channel(0)}, ${channel(1)}, ${channel(2)})`;
}

/**
 * A figure: `title`; `about`, what is seen, in words; `config` of Chart.js; `alternative`, the table's columns and rows; `height` in pixels.
 */
export function figure({ title, about, config, alternative, height = 240, legend = null }) {
  const canvas = h("canvas", { role: "img", "aria-label": about });
  const plot = h("div", { class: "plot" }, canvas);
  plot.style.height = `${height}px`;
  // A chart measures its box, which has a size only on the page.
  requestAnimationFrame(() => {
    if (canvas.isConnected) drawn.add(new Chart(canvas, themed(config)));
  });
  const shown = alternative ? h("details", {}, h("summary", {}, "As a table"), table(alternative)) : null;
  return h("figure", {}, title ? h("figcaption", {}, title) : null, legend, plot, shown);
}

function themed(config) {
  const [ink, quiet, line] = ["ink", "quiet", "line"].map(color);
  const axis = (given = {}) => ({
    ...given,
    grid: { color: line, ...(given.grid ?? {}) },
    border: { color: line },
    ticks: { color: quiet, maxRotation: 0, ...(given.ticks ?? {}) },
    title: { color: quiet, ...(given.title ?? {}) },
  });
  const scales = Object.fromEntries(Object.entries(config.options?.scales ?? {}).map(([name, given]) => [name, axis(given)]));
  const plugins = config.options?.plugins ?? {};
  return {
    ...config,
    options: {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      font: { family: "system-ui, sans-serif" },
      ...config.options,
      scales,
      plugins: {
        ...plugins,
        legend: { display: false, labels: { color: ink, boxWidth: 12 }, ...(plugins.legend ?? {}) },
        tooltip: { displayColors: false, ...(plugins.tooltip ?? {}) },
      },
    },
  };
}

/** How far an axis goes at least, so that whiskers stay inside. */
export function reach(ranges) {
  const ends = ranges.filter((range) => range && range[0] !== null).flat();
  return ends.length === 0 ? {} : { suggestedMin: Math.min(0, ...ends), suggestedMax: Math.max(0, ...ends) };
}

/** Lines from low to high over each bar or point: `whiskers` of a data set is a list of `[low, high]`. */
export const whiskers = {
  id: "whiskers",
  afterDatasetsDraw(chart) {
    const context = chart.ctx;
    const lying = chart.options.indexAxis === "y";
    context.save();
    context.strokeStyle = color("ink");
    context.lineWidth = 1;
    chart.data.datasets.forEach((data, index) => {
      if (!data.whiskers) return;
      chart.getDatasetMeta(index).data.forEach((mark, place) => {
        const range = data.whiskers[place];
        if (!range || range[0] === null) return;
        const scale = lying ? chart.scales.x : chart.scales.y;
        const [from, to] = range.map((value) => scale.getPixelForValue(value));
        context.beginPath();
        if (lying) lyingLine(context, from, to, mark.y);
        else standingLine(context, from, to, mark.x);
        context.stroke();
      });
    });
    context.restore();
  },
};

function lyingLine(context, from, to, y) {
  context.moveTo(from, y);
  context.lineTo(to, y);
  for (const end of [from, to]) {
    context.moveTo(end, y - 3);
    context.lineTo(end, y + 3);
  }
}

function standingLine(context, from, to, x) {
  context.moveTo(x, from);
  context.lineTo(x, to);
  for (const end of [from, to]) {
    context.moveTo(x - 3, end);
    context.lineTo(x + 3, end);
  }
}

/** Whether the window is as narrow as a phone's. */
export const isNarrow = () => innerWidth < 640;

/** A name short enough for an axis; in a narrow window the axis must leave room for what is drawn. */
export function short(name, length = isNarrow() ? 16 : 28) {
  return name.length <= length ? name : `${name.slice(0, length - 1)}…`;
}
