// The dashboard over a made-up log: every screen, by mouse and keyboard, light and dark, under the server's content policy.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { serveDashboard } from "./pellucid.js";
import { SCREENS, charts, onDashboard, picture, toScreen } from "./screens.js";

const WOMEN = `#/cohorts?a=${encodeURIComponent('age > 40 and sex == "F"')}`;

let server;

before(async () => {
  server = await serveDashboard(2600);
});

after(() => server.close());

const onScreen = (address, use, context) => onDashboard(server.url, address, use, context);

for (const colorScheme of ["light", "dark"]) {
  test(`every screen is drawn, ${colorScheme}`, async () => {
    const least = { overview: 2, global: 2, drift: 1, misclassified: 3 };
    await onScreen(
      "",
      async (page) => {
        for (const screen of SCREENS) {
          await toScreen(page, screen);
          // Charts are drawn after their boxes have a size.
          await page.waitForFunction(charts, least[screen] ?? 0);
          assert.equal(await page.locator("main h1").count(), 1, screen);
          assert.equal(await page.locator("main [role=alert].fault").count(), 0, screen);
          // Every picture has a name, and nothing is wider than the window.
          assert.equal(await page.locator("main canvas:not([aria-label])").count(), 0, screen);
          const width = await page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(width <= 1280, `${screen} is ${width} wide`);
          await picture(page, `${screen}-${colorScheme}`);
        }
        const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        assert.equal(ground, colorScheme === "light" ? "rgb(251, 251, 250)" : "rgb(20, 22, 26)");
      },
      { colorScheme },
    );
  });
}

test("a misclassified prediction is found, explained and proven", async () => {
  await onScreen("#/misclassified", async (page) => {
    const id = await page.locator("main tbody a").last().textContent();
    await page.locator("main tbody a").last().click();
    await page.waitForSelector('main[data-screen="prediction"]');
    assert.equal(await page.textContent("h1"), id);
    assert.match(await page.textContent(".told"), /^The model says “.+” with \d+%\. .*(Mostly because|Against it:|For it:) .+ is .+ \([+−]/);
    assert.match(await page.textContent("main"), /✗ wrong/);
    await page.getByRole("button", { name: "Verify proof" }).first().click();
    await page.waitForSelector(".badge:has-text('✓ proven')");
    assert.match(await page.textContent("main"), /This browser followed \d+ hashes from entry [\d,]+ to the root of the checkpoint of [\d,]+ entries\./);
    await picture(page, "prediction-table");
  });
});

test("a proof that was tampered with does not hold", async () => {
  await onScreen("#/prediction?id=application-000017", async (page) => {
    await page.route("**/proof", async (route) => {
      const response = await route.fetch();
      const lines = (await response.text()).split("\n");
      lines[2] = lines[3];
      await route.fulfill({ response, body: lines.join("\n") });
    });
    await page.getByRole("button", { name: "Verify proof" }).first().click();
    await page.waitForSelector(".badge.bad:has-text('does not hold')");
  });
});

test("texts and images show where it looked, and markup in data stays text", async () => {
  await onScreen("#/prediction?id=review-00", async (page) => {
    assert.equal(await page.locator(".text span").count(), 13);
    assert.match(await page.textContent(".text"), /<b>late<\/b>/);
    assert.equal(await page.locator("main b").count(), 0);
    await picture(page, "prediction-text");
    await page.goto(`${server.url}/dashboard/#/prediction?id=photo-03`);
    await page.waitForSelector(".pictures canvas");
    assert.deepEqual(await page.locator(".pictures figcaption").allTextContents(), ["Input", "Attribution", "Both"]);
    await picture(page, "prediction-image");
    await page.goto(`${server.url}/dashboard/#/prediction?id=application-000008`);
    await page.waitForSelector("main .warning");
    assert.match(await page.textContent("main .warning"), /its payload was erased; entry \d+ says why/);
  });
});

test("cohorts are compared, and a fault points to its place", async () => {
  await onScreen(
    WOMEN,
    async (page) => {
      assert.match(await page.textContent("main"), /Predicted “repaid”\s*\d+\.\d% \[/);
      await page.locator("input[name=a]").fill("agee > 40");
      await page.keyboard.press("Enter");
      await page.waitForSelector(".fault pre");
      assert.equal(await page.textContent(".fault pre"), "cohort A: there is no feature `agee`; did you mean `age`?\nagee > 40\n^^^^");
      assert.equal(await page.inputValue("input[name=a]"), "agee > 40");
      await picture(page, "cohorts-fault");
    },
    { refused: true },
  );
});

test("filters and sorting are in the address", async () => {
  await onScreen("#/predictions", async (page) => {
    await page.locator("select[name=outcome]").selectOption("wrong");
    await page.waitForFunction(() => location.hash.includes("outcome=wrong"));
    await page.getByRole("button", { name: "Confidence" }).click();
    await page.waitForFunction(() => location.hash.includes("sort=confidence"));
    await page.waitForSelector('th[aria-sort="descending"] button:has-text("Confidence")');
    const shares = (await page.locator("main tbody tr td:nth-child(6)").allTextContents()).map(parseFloat);
    assert.ok(shares.length > 5);
    assert.deepEqual(shares, [...shares].sort((a, b) => b - a));
    await page.locator("input[name=text]").fill("no such id");
    await page.getByRole("button", { name: "Show" }).click();
    await page.waitForSelector(".empty");
  });
});

test("the keyboard reaches everything that is needed", async () => {
  await onScreen("#/global", async (page) => {
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.id), "skip");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.name), "series");
    const before = await page.evaluate(() => location.hash);
    await page.keyboard.press("ArrowDown");
    await page.waitForFunction((hash) => location.hash !== hash, before);
    await page.locator("summary").first().focus();
    await page.keyboard.press("Enter");
    await page.locator("details table thead button").first().focus();
    await page.keyboard.press("Enter");
    assert.equal(await page.locator('details th[aria-sort="ascending"]').count(), 1);
    const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(ring, "solid");
  });
});

test("light and dark can be switched, and stay", async () => {
  await onScreen("", async (page) => {
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.getByRole("button", { name: "Switch between light and dark" }).click();
    const dark = await ground();
    assert.notEqual(light, dark);
    await page.reload();
    await page.waitForSelector("main .page");
    assert.equal(await ground(), dark);
  });
});

test("what is not there is said, and a token is asked for", async () => {
  await onScreen(
    "#/prediction?id=nobody",
    async (page) => {
      assert.match(await page.textContent(".fault pre"), /^no prediction `nobody` among the [\d]+ entries read so far$/);
      await page.route("**/v1/views/overview", (route) => {
        const allowed = route.request().headers().authorization === "Bearer right";
        return allowed ? route.continue() : route.fulfill({ status: 401, contentType: "application/json", body: '{"error":"a token is needed"}' });
      });
      await page.locator('nav a[href="#/overview"]').click();
      await page.locator("input[name=token]").fill("right");
      await page.keyboard.press("Enter");
      await page.waitForSelector('main[data-screen="overview"] .tiles');
    },
    { refused: true },
  );
});
