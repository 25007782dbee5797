import { type MakePackageParameters, makePackage, type PreparedPackage } from "@quorate/sdk";
import { serveTask } from "./askWorker.ts";

serveTask<MakePackageParameters, PreparedPackage>(async (parameters) => ({ result: makePackage(parameters) }));
