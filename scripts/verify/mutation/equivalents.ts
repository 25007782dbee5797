// Why a mutant that survives is no fault: it does the same as the original, in all that anybody can see.

/** Reasons by id of the mutant; equal reasons are listed together. */
export const EQUIVALENTS: Readonly<Record<string, string>> = {};
