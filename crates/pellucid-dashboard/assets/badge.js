// The badge of a record: its place in the log, its proof, and what came of following it.

import { json, text } from "./api.js";
import { h, replace } from "./dom.js";
import { count } from "./format.js";
import { leadsToRoot, parseProof } from "./proof.js";

/** A badge for the record at `entry`; `entryHash` is the hash of its bytes as a leaf of the tree. */
export function proofBadge(entry, entryHash) {
  const said = h("span", { class: "badge", role: "status" }, `entry ${count(entry)}`);
  const note = h("p", { class: "note" });
  const button = h("button", { type: "button", on: { click: () => verify() } }, "Verify proof");

  async function verify() {
    button.disabled = true;
    replace(said, "verifying…");
    said.className = "badge";
    try {
      const proofText = await text(`v1/records/${entry}/proof`);
      const proof = parseProof(proofText);
      const held = proof.index === entry && (await leadsToRoot(proof, entryHash));
      const report = await json("v1/verify", {}, { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" });
      show(held && isSound(report), held, report, proof, proofText);
    } catch (fault) {
      said.className = "badge bad";
      replace(said, "✗ not verified");
      replace(note, fault.message);
    }
    button.disabled = false;
  }

  function show(good, held, report, proof, proofText) {
    said.className = good ? "badge good" : "badge bad";
    replace(said, good ? "✓ proven" : "✗ does not hold");
    const path = held
      ? `This browser followed ${count(proof.hashes.length)} hashes from entry ${count(entry)} to the root of the checkpoint of ${count(proof.size)} entries.`
      : "The proof does not lead from this entry to the checkpoint's root.";
    const log = isSound(report) ? "The server found the log sound and its checkpoints signed." : `The server found faults in the log: ${faultsOf(report)}.`;
    replace(note, `${path} ${log} `, download(proofText, `entry-${entry}.tlog-proof`, "Save the proof"), " to check it elsewhere, with the log's public key.");
  }

  return h("div", {}, h("div", { class: "actions" }, said, button), note);
}

/** Whether a report of verification says that nothing is wrong. */
export function isSound(report) {
  return report.n_faults === 0;
}

export function faultsOf(report) {
  const faults = (report.faults ?? []).map((it) => (typeof it === "string" ? it : [it.place, it.what ?? it.message].filter(Boolean).join(": ")));
  return faults.length > 0 ? faults.slice(0, 5).join("; ") : `${count(report.n_faults)} faults`;
}

/** A link that saves a text. */
export function download(content, name, shown) {
  return h("a", { href: URL.createObjectURL(new Blob([content], { type: "text/plain" })), download: name }, shown);
}
