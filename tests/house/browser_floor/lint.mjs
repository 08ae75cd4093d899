// Prints what in the named scripts and styles the browsers of package.json's browserslist lack, a
// line each; exits 1 where there is any. Scripts by eslint (syntax of ES2020, interfaces by MDN's
// tables), styles by doiuse (tables of Can I use) and their properties by MDN's too.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import doiuse from "doiuse";
import { ESLint } from "eslint";
import compat from "eslint-plugin-compat";
import postcss from "postcss";

const require = createRequire(import.meta.url);
const { browserslist } = require("./package.json");
const mdn = require("@mdn/browser-compat-data");

// What MDN's tables hold below a level that the plug-in looks at.
const UNSEEN = [
  { object: "AbortSignal", property: "timeout", message: "Chromium 103" },
  { object: "AbortSignal", property: "any", message: "Chromium 116" },
  { object: "Array", property: "fromAsync", message: "Chromium 121" },
  { property: "showModal", message: "Firefox 98" },
  { property: "showPicker", message: "Chromium 99" },
  { property: "showPopover", message: "Chromium 114" },
];

// Features that are there "only partially", in the part that pages use; and properties without
// which a page reads as well: how a phone enlarges text, how far a line stands below it, a second
// name of -webkit-print-color-adjust.
const HARMLESS = [
  "css-overflow", "css-page-break", "css-sticky", "css-text-indent", "multicolumn",
  "text-decoration", "text-size-adjust", "text-underline-offset", "color-adjust",
];

async function scripts(files) {
  const eslint = new ESLint({
    overrideConfigFile: true,
    cwd: "/",
    overrideConfig: [{
      files: ["**/*.js"],
      languageOptions: { ecmaVersion: 2020, sourceType: "module" },
      plugins: { compat },
      settings: { browserslist, browserslistOpts: { path: import.meta.dirname } },
      rules: { "compat/compat": "error", "no-restricted-properties": ["error", ...UNSEEN] },
    }],
  });
  const results = await eslint.lintFiles(files);
  return results.flatMap(({ filePath, messages }) =>
    messages.map(({ line, message }) => `${filePath}:${line}: ${message}`));
}

// Can I use has no page of some properties; MDN has of all.
function isLater(property) {
  const entry = mdn.css.properties[property];
  if (!entry || HARMLESS.includes(property)) return false; // unknown: the page's own, or a prefix
  return browserslist.some((named) => {
    const [browser, floor] = named.split(" ");
    return ![entry.__compat.support[browser]].flat().some((since) => !since.prefix
      && Number.parseFloat(since.version_added) <= Number(floor)
      && !(Number.parseFloat(since.version_removed) <= Number(floor)));
  });
}

async function styles(file) {
  const found = [];
  const say = ({ message }) => found.push(message);
  const plugin = doiuse({ browsers: browserslist, ignore: HARMLESS, onFeatureUsage: say });
  const { root } = await postcss([plugin]).process(await readFile(file, "utf8"), { from: file });
  root.walkDecls(({ prop, source }) => {
    if (isLater(prop)) found.push(`${file}:${source.start.line}: ${prop} came later`);
  });
  return found;
}

const files = process.argv.slice(2);
const css = files.filter((file) => file.endsWith(".css"));
const js = files.filter((file) => !file.endsWith(".css"));
const found = js.length ? await scripts(js) : [];
for (const file of css) found.push(...await styles(file));
for (const line of found) console.log(line);
process.exitCode = found.length ? 1 : 0;
