// Drift: what explanations look like now, against how they began.

import { view } from "../api.js";
import { color, figure, short, signedColor } from "../chart.js";
import { card, empty, facts, h, header } from "../dom.js";
import { field, go, select } from "../form.js";
import { count, day, number, percent, signed, time, words } from "../format.js";
import { nothing } from "../reading.js";
import { table } from "../table.js";
import { seriesChoice, seriesNotes } from "./series.js";

const PARTS = { attribution: "Attributions", attribution_share: "Share of |attribution|", input: "Inputs", missing: "Missing inputs", prediction: "Predictions" };
const EVERY = [["count", "equal numbers of records"], ["hour", "hours"], ["day", "days"], ["week", "weeks"]];
/** Effects of so many deviations have the strongest color. */
const STRONGEST = 1;
const MAX_LINES = 5;
const LINE_COLORS = ["#009e73", "#e69f00", "#8c52a3", "#56b4e9", "#cc79a7"];

export async function drift(screen) {
  const { parameters, signal, told } = screen;
  const data = await view("drift", parameters, signal);
  told(data.reading);
  const title = header("Drift", "The first records of a series are its reference; windows of later ones are compared with it, feature by feature. Each prediction counts once, by its first record.");
  if (!data.chosen) return [title, nothing(data.reading, screen, "No table was explained yet.")];
  const every = select("every", EVERY, data.every, null);
  every.addEventListener("change", () => go("drift", { ...parameters, every: every.value }));
  const choices = h("div", { class: "card" }, h("div", { class: "fields" }, seriesChoice("drift", data, parameters), field("Windows of", every, true)), seriesNotes({ ...data, weighted: false }));
  const found = data.drift;
  if (!found || found.windows.length === 0) return [title, choices, empty(`Too few records to compare: the first ${count(data.reference_rows)} are the reference, and a window takes ${count(data.window_rows)}.`)];
  return [
    title,
    choices,
    alarms(found),
    ...Object.keys(PARTS).map((part) => heat(found, part)),
    h("div", { class: "cards" }, card(null, lines(found)), card("Order of features", ranking(found))),
    card("How it is judged", rule(found)),
  ];
}

function alarms(found) {
  const cleared = found.history.filter((it) => it.state === "cleared");
  const past = cleared.length === 0 ? null : h("details", {}, h("summary", {}, `${count(cleared.length)} alarms that no longer stand`), h("ul", {}, cleared.map((it) => h("li", {}, it.sentence))));
  if (found.alarms.length === 0) return card("Alarms", h("p", { class: "good" }, "✓ No feature has drifted for long enough."), past);
  return h("section", { class: "warning", role: "alert" }, h("h2", {}, "Alarms"), h("ul", {}, found.alarms.map((it) => h("li", {}, it.sentence))), past);
}

