import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin, type UserConfig } from "vite";
import { contentPolicy } from "./src/serve/policy.ts";

/** Puts the policy into the built page: many static hosts set no headers. */
const policyInPage: Plugin = {
  name: "policy-in-page",
  apply: "build",
  transformIndexHtml: () => [
    {
      tag: "meta",
      attrs: {
        "http-equiv": "Content-Security-Policy",
        content: Object.entries(contentPolicy)
          .map(([name, sources]) => [name, ...sources].join(" "))
          .join("; "),
      },
      injectTo: "head-prepend",
    },
  ],
};

/** Files of public data sets, which the package's exports do not name. */
const datasets: string = join(dirname(dirname(createRequire(import.meta.url).resolve("vega-datasets"))), "data", sep);

/** Addresses are relative, so that the built site works in any folder of any host. */
const config: UserConfig = defineConfig({
  root: import.meta.dirname,
  base: "./",
  plugins: [react(), policyInPage],
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
