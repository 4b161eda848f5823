// Tables that sort by a click or a key on their heads.

import { h } from "./dom.js";

/**
 * Columns: `{ name, value(row), show(row)?, number?, cut?, sort? }`. `value` is what is sorted by, `show` what is seen. With `onSort`, somebody else
 * sorts: only columns with `sort` (a name) can be, and `sorted` says `{ by, order }`.
 */
export function table({ caption, columns, rows, limit = 500, sortable = true, onSort, sorted, initial }) {
  const body = h("tbody");
  const heads = columns.map((column) => head(column));
  let order = onSort ? sorted : (initial ?? null);

  function head(column) {
    const can = onSort ? column.sort : sortable && column.name && rows.length > 1;
    const name = can ? h("button", { type: "button", on: { click: () => sort(column) } }, column.name) : column.name;
    return h("th", { scope: "col", class: column.number ? "number" : null }, name);
  }

  function sort(column) {
    const by = onSort ? column.sort : column.name;
    const first = column.number ? "desc" : "asc";
    const turned = order?.order === "asc" ? "desc" : "asc";
    order = { by, order: order?.by === by ? turned : first };
    if (onSort) onSort(order);
    else fill();
  }

  function fill() {
    const column = onSort ? null : columns.find((it) => it.name === order?.by);
    const shown = column ? [...rows].sort(compare(column, order.order)) : rows;
    body.replaceChildren(...shown.slice(0, limit).map((row) => line(columns, row)));
    columns.forEach((it, index) => {
      const is = order && (onSort ? it.sort : it.name) === order.by;
      if (is) heads[index].setAttribute("aria-sort", order.order === "asc" ? "ascending" : "descending");
      else heads[index].removeAttribute("aria-sort");
    });
  }

  fill();
  const more = rows.length > limit ? h("p", { class: "note" }, `The first ${limit} of ${rows.length}.`) : null;
  const made = h("table", {}, caption ? h("caption", {}, caption) : null, h("thead", {}, h("tr", {}, heads)), body);
  return h("div", { class: "scroll" }, made, more);
}

function compare(column, order) {
  const turn = order === "asc" ? 1 : -1;
  return (a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    const missing = (it) => it === null || it === undefined || Number.isNaN(it);
    if (missing(x) || missing(y)) return missing(x) - missing(y);
    return turn * (typeof x === "string" ? x.localeCompare(y) : x - y);
  };
}

function line(columns, row) {
  return h("tr", {}, columns.map((column) => {
    const shown = column.show ? column.show(row) : column.value(row);
    const classes = [column.number ? "number" : "", column.cut ? "cut" : ""].join(" ").trim();
    const title = column.cut ? String(column.value(row) ?? "") : null;
    return h("td", { class: classes || null, title }, shown ?? "–");
  }));
}
