import type { Address } from "@quorate/core";
import { policySchema } from "./policy.ts";

/**
 * The text of a policy file to begin with: every section with its default, priced in one token, serving one requester.
 *
 * @param input Token with its decimals; the requester served, or nobody in particular with `any`.
 * @returns JSON, to be read by `policySchema` and edited by a person; see docs/guides/agent-policy.md.
 */
export function examplePolicy(input: {
  readonly token: Address;
  /** Decimals of the token: a place costs a tenth of a whole token, a bond is at most ten. */
  readonly decimals: number;
  readonly requesters?: readonly Address[];
}): string {
  const whole = 10n ** BigInt(input.decimals);
  const requesters =
    input.requesters === undefined || input.requesters.length === 0
      ? { mode: "any" }
      : { mode: "allow", allow: input.requesters };
  const policy = policySchema.parse({
    version: 1,
    tokens: {
      [input.token]: { prices: { base: (whole / 10n).toString() }, bond: { most: (10n * whole).toString() } },
    },
    requesters,
  });
  return `${JSON.stringify(policy, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value), 2)}\n`;
}
