// The dashboard on the server: what the command explained into a log is looked at, filtered, explained and proven.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

import { fixture, pellucid, serveLog } from "./pellucid.js";
import { SCREENS, charts, onDashboard, picture, toScreen } from "./screens.js";

/** Enough for drift to have a reference. */
const N_ROWS = 1300;

let folder, server;

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "pellucid-served-"));
  const keys = path.join(folder, "keys");
  mkdirSync(keys);
  const rows = path.join(folder, "adult.csv");
  const lines = readFileSync(fixture("data", "adult_test.csv"), "utf8").split("\n");
  writeFileSync(rows, `${lines.slice(0, N_ROWS + 1).join("\n")}\n`);
  const key = path.join(keys, "key");
  const log = path.join(folder, "log", "explanations.log");
  mkdirSync(path.dirname(log));
  const kept = ["--log", log, "--log-key", key];
  pellucid("explain", fixture("trees", "demo", "adult.txt"), rows, "--known-labels", "income", "--model-name", "adult", ...kept);
  pellucid("explain", fixture("models", "mnist_cnn.onnx"), fixture("models", "mnist_cnn.sample.npz"), "--model-name", "digits", "--method", "grad-cam", ...kept);
  const text = ["--tokenizer", fixture("models", "glasslm_en_tokenizer.json"), "--text", "Alice was beginning to get very tired"];
  pellucid("explain", fixture("models", "glasslm_en.onnx"), ...text, "--model-name", "glass", ...kept);
  server = await serveLog(fixture("models"), log, key);
});

after(async () => {
  await server?.close();
  rmSync(folder, { recursive: true });
});

const onServer = (address, use) => onDashboard(server.url, address, use);

test("every screen of the server is drawn", async () => {
  const least = { overview: 2, global: 2, drift: 1, misclassified: 3 };
  await onServer("", async (page) => {
    for (const screen of SCREENS) {
      await toScreen(page, screen);
      await page.waitForFunction(charts, least[screen] ?? 0);
      assert.equal(await page.locator("main .fault").count(), 0, screen);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= 1280, `${screen} is ${width} wide`);
      await picture(page, `served-${screen}`);
    }
  });
});

test("from the overview to the proof of a wrong prediction", async () => {
  await onServer("", async (page) => {
    await toScreen(page, "predictions");
    await page.locator("select[name=outcome]").selectOption("wrong");
    await page.waitForFunction(() => location.hash.includes("outcome=wrong"));
    await page.waitForFunction(() => [...document.querySelectorAll("main tbody tr")].every((row) => row.textContent.includes("✗ wrong")));
    await page.locator("main tbody a").first().click();
    await page.waitForSelector('main[data-screen="prediction"]');
    await page.waitForFunction(charts, 1);
    assert.match(await page.textContent(".told"), /^The model says .+ with \d+%\. .*Mostly because .+ is .+ \([+−]/);
    await page.getByRole("button", { name: "Verify proof" }).click();
    await page.waitForSelector(".badge:has-text('✓ proven')");
    await picture(page, "served-prediction-table");
  });
});

test("images and texts of the log show where the model looked", async () => {
  await onServer("#/predictions?model=digits", async (page) => {
    await page.locator("main tbody a").first().click();
    await page.waitForSelector(".pictures canvas");
    assert.equal(await page.locator(".pictures canvas").count(), 3);
    assert.equal(await page.locator(".meter").count(), 1);
    await picture(page, "served-prediction-image");
    await page.goto(`${server.url}/dashboard/#/predictions?model=glass`);
    await page.waitForSelector('main[data-screen="predictions"]');
    await page.locator("main tbody a").first().click();
    await page.waitForSelector(".text span");
    assert.match(await page.textContent(".text"), /Alice was beginning/);
    await picture(page, "served-prediction-text");
  });
});

test("cohorts of the log are asked for by names of categories", async () => {
  await onServer("#/cohorts", async (page) => {
    await page.locator("input[name=a]").fill('sex == "Female"');
    await page.keyboard.press("Enter");
    await page.waitForFunction(charts, 1);
    assert.match(await page.textContent("main"), /Wrong about/);
    await picture(page, "served-cohorts");
  });
});

test("the server finds its log sound", async () => {
  await onServer("#/audit", async (page) => {
    await page.getByRole("button", { name: "Verify now" }).click();
    await page.waitForSelector("text=✓ The log is sound.");
    await picture(page, "served-audit-verified");
  });
});
