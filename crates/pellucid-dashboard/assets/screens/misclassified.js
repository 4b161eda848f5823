// Misclassified: errors, how sure the model was of them, and what it looked at.

import { view } from "../api.js";
import { color, figure, whiskers } from "../chart.js";
import { card, empty, h, header, tiles } from "../dom.js";
import { address } from "../form.js";
import { count, duration, estimate, number, percent } from "../format.js";
import { nothing } from "../reading.js";
import { table } from "../table.js";
import { attributionPairs, comparedBars } from "./compared.js";
import { predictionColumns } from "./explorer.js";
import { seriesChoice, seriesNotes } from "./series.js";

export async function misclassified(screen) {
  const { parameters, signal, told } = screen;
  const data = await view("misclassified", parameters, signal);
  told(data.reading);
  const title = header("Misclassified", "Predictions whose labels say otherwise. Labels may come late, by prediction id.");
  if (!data.chosen) return [title, nothing(data.reading, screen, "Nothing was explained yet.")];
  const judged = data.n_right + data.n_wrong;
  const known = [title, h("div", {}, seriesChoice("misclassified", data, parameters), seriesNotes(data)), numbers(data)];
  if (judged === 0) return [...known, empty(data.n_unlabeled > 0 ? "No label came for these records yet. Send one with POST /v1/predictions/ID/feedback." : "None of these records can be judged right or wrong.")];
  return [
    ...known,
    h("div", { class: "cards" }, card(null, confidence(data)), card(null, calibration(data))),
    data.features ? card(null, attributions(data), h("p", { class: "note" }, "✱ in the table marks a difference that stands after adjusting for the number of features.")) : null,
    data.pairs.length > 0 ? card("Which class was taken for which", pairs(data)) : null,
    card("The surest errors", data.lines.length > 0 ? table({ columns: predictionColumns(), rows: data.lines, initial: { by: "Confidence", order: "desc" } }) : empty("No error is known."), more(data)),
  ];
}

function numbers(data) {
  const share = (x) => percent(x, 1);
  return tiles([
    ["Wrong", count(data.n_wrong), data.error ? `error rate ${estimate(data.error, share)}` : ""],
    ["Right", count(data.n_right)],
    ["No label yet", count(data.n_unlabeled), data.n_not_judged > 0 ? `${count(data.n_not_judged)} cannot be judged` : ""],
    ["Labels come after", duration(data.median_label_delay_secs), "median"],
    ...(data.mean_absolute_error ? [["Mean |label − output|", number(data.mean_absolute_error.value), estimate(data.mean_absolute_error)]] : []),
  ]);
}

const range = (step) => `${percent(step.low)}–${percent(step.high)}`;

function confidence(data) {
  const steps = data.steps.filter((step) => step.n_right + step.n_wrong > 0);
  const bar = (name, label, paint) => ({ label, data: steps.map((step) => step[name]), backgroundColor: paint, stack: "all", barPercentage: 0.9, categoryPercentage: 0.9 });
  return figure({
    title: "Right and wrong by confidence",
    about: "Counts of right and wrong predictions at each confidence: the table below has the numbers",
    legend: h("p", { class: "legend" }, h("span", {}, h("span", { class: "key up" }), "wrong"), h("span", {}, h("span", { class: "key first" }), "right")),
    config: {
      type: "bar",
      data: { labels: steps.map(range), datasets: [bar("n_wrong", "wrong", color("up")), bar("n_right", "right", color("chart"))] },
      options: { scales: { x: { stacked: true, grid: { display: false }, title: { display: true, text: "confidence" } }, y: { stacked: true, beginAtZero: true, ticks: { precision: 0 } } } },
    },
    alternative: {
      columns: [
        { name: "Confidence", value: (step) => step.low, show: range },
        { name: "Right", value: (step) => step.n_right, show: (step) => count(step.n_right), number: true },
        { name: "Wrong", value: (step) => step.n_wrong, show: (step) => count(step.n_wrong), number: true },
        { name: "Share right", value: (step) => step.accuracy.value, show: (step) => estimate(step.accuracy, (x) => percent(x, 1)), number: true },
      ],
      rows: steps,
    },
  });
}

function calibration(data) {
  const steps = data.steps.filter((step) => !step.accuracy.insufficient);
  return figure({
    title: "Is the confidence deserved?",
    about: "Share of right predictions against mean confidence: on the dashed line, confidence is what it says",
    legend: h("p", { class: "legend" }, "On the dashed line, 80% sure is right in 80% of cases. Steps with too few labels are left out."),
    config: {
      type: "scatter",
      data: {
        datasets: [
          { data: steps.map((step) => ({ x: step.mean_confidence, y: step.accuracy.value })), backgroundColor: color("chart"), pointRadius: 4, whiskers: steps.map((step) => [step.accuracy.low, step.accuracy.high]) },
          { type: "line", data: [{ x: 0, y: 0 }, { x: 1, y: 1 }], borderColor: color("neutral"), borderDash: [4, 4], borderWidth: 1, pointRadius: 0 },
        ],
      },
      options: {
        scales: { x: { min: Math.min(0.5, ...steps.map((step) => step.low)), max: 1, title: { display: true, text: "mean confidence" } }, y: { min: 0, max: 1, title: { display: true, text: "share right" } } },
        plugins: { tooltip: { callbacks: { label: (it) => `confidence ${percent(it.raw.x, 1)}, right ${percent(it.raw.y, 1)}` } } },
      },
      plugins: [whiskers],
    },
  });
}

function attributions(data) {
  return comparedBars(attributionPairs(data.features), {
    title: "What it looked at when it was wrong",
    about: "Mean absolute attribution of features over errors and over hits, the largest difference first",
    axis: "mean |attribution|, with 95% interval",
    names: ["wrong", "right"],
    paints: [color("up"), color("chart")],
    keys: ["up", "first"],
  });
}

function pairs(data) {
  return table({
    columns: [
      { name: "Was", value: (it) => it.label, cut: true },
      { name: "Predicted", value: (it) => it.predicted, cut: true },
      { name: "Times", value: (it) => it.n, show: (it) => count(it.n), number: true },
    ],
    rows: data.pairs,
  });
}

function more(data) {
  if (data.n_wrong <= data.lines.length) return null;
  const link = address("predictions", { outcome: "wrong", sort: "confidence", order: "desc", model: data.chosen.model, version: data.chosen.version, method: data.chosen.method });
  return h("p", { class: "note" }, h("a", { href: link }, `All ${count(data.n_wrong)} errors`));
}
