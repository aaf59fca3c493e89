// Calls @databuddy/sdk/node as a team's server does.
//   in:  { version, options, calls: [[method, ...arguments], ...] }      out: what each call returned
import { read, print } from "./talk.mjs";

const { version, options, calls } = await read();
const { Databuddy } = await import(`databuddy-${version}/node`);
const client = new Databuddy(options);
const told = [];
for (const [method, ...given] of calls) {
  told.push((await client[method](...given)) ?? null);
}
print(told);
