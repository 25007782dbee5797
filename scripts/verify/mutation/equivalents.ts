// Why a mutant that survives is no fault: it does the same as the original, in all that anybody can see.

const SYMMETRIC = "The function is symmetric in its arguments.";
const OVERWRITTEN = "What is written or copied beyond is overwritten before it is read, or never read.";
const NO_FURTHER = "The loop runs on over places that no set contains, and does nothing there.";
const NO_CODE = "A shortcut: an account without code answers a call with nothing, which is no yes.";
const LAST = "The last statement that does anything on this path: nothing comes after it.";
const SET_BINDS = "After a set every seat is bound, so that the condition before it holds already.";
const UNUSED = "The cause of a fault is not looked at where there is no fault.";
const NOTHING_ADDED = "A shortcut: adding nothing stores what is there.";
const COUNTED =
  "A shortcut: as many of these places as there are seats have committed exactly then, which the next operand says.";
const NO_DIFFERENCE = "Where both are equal their difference is the 0 that the other branch gives.";
const FURTHER_UP = "The same is hashed in memory further up, where nothing is either, for more gas.";

/** Reasons by id of the mutant; equal reasons are listed together. */
export const EQUIVALENTS: Readonly<Record<string, string>> = {
  "23d2996da8": NO_FURTHER, // _loadHashes: opened << place
  "20951f2c3b": NO_FURTHER, // TallyLib.count: place <= end
  "8a309d52a1": NO_FURTHER, // TallyLib.count: place <= end, the second loop
  "959992d9ed": SYMMETRIC, // Math.max
  "86b8b7ccf4": SYMMETRIC, // Math.max
  "02285763a6": OVERWRITTEN, // Panels.create: zeros
  "14fc59a0db": OVERWRITTEN, // _call: where the answer goes, no byte of which is copied
  "6ca94eccac": OVERWRITTEN, // _call: one byte of the answer, to scratch space
  "7e8512a50c": OVERWRITTEN, // _isValidErc1271: one byte more, to scratch space
  "1de4d63b04": FURTHER_UP, // TermsLib.hash: the free memory pointer, read a byte off
  "872768dfe5": NOTHING_ADDED, // _burn
  a56a547029: SET_BINDS, // _revealAt
  d9433f80d4: COUNTED, // _revealAt
  fe35077314: NO_DIFFERENCE, // _deposit
  "5f25e318c9": NO_CODE, // _judgeSigner
  "80e18abf9d": UNUSED, // _judgeSignature
  "0e446217dd": LAST, // _record: return
};
