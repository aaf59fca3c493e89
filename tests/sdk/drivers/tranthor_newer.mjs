// Sends a batch as the newer line of Tranthor's SDK was recorded to: the same body again after 0.5, 1, 2, 4 and 8 s,
// whatever went wrong. No package of that line can be installed.
//   in:  { host, writeKey, batch }      out: { tries, status of the last }
import { read, print } from "./talk.mjs";

const { host, writeKey, batch } = await read();
const given = {
  method: "POST",
  headers: { authorization: writeKey, "Content-Type": "application/json" },
  body: JSON.stringify({ batch }),
};
let status = null;
let tries = 0;
for (const pause of [0, 500, 1000, 2000, 4000, 8000]) {
  await new Promise((resolve) => setTimeout(resolve, pause));
  tries += 1;
  status = await fetch(`${host}/api/public/apps/batch`, given).then(
    (answer) => answer.status,
    () => null,
  );
  if (status >= 200 && status < 300) {
    break;
  }
}
print({ tries, status });
