// Jobs: explanations that are made, were made, or wait.

import { json } from "../api.js";
import { card, empty, h, header } from "../dom.js";
import { count, percent, time, words } from "../format.js";
import { table } from "../table.js";

/** Looks again after so many milliseconds while something is under way. */
const AGAIN = 2000;
const UNDER_WAY = ["queued", "running"];

export async function jobs({ signal, told, again }) {
  told(null);
  const { jobs: list } = await json("v1/jobs", {}, { signal });
  if (list.some((job) => UNDER_WAY.includes(job.status))) {
    const timer = setTimeout(again, AGAIN);
    signal.addEventListener("abort", () => clearTimeout(timer));
  }
  const title = header("Jobs", "Explanations are made after the predictions, in the background.");
  if (list.length === 0) return [title, empty("No job was given to this server. Give one with POST /v1/explanations.")];
  return [title, card(null, table({ columns: columns(again), rows: list }))];
}

function columns(again) {
  return [
    { name: "Job", value: (job) => job.job_id, cut: true },
    { name: "Status", value: (job) => job.status, show: (job) => h("span", { class: badge(job.status) }, words(job.status)) },
    { name: "Model", value: (job) => `${job.model} ${job.version}`, cut: true },
    { name: "Method", value: (job) => words(job.method), cut: true },
    { name: "Recorded", value: ({ progress }) => progress.n_recorded / progress.n_rows, show: recorded, number: true },
    { name: "Failed", value: ({ progress }) => progress.n_failed, show: ({ progress }) => count(progress.n_failed), number: true },
    { name: "Since", value: (job) => job.created_micros, show: (job) => time(job.created_micros), number: true },
    { name: "", value: () => "", show: (job) => cancel(job, again) },
  ];
}

function badge(status) {
  if (status === "done") return "badge good";
  return status.includes("failed") ? "badge bad" : "badge";
}

function recorded({ progress: { n_recorded: done, n_rows: all } }) {
  return `${count(done)} of ${count(all)} (${percent(done / all)})`;
}

function cancel(job, again) {
  if (!UNDER_WAY.includes(job.status)) return "";
  const ask = async () => {
    // Whatever became of it is told by the list.
    await json(`v1/jobs/${encodeURIComponent(job.job_id)}`, {}, { method: "DELETE" }).catch(() => null);
    again();
  };
  return h("button", { type: "button", "aria-label": `Cancel job ${job.job_id}`, on: { click: ask } }, "Cancel");
}
