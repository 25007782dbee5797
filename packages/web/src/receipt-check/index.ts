/** For relying parties: a receipt is checked by a call, or by the element `<quorate-receipt>`. Free of frameworks. */
export * from "./checkReceipt.ts";
export * from "./element.ts";
export { type RefusalWords, refusalWords } from "./words.ts";
