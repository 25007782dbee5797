import { FatalError } from "@quorate/core";
import { loadPolicyFile } from "@quorate/service";
import { type AgentConfig, agentConfigSchema } from "./config.ts";
import { type Policy, policySchema } from "./policy.ts";

/** A configuration whose policy file was read. */
export type ReadConfig = AgentConfig & { readonly policy: Policy };

/**
 * Checks a configuration and reads the policy's file if it names one.
 *
 * @param input From anywhere.
 * @throws FatalError `AGENT_CONFIG`, `POLICY_INVALID`, `POLICY_MISSING`.
 */
export async function parseConfig(input: unknown): Promise<ReadConfig> {
  const parsed = agentConfigSchema.safeParse(input);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "configuration"}: ${message}`);
    throw configError(`${issues.join("; ")}.`);
  }
  const { policy } = parsed.data;
  const config = {
    ...parsed.data,
    policy: typeof policy === "string" ? await loadPolicyFile(policy, policySchema) : policy,
  };
  const named = new Set(config.rpcUrls).size;
  const asked = config.policy.finality.endpoints;
  if (named < asked)
    throw configError(
      `policy.finality.endpoints asks for ${asked} different endpoints, rpcUrls names ${named}. Name more; on a local chain, write 1 into the policy.`,
    );
  return config;
}

/**
 * A configuration that cannot work.
 *
 * @param message Why, and what to do.
 */
export function configError(message: string): FatalError {
  return new FatalError("AGENT_CONFIG", `The agent's configuration cannot work. ${message}`, {
    docsPath: "guides/agent-policy.md",
  });
}
