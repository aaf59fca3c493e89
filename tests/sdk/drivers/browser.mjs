// One headless Chromium for all tests. For each line of JSON on standard input it opens a page in a profile of its own,
// calls functions that the page's script has put on `window.page`, leaves, and prints one line of JSON.
//   in:  { address, calls: [[name, argument], ...], leave: "close" | "navigate" | null }
//   out: { told: what the calls returned, said: the console, sent: requests beyond the page's own origin } | { failed }
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

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
    "--host-resolver-rules=MAP *.test 127.0.0.1",
  ],
});

function listen(page, origin) {
  const said = [];
  const sent = [];
  page.on("console", (message) => said.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => said.push(`uncaught: ${error.message}`));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== origin) {
      sent.push({ method: request.method(), url: request.url(), headers: request.headers(), body: request.postData() });
    }
  });
  return { said, sent };
}

async function leaveBy(way, page, context) {
  if (way === "close") {
    const closed = page.waitForEvent("close");
    await context.newPage(); // a profile may end with its last page
    await page.close({ runBeforeUnload: true });
    await closed;
  } else if (way === "navigate") {
    await page.goto("about:blank");
  }
}

let context = null; // of the last visit: it stays, since what leaves with a page outlives the page but not its profile

async function visit({ address, calls, leave }) {
  await context?.close();
  context = await browser.newContext({ locale: "en-US", timezoneId: "Europe/Berlin" });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const { said, sent } = listen(page, new URL(address).origin);
  await page.goto(address, { waitUntil: "load" });
  const told = [];
  for (const [name, given] of calls) {
    told.push((await page.evaluate(([wanted, argument]) => window.page[wanted](argument), [name, given])) ?? null);
  }
  await leaveBy(leave, page, context);
  return { told, said, sent };
}

for await (const line of createInterface({ input: process.stdin })) {
  const result = await visit(JSON.parse(line)).catch((error) => ({ failed: error.message }));
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
await browser.close();
