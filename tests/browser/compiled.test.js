// A compiled file is run by ONNX Runtime Web, in a page, with no server behind it that could explain anything.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

import { withPage } from "./chromium.js";
import { fixture, packageFolder, pellucid } from "./pellucid.js";
import { serve } from "./server.js";

let folder, server;

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "pellucid-browser-"));
  writeFileSync(path.join(folder, "page.html"), '<!doctype html><script src="/runtime/ort.wasm.min.js"></script>');
  server = await serve({ files: folder, runtime: path.join(packageFolder("onnxruntime-web"), "dist") });
});

after(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

test("a compiled Grad-CAM model gives the heatmap of the command", async () => {
  const model = fixture("models", "mnist_cnn.onnx");
  const rows = fixture("models", "mnist_cnn.sample.npz");
  pellucid("compile", model, "--method", "grad-cam", "--target", "predicted", "--out", path.join(folder, "cam.onnx"));
  const explained = JSON.parse(pellucid("explain", model, rows, "--method", "grad-cam", "--target", "top-1", "--json"));

  const shape = shapeOf(explained.data);
  const inputs = explained.data.flat(Infinity);
  const found = await withPage(
    async (page) => {
      await page.goto(`${server.url}/files/page.html`);
      return page.evaluate(runInPage, { url: "/files/cam.onnx", inputs, shape });
    },
    { origin: server.url },
  );

  const heatmaps = explained.values.flat(Infinity);
  assert.deepEqual(found.attribution.shape, [shape[0], shape[2], shape[3]]);
  assertClose(found.attribution.values, heatmaps);
  const predicted = found.output.map((outputs) => outputs.indexOf(Math.max(...outputs)));
  assert.deepEqual(predicted, explained.target.indices.map(([index]) => index));
});

/** Runs in the page: the model's outputs, as plain arrays. */
async function runInPage({ url, inputs, shape }) {
  // One thread: more need headers that make a page of its own of it.
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = "/runtime/";
  const session = await ort.InferenceSession.create(url, { executionProviders: ["wasm"] });
  const feeds = { [session.inputNames[0]]: new ort.Tensor("float32", Float32Array.from(inputs), shape) };
  const results = await session.run(feeds);
  const output = results[session.outputNames[0]];
  const width = output.dims[1];
  const row = (index) => Array.from(output.data.slice(index * width, (index + 1) * width));
  return {
    output: Array.from({ length: output.dims[0] }, (_, index) => row(index)),
    attribution: { shape: results.attribution.dims, values: Array.from(results.attribution.data) },
  };
}

function shapeOf(nested) {
  return Array.isArray(nested) ? [nested.length, ...shapeOf(nested[0])] : [];
}

/** Equal within 1e-4 of the largest value: the kernels of two builds of ONNX Runtime differ in rounding. */
function assertClose(actual, expected) {
  assert.equal(actual.length, expected.length);
  const scale = Math.max(...expected.map(Math.abs));
  assert.ok(scale > 0, "a heatmap of zeros shows nothing");
  const gap = Math.max(...expected.map((value, index) => Math.abs(value - actual[index])));
  assert.ok(gap <= 1e-4 * scale, `differs by ${gap}, of ${scale}`);
}
