// Elements without markup: text stays text, whatever is in it.

/** An element. `properties`: `class`, `on` (event → function), `title`, and any other attribute; null leaves one out. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else if (name === "value" || name === "checked" || name === "selected") element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A text that may be long: cut by its box, whole in its title. */
export function cut(tag, text, className = "") {
  return h(tag, { class: `cut ${className}`, title: text }, text);
}

export function replace(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
}

/** Names and values. */
export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", { class: "facts" }, shown.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

export function tiles(list) {
  const tile = ([name, value, more]) => h("div", { class: "tile" }, h("dt", {}, name), h("dd", {}, value), more ? h("dd", {}, more) : null);
  return h("dl", { class: "tiles" }, list.map(tile));
}

export function card(title, ...content) {
  return h("section", { class: "card" }, title ? h("h2", {}, title) : null, content);
}

export function empty(text) {
  return h("p", { class: "empty" }, text);
}

export function header(title, lead) {
  return h("div", {}, h("h1", {}, title), lead ? h("p", { class: "lead" }, lead) : null);
}
