// Global: which features count over all records of a series.

import { view } from "../api.js";
import { color, figure, reach, short, valueColor, whiskers } from "../chart.js";
import { card, h, header } from "../dom.js";
import { count, estimate, number, signed } from "../format.js";
import { nothing } from "../reading.js";
import { seriesChoice, seriesNotes } from "./series.js";

const MAX_BARS = 20;

export async function global(screen) {
  const { parameters, signal, told } = screen;
  const data = await view("global", parameters, signal);
  told(data.reading);
  const title = header("Global importance", "How much each feature counts in explanations of one model by one method.");
  if (!data.chosen || data.n === 0) return [title, nothing(data.reading, screen, "No table was explained yet.")];
  return [
    title,
    h("div", {}, seriesChoice("global", data, parameters), seriesNotes(data)),
    h("div", { class: "cards" }, card(null, bars(data)), card(null, swarm(data))),
  ];
}

function bars(data) {
  const shown = data.features.slice(0, MAX_BARS);
  const unit = data.chosen.output_space ?? "output";
  return figure({
    title: "Mean size of attributions",
    about: `Mean absolute attribution of ${shown.length} features, ${shown[0].name} first: the table below has the numbers`,
    height: 60 + 25 * shown.length,
    config: {
      type: "bar",
      data: {
        labels: shown.map((it) => short(it.name)),
        datasets: [{ data: shown.map((it) => it.mean_absolute.value), backgroundColor: color("chart"), barPercentage: 0.75, whiskers: shown.map((it) => [it.mean_absolute.low, it.mean_absolute.high]) }],
      },
      options: {
        indexAxis: "y",
        scales: { x: { ...reach(shown.map((it) => [it.mean_absolute.low, it.mean_absolute.high])), title: { display: true, text: `mean |attribution| (${unit.replaceAll("_", " ")}), with 95% interval` } }, y: { grid: { display: false }, ticks: { autoSkip: false } } },
        plugins: { tooltip: { callbacks: { title: ([it]) => shown[it.dataIndex].name, label: (it) => estimate(shown[it.dataIndex].mean_absolute) } } },
      },
      plugins: [whiskers],
    },
    alternative: {
      columns: [
        { name: "Feature", value: (it) => it.name, cut: true },
        { name: "Mean |attribution|", value: (it) => it.mean_absolute.value, show: (it) => estimate(it.mean_absolute), number: true },
        { name: "Mean attribution", value: (it) => it.mean.value, show: (it) => estimate(it.mean, signed), number: true },
        { name: "Median", value: (it) => it.quantiles[2], show: (it) => signed(it.quantiles[2]), number: true },
      ],
      rows: data.features,
    },
  });
}

function swarm(data) {
  const shown = data.features.slice(0, MAX_BARS).filter((it) => it.points.length > 0);
  const points = shown.flatMap((it, feature) => spread(it.points).map(([x, share, value, away]) => ({ x, y: feature + away, share, value, name: it.name })));
  const name = (place) => (Number.isInteger(place) && shown[place] ? short(shown[place].name) : "");
  return figure({
    title: "Attributions of single records",
    about: `A point for each of ${count(shown[0]?.points.length ?? 0)} sampled records and each feature, colored by the feature's value: the table below has quantiles`,
    height: 60 + 25 * shown.length,
    legend: h("p", { class: "legend" }, h("span", {}, "low value", h("span", { class: "ramp values", role: "img", "aria-label": "from dark for low to light for high" }), "high value"), h("span", {}, h("span", { class: "key missing" }), "categories, or missing")),
    config: {
      type: "scatter",
      data: { datasets: [{ data: points, pointRadius: 2, pointHoverRadius: 4, pointBorderWidth: 0, backgroundColor: points.map((it) => valueColor(it.share)) }] },
      options: {
        scales: {
          x: { title: { display: true, text: "attribution" } },
          y: { reverse: true, min: -0.6, max: shown.length - 0.4, grid: { display: false }, afterBuildTicks: (axis) => { axis.ticks = shown.map((_, value) => ({ value })); }, ticks: { autoSkip: false, callback: name } },
        },
        plugins: { tooltip: { callbacks: { label: (it) => `${it.raw.name}${it.raw.value === null ? "" : ` = ${number(it.raw.value)}`}: ${signed(it.raw.x)}` } } },
      },
    },
    alternative: {
      columns: [
        { name: "Feature", value: (it) => it.name, cut: true },
        ...["5%", "25%", "50%", "75%", "95%"].map((quantile, index) => ({ name: quantile, value: (it) => it.quantiles[index], show: (it) => signed(it.quantiles[index]), number: true })),
      ],
      rows: data.features,
    },
  });
}

/** Points that would lie on each other move up and down in turn. */
function spread(points) {
  const [low, high] = [Math.min(...points.map((it) => it[0])), Math.max(...points.map((it) => it[0]))];
  const width = (high - low) / 60 || 1;
  const seen = new Map();
  const largest = Math.max(...points.reduce((counts, [x]) => counts.set(Math.round(x / width), (counts.get(Math.round(x / width)) ?? 0) + 1), new Map()).values());
  return points.map((point) => {
    const cell = Math.round(point[0] / width);
    const n = seen.get(cell) ?? 0;
    seen.set(cell, n + 1);
    const side = n % 2 === 0 ? 1 : -1;
    return [...point, (side * Math.ceil(n / 2) * 0.8) / Math.max(largest, 8)];
  });
}
