// Calls @dittofeed/sdk-node, the code that Tranthor's SDK was renamed from, as a team's server does.
//   in:  { version, options, calls: [[method, argument], ...] }
//   out: { told: [null or an error's message, one a call], uncaught: [what would have ended the process] }
import { read, print } from "./talk.mjs";

const { version, options, calls } = await read();
const { DittofeedSdk: sdk } = await import(`dittofeed-node-${version}`);
const uncaught = [];
process.on("unhandledRejection", (error) => uncaught.push(error.message));
await sdk.init(options);
const told = [];
for (const [method, given] of calls) {
  if (method === "wait") {
    await new Promise((resolve) => setTimeout(resolve, given));
    told.push(null);
    continue;
  }
  try {
    await sdk[method](given);
    told.push(null);
  } catch (error) {
    told.push(error.message);
  }
}
process.once("beforeExit", () => print({ told, uncaught })); // after the requests that nobody waited for
