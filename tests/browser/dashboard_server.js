// The example server of the dashboard, over a made-up log, on a free port.

import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/** Serves a log of so many tables; `close` ends it. Waits until the whole log was read and drift was looked for. */
export async function serveDashboard(nTables) {
  const command = path.join(process.env.CARGO_TARGET_DIR ?? path.join(ROOT, "target"), "debug/examples/dashboard_server");
  const child = spawn(command, [String(nTables)], { stdio: ["ignore", "pipe", "inherit"] });
  const address = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    child.stdout.once("data", (data) => resolve(new URL(String(data).trim())));
  });
  const url = address.origin;
  const close = () => {
    child.removeAllListeners("exit");
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill();
    return ended;
  };
  for (;;) {
    const { reading } = await (await fetch(`${url}/v1/views/overview`)).json();
    if (reading.fault) throw new Error(reading.fault);
    if (reading.n_read === reading.n_entries) return { url, close };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
