// Fields of forms, and the address that they change.

import { h } from "./dom.js";

/** A field with its label. */
export function field(name, input, wide = false) {
  return h("label", { class: wide ? "wide" : null }, name, input);
}

/** A choice: options are texts, or `[value, text]`. The first, empty one stands for any. */
export function select(name, options, value, any = "any") {
  const all = any === null ? options : [["", any], ...options];
  const pairs = all.map((option) => (Array.isArray(option) ? option : [option, option]));
  return h("select", { name }, pairs.map(([it, text]) => h("option", { value: it, selected: it === (value ?? "") }, text)));
}

export function input(name, value, properties = {}) {
  return h("input", { name, value: value ?? "", autocomplete: "off", spellcheck: "false", ...properties });
}

/** What a form's fields say, without the empty ones. */
export function valuesOf(form) {
  return Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
}

/** The address of a screen. */
export function address(screen, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const query = new URLSearchParams(given).toString();
  return `#/${screen}${query ? `?${query}` : ""}`;
}

export function go(screen, parameters) {
  location.hash = address(screen, parameters);
}
