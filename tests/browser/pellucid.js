// The command `pellucid` as `cargo build` left it, and the repository's files.

import { execFileSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.resolve(HERE, "../..");

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
  const command = path.join(process.env.CARGO_TARGET_DIR ?? path.join(ROOT, "target"), "debug", "pellucid");
  return execFileSync(command, args, { cwd: ROOT, encoding: "utf8", maxBuffer: 2 ** 28, stdio: ["ignore", "pipe", "inherit"] });
}
