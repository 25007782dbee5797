import { FatalError } from "@quorate/core";

/**
 * Why the agent does not answer. For the operator, and for the subject where it is known; an asker learns nothing of it.
 *
 * @param code Rule.
 * @param message What happened; no values, no names.
 */
export function refusal(code: string, message: string): FatalError {
  return new FatalError(code, message, { docsPath: "guides/domain.md" });
}
