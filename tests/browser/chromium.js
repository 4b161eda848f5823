// The Chromium of this machine, without a window.

import { accessSync, constants } from "node:fs";
import path from "node:path";
import { after } from "node:test";
import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "chrome"];

let launched;

// The browser of a file of tests is started once, by whoever needs it first.
after(async () => (await launched)?.close());

/** Runs `use(page)` on a blank page with a fresh profile. Errors of the page's scripts, and requests to anywhere but
 * `origin` (none where it is not given), fail it. */
export async function withPage(use, { origin, ...context } = {}) {
  // A container's root has no sandbox; only pages of these tests are opened.
  launched ??= chromium.launch({ executablePath: executable(), args: ["--no-sandbox"] });
  const profile = await (await launched).newContext(context);
  try {
    const page = await profile.newPage();
    const faults = [];
    page.on("pageerror", (error) => faults.push(`error on the page: ${error}`));
    page.on("request", (request) => {
      const url = new URL(request.url());
      const stays = ["data:", "blob:", "file:", "about:"].includes(url.protocol) || url.origin === origin;
      if (!stays) faults.push(`request to ${url}`);
    });
    const result = await use(page);
    if (faults.length > 0) throw new Error(faults.join("\n"));
    return result;
  } finally {
    await profile.close();
  }
}

function executable() {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  const files = NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name)));
  const found = files.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!found) throw new Error(`no Chromium in PATH (looked for ${NAMES.join(", ")})`);
  return found;
}
