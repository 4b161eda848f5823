// Cohorts: two groups of inputs side by side.

import { view } from "../api.js";
import { color, figure, short, whiskers } from "../chart.js";
import { card, empty, h, header } from "../dom.js";
import { field, go, input, select, valuesOf } from "../form.js";
import { count, difference, estimate, percent, signed } from "../format.js";
import { table } from "../table.js";
import { seriesChoice, seriesNotes } from "./series.js";

const SECOND = "#e69f00";
const MAX_BARS = 12;

export async function cohorts({ parameters, signal, told }) {
  const title = header("Cohorts", "Two groups of inputs side by side: how often the model chooses a class, how often it is wrong, how sure it is, and what it looks at.");
  let data, fault;
  try {
    data = await view("cohorts", parameters, signal);
  } catch (thrown) {
    if (thrown.status !== 400) throw thrown;
    // What is wrong with an expression is told beside the form that it was written in.
    const { a, b, ...rest } = parameters;
    fault = thrown;
    data = await view("cohorts", rest.class ? { series: rest.series } : rest, signal);
  }
  told(data.reading);
  if (!data.chosen) return [title, empty("No table was explained yet.")];
  const wrong = fault ? h("div", { class: "fault", role: "alert" }, h("pre", {}, fault.message)) : null;
  return [title, form(data, parameters), wrong, data.comparison ? results(data) : null];
}

function form(data, given) {
  const quote = data.features.map((it) => (/^[A-Za-z_]\w*$/.test(it.name) ? it.name : `\`${it.name}\``));
  const a = input("a", given.a, { class: "code", maxlength: 2000, placeholder: data.examples.at(-1) ?? "", required: true });
  const b = input("b", given.b, { class: "code", maxlength: 2000, placeholder: "everyone else" });
  const example = (text) => h("button", { type: "button", on: { click: () => go("cohorts", { ...given, a: text, b: "" }) } }, text);
  const feature = (it, index) => {
    const about = it.categories.length > 0 ? it.categories.map((name) => `"${name}"`).join(", ") : "a number";
    return h("button", { type: "button", title: about, on: { click: () => { a.value = `${a.value} ${quote[index]}`.trim(); a.focus(); } } }, quote[index]);
  };
  const made = h("form", { class: "card" },
    h("div", { class: "fields" }, seriesChoice("cohorts", data, given), data.classes.length > 0 ? field("Chosen class", select("class", data.classes, data.class, null)) : null),
    h("div", { class: "fields" }, field("Cohort A", a, true), field("Cohort B", b, true), h("div", { class: "actions" }, h("button", { class: "main" }, "Compare"))),
    h("div", { class: "chips" }, "For example", data.examples.map(example)),
    h("details", {}, h("summary", {}, "Features and how to write"),
      h("p", { class: "note" }, "Compare with ==, !=, <, <=, >, >=, in (…), is missing; join with and, or, not and parentheses. Categories stand in quotes, names with spaces in backticks. A missing value meets no comparison."),
      h("div", { class: "chips" }, data.features.map(feature))));
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    go("cohorts", { ...given, ...valuesOf(made), b: b.value.trim() });
  });
  return made;
}

function results(data) {
  const it = data.comparison;
  const share = (x) => percent(x, 1);
  const points = (x) => signed(x * 100, 2);
  const rows = [
    ["Records", count(it.a.n), count(it.b.n), ""],
    ["Stand for", count(Math.round(it.a.represents)), count(Math.round(it.b.represents)), ""],
    ["With a label", count(it.a.n_labeled), count(it.b.n_labeled), ""],
    it.selection ? [`Predicted “${data.class}”`, estimate(it.a.selection, share), estimate(it.b.selection, share), said(it.selection, points)] : null,
    ["Wrong, where labeled", estimate(it.a.error, share), estimate(it.b.error, share), said(it.error, points)],
    ["Mean confidence", estimate(it.a.confidence, share), estimate(it.b.confidence, share), said(it.confidence, points)],
  ].filter(Boolean);
  const columns = [
    { name: "", value: (row) => row[0] },
    { name: `A: ${short(it.a.expression, 40)}`, value: (row) => row[1], number: true },
    { name: `B: ${short(it.b.expression, 40)}`, value: (row) => row[2], number: true },
    { name: "A − B, in points", value: (row) => row[3], number: true },
  ];
  const notes = [`✱ marks a difference whose interval does not hold 0. Intervals are at 95%. A group of fewer than ${data.enough} records (or records that weigh as few) is insufficient evidence.`];
  if (it.n_in_both > 0) notes.push(`${count(it.n_in_both)} records are in both cohorts.`);
  if (it.n_unknown > 0) notes.push(`${count(it.n_unknown)} records have lost their inputs and are in neither.`);
  return [
    card("Side by side", h("div", { class: "scroll" }, plain(columns, rows)), h("p", { class: "note" }, notes.join(" ")), seriesNotes({ ...data, weighted: it.weighted })),
    card(null, attributions(it)),
  ];
}

function plain(columns, rows) {
  return table({ columns, rows, sortable: false });
}

function said(it, show) {
  const text = difference(it, show);
  return h("span", { class: it.seen ? "strong" : "dim" }, it.seen ? `${text} ✱` : text);
}

function attributions(it) {
  const shown = it.attributions.slice(0, MAX_BARS);
  const data = (side, label, paint) => ({ label, data: shown.map((row) => row[side].value), backgroundColor: paint, whiskers: shown.map((row) => (row[side].insufficient ? null : [row[side].low, row[side].high])), barPercentage: 0.85, categoryPercentage: 0.7 });
  return figure({
    title: "Mean attribution of each feature",
    about: `Mean attributions of ${shown.length} features in both cohorts, the largest difference first: the table below has the numbers`,
    height: 60 + 34 * shown.length,
    legend: h("p", { class: "legend" }, h("span", {}, h("span", { class: "key first" }), `A: ${it.a.expression}`), h("span", {}, h("span", { class: "key second" }), `B: ${it.b.expression}`)),
    config: {
      type: "bar",
      data: { labels: shown.map((row) => short(row.feature)), datasets: [data("a", "A", color("chart")), data("b", "B", SECOND)] },
      options: {
        indexAxis: "y",
        scales: { x: { title: { display: true, text: "mean attribution, with 95% interval" } }, y: { grid: { display: false }, ticks: { autoSkip: false } } },
        plugins: { tooltip: { callbacks: { title: ([hit]) => shown[hit.dataIndex].feature, label: (hit) => `${hit.dataset.label}: ${estimate(shown[hit.dataIndex][hit.dataset.label.toLowerCase()], signed)}` } } },
      },
      plugins: [whiskers],
    },
    alternative: {
      caption: `Differences of ${it.attributions.length} features are compared at once; their intervals are widened so that all hold together at 95%. ✱ marks those that do not hold 0.`,
      columns: [
        { name: "Feature", value: (row) => row.feature, cut: true },
        { name: "A", value: (row) => row.a.value, show: (row) => estimate(row.a, signed), number: true },
        { name: "B", value: (row) => row.b.value, show: (row) => estimate(row.b, signed), number: true },
        { name: "A − B", value: (row) => row.difference.value, show: (row) => said(row.difference, signed), number: true },
      ],
      rows: it.attributions,
    },
  });
}
