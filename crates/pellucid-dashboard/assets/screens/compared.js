// Two cohorts of a report: rates and means with intervals, and what follows from their differences.

import { figure, reach, short, whiskers } from "../chart.js";
import { h } from "../dom.js";
import { count, number, signed } from "../format.js";

const MAX_BARS = 12;

/** Each aspect of a report of two cohorts: both quantities and their difference. */
export function pairs(report) {
  const [a, b] = report.cohorts;
  return report.differences.map((difference, index) => ({ aspect: difference.aspect, a: a.quantities[index], b: b.quantities[index], difference }));
}

/** The features of a report, the largest difference first. */
export function attributionPairs(report) {
  const features = pairs(report).filter((pair) => pair.aspect.mean_attribution !== undefined);
  const size = (pair) => Math.abs(pair.difference.estimate?.value ?? 0);
  return features.map((pair) => ({ ...pair, feature: pair.aspect.mean_attribution })).sort((x, y) => size(y) - size(x));
}

/** A quantity with its interval. */
export function told(quantity, show = number) {
  const { estimate, n_rows: n, enough } = quantity;
  if (!estimate) return n === 0 ? "–" : `insufficient evidence (n = ${count(n)})`;
  const text = `${show(estimate.value)} [${show(estimate.low)}, ${show(estimate.high)}]`;
  return enough ? text : h("span", { class: "dim", title: text }, `insufficient evidence (n = ${count(n)})`);
}

/** A difference and what follows. */
export function verdict(difference, show) {
  const { estimate } = difference;
  if (difference.verdict === "insufficient_evidence" || !estimate) return h("span", { class: "dim" }, "insufficient evidence");
  const plus = (x) => (x > 0 ? `+${show(x)}` : show(x));
  const text = `${plus(estimate.value)} [${plus(estimate.low)}, ${plus(estimate.high)}]`;
  return difference.verdict === "different" ? h("span", { class: "strong" }, `${text} ✱`) : h("span", { class: "dim", title: "no difference is shown" }, text);
}

/** Bars of two cohorts for each feature. `names`, `paints` and `keys` (classes of the legend) are pairs. */
export function comparedBars(rows, { title, about, axis, names, paints, keys }) {
  const shown = rows.slice(0, MAX_BARS);
  const range = (quantity) => (quantity.estimate ? [quantity.estimate.low, quantity.estimate.high] : null);
  const data = (side, place) => ({
    label: names[place],
    data: shown.map((row) => row[side].estimate?.value ?? 0),
    backgroundColor: paints[place],
    whiskers: shown.map((row) => range(row[side])),
    barPercentage: 0.85,
    categoryPercentage: 0.7,
  });
  const text = (quantity) => (quantity.estimate ? `${signed(quantity.estimate.value)} (n = ${count(quantity.n_rows)})` : "no estimate");
  return figure({
    title,
    about: `${about}: ${shown.length} of ${rows.length} are drawn, the table below has all numbers`,
    height: 60 + 34 * shown.length,
    legend: h("p", { class: "legend" }, keys.map((key, place) => h("span", {}, h("span", { class: `key ${key}` }), names[place]))),
    config: {
      type: "bar",
      data: { labels: shown.map((row) => short(row.feature)), datasets: [data("a", 0), data("b", 1)] },
      options: {
        indexAxis: "y",
        scales: { x: { ...reach(shown.flatMap((row) => [range(row.a), range(row.b)])), title: { display: true, text: axis } }, y: { grid: { display: false }, ticks: { autoSkip: false } } },
        plugins: { tooltip: { callbacks: { title: ([hit]) => shown[hit.dataIndex].feature, label: (hit) => text(shown[hit.dataIndex][hit.datasetIndex === 0 ? "a" : "b"]) } } },
      },
      plugins: [whiskers],
    },
    alternative: {
      columns: [
        { name: "Feature", value: (row) => row.feature, cut: true },
        { name: short(names[0], 30), value: (row) => row.a.estimate?.value ?? null, show: (row) => told(row.a, signed), number: true },
        { name: short(names[1], 30), value: (row) => row.b.estimate?.value ?? null, show: (row) => told(row.b, signed), number: true },
        { name: "Difference", value: (row) => row.difference.estimate?.value ?? null, show: (row) => verdict(row.difference, number), number: true },
      ],
      rows,
    },
  });
}
