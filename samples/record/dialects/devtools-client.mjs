// puppeteer-core drives Chromium: a page, what it says on the console, an expression, and one that throws.
import puppeteer from "puppeteer-core";

const browser = await puppeteer.connect({ browserURL: "http://127.0.0.1:8085" });
const page = await browser.newPage();
page.on("console", (message) => console.log(message.text()));
await page.goto("data:text/html,<title>hello</title><script>console.log('hi')</script>");
console.log(await page.title());
const session = await page.createCDPSession();
await session.send("Runtime.evaluate", { expression: "nothing.there" });
await session.send("Page.doesNotExist").catch((error) => console.log(error.message));
await page.close();
await browser.disconnect();
