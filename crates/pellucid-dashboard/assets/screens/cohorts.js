// Cohorts: two groups of inputs side by side.

import { view } from "../api.js";
import { color, short } from "../chart.js";
import { card, empty, h, header } from "../dom.js";
import { field, go, input, select, valuesOf } from "../form.js";
import { count, number, percent } from "../format.js";
import { nothing } from "../reading.js";
import { table } from "../table.js";
import { attributionPairs, comparedBars, pairs, told, verdict } from "./compared.js";
import { seriesChoice, seriesNotes } from "./series.js";

const SECOND = "#e69f00";

export async function cohorts(screen) {
  const { parameters, signal, told: tellReading } = screen;
  const title = header("Cohorts", "Two groups of inputs side by side: how often the model chooses a class, how often it is wrong, what it gives, and what it looks at.");
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
  tellReading(data.reading);
  if (!data.chosen) return [title, nothing(data.reading, screen, "No table was explained yet.")];
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
  const both = (name, counts) => [name, count(counts[0]), count(counts[1]), ""];
  const line = (pair) => [named(pair.aspect, data), told(pair.a, show(pair.aspect)), told(pair.b, show(pair.aspect)), verdict(pair.difference, show(pair.aspect))];
  // The mean output is that of one output; rates are over the records that explain any.
  const meanOutput = it.attributions ? pairs(it.attributions).filter((pair) => pair.aspect === "mean_output") : [];
  const rows = [
    both("Records", it.n_records),
    both("Stand for", it.represents.map(Math.round)),
    ...(it.rates ? [both("With a label", it.rates.cohorts.map((cohort) => cohort.n_labelled)), ...pairs(it.rates).map(line)] : []),
    both("With this output explained", it.n_explained),
    ...meanOutput.map(line),
  ];
  const columns = [
    { name: "", value: (row) => row[0] },
    { name: `A: ${short(it.a, 40)}`, value: (row) => row[1], number: true },
    { name: `B: ${short(it.b, 40)}`, value: (row) => row[2], number: true },
    { name: "A − B", value: (row) => row[3], number: true },
  ];
  const notes = [`Intervals are at 95%, each for itself. ✱ marks a difference that stands after adjusting for the number of comparisons. A rate needs ${data.enough} positives and ${data.enough} negatives in each cohort, a mean ${data.enough} records; less is insufficient evidence, and no difference shown is no proof of none.`];
  if (it.n_in_both > 0) notes.push(`${count(it.n_in_both)} records are in both cohorts.`);
  if (it.n_unknown > 0) notes.push(`${count(it.n_unknown)} records have lost their inputs and are in neither.`);
  if (it.n_not_finite > 0) notes.push(`${count(it.n_not_finite)} records of the cohorts have an output or attributions that are no finite numbers: they count in rates alone.`);
  return [
    card("Side by side", table({ columns, rows, sortable: false }), h("p", { class: "note" }, notes.join(" ")), seriesNotes({ ...data, weighted: it.weighted })),
    it.attributions ? card(null, attributions(it)) : empty("One cohort has no record that explains this output: attributions cannot be compared."),
  ];
}

function named(aspect, data) {
  if (aspect === "selection_rate") return `Predicted “${data.class}”`;
  if (aspect === "error_rate") return `Wrong about “${data.class}”, where labeled`;
  return `Mean output “${data.chosen.output ?? ""}”${data.chosen.output_space ? ` (${data.chosen.output_space.replaceAll("_", " ")})` : ""}`;
}

const show = (aspect) => (aspect === "mean_output" ? number : (x) => percent(x, 1));

function attributions(it) {
  const rows = attributionPairs(it.attributions);
  return comparedBars(rows, {
    title: "Mean attribution of each feature",
    about: "Mean attributions of features in both cohorts, the largest difference first",
    axis: "mean attribution, with 95% interval",
    names: [`A: ${it.a}`, `B: ${it.b}`],
    paints: [color("chart"), SECOND],
    keys: ["first", "second"],
  });
}
