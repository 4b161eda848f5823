// Which comparable records an aggregated screen is about.

import { h } from "../dom.js";
import { field, go, select } from "../form.js";
import { count, words } from "../format.js";

/** A choice among the series of a view; the other parameters of the address stay. */
export function seriesChoice(screen, view, parameters) {
  const named = (it) => {
    const output = it.output ? `, ${it.output}` : "";
    return `${it.model} ${it.version} · ${words(it.method)}${output} (${count(it.n_records)})`;
  };
  const options = view.choices.map((it) => [it.id, named(it)]);
  const choice = select("series", options, view.chosen?.id, null);
  choice.addEventListener("change", () => go(screen, { ...parameters, series: choice.value }));
  return field("Model, version, method and explained output", choice, true);
}

/** What must be known of the numbers of a series. */
export function seriesNotes(view) {
  const notes = ["Attributions are compared only where model, version, method, parameters and explained output are the same."];
  if (view.weighted) notes.push("Each record counts for the predictions it stands for: by the inverse of the probability with which it was chosen.");
  if (view.chosen?.n_not_finite > 0) notes.push(`${count(view.chosen.n_not_finite)} records have an output or attributions that are no finite numbers: they have no part in means.`);
  if (view.chosen?.n_left_out > 0) notes.push(`${count(view.chosen.n_left_out)} records have other features, or there was no room for them: they are left out.`);
  return h("p", { class: "note" }, notes.join(" "));
}
