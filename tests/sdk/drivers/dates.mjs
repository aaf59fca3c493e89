// What JavaScript's Date writes for each of [zone, milliseconds], and what it reads out of that and of further texts.
import { readFileSync } from "node:fs";

const { moments, texts } = JSON.parse(readFileSync(0, "utf8"));
const read = (text) => {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
};
const written = moments.flatMap(([zone, millis]) => {
  process.env.TZ = zone;
  const date = new Date(millis);
  return [date.toString(), date.toUTCString(), date.toISOString(), JSON.parse(JSON.stringify(date))];
});
process.env.TZ = "UTC";
console.log(JSON.stringify([...written, ...texts].map((text) => [text, read(text)])));
