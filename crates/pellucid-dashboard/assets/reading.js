// Screens that have nothing to show, or nothing yet: a large log is read for a while.

import { empty } from "./dom.js";

/** Milliseconds until it is looked again. */
const AGAIN = 1500;

/** Looks again until the whole log was read. `screen`: `signal` of being left, `again` to draw anew. */
export function follow(reading, { signal, again }) {
  if (!isRead(reading)) {
    const timer = setTimeout(again, AGAIN);
    signal.addEventListener("abort", () => clearTimeout(timer));
  }
}

/** In place of a screen's content: `text`, or that the log is still being read; then it looks again. */
export function nothing(reading, screen, text) {
  follow(reading, screen);
  return empty(isRead(reading) ? text : "The log is being read…");
}

function isRead(reading) {
  return Boolean(reading.fault) || reading.n_read >= reading.n_entries;
}
