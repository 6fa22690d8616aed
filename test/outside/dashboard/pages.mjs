// Drives the pages of the dashboard in Chromium. The argument is a JSON object; see
// dashboard_test.go. The first problem ends the program with code 1.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const job = JSON.parse(process.argv[2]);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({ executablePath: job.chromium, args: ["--no-sandbox"] });
const patience = { timeout: 60_000 };

// open returns a page that fails on each console error, each blocked resource and each
// request to another origin.
async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.problems = [];
  page.sent = [];
  page.on("console", (m) => { if (["error", "warning"].includes(m.type())) page.problems.push(m.text()); });
  page.on("pageerror", (e) => page.problems.push(String(e)));
  page.on("request", (r) => {
    page.sent.push(r.url());
    if (!r.url().startsWith(job.url + "/")) page.problems.push("request to " + r.url());
  });
  return page;
}

const go = (page, path) => page.goto(`${job.url}/${path}`);
const done = [];
async function check(name, page, body) {
  try {
    await body();
    assert.deepEqual(page.problems, []);
  } catch (e) {
    console.error(`FAILED: ${name} at ${page.url()}\n${e.stack ?? e}\n${page.problems.join("\n")}`);
    process.exit(1);
  }
  done.push(name);
}

// accessible runs axe on a page without the policy, which blocks scripts that are not
// the page's.
async function accessible(audited, page) {
  await audited.goto(page.url());
  await audited.evaluate(axe);
  const result = await audited.evaluate(() => window.axe.run(document));
  assert.deepEqual(result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).slice(0, 3).join(" | ")}`), [], page.url());
}

const fits = async (page) => assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `${page.url()} is wider than the window`);

const pages = ["operations", `operations/${job.ended}`, "attention", `rejected/${job.rejected}`, `items?vault=${encodeURIComponent(job.vault)}`, "schedules", "protection", `protection?resource=${encodeURIComponent(job.resource)}`, "drills", "readiness?read=1", "limits", "start", "trends", "nowhere"];
for (const [scheme, width] of [["light", 1600], ["dark", 1280], ["light", 360]]) {
  const page = await open({ colorScheme: scheme, viewport: { width, height: 900 } });
  const audited = await open({ bypassCSP: true, colorScheme: scheme, viewport: { width, height: 900 } });
  for (const path of pages) {
    await check(`${path}, ${scheme}, ${width} px`, page, async () => {
      await go(page, path);
      assert.ok(await page.locator("h1").isVisible());
      await fits(page);
      await accessible(audited, page);
      if (path === "nowhere") page.problems = page.problems.filter((p) => !p.includes("404"));
      if (job.screenshots && path !== "nowhere" && path !== "protection" && !path.startsWith("rejected") && (width === 1600 || scheme === "dark" && path.startsWith("operations"))) {
        await page.screenshot({ path: `${job.screenshots}/${path.split("?")[0].split("/").join("-").replace("-" + job.ended, "-one")}-${scheme}.png` });
      }
    });
  }
  await page.context().close();
  await audited.context().close();
}

// start starts an operation, and returns the path of its page.
async function start(request) {
  const response = await fetch(`${job.api}/operations`, { method: "POST", body: JSON.stringify(request), headers: { "Content-Type": "application/json" } });
  return `operations/${(await response.json()).id}`;
}

// change pauses or resumes the operation of a page, as another operator does.
async function change(path, action) {
  const response = await fetch(`${job.api}/${path}/${action}`, { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } });
  assert.ok(response.ok, await response.text());
}

const page = await open();
await check("an operation is watched to its end", page, async () => {
  await go(page, await start(job.watched));
  await page.locator("h1 ~ .status.succeeded").waitFor(patience);
  assert.equal(await page.locator("#live[hx-get]").count(), 0, "an ended operation asks no more");
});
await check("an operation is paused, resumed and canceled, with a reason", page, async () => {
  await go(page, await start(job.changed));
  for (const [action, button] of [["pause", "Pause"], ["resume", "Resume"], ["cancel", "Cancel"]]) {
    await page.locator(`#action-${action} summary`).click();
    const form = page.locator(`#action-${action} form`);
    await form.locator("input[name=reason]").fill(`test of ${action}`);
    await form.getByRole("button", { name: `${button} this operation` }).click();
    await page.getByText(`reason: test of ${action}`).first().waitFor(patience);
  }
  await page.locator("h1 ~ .status.canceled, h1 ~ .status.succeeded").waitFor(patience);
});
await check("an update keeps the reason that is being written", page, async () => {
  const path = await start({ ...job.changed, key: "written" });
  await go(page, path);
  await page.locator("#action-cancel summary").click();
  const reason = page.locator("#action-cancel input[name=reason]");
  await reason.pressSequentially("a  reason");
  for (let i = 0; i < " reason".length; i++) await page.keyboard.press("ArrowLeft");
  await change(path, "pause");
  await page.locator("#action-resume").waitFor(patience);
  await page.keyboard.type("long");
  assert.equal(await reason.inputValue(), "a long reason");
  await page.keyboard.press("Shift+Tab"); // to the summary
  await change(path, "resume");
  await page.locator("#action-pause").waitFor(patience);
  assert.equal(await page.evaluate(() => document.activeElement.parentElement.id), "action-cancel");
  await reason.press("Enter");
  await page.getByText("reason: a long reason").first().waitFor(patience);
});
await check("an alert reports that a part of a page cannot be updated", page, async () => {
  const path = await start({ ...job.changed, key: "away" }), updates = /live=1|preflight=1/, alert = page.getByRole("alert");
  await page.route(updates, (route) => route.fulfill({ status: 503 }));
  await go(page, path);
  await alert.getByText("HTTP 503").waitFor(patience);
  await page.unroute(updates);
  await change(path, "pause"); // answers the request that waits
  await page.locator("#action-resume").waitFor(patience);
  await alert.waitFor({ state: "detached", ...patience });
  await page.locator("#action-cancel summary").click();
  await page.getByRole("button", { name: "Cancel this operation" }).click();
  await page.waitForURL(/done=cancel/);
  await page.route(updates, (route) => route.abort());
  await go(page, "attention");
  await page.locator("#not-updated-preflight").getByText("no answer").waitFor(patience);
  await page.unroute(updates);
  page.problems = page.problems.filter((p) => !/503|ERR_FAILED|htmx:/.test(p));
});
await check("filters survive a reload, back and forward", page, async () => {
  await go(page, "operations");
  await page.locator("select[name=flow]").selectOption("backup-now");
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  await page.waitForURL(/flow=backup-now/);
  const rows = page.locator("#live tbody tr");
  const count = await rows.count();
  assert.ok(count >= 2);
  await page.reload();
  assert.equal(await page.locator("select[name=flow]").inputValue(), "backup-now");
  assert.equal(await rows.count(), count);
  await page.locator("input[name=key]").fill("watched");
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  await page.waitForURL(/key=watched/);
  assert.equal(await rows.count(), 1);
  await page.goBack();
  assert.equal(await rows.count(), count);
  await page.goForward();
  assert.equal(await rows.count(), 1);
  await page.getByTitle("Remove this filter").last().click();
  assert.equal(await rows.count(), count);
});
await check("a view is saved in this browser", page, async () => {
  await page.locator("[data-save-view] input").fill("My backups");
  await page.getByRole("button", { name: "Save these filters" }).click();
  await go(page, "operations");
  await page.getByRole("link", { name: "My backups" }).click();
  await page.waitForURL(/flow=backup-now/);
});
await check("keys alone lead to an operation", page, async () => {
  await go(page, "operations");
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.name), "item");
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await page.keyboard.press("Enter");
  await page.waitForURL(/operations\/[a-z0-9]+$/);
});
await check("the list of keys opens within the window", page, async () => {
  await go(page, `operations/${job.ended}`);
  const isBelow = (element) => element.getBoundingClientRect().bottom >= window.innerHeight + 1;
  assert.ok(await page.locator("#keys").evaluate(isBelow), "the page is longer than the window");
  await page.keyboard.press("?");
  const list = page.locator("#keys p");
  await list.waitFor(patience);
  assert.ok(!await list.evaluate(isBelow));
});
await check("times are shown as the person wishes", page, async () => {
  const time = page.locator("time").first();
  assert.match(await time.textContent(), /Z$/);
  await page.locator("[data-time]").selectOption("relative");
  assert.match(await time.textContent(), /ago|^in /);
  await page.reload();
  assert.match(await time.textContent(), /ago|^in /);
  await page.locator("[data-time]").selectOption("utc");
});
await check("the theme is chosen and remembered", page, async () => {
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const before = await background();
  await page.locator("[data-theme-switch]").click();
  const after = await background();
  assert.notEqual(after, before);
  await page.reload();
  assert.equal(await background(), after);
  await page.locator("[data-theme-switch]").click();
});
for (const flow of job.flows) {
  await check(`the form of ${flow}`, page, async () => {
    await go(page, `start/${flow}`);
    await fits(page);
    await page.getByRole("button", { name: "Start", exact: true }).click(); // without parameters
    await page.locator(".problem").waitFor(patience);
    page.problems = page.problems.filter((p) => !p.includes("400"));
  });
}
await check("a dry run shows the calls, and the start leads to the operation", page, async () => {
  await go(page, "start/protect-file-share");
  for (const name of ["vaultId", "storageAccountId", "fileShare", "policy"]) {
    const field = page.locator(`[name="p.${name}"]`);
    await field.fill(await field.getAttribute("placeholder"));
  }
  await page.getByRole("button", { name: "Dry run: show the calls" }).click();
  await page.getByRole("heading", { name: "Dry run" }).waitFor(patience);
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.waitForURL(/operations\/[a-z0-9]+\?done=started/);
  await page.getByText("The operation was started.").waitFor(patience);
});
await check("the preflight and the readiness report load in the background", page, async () => {
  await go(page, "attention");
  await page.getByRole("link", { name: "Check again" }).waitFor(patience);
  await go(page, "readiness");
  await page.getByRole("heading", { name: "Resources" }).waitFor(patience);
});
await check("a resource is explained", page, async () => {
  await go(page, "protection");
  await page.locator("[name=resource]").fill(job.resource);
  await page.getByRole("button", { name: "Explain" }).click();
  await page.getByRole("region", { name: "Explanation" }).first().waitFor(patience);
  await page.getByText("Nothing was started.").first().waitFor(patience);
  await page.locator("[name=resource]").fill("nonsense");
  await page.getByRole("button", { name: "Explain" }).click();
  await page.getByRole("alert").waitFor(patience);
});
await check("schedules show ten runs, and one is requested with keys alone", page, async () => {
  await go(page, "schedules");
  assert.equal(await page.locator("#nightly-machines ~ .columns [data-next]").count(), 20, "ten of each schedule");
  await page.getByRole("link", { name: "on request: before-the-upgrade" }).waitFor(patience);
  await page.locator("#run-nightly-machines summary").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.type("test of the keys");
  await page.keyboard.press("Enter");
  await page.waitForURL(/schedules\?done=run/);
  await page.getByRole("status").waitFor(patience);
});
await check("a drill is paused and continued, and its evidence is saved, with keys alone", page, async () => {
  await go(page, "drills");
  for (const action of ["suspend", "continue"]) {
    await page.locator(`#${action}-monthly-files summary`).focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.type(`test of ${action}`);
    await page.keyboard.press("Enter");
    await page.waitForURL(new RegExp(`drills\\?done=${action}`));
  }
  await page.keyboard.press("k"); // the last link of a row
  assert.match(await page.evaluate(() => document.activeElement.getAttribute("href")), /^evidence\//);
  const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
  const evidence = JSON.parse(readFileSync(await download.path(), "utf8"));
  assert.ok(evidence.payload ?? evidence.evidence ?? evidence.signatures, Object.keys(evidence).join(" "));
  await page.getByRole("link", { name: "Failed", exact: true }).click();
  await page.getByText("No drill has ended with this result.").waitFor(patience);
});
await check("the readiness report is filtered and leads to the items of a vault, with keys alone", page, async () => {
  await go(page, "readiness?read=1");
  const all = Number(await page.locator("[data-count=items] b").textContent());
  const unproven = Number(await page.locator("[data-count=NotProven] b").textContent());
  assert.ok(unproven >= 1 && unproven <= all, `${unproven} of ${all}`);
  await page.locator("a[data-count=NotProven]").focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(/state=NotProven/);
  const rows = page.locator("table").last().locator("tbody tr");
  await rows.first().waitFor(patience);
  assert.equal(await rows.count(), unproven);
  await page.keyboard.press("k");
  await page.keyboard.press("Enter");
  await page.waitForURL(/items\?vault=/);
});
await check("a rejected request is corrected, validated and replayed", page, async () => {
  await go(page, "attention");
  await page.locator("a[href^='rejected/']").click();
  const body = page.locator("textarea[name=body]");
  await page.getByRole("button", { name: "Validate" }).click(); // as it was sent
  await page.locator(".problem li").first().waitFor(patience);
  await body.fill(JSON.stringify(job.corrected));
  await page.getByRole("button", { name: "Validate" }).click();
  await page.getByRole("heading", { name: "Dry run" }).waitFor(patience);
  assert.deepEqual(JSON.parse(await body.inputValue()), job.corrected, "a validation keeps the edited request");
  await page.locator("input[name=reason]").fill("test of replay");
  await page.getByRole("button", { name: "Replay" }).click();
  await page.waitForURL(/rejected\/.+\?done=replay/);
  await page.getByText("Replayed", { exact: true }).waitFor(patience);
  const replayed = await (await fetch(`${job.api}/rejected/${job.rejected}`)).json();
  assert.ok(replayed.replayedAt, JSON.stringify(replayed));
});
const reader = await open({ javaScriptEnabled: false });
await check("pages are read without JavaScript", reader, async () => {
  await go(reader, "operations?flow=backup-now");
  assert.ok(await reader.locator("#live tbody tr").count() >= 2);
  await reader.locator("#live tbody a").first().click();
  assert.ok(await reader.getByRole("heading", { name: "Timeline" }).isVisible());
});
const quiet = await open();
await quiet.clock.install(); // the interval passes at once
await check("an open page that does not change sends one request in 20 seconds", quiet, async () => {
  await go(quiet, `operations?key=shown`);
  await quiet.waitForLoadState("networkidle");
  quiet.sent = [];
  const asked = quiet.waitForResponse(/live=1/, patience);
  await quiet.clock.runFor(21_000);
  assert.equal((await asked).status(), 204, "nothing has changed");
  assert.equal(quiet.sent.length, 1, `in 21 s: ${quiet.sent.join(" ")}`);
});
await browser.close();
console.log(`${done.length} checks passed`);
