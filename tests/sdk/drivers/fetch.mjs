// Posts JSON with plain fetch, as a team's server does where the vendor has no client.
//   in:  { url, headers, body }      out: { status, body }
import { read, print } from "./talk.mjs";

const { url, headers, body } = await read();
const answer = await fetch(url, {
  method: "POST",
  headers: { "Content-Type": "application/json", ...headers },
  body: JSON.stringify(body),
});
const text = await answer.text();
print({ status: answer.status, body: text ? JSON.parse(text) : null });
