// Builds ui/ into static/dist/: hashed names, a manifest for the templates, and a check of sizes.
//
//   node build.mjs            once
//   node build.mjs --watch    and again whenever a source changes
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";

import * as esbuild from "esbuild";

const OUT = "static/dist";
// What a page loads, in KB after gzip: over it, the build fails.
const BUDGETS = { base: 60, topology: 40, objects: 40 };

const options = {
  entryPoints: {
    base: "ui/src/base.js",
    topology: "ui/src/topology.js",
    objects: "ui/src/objects.js",
    "base-style": "ui/css/base.css",
    "topology-style": "ui/css/topology.css",
    "site-style": "ui/css/site.css",
    "objects-style": "ui/css/objects.css",
  },
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

/** All chunks that a file imports, itself included. */
function withImports(outputs, file, found = new Set()) {
  if (!found.has(file)) {
    found.add(file);
    for (const part of outputs[file].imports) {
      if (outputs[part.path]) withImports(outputs, part.path, found);
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
  await writeFile(`${OUT}/manifest.json`, `${JSON.stringify(manifest, null, 2)}\n`);

  const counted = new Set();
  let over = false;
  for (const [name, budget] of Object.entries(BUDGETS)) {
    let bytes = 0;
    for (const entry of [`${name}.js`, `${name}-style.css`]) {
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

await rm(OUT, { recursive: true, force: true });
await mkdir(OUT, { recursive: true });
if (process.argv.includes("--watch")) {
  const again = { name: "report", setup: (build) => build.onEnd((result) => void report(result)) };
  const context = await esbuild.context({ ...options, plugins: [again] });
  await context.watch();
} else if (await report(await esbuild.build(options))) {
  console.error("A bundle is over its budget.");
  process.exitCode = 1;
}
