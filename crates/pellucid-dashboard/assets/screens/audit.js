// Audit: the signed checkpoint, verification, proofs.

import { json, text, view } from "../api.js";
import { download, faultsOf, isSound } from "../badge.js";
import { card, facts, h, header, replace } from "../dom.js";
import { field, input } from "../form.js";
import { count } from "../format.js";
import { parseProof } from "../proof.js";

export async function audit({ signal, told }) {
  const [overview, checkpoint] = await Promise.all([view("overview", {}, signal), text("v1/checkpoint", { signal })]);
  told(overview.reading);
  return [
    header("Audit", "The log is a tree of hashes. Whoever kept an older checkpoint and the public key can prove that nothing before it was changed or left out."),
    h("div", { class: "cards" }, card("Checkpoint", signed(checkpoint, overview)), card("Verify the whole log", verification())),
    card("Proof of one record", proofs()),
  ];
}

function signed(checkpoint, overview) {
  const [name, size, root] = checkpoint.split("\n");
  const after = overview.reading.n_entries - Number(size);
  return [
    facts([
      ["Log", name],
      ["Entries signed", count(Number(size))],
      ["Written since", count(Math.max(0, after))],
      ["Root", h("span", { class: "mono" }, root)],
      ["Records", count(overview.counts.n_records)],
      ["Feedback", count(overview.counts.n_feedback)],
      ["Erasures", `${count(overview.counts.n_erasures)}, of ${count(overview.counts.n_erased)} records`],
    ]),
    h("details", {}, h("summary", {}, "The signed note"), h("pre", { class: "note" }, checkpoint)),
    h("p", { class: "note" }, download(checkpoint, "checkpoint", "Save the checkpoint"), " and keep it elsewhere: against it, no older copy and no rewritten log passes (", h("code", {}, "pellucid log verify --checkpoint FILE"), ")."),
  ];
}

function verification() {
  const place = h("div", { role: "status" });
  const button = h("button", { type: "button", class: "main", on: { click: run } }, "Verify now");
  async function run() {
    button.disabled = true;
    replace(place, h("p", { class: "dim" }, "Reading every entry…"));
    try {
      const report = await json("v1/verify", {}, { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" });
      replace(place, told(report));
    } catch (fault) {
      replace(place, h("p", { class: "bad" }, fault.message));
    }
    button.disabled = false;
  }
  return [h("p", { class: "note" }, "The server reads every entry, recomputes the tree and compares it with each signed checkpoint."), h("p", { class: "actions" }, button), place];
}

function told(report) {
  const sound = isSound(report);
  return [
    h("p", { class: sound ? "good strong" : "bad strong" }, sound ? "✓ The log is sound." : `✗ The log was changed: ${faultsOf(report)}`),
    facts([
      ["Entries", count(report.n_entries)],
      ["Covered by a checkpoint", count(report.n_signed)],
      ["Payloads that fit", count(report.n_payloads)],
      ["Erased payloads", count(report.n_erased)],
      ["Times that go back", count(report.n_clock_steps_back)],
      ["Root", report.root ? h("span", { class: "mono" }, String(report.root)) : null],
    ]),
  ];
}

function proofs() {
  const place = h("div", { role: "status" });
  const entry = input("entry", "", { type: "number", min: 0, step: 1, required: true });
  const form = h("form", { class: "fields" }, field("Entry", entry), h("div", { class: "actions" }, h("button", { class: "main" }, "Get proof")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const proof = await text(`v1/records/${Number(entry.value)}/proof`);
      const { hashes, size } = parseProof(proof);
      replace(place, h("p", { class: "note" }, `${count(hashes.length)} hashes lead from entry ${count(Number(entry.value))} to the checkpoint of ${count(size)} entries. `, download(proof, `entry-${entry.value}.tlog-proof`, "Save the proof")), h("pre", { class: "note" }, proof));
    } catch (fault) {
      replace(place, h("p", { class: "bad" }, fault.message));
    }
  });
  return [form, place];
}
