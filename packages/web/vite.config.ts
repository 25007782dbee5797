import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig, type UserConfig } from "vite";

/** Files of public data sets, which the package's exports do not name. */
const datasets: string = join(dirname(dirname(createRequire(import.meta.url).resolve("vega-datasets"))), "data", sep);

/** Addresses are relative, so that the built site works in any folder of any host. */
const config: UserConfig = defineConfig({
  root: import.meta.dirname,
  base: "./",
  plugins: [react()],
  resolve: { alias: [{ find: /^vega-datasets\/data\//, replacement: datasets }] },
  css: { transformer: "lightningcss" },
  build: {
    outDir: "site",
    emptyOutDir: true,
    target: "es2022",
    manifest: "manifest.json",
    // Whose work is in the bundle, for whoever hosts it.
    license: { fileName: "licences.md" },
    // Sizes are held by bundle-limits.json.
    chunkSizeWarningLimit: Number.POSITIVE_INFINITY,
    assetsInlineLimit: 0,
  },
  worker: { format: "es" },
});

export default config;
