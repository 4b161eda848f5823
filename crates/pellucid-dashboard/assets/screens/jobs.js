// Jobs: explanations that are made, were made, or wait.

import { json } from "../api.js";
import { card, empty, h, header } from "../dom.js";
import { count, percent, time, words } from "../format.js";
import { table } from "../table.js";

/** Looks again after so many milliseconds while something is under way. */
const AGAIN = 2000;
const OVER = ["done", "completed", "succeeded", "failed", "cancelled", "canceled"];

export async function jobs({ signal, told, again }) {
  told(null);
  const answer = await json("v1/jobs", {}, { signal });
  const list = Array.isArray(answer) ? answer : (answer.jobs ?? []);
  if (list.some((job) => !OVER.includes(job.state ?? job.status))) {
    const timer = setTimeout(again, AGAIN);
    signal.addEventListener("abort", () => clearTimeout(timer));
  }
  const title = header("Jobs", "Explanations are made after the predictions, in the background.");
  if (list.length === 0) return [title, empty("No job was given to this server. Give one with POST /v1/explanations.")];
  return [title, card(null, table({ columns: columns(again), rows: list }))];
}

function columns(again) {
  return [
    { name: "Job", value: (job) => id(job), show: (job) => h("span", { class: "mono" }, id(job)), cut: true },
    { name: "State", value: state, show: (job) => h("span", { class: badge(state(job)) }, state(job)) },
    { name: "Model", value: (job) => job.model ?? "", cut: true },
    { name: "Method", value: (job) => words(job.method ?? ""), cut: true },
    { name: "Done", value: (job) => job.n_done ?? job.done ?? null, show: progress, number: true },
    { name: "Since", value: (job) => job.created_micros ?? job.submitted_micros ?? null, show: (job) => since(job), number: true },
    { name: "Fault", value: (job) => job.error ?? "", cut: true },
    { name: "", value: () => "", show: (job) => stop(job, again) },
  ];
}

const id = (job) => String(job.job_id ?? job.id ?? "");
const state = (job) => words(job.state ?? job.status ?? "unknown");

function badge(name) {
  if (["done", "completed", "succeeded"].includes(name)) return "badge good";
  return name === "failed" ? "badge bad" : "badge";
}

function progress(job) {
  const [done, all] = [job.n_done ?? job.done, job.n_rows ?? job.n_total ?? job.total];
  if (done === undefined) return "–";
  return all ? `${count(done)} of ${count(all)} (${percent(done / all)})` : count(done);
}

function since(job) {
  const micros = job.created_micros ?? job.submitted_micros;
  return micros ? time(micros) : "–";
}

function stop(job, again) {
  if (OVER.includes(job.state ?? job.status)) return "";
  const cancel = async () => {
    await json(`v1/jobs/${encodeURIComponent(id(job))}`, {}, { method: "DELETE" }).catch(() => null);
    again();
  };
  return h("button", { type: "button", "aria-label": `Cancel job ${id(job)}`, on: { click: cancel } }, "Cancel");
}
