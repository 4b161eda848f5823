// One prediction: what the model said, why by each method, what was true, and the proof.

import { view } from "../api.js";
import { proofBadge } from "../badge.js";
import { card, empty, facts, h, header } from "../dom.js";
import { count, duration, number, percent, signed, time, words } from "../format.js";
import { table } from "../table.js";
import { outcome } from "./explorer.js";
import { highlight, pictures, waterfall } from "./explanation.js";

export async function prediction({ parameters, signal, told }) {
  const data = await view("prediction", { id: parameters.id }, signal);
  told(data.reading);
  const [newest] = data.records;
  return [
    header(data.id, null),
    says(data, newest),
    data.records.length === 0 ? empty("Only feedback came for this prediction; it has no explanation yet.") : null,
    h("div", { class: "cards" }, data.records.filter((record) => record.current).map(record)),
    sideBySide(data.records),
    card("Feedback", feedback(data, newest)),
    history(data),
  ];
}

function says(data, newest) {
  const meter = h("div", { class: "meter", role: "img", "aria-label": `confidence ${percent(data.confidence, 1)}` }, h("div"));
  meter.firstChild.style.width = percent(data.confidence, 1);
  const confident = data.confidence === null ? null : [h("p", {}, `Confidence ${percent(data.confidence, 1)}`), meter];
  const outputs = (newest?.explained?.predictions ?? []).map((it) => ({ name: it.name ?? `output ${it.index}`, value: it.value }));
  return h("div", { class: "cards" },
    h("section", { class: "card" },
      h("p", { class: "told" }, newest?.explained?.told ?? (data.class ? `The model says “${data.class}”.` : "")),
      h("p", { class: "note" }, "This says what the model reacts to. It says nothing about causes in the world.")),
    h("section", { class: "card" },
      h("div", { class: "head" }, h("h2", {}, data.class ?? "Output"), outcome(data.outcome)), confident,
      outputs.length > 1 ? table({ columns: [{ name: "Output", value: (it) => it.name, cut: true }, { name: "Value", value: (it) => it.value, show: (it) => number(it.value), number: true }], rows: outputs }) : null));
}

function record(it) {
  return h("section", { class: "card", "aria-label": words(it.method) },
    h("div", { class: "head" }, h("h2", {}, words(it.method)), checks(it.checks)),
    h("p", { class: "note" }, `${it.model.name} ${it.model.version} · ${time(it.timestamp_micros)}`),
    warnings(it.explained?.warnings),
    it.gone ? h("p", { class: "warning" }, `Input and attribution are gone: ${it.gone}.`) : drawn(it.explained),
    proofBadge(it.entry, it.entry_hash),
    details(it));
}

function drawn(it) {
  if (!it) return null;
  return [
    it.kind === "table" ? waterfall(it) : null,
    it.words.length > 0 ? highlight(it) : null,
    it.picture ? pictures(it) : null,
  ];
}

function warnings(list) {
  return (list ?? []).map((text) => h("p", { class: "warning" }, text));
}

function checks(all) {
  const badge = ([name, check]) => {
    const value = check.value === undefined ? "" : ` ${number(check.value, 2)}`;
    return h("span", { class: check.passed ? "badge good" : "badge bad" }, `${check.passed ? "✓" : "✗"} ${words(name)}${value}`);
  };
  return h("span", { class: "chips" }, Object.entries(all).map(badge));
}

function details(it) {
  const text = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));
  const parameters = Object.entries(it.parameters).map(([name, value]) => [words(name), text(value)]);
  return h("details", {}, h("summary", {}, "Parameters, seed and fingerprint"), facts([
    ...parameters,
    ["seed", it.seed],
    ["chosen with probability", number(it.inclusion_probability)],
    ["model file, SHA-256", it.model.digest],
    ["input digest", it.explained?.input_digest],
    ["payload commitment", it.payload_commitment],
    ["comparability key", it.comparability_key],
    ["runtime", it.runtime_fingerprint],
    ["completeness gap", it.explained?.convergence_delta === undefined || it.explained?.convergence_delta === null ? null : number(it.explained.convergence_delta)],
  ]));
}

/** Tables of several methods: each feature's attributions beside each other, where they explain the same output in the same unit. */
function sideBySide(records) {
  const tables = records.filter((it) => it.current && it.explained?.kind === "table");
  const about = ({ explained: it }) => `${it.output_name ?? "the output"}${it.output_space ? `, ${words(it.output_space)}` : ""}`;
  const outputs = [...new Set(tables.map(about))];
  return outputs.map((output) => beside(output, tables.filter((it) => about(it) === output)));
}

function beside(output, tables) {
  if (tables.length < 2) return null;
  const names = [...new Set(tables.flatMap((it) => it.explained.features.map((feature) => feature.name)))];
  const of = (it, name) => it.explained.features.find((feature) => feature.name === name);
  const column = (it) => ({
    name: words(it.method),
    value: (name) => of(it, name)?.attribution ?? null,
    show: (name) => withError(of(it, name)),
    number: true,
  });
  const shown = { name: "Value", value: (name) => of(tables[0], name)?.shown ?? "", number: true };
  return card(`Methods side by side: ${output}`, table({ columns: [{ name: "Feature", value: (name) => name, cut: true }, shown, ...tables.map(column)], rows: names }));
}

function withError(feature) {
  if (!feature) return "–";
  return feature.standard_error ? `${signed(feature.attribution)} ± ${number(feature.standard_error, 2)}` : signed(feature.attribution);
}

function feedback(data, newest) {
  const label = data.label === null ? "No label came yet." : null;
  const delay = data.label_micros !== null && newest ? duration((data.label_micros - newest.timestamp_micros) / 1e6) : null;
  const known = facts([
    ["Label", data.label],
    ["Turned out", data.label === null ? null : outcome(data.outcome)],
    ["Known after", delay],
  ]);
  const decisions = data.decisions.length === 0 ? null : table({
    caption: "Human decisions",
    columns: [
      { name: "Decided", value: (it) => it.outcome, cut: true },
      { name: "By", value: (it) => it.by, cut: true },
      { name: "Reason", value: (it) => it.reason ?? "", cut: true },
      { name: "Time", value: (it) => it.timestamp_micros, show: (it) => time(it.timestamp_micros), number: true },
      { name: "Entry", value: (it) => it.entry, number: true },
    ],
    rows: data.decisions,
  });
  return [label ? h("p", { class: "dim" }, label) : known, decisions];
}

function history(data) {
  const old = data.records.filter((it) => !it.current);
  if (old.length === 0) return null;
  const more = data.n_more > 0 ? h("p", { class: "note" }, `${count(data.n_more)} older records are not shown.`) : null;
  return card("Replaced by later records", table({
    columns: [
      { name: "Entry", value: (it) => it.entry, number: true },
      { name: "Time", value: (it) => it.timestamp_micros, show: (it) => time(it.timestamp_micros), number: true },
      { name: "Method", value: (it) => words(it.method) },
      { name: "Predicted", value: (it) => it.class ?? "", cut: true },
    ],
    rows: old,
  }), more);
}
