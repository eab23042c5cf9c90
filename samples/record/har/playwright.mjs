// Playwright's recordHar: node playwright.mjs URL OUT TRUTH
import { writeFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { chromium as command } from "../../../tests/peers/browser.mjs";

const [url, out, truth] = process.argv.slice(2);
const executablePath = process.env.CHROMIUM ?? `/usr/bin/${command()}`;
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const context = await browser.newContext({ recordHar: { path: out, content: "embed" } });
const page = await context.newPage();
await page.goto(url);
const log = await page.evaluate("window.run");
writeFileSync(truth, `${JSON.stringify(log, null, 1)}\n`);
await context.close();
await browser.close();
