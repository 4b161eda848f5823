// Files of some folders over HTTP, on a free port of this machine.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import path from "node:path";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mjs": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** Serves each folder under its name: `{ models: "/tmp/x" }` gives `/models/…`. `close` ends it. */
export async function serve(folders) {
  const server = createServer(async (request, response) => {
    const file = fileOf(folders, request.url);
    try {
      const bytes = await readFile(file);
      const type = TYPES[path.extname(file)] ?? "application/octet-stream";
      response.writeHead(200, { "Content-Type": type }).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}

/** The file that an address means, or an empty name where it lies in none of the folders. */
function fileOf(folders, address) {
  const [, name, ...rest] = decodeURIComponent(new URL(address, "http://localhost").pathname).split("/");
  if (!Object.hasOwn(folders, name) || rest.includes("..")) return "";
  return path.join(folders[name], ...rest);
}
