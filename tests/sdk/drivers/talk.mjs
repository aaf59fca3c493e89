// How a driver hears what to do and says what came of it.
import { text } from "node:stream/consumers";

export async function read() {
  return JSON.parse(await text(process.stdin));
}

export function print(result) {
  process.stdout.write(JSON.stringify(result));
}
