// Bundles a page's script with the packages that it imports, as a team's build does; prints the result.
import { readFile } from "node:fs/promises";
import { build } from "esbuild";
import { read, print } from "./talk.mjs";

const { entry, alias = {} } = await read();

// Components of Vue in files of their own, compiled as Vue's own plugin does.
const vue = {
  name: "vue",
  setup({ onLoad }) {
    onLoad({ filter: /\.vue$/ }, async ({ path }) => {
      const { compileScript, parse } = await import("vue/compiler-sfc");
      const { descriptor } = parse(await readFile(path, "utf8"), { filename: path });
      return { contents: compileScript(descriptor, { id: path, inlineTemplate: true }).content };
    });
  },
};

const built = await build({
  entryPoints: [entry],
  alias,
  bundle: true,
  format: "iife",
  jsx: "automatic",
  define: { "process.env.NODE_ENV": '"production"', "process.env": "{}" },
  nodePaths: [new URL("../node_modules", import.meta.url).pathname],
  plugins: [vue],
  write: false,
});
print(built.outputFiles[0].text);
