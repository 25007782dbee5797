// Why a mutant that survives is no fault: it does the same as the original, in all that anybody can see.

const SYMMETRIC = "The function is symmetric in its arguments.";
const OVERWRITTEN = "What is written or copied beyond is overwritten before it is read, or never read.";
const NO_FURTHER = "The loop runs on over places that no set contains, and does nothing there.";
const NO_CODE = "A shortcut: an account without code answers a call with nothing, which is no yes.";
const LAST = "The last statement that does anything on this path: nothing comes after it.";
const SET_BINDS = "After a set every seat is bound, so that the condition before it holds already.";
const UNUSED = "The cause of a fault is not looked at where there is no fault.";

/** Reasons by id of the mutant; equal reasons are listed together. */
export const EQUIVALENTS: Readonly<Record<string, string>> = {
  "23d2996da8": NO_FURTHER, // _loadHashes: opened << place
  "959992d9ed": SYMMETRIC, // Math.max
  "86b8b7ccf4": SYMMETRIC, // Math.max
  "02285763a6": OVERWRITTEN, // Panels.create: zeros
  "20951f2c3b": NO_FURTHER, // TallyLib.count: place <= end
  "14fc59a0db": OVERWRITTEN, // _call: no bytes of the answer are copied
  a56a547029: SET_BINDS, // _revealAt
  "5f25e318c9": NO_CODE, // _judgeSigner
  "80e18abf9d": UNUSED, // _judgeSignature
  "0e446217dd": LAST, // _record: return
};
