// Bundles a page's script with the packages that it imports, as a team's build does; prints the result.
import { build } from "esbuild";
import { read, print } from "./talk.mjs";

const { entry, alias = {} } = await read();
const built = await build({
  entryPoints: [entry],
  alias,
  bundle: true,
  format: "iife",
  define: { "process.env.NODE_ENV": '"production"', "process.env": "{}" },
  nodePaths: [new URL("../node_modules", import.meta.url).pathname],
  write: false,
});
print(built.outputFiles[0].text);
