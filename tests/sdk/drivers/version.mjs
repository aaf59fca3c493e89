// Prints what an installed package says it is.
import { readFileSync } from "node:fs";
import { read, print } from "./talk.mjs";

const file = new URL(`../node_modules/${await read()}/package.json`, import.meta.url);
const { name, version } = JSON.parse(readFileSync(file, "utf8"));
print({ name, version });
