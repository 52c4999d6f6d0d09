// Builds ui/ into static/dist/: hashed names, a manifest for the templates, and a check of sizes.
//
//   node build.mjs            once
//   node build.mjs --watch    and again whenever a source changes
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";

import * as esbuild from "esbuild";

const OUT = "static/dist";
// What pages load: ui/src/NAME.js and ui/css/NAME.css, whichever there are. The number is a budget in KB
// after gzip, of what is loaded besides the entries above it: over it, the build fails.
const ENTRIES = {
  base: 60,
  dark: 1,
  phone: 3,
  overview: 40,
  topology: 40,
  objects: 40,
  timeline: 30,
  trace: 30,
  editor: 170,
  terminal: 120,
  settings: 10,
  site: 5,
};

function entryPoints() {
  const found = {};
  for (const name of Object.keys(ENTRIES)) {
    if (existsSync(`ui/src/${name}.js`)) found[name] = `ui/src/${name}.js`;
    if (existsSync(`ui/css/${name}.css`)) found[`${name}-style`] = `ui/css/${name}.css`;
  }
  return found;
}

const options = {
  entryPoints: entryPoints(),
  outdir: OUT,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  sourcemap: "linked",
  metafile: true,
  legalComments: "none",
  entryNames: "[name]-[hash]",
  chunkNames: "part-[hash]",
  logLevel: "warning",
};

/** Names the entry that a source file is for: "base.js", "topology-style.css". */
function entryName(source) {
  const extension = path.extname(source);
  return path.basename(source, extension) + (extension === ".css" ? "-style.css" : extension);
}

async function sizeOf(file) {
  return gzipSync(await readFile(file), { level: 9 }).length;
}

/** All chunks that a file loads with itself; what it imports later, when needed, is not counted. */
function withImports(outputs, file, found = new Set()) {
  if (!found.has(file)) {
    found.add(file);
    for (const part of outputs[file].imports) {
      if (outputs[part.path] && part.kind !== "dynamic-import") withImports(outputs, part.path, found);
    }
  }
  return found;
}

async function report(result) {
  const { outputs } = result.metafile;
  const manifest = {};
  for (const [file, output] of Object.entries(outputs)) {
    if (output.entryPoint) manifest[entryName(output.entryPoint)] = path.basename(file);
  }
  // Pages that are open go on with the old files until the new ones are all there.
  await writeFile(`${OUT}/manifest.new`, `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(`${OUT}/manifest.new`, `${OUT}/manifest.json`);
  const kept = new Set(["manifest.json", ...Object.keys(outputs).map((file) => path.basename(file))]);
  for (const file of await readdir(OUT)) if (!kept.has(file)) await rm(`${OUT}/${file}`, { recursive: true });

  const counted = new Set();
  let over = false;
  for (const [name, budget] of Object.entries(ENTRIES)) {
    let bytes = 0;
    for (const entry of [`${name}.js`, `${name}-style.css`].filter((one) => manifest[one])) {
      for (const file of withImports(outputs, `${OUT}/${manifest[entry]}`)) {
        if (counted.has(file)) continue;
        counted.add(file);
        bytes += await sizeOf(file);
      }
    }
    const size = bytes / 1024;
    const verdict = size > budget ? "OVER" : "ok";
    over ||= size > budget;
    console.log(`  ${name.padEnd(10)} ${size.toFixed(1).padStart(6)} KB of ${budget} KB  ${verdict}`);
  }
  return over;
}

await mkdir(OUT, { recursive: true });
if (process.argv.includes("--watch")) {
  const again = { name: "report", setup: (build) => build.onEnd((result) => void report(result)) };
  const context = await esbuild.context({ ...options, plugins: [again] });
  await context.watch();
} else if (await report(await esbuild.build(options))) {
  console.error("A bundle is over its budget.");
  process.exitCode = 1;
}
