// How long the dashboard takes, as a table for docs/benchmarks.md: `tests/browser/run measure [RECORDS] [REPEATS]`, over a made-up log, by the release
// build of its example server.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";

import { withPage } from "./chromium.js";
import { BUILT, started, wholeLog } from "./pellucid.js";
import { charts } from "./screens.js";

/** Screens, their addresses, and how many charts they have at least. */
const SCREENS = [
  ["overview", "#/overview", 2],
  ["predictions", "#/predictions", 0],
  ["predictions, misclassified, by confidence", "#/predictions?outcome=wrong&sort=confidence", 0],
  ["global", "#/global", 2],
  ["drift", "#/drift", 1],
  ["cohorts", `#/cohorts?a=${encodeURIComponent('age > 40 and sex == "F"')}`, 1],
  ["misclassified", "#/misclassified", 3],
];

const [records, repeats] = [Number(process.argv[2] ?? 100_000), Number(process.argv[3] ?? 5)];
const child = spawn(path.join(BUILT, "..", "release", "examples", "dashboard_server"), [String(records)], { stdio: ["ignore", "pipe", "inherit"] });
const server = await started(child);
const from = performance.now();
await wholeLog(server.url);
const read = performance.now() - from;
const memory = (what) => `${Math.round(Number(readFileSync(`/proc/${child.pid}/status`, "utf8").match(new RegExp(`${what}:\\s*(\\d+)`))[1]) / 1024)} MB`;
console.log(`${records.toLocaleString("en-US")} records, read in ${(read / 1000).toFixed(1)} s, ${memory("VmRSS")}; medians of ${repeats} visits, nothing cached.\n`);
console.log("| screen | its view | size | first paint | filled |");
console.log("|---|---|---|---|---|");
for (const [name, address, least] of SCREENS) {
  const runs = [];
  for (let run = 0; run < repeats; run += 1) runs.push(await measured(address, least));
  const middle = (part) => Math.round(runs.map((run) => run[part]).sort((a, b) => a - b)[Math.floor(repeats / 2)]);
  console.log(`| ${name} | ${middle("view")} ms | ${middle("size")} kB | ${middle("paint")} ms | ${middle("filled")} ms |`);
}
console.log(`\nAt its peak it took ${memory("VmHWM")}.`);
await server.close();
process.exit();

/** A fresh profile opens the screen: nothing is cached. */
async function measured(address, least) {
  return withPage(
    async (page) => {
      const start = performance.now();
      await page.goto(`${server.url}/dashboard/${address}`, { waitUntil: "commit" });
      await page.waitForSelector("main .page");
      await page.waitForFunction(charts, least);
      const filled = performance.now() - start;
      const told = await page.evaluate(() => {
        const view = performance.getEntriesByType("resource").find((it) => it.name.includes("/v1/views/"));
        const paint = performance.getEntriesByName("first-contentful-paint")[0];
        return { view: view.duration, size: view.encodedBodySize / 1000, paint: paint?.startTime ?? NaN };
      });
      return { ...told, filled };
    },
    { origin: server.url },
  );
}