/** A cell for each feature and window; color says how far, sign and star say where to and whether it counts. */
function heat(found, part) {
  const rows = found.features.filter((it) => it.part === part).sort((a, b) => largest(b) - largest(a));
  if (rows.length === 0) return null;
  const long = found.windows.at(-1).end_micros - found.windows[0].start_micros > 3 * 86400e6;
  const head = (it, index) => h("th", { scope: "col", title: `${time(it.start_micros)} to ${time(it.end_micros)}, ${count(it.n_rows)} records` }, index % 4 === 0 ? (long ? day(it.start_micros).slice(5) : time(it.start_micros).slice(11, 16)) : "");
  const line = (it) => h("tr", {}, h("th", { scope: "row", class: "cut", title: it.name }, it.name), it.cells.map((cell, index) => heatCell(cell, it, found.windows[index])));
  const body = h("table", { class: "heat" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, PARTS[part]), found.windows.map(head))), h("tbody", {}, rows.map(line)));
  const unit = part === "attribution_share" ? "total variation" : "standard deviations of the reference; categories: Jensen–Shannon distance";
  const scroll = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${PARTS[part]}: effect of each feature in each window` }, body);
  const note = h("p", { class: "note" }, `Effect in ${unit}. ✱ drifted; a dot: too few records; blue and red: the mean went down or up.`);
  if (part === "attribution") return card(null, scroll, note);
  return h("details", { class: "card", open: rows.some((it) => it.cells.some((cell) => cell?.verdict === "drifted")) }, h("summary", {}, PARTS[part]), scroll, note);
}

function largest(line) {
  return Math.max(0, ...line.cells.map((cell) => (cell?.verdict === "drifted" ? 10 : 0) + (cell?.effect ?? 0)));
}

function heatCell(cell, line, window) {
  if (!cell) return h("td", {}, "");
  const drifted = cell.verdict === "drifted";
  const sign = cell.mean_shift === null ? 1 : Math.sign(cell.mean_shift);
  const told = `${line.name}, ${time(window.start_micros)}: effect ${number(cell.effect, 3)}, counts from ${number(Math.max(cell.threshold ?? 0, line.effect_floor), 3)}` +
    `${cell.mean_shift === null ? "" : `, mean ${signed(cell.mean_shift)} deviations`}${cell.q_value === null ? "" : `, adjusted p ${number(cell.q_value, 2)}`}, ${words(cell.verdict)}`;
  const made = h("td", { title: told }, cell.verdict === "insufficient_evidence" ? "·" : `${number(Math.round(cell.effect * 100) / 100)}${drifted ? " ✱" : ""}`);
  const strength = Math.min(1, cell.effect / STRONGEST);
  made.style.backgroundColor = signedColor(sign * strength);
  made.style.color = strength > 0.75 ? "#ffffff" : "#1b1f27";
  if (drifted) made.style.fontWeight = "600";
  return made;
}

/** The features that drifted furthest, over the windows. */
function lines(found) {
  const rows = found.features.filter((it) => it.part === "attribution").sort((a, b) => largest(b) - largest(a)).slice(0, MAX_LINES);
  const label = (it) => time(it.start_micros).slice(0, 16);
  return figure({
    title: "Mean shift of attributions",
    about: `Signed shift of the mean attribution of ${rows.length} features over ${found.windows.length} windows: the table has the numbers`,
    height: 260,
    legend: h("p", { class: "legend" }, rows.map((it, index) => keyed(short(it.name), LINE_COLORS[index]))),
    config: {
      type: "line",
      data: {
        labels: found.windows.map(label),
        datasets: rows.map((it, index) => ({ label: it.name, data: it.cells.map((cell) => cell?.mean_shift ?? null), borderColor: LINE_COLORS[index], backgroundColor: LINE_COLORS[index], borderWidth: 2, pointRadius: it.cells.map((cell) => (cell?.verdict === "drifted" ? 4 : 1.5)) })),
      },
      options: { scales: { x: { ticks: { maxTicksLimit: 5 }, grid: { display: false } }, y: { title: { display: true, text: "deviations of the reference" } } } },
    },
    alternative: {
      columns: [{ name: "Window", value: (it) => it.start_micros, show: (it) => label(it) }, ...rows.map((it) => ({ name: short(it.name), value: (window) => it.cells[found.windows.indexOf(window)]?.mean_shift ?? null, show: (window) => signed(it.cells[found.windows.indexOf(window)]?.mean_shift), number: true }))],
      rows: found.windows,
    },
  });
}

function keyed(name, paint) {
  const key = h("span", { class: "key" });
  key.style.backgroundColor = paint;
  return h("span", {}, key, name);
}

function ranking(found) {
  const ranked = found.windows.filter((it) => it.ranking);
  return [
    table({
      caption: "By mean |attribution|, against the reference. nDCG is as SageMaker Clarify has it, and nearly deaf: it alarms nobody.",
      columns: [
        { name: "Window", value: (it) => it.start_micros, show: (it) => time(it.start_micros).slice(0, 16) },
        { name: "Records", value: (it) => it.n_rows, show: (it) => count(it.n_rows), number: true },
        { name: "Kendall τ", value: (it) => it.ranking.kendall_tau, show: (it) => number(it.ranking.kendall_tau, 3), number: true },
        { name: "Same top features", value: (it) => it.ranking.top_k_overlap, show: (it) => `${percent(it.ranking.top_k_overlap)} of ${it.ranking.top_k}`, number: true },
        { name: "nDCG", value: (it) => it.ranking.ndcg, show: (it) => number(it.ranking.ndcg, 3), number: true },
      ],
      rows: ranked.slice(-8),
    }),
    ranked.length > 8 ? h("p", { class: "note" }, "The last eight windows.") : null,
  ];
}

function rule({ reference, options, rule: alarm, windows }) {
  return [
    facts([
      ["Reference", `the first ${count(reference.n_rows)} records, ${time(reference.start_micros)} to ${time(reference.end_micros)}; it stays, unless records of it are erased`],
      ["Windows", `the newest ${count(windows.length)}; by numbers of records, each has ${count(options.window_rows)}`],
      ["A feature drifts", `where its effect is ${number(options.effect_floor)} or more, above what resampled windows of the reference show, and significant at a false discovery rate of ${percent(options.false_discovery_rate)}`],
      ["An alarm is raised", `when ${alarm.drifted} of ${alarm.of} windows drift, and cleared after ${alarm.clear_after} without; small windows are also judged in groups`],
      ["Too few records", `below ${count(options.min_effective_rows)} that weigh alike`],
    ]),
  ];
}
