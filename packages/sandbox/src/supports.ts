import type { Requirements } from "@quorate/core";
import { isKnownEngine } from "./internal/engines.ts";

/**
 * Tells whether this build can keep the requirements: it has the engine in exactly the version that they name.
 *
 * Whether the host has the memory and time for them is the operator's policy to say.
 *
 * @param requirements Public part of a manifest.
 */
export function supports(requirements: Requirements): boolean {
  return isKnownEngine(requirements.engine);
}
