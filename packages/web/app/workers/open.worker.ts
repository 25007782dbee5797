import { type OpenedResult, openResult, type SealedResult } from "@quorate/sdk";
import { serveTask } from "./askWorker.ts";

serveTask<SealedResult, OpenedResult>(async (delivery) => ({ result: await openResult(delivery) }));
