// The page of all layers and heads works by mouse and keyboard, and asks nobody for anything.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

import { withPage } from "./chromium.js";
import { fixture, pellucid } from "./pellucid.js";
import { serve } from "./server.js";

let folder, server;

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "pellucid-browser-"));
  server = await serve({ files: folder });
});

after(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

test("heads of a text are chosen by mouse and keyboard", async () => {
  const out = path.join(folder, "text");
  const [model, tokenizer] = ["glasslm_en.onnx", "glasslm_en_tokenizer.json"].map((name) => fixture("models", name));
  const text = ["--text", "Alice was beginning to get very tired", "--method", "attention", "--out", out];
  pellucid("explain", model, "--tokenizer", tokenizer, ...text);
  const explained = JSON.parse(readFileSync(path.join(out, "explanation.json"), "utf8")).texts[0];

  await withPage(
    async (page) => {
      await page.goto(`${server.url}/files/text/attention-0.html`);
      const caution = await page.textContent(".caution");
      const { auc, random_auc } = explained.explanation.deletion[0];
      assert.match(caution, /not what made it decide/);
      assert.ok(caution.includes(`deletion ${auc.toFixed(3)}, random ${random_auc.toFixed(3)}`), caution);

      const tokens = await page.locator(".token").allTextContents();
      assert.deepEqual(tokens, explained.tokens.map((token) => token.name));
      assert.equal(await chosen(page), "Layer 3, head 0");
      const first = await drawn(page);
      await page.locator(".head").nth(5).click();
      assert.equal(await chosen(page), "Layer 1, head 1");
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("ArrowUp");
      assert.equal(await chosen(page), "Layer 0, head 2");
      assert.notEqual(await drawn(page), first);
      // At the edge the choice stays.
      await page.keyboard.press("ArrowUp");
      assert.equal(await chosen(page), "Layer 0, head 2");
      await page.locator(".token").nth(2).click();
      await page.keyboard.press("ArrowLeft");
      assert.match(await page.textContent("#told"), new RegExp(`^${tokens[1]} looks most at `));
    },
    { origin: server.url },
  );
});

test("patches of an image are laid on it, in the dark as well", async () => {
  const out = path.join(folder, "image");
  const [model, rows] = ["vit_tiny_mnist.onnx", "vit_tiny_mnist.sample.npz"].map((name) => fixture("models", name));
  pellucid("explain", model, rows, "--method", "attention-rollout", "--out", out);
  const grounds = [];
  for (const colorScheme of ["light", "dark"]) {
    await withPage(
      async (page) => {
        await page.goto(`${server.url}/files/image/attention-0.html`);
        assert.match(await page.textContent("#told"), /^class token looks most at /);
        await page.locator("#patches").click({ position: { x: 3, y: 3 } });
        assert.match(await page.textContent("#told"), /^row 0, column 0 looks most at /);
        grounds.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
      },
      { origin: server.url, colorScheme },
    );
  }
  assert.notEqual(grounds[0], grounds[1]);
});

const chosen = (page) => page.textContent("#chosen");

/** The pixels of the large map. */
const drawn = (page) => page.evaluate(() => document.querySelector("#map canvas").toDataURL());
