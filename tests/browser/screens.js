// The dashboard's pages in Chromium, whoever serves them.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";

import { withPage } from "./chromium.js";

export const SCREENS = ["overview", "predictions", "global", "drift", "cohorts", "misclassified", "jobs", "audit"];
/** Pictures for people to look at go there; nothing is compared with them. */
const PICTURES = process.env.PELLUCID_PICTURES;

/** Runs `use(page)` at an address of the dashboard at `url`. The console stays silent: errors there are also what the content policy refuses. */
export async function onDashboard(url, address, use, { refused = false, colorScheme = "light" } = {}) {
  await withPage(
    async (page) => {
      const said = [];
      page.on("console", (message) => {
        // The browser itself reports refused requests, which some tests ask for.
        const expected = refused && /status of 4\d\d/.test(message.text());
        if (["error", "warning"].includes(message.type()) && !expected) said.push(message.text());
      });
      await page.goto(`${url}/dashboard/${address}`);
      await page.waitForSelector("main .page");
      await use(page);
      assert.deepEqual(said, []);
    },
    { origin: url, viewport: { width: 1280, height: 900 }, colorScheme },
  );
}

/** Goes to a screen by the navigation. */
export async function toScreen(page, screen) {
  await page.locator(`nav a[href="#/${screen}"]`).click();
  await page.waitForSelector(`main[data-screen="${screen}"]`);
}

/** In the page: whether so many charts have something drawn, and all that are there. */
export function charts(least) {
  const all = [...document.querySelectorAll(".plot canvas")];
  return all.length >= least && all.every((canvas) => Chart.getChart(canvas));
}

export async function picture(page, name) {
  if (!PICTURES) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: path.join(PICTURES, `${name}.png`), fullPage: true });
}
