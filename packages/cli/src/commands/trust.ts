import { type Address, FatalError } from "@quorate/core";
import type { TrustPolicy } from "@quorate/sdk";
import { Command } from "commander";
import { action } from "../context.ts";
import { readTrust, trustFile, writeTrust } from "../trust-file.ts";
import { parseAddress } from "../units.ts";

/** `quorate trust`: who may see packages and vote on results. */
export function trustCommand(): Command {
  const command = new Command("trust").description("whose offers are taken: allow list, deny list, history");

  command
    .command("show")
    .description("show the trust policy")
    .action(
      action(async ({ home, output }) => {
        const policy = readTrust(home);
        output.result(policy, [
          `Policy    ${trustFile(home)}`,
          `Accept    ${{ "allow-list": "only the providers named below", history: "those named below, and others whose history passes", anyone: "everybody who is not denied" }[policy.accept]}`,
          ...policy.allow.map(
            ({ provider, organization, note }) => `allow     ${provider}${suffix(organization, note)}`,
          ),
          ...policy.deny.map(({ provider, reason }) => `deny      ${provider}${suffix(reason)}`),
          `Places    ${policy.onePlacePerOrganization ? "one per organization" : "several per organization"}`,
        ]);
      }),
    );

  command
    .command("accept <whom>")
    .description("`allow-list`, `history` or `anyone`")
    .action(
      action(async ({ home, output }, whom: string) => {
        if (whom !== "allow-list" && whom !== "history" && whom !== "anyone") {
          throw new FatalError("USAGE_TRUST", `"${whom}" is none of allow-list, history, anyone. Choose one of these.`);
        }
        writeTrust(home, { ...readTrust(home), accept: whom });
        output.result({ accept: whom }, [`Accepts ${whom}.`]);
      }),
    );

  command
    .command("allow <provider>")
    .description("put a provider on the allow list")
    .option("--organization <name>", "who it is; one organization gets one place of a job")
    .option("--note <text>", "why, for the people who keep the file")
    .action(
      action(async ({ home, output }, provider: string, options: { organization?: string; note?: string }) => {
        const address = parseAddress(provider, "The provider");
        const policy = without(readTrust(home), address);
        checkText(options.organization, "--organization");
        checkText(options.note, "--note");
        const entry = { provider: address, ...options };
        writeTrust(home, { ...policy, allow: [...policy.allow, entry] });
        output.result(entry, [`Allowed ${address}${suffix(options.organization, options.note)}.`]);
      }),
    );

  command
    .command("deny <provider>")
    .description("put a provider on the deny list")
    .option("--reason <text>", "shown when its offer is refused")
    .action(
      action(async ({ home, output }, provider: string, options: { reason?: string }) => {
        const address = parseAddress(provider, "The provider");
        const policy = without(readTrust(home), address);
        checkText(options.reason, "--reason");
        const entry = { provider: address, ...options };
        writeTrust(home, { ...policy, deny: [...policy.deny, entry] });
        output.result(entry, [`Denied ${address}${suffix(options.reason)}.`]);
      }),
    );

  command
    .command("forget <provider>")
    .description("take a provider off both lists")
    .action(
      action(async ({ home, output }, provider: string) => {
        const address = parseAddress(provider, "The provider");
        writeTrust(home, without(readTrust(home), address));
        output.result({ provider: address }, [`${address} is on neither list.`]);
      }),
    );

  return command;
}

/** The file would refuse it later; say so now. */
function checkText(text: string | undefined, what: string): void {
  if (text !== undefined && (text.length === 0 || text.length > 120)) {
    throw new FatalError("USAGE_TEXT", `${what} has ${text.length} characters. Write 1 to 120.`);
  }
}

function without(policy: TrustPolicy, address: Address): TrustPolicy {
  return {
    ...policy,
    allow: policy.allow.filter(({ provider }) => provider !== address),
    deny: policy.deny.filter(({ provider }) => provider !== address),
  };
}

function suffix(...parts: (string | undefined)[]): string {
  const given = parts.filter((part) => part !== undefined);
  return given.length === 0 ? "" : ` (${given.join(", ")})`;
}
