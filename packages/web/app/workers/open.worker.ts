import { type OpenedResult, openResult, type SealedResult } from "@quorate/sdk";
import { serveTask } from "./askWorker.ts";

serveTask<SealedResult, OpenedResult>(async (delivery) => {
  const result = await openResult(delivery);
  return { result, move: [result.bytes.buffer] };
});
