// The command `pellucid` as `cargo build` left it, and the repository's files.

import { execFileSync, spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.resolve(HERE, "../..");
/** Where the debug build lies. */
export const BUILT = path.join(process.env.CARGO_TARGET_DIR ?? path.join(ROOT, "target"), "debug");
const COMMAND = path.join(BUILT, "pellucid");

/** The path of a committed fixture. */
export function fixture(...names) {
  return path.join(ROOT, "fixtures", ...names);
}

/** The folder of an installed package. */
export function packageFolder(name) {
  return path.join(HERE, "node_modules", name);
}

/** What the command prints. */
export function pellucid(...args) {
  return execFileSync(COMMAND, args, { cwd: ROOT, encoding: "utf8", maxBuffer: 2 ** 28, stdio: ["ignore", "pipe", "inherit"] });
}

/** Serves the models of a folder and a log, on a free port; `close` ends it. Waits until the dashboard knows the whole log. */
export async function serveLog(models, log, key) {
  const args = ["serve", "--models", models, "--log", log, "--log-key", key, "--port", "0", "--log-level", "error"];
  const server = await started(spawn(COMMAND, args, { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] }));
  await wholeLog(server.url);
  return server;
}

/** The address that a process prints first, and what ends it. */
export async function started(child) {
  const told = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    child.stdout.once("data", (data) => resolve(String(data)));
  });
  const close = () => {
    child.removeAllListeners("exit");
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill();
    return ended;
  };
  return { url: new URL(told.match(/http:\S+/)[0]).origin, close };
}

/** Waits until the dashboard at `url` has read its log. */
export async function wholeLog(url) {
  for (;;) {
    const { reading } = await (await fetch(`${url}/v1/views/overview`)).json();
    if (reading.fault) throw new Error(reading.fault);
    if (reading.n_read === reading.n_entries) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Serves a made-up log of so many tables; `close` ends it. */
export async function serveDashboard(nTables) {
  const command = path.join(BUILT, "examples", "dashboard_server");
  const server = await started(spawn(command, [String(nTables)], { stdio: ["ignore", "pipe", "inherit"] }));
  await wholeLog(server.url);
  return server;
}
