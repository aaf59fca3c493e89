// One headless Chromium, driven line by line: each line of standard input is a JSON list, a command and its arguments;
// each line of standard output is { done } or { failed }.
//   node browser.mjs CHROMIUM PLAYWRIGHT
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { chromium } = createRequire(process.argv[3])("playwright-core");
const browser = await chromium.launch({
  executablePath: process.argv[2],
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
  ],
});

let context = null;
let page = null;
let noticed = [];

function watch(opened) {
  opened.on("dialog", (dialog) => {
    noticed.push(`dialog: ${dialog.message()}`);
    dialog.accept();
  });
  opened.on("pageerror", (error) => noticed.push(`error: ${error.message}`));
  opened.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) noticed.push(`console: ${message.text()}`);
  });
  opened.on("popup", (popup) => noticed.push(`popup: ${popup.url()}`));
  opened.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && url.hostname !== "127.0.0.1") noticed.push(`request: ${request.url()}`);
  });
}

const commands = {
  // A new profile with a window of this size; colours are "light" or "dark".
  async open(width, height, colours, scripts = true) {
    await context?.close();
    context = await browser.newContext({
      viewport: { width, height },
      colorScheme: colours,
      javaScriptEnabled: scripts,
      locale: "en-US",
      timezoneId: "UTC",
    });
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    noticed = [];
    watch(page);
  },
  async goto(url) {
    const answer = await page.goto(url, { waitUntil: "load" });
    return answer === null ? 0 : answer.status();
  },
  fill: (selector, text) => page.fill(selector, text),
  choose: (selector, value) => page.selectOption(selector, value).then(() => null),
  click: (selector) => page.click(selector),
  follow: (selector) => Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.click(selector)]).then(() => null),
  press: (key) => page.keyboard.press(key),
  focused: () => page.evaluate(() => document.activeElement?.textContent?.trim() || document.activeElement?.name || ""),
  wait: (selector) => page.waitForSelector(selector).then(() => null),
  text: (selector) => page.innerText(selector),
  texts: (selector) => page.locator(selector).allInnerTexts(),
  html: () => page.content(),
  url: () => page.url(),
  value: (script) => page.evaluate(script),
  shot: (path, whole = false) => page.screenshot({ path, fullPage: whole, animations: "disabled" }).then(() => null),
  // How much wider the content is than the window.
  overflow: () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
  // What happened that should not have: dialogs, errors, violations of the policy, requests elsewhere.
  noticed() {
    const seen = noticed;
    noticed = [];
    return seen;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...given] = JSON.parse(line);
  const result = await Promise.resolve()
    .then(() => commands[name](...given))
    .then((done) => ({ done: done ?? null }))
    .catch((error) => ({ failed: `${name} ${JSON.stringify(given)}: ${error.message}` }));
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
await browser.close();
