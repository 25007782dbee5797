import type { Package } from "@quorate/core";
import type { RunResult } from "@quorate/sandbox";
import { previewPackage } from "@quorate/sdk";
import { serveTask } from "./askWorker.ts";

serveTask<Package, RunResult>(async (pkg) => ({ result: await previewPackage(pkg) }));
