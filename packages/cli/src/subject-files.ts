import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Address, FatalError, type Hex } from "@quorate/core";
import { fileSubjectStore } from "@quorate/sdk/node";
import type { SubjectClient } from "@quorate/sdk/queries";
import { z } from "zod";
import type { Context } from "./context.ts";
import { writeWhole } from "./provider-files.ts";
import { loadQueries, verifiersOf } from "./queries.ts";

/** A domain provider that the subject of a state folder deals with. */
export type KnownDomain = {
  readonly provider: Address;
  readonly url: string;
  /** Default: the provider's only dataset. */
  readonly dataset?: string | undefined;
};

const domainsSchema = z.strictObject({
  version: z.literal(1),
  providers: z.array(
    z.strictObject({
      provider: z
        .string()
        .regex(/^0x[0-9a-fA-F]{40}$/)
        .transform((text) => text as Address),
      url: z.url({ protocol: /^https?$/ }),
      dataset: z
        .string()
        .regex(/^0x[0-9a-f]{64}$/)
        .optional(),
    }),
  ),
});

function subjectFolder(context: Context): string {
  return join(context.home, "subject", context.address().toLowerCase());
}

/**
 * The domain providers that the chosen key has dealt with as a subject.
 *
 * @param context - Of the command.
 * @throws FatalError `CONFIG_INVALID`
 */
export function knownDomains(context: Context): readonly KnownDomain[] {
  const file = join(subjectFolder(context), "providers.json");
  if (!existsSync(file)) return [];
  try {
    return domainsSchema.parse(JSON.parse(readFileSync(file, "utf8"))).providers;
  } catch (error) {
    throw new FatalError("CONFIG_INVALID", `${file} is not usable. Repair it, or name provider and URL again.`, {
      cause: error,
    });
  }
}

/**
 * Remembers a domain provider.
 *
 * @param context - Of the command.
 * @param domain - Provider and URL, in place of an earlier entry of the same provider.
 */
export function rememberDomain(context: Context, domain: KnownDomain): void {
  const others = knownDomains(context).filter(
    ({ provider }) => provider.toLowerCase() !== domain.provider.toLowerCase(),
  );
  const text = `${JSON.stringify({ version: 1, providers: [...others, domain] }, null, 2)}\n`;
  writeWhole(join(subjectFolder(context), "providers.json"), text);
}

/**
 * The domain provider that a person means.
 *
 * @param context - Of the command.
 * @param provider - Address; the only known one when undefined.
 * @throws FatalError `USAGE_DOMAIN`
 */
export function chooseDomain(context: Context, provider: string | undefined): KnownDomain {
  const known = knownDomains(context);
  const [found, ...others] = known.filter(
    (domain) => provider === undefined || domain.provider.toLowerCase() === provider.toLowerCase(),
  );
  if (found !== undefined && others.length === 0) return found;
  throw new FatalError(
    "USAGE_DOMAIN",
    found === undefined
      ? "This key has dealt with no such domain provider. Name it once with its address and URL: quorate subject card --provider 0x… --url https://…"
      : `This key deals with ${known.length} domain providers: ${known.map((domain) => domain.provider).join(", ")}. Name one with --provider.`,
  );
}

/**
 * The client of the chosen key as a subject at a domain provider; its secret follows from a signature of the key.
 *
 * @param context - Of the command.
 * @param domain - Provider.
 */
export async function subjectOf(context: Context, domain: KnownDomain): Promise<SubjectClient> {
  const { network } = context.network();
  const { proofs, sdk } = await loadQueries();
  const account = await context.account();
  return sdk.createSubject({
    client: await context.queryReader(),
    secret: await proofs.deriveSubjectSecret(account, domain.provider),
    provider: domain.provider,
    providerUrl: domain.url,
    dataset: domain.dataset as Hex | undefined,
    store: fileSubjectStore({ directory: subjectFolder(context), passphrase: await context.passphrase() }),
    verifiers: await verifiersOf(network),
    signal: context.signal,
  });
}
