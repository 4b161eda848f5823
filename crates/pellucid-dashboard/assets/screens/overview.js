// Overview: counts, models, checks, alarms.

import { view } from "../api.js";
import { color, figure } from "../chart.js";
import { card, empty, h, header, tiles } from "../dom.js";
import { address } from "../form.js";
import { count, day, estimate, percent, time, words } from "../format.js";
import { follow, nothing } from "../reading.js";
import { table } from "../table.js";

/** Microseconds. */
const DAY = 86400e6;

export async function overview(screen) {
  const { signal, told } = screen;
  const data = await view("overview", {}, signal);
  told(data.reading);
  const { counts } = data;
  if (counts.n_records === 0) {
    return [header("Overview"), nothing(data.reading, screen, "No explanation was recorded yet. Explain something with a log: `pellucid explain … --log FILE`, or send predictions to the server.")];
  }
  follow(data.reading, screen);
  return [
    header("Overview", coverage(data.coverage)),
    tiles([
      ["Explained predictions", count(counts.n_predictions), `${count(counts.n_current)} explanations`],
      ["Right, where labels came", data.accuracy.n > 0 ? percent(data.accuracy.value, 1) : "–", accuracyNote(data)],
      ["Misclassified", link("misclassified", {}, count(counts.n_wrong)), `of ${count(counts.n_labeled)} labeled`],
      ["Failed a check", link("predictions", { checks: "failed" }, count(failed(data))), failed(data) === 0 ? "all held" : "see Checks below"],
      ["Log entries", link("audit", {}, count(counts.n_entries)), `${count(counts.n_feedback)} feedback, ${count(counts.n_erased)} erased`],
    ]),
    alarms(data),
    card("Models", models(data)),
    h("div", { class: "cards" }, card(null, times(data)), card(null, confidences(data))),
    card("Checks", checks(data)),
  ];
}

function link(screen, parameters, text) {
  return h("a", { href: address(screen, parameters) }, text);
}

function failed(data) {
  return data.models.reduce((sum, model) => sum + model.n_failed, 0);
}

function coverage(it) {
  if (it.n_sampled === 0) return "Every prediction that the log knows of was explained for sure.";
  const of = `${count(it.n_explained)} of about ${count(Math.round(it.estimated_predictions))} predictions were explained (${percent(it.explained_share)})`;
  return `${of}; the others were left out by chance. Shares and means count each record for the predictions it stands for.`;
}

function accuracyNote({ accuracy }) {
  if (accuracy.n === 0) return "no labels yet";
  return accuracy.insufficient ? "insufficient evidence" : `95%: ${percent(accuracy.low, 1)} to ${percent(accuracy.high, 1)}`;
}

function alarms(data) {
  if (!data.alarms) return null;
  if (data.alarms.length === 0) return null;
  const line = (it) => h("li", {}, link("drift", { series: it.series }, it.model), `: ${it.sentence}`);
  return h("section", { class: "warning", role: "alert" }, h("h2", {}, "Alarms"), h("ul", {}, data.alarms.map(line)));
}

function models(data) {
  return table({
    columns: [
      { name: "Model", value: (it) => it.name, show: (it) => link("predictions", { model: it.name, version: it.version }, it.name), cut: true },
      { name: "Version", value: (it) => it.version },
      { name: "SHA-256", value: (it) => it.digest, show: (it) => h("span", { class: "mono", title: it.digest }, it.digest.slice(0, 8)) },
      { name: "Methods", value: (it) => it.methods.map(words).join(", "), cut: true },
      { name: "Explanations", value: (it) => it.n_records, show: (it) => count(it.n_records), number: true },
      { name: "Mean confidence", value: (it) => it.mean_confidence, show: (it) => percent(it.mean_confidence, 1), number: true },
      { name: "Right", value: (it) => it.accuracy.value, show: (it) => estimate(it.accuracy, (x) => percent(x, 1)), number: true },
      { name: "Failed checks", value: (it) => it.n_failed, show: (it) => count(it.n_failed), number: true },
      { name: "Last seen", value: (it) => it.last_micros, show: (it) => h("span", { title: `since ${day(it.first_micros)}` }, day(it.last_micros)), number: true },
    ],
    rows: data.models,
  });
}

function histogram(title, { low, high, counts }, name, show) {
  const width = (high - low) / counts.length;
  const rows = counts.map((n, index) => ({ from: low + index * width, to: low + (index + 1) * width, n }));
  return figure({
    title,
    about: `${title}: ${rows.length} steps, the table below has the numbers`,
    height: 210,
    config: {
      type: "bar",
      data: { labels: rows.map((row) => show(row.from)), datasets: [{ data: counts, backgroundColor: color("chart"), categoryPercentage: 1, barPercentage: 0.9 }] },
      options: {
        scales: { x: { grid: { display: false }, ticks: { maxTicksLimit: 8 }, title: { display: Boolean(name), text: name ?? "" } }, y: { beginAtZero: true, ticks: { precision: 0, maxTicksLimit: 5 } } },
        plugins: { tooltip: { callbacks: { title: ([it]) => `${show(rows[it.dataIndex].from)} to ${show(rows[it.dataIndex].to)}` } } },
      },
    },
    alternative: {
      columns: [
        { name: "From", value: (row) => row.from, show: (row) => show(row.from), number: true },
        { name: "To", value: (row) => row.to, show: (row) => show(row.to), number: true },
        { name: "Explanations", value: (row) => row.n, show: (row) => count(row.n), number: true },
      ],
      rows,
    },
  });
}

const times = (data) => histogram("Explanations over time", data.times, null, (micros) => (data.times.high - data.times.low > 3 * DAY ? day(micros) : time(micros).slice(5, 16)));
const confidences = (data) => histogram("Confidence of the predicted class", data.confidences, "Confidence", (share) => percent(share));

function checks(data) {
  if (data.checks.length === 0) return empty("The records name no checks.");
  return table({
    columns: [
      { name: "Check", value: (it) => words(it.name), cut: true },
      { name: "Failed", value: (it) => it.n_failed, show: (it) => (it.n_failed > 0 ? link("predictions", { checks: it.name }, count(it.n_failed)) : "0"), number: true },
    ],
    rows: data.checks,
  });
}
