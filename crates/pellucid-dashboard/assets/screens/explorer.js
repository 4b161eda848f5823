// Predictions: filters, a table, pages.

import { view } from "../api.js";
import { card, empty, h, header } from "../dom.js";
import { address, field, go, input, select, valuesOf } from "../form.js";
import { count, number, percent, time, words } from "../format.js";
import { nothing } from "../reading.js";
import { table } from "../table.js";

export async function explorer(screen) {
  const { parameters, signal, told } = screen;
  const data = await view("predictions", parameters, signal);
  told(data.reading);
  if (data.n_records === 0) return [header("Predictions"), nothing(data.reading, screen, "Nothing was explained yet.")];
  return [
    header("Predictions", `${count(data.n_found)} of ${count(data.n_records)} explanations.`),
    filters(data.choices, parameters),
    card(null, data.rows.length === 0 ? empty("No explanation meets all of these conditions.") : lines(data, parameters), pages(data, parameters)),
  ];
}

function filters(choices, given) {
  const form = h("form", { class: "card", "aria-label": "Filters" },
    h("div", { class: "fields" },
      field("Prediction id has", input("text", given.text, { type: "search", maxlength: 256 })),
      field("Model", select("model", choices.models, given.model)),
      field("Version", select("version", choices.versions, given.version)),
      field("Method", select("method", choices.methods.map((it) => [it, words(it)]), given.method)),
      field("Predicted class", select("class", choices.classes, given.class)),
      field("Confidence from", input("confidence_min", given.confidence_min, { type: "number", min: 0, max: 1, step: "any" })),
      field("Confidence to", input("confidence_max", given.confidence_max, { type: "number", min: 0, max: 1, step: "any" })),
      field("Turned out", select("outcome", [["right", "right"], ["wrong", "wrong"], ["unlabeled", "no label yet"], ["not_judged", "not judged"]], given.outcome)),
      field("Checks", select("checks", [["passed", "all passed"], ["failed", "any failed"], ["none", "none made"], ...choices.checks.map((it) => [it, `failed: ${words(it)}`])], given.checks)),
      field("From", input("from", local(given.since), { type: "datetime-local" })),
      field("Before", input("before", local(given.until), { type: "datetime-local" })),
      h("div", { class: "actions" }, h("button", { class: "main" }, "Show"), h("a", { href: address("predictions") }, "Clear"))));
  const submit = () => go("predictions", { ...read(form), sort: given.sort, order: given.order });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  form.addEventListener("change", (event) => {
    if (event.target.tagName === "SELECT") submit();
  });
  return form;
}

function read(form) {
  const { from, before, ...values } = valuesOf(form);
  return { ...values, since: micros(from), until: micros(before) };
}

function micros(text) {
  return text ? String(new Date(text).getTime() * 1000) : "";
}

function local(micros) {
  return micros ? time(Number(micros)).slice(0, 16).replace(" ", "T") : "";
}

function lines(data, parameters) {
  return table({
    sorted: { by: parameters.sort ?? "time", order: parameters.order ?? "desc" },
    onSort: ({ by, order }) => go("predictions", { ...parameters, sort: by, order, page: "" }),
    columns: predictionColumns(),
    rows: data.rows,
  });
}

/** The columns of a table of records; other screens have such tables too. */
export function predictionColumns() {
  const open = (row) => h("a", { href: address("prediction", { id: row.id }) }, row.id);
  return [
    { name: "Prediction", value: (row) => row.id, show: open, cut: true, sort: "id" },
    { name: "Time", value: (row) => row.time_micros, show: (row) => time(row.time_micros), number: true, sort: "time" },
    { name: "Model", value: (row) => `${row.model} ${row.version}`, cut: true },
    { name: "Method", value: (row) => words(row.method), cut: true },
    { name: "Predicted", value: (row) => row.class ?? number(row.output), cut: true },
    { name: "Confidence", value: (row) => row.confidence, show: (row) => percent(row.confidence, 1), number: true, sort: "confidence" },
    { name: "Label", value: (row) => row.label ?? "", cut: true },
    { name: "Turned out", value: (row) => row.outcome, show: (row) => outcome(row.outcome) },
    { name: "Checks", value: (row) => row.failed_checks.join(), show: checks },
  ];
}

export function outcome(it) {
  if (it === "right") return h("span", { class: "good" }, "✓ right");
  if (it === "wrong") return h("span", { class: "bad" }, "✗ wrong");
  return h("span", { class: "dim" }, it === "unlabeled" ? "no label" : "not judged");
}

function checks(row) {
  if (row.erased) return h("span", { class: "dim" }, "erased");
  if (row.failed_checks.length > 0) return h("span", { class: "bad", title: row.failed_checks.join(", ") }, `✗ ${row.failed_checks.map(words).join(", ")}`);
  return row.n_checks === 0 ? h("span", { class: "dim" }, "none") : h("span", { class: "good" }, `✓ ${row.n_checks}`);
}

function pages(data, parameters) {
  const last = Math.max(0, Math.ceil(data.n_found / data.page_size) - 1);
  if (last === 0) return null;
  const to = (page, text) => {
    const can = page >= 0 && page <= last && page !== data.page;
    return h("button", { type: "button", disabled: !can, on: { click: () => go("predictions", { ...parameters, page: String(page) }) } }, text);
  };
  return h("nav", { class: "actions", "aria-label": "Pages" },
    to(0, "First"), to(data.page - 1, "Back"), h("span", {}, `Page ${count(data.page + 1)} of ${count(last + 1)}`), to(data.page + 1, "Next"), to(last, "Last"));
}
