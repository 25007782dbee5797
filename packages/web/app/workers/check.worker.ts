import { type CheckReceiptOptions, checkReceipt } from "../../src/receipt-check/index.ts";
import type { CheckMessage } from "./check.ts";

/** What a worker needs of its scope; the types of pages do not describe it. */
type Scope = {
  postMessage(message: CheckMessage): void;
  onmessage: ((event: MessageEvent<{ given: unknown; options: CheckReceiptOptions }>) => void) | null;
};
const scope = self as unknown as Scope;

scope.onmessage = ({ data: { given, options } }) => {
  checkReceipt(given, { ...options, onStep: (step) => scope.postMessage({ kind: "step", step }) }).then(
    (checked) => scope.postMessage({ kind: "done", checked }),
    (error: unknown) => scope.postMessage({ kind: "failed", message: String(error) }),
  );
};
