import { FatalError, type Hex } from "@quorate/core";
import { claimQuarantine, getAccount, getStanding, withdraw } from "@quorate/sdk";
import { createKeystore } from "@quorate/service";
import { Command } from "commander";
import { erc20Abi, formatEther } from "viem";
import { writeConfig } from "../config.ts";
import { action, type Context, newPassphrase } from "../context.ts";
import { keyAddress, keyFolder, keyNames, newKeyFile } from "../key-files.ts";
import { depositTokens } from "../pay-in.ts";
import { chooseToken } from "../token.ts";
import { parseAddress, parseWhole } from "../units.ts";

/** `quorate account`: key files, balances, deposits, withdrawals. */
export function accountCommand(): Command {
  const command = new Command("account").description("keys, balances, deposits, withdrawals");

  command
    .command("new <name>")
    .description("make a key and keep it encrypted (keystore v3)")
    .action(
      action(async (context, name: string) => {
        const file = newKeyFile(context.home, name);
        const passphrase = await newPassphrase(context, name);
        const { address } = await createKeystore(keyFolder(context.home), { passphrase, name: `${name}.json` });
        remember(context, name);
        context.output.result({ name, address, file }, [
          `Key ${name}: ${address}`,
          `Kept in ${file}. Back up this file and its passphrase.`,
        ]);
      }),
    );

  command
    .command("import <name>")
    .description("keep a private key, read from standard input, encrypted (keystore v3)")
    .action(
      action(async (context, name: string) => {
        const file = newKeyFile(context.home, name);
        const privateKey = (await readStandardInput()).trim();
        if (!/^0x[0-9a-fA-F]{64}$/.test(privateKey)) {
          throw new FatalError(
            "USAGE_PRIVATE_KEY",
            "Standard input holds no private key: 0x and 64 hex digits are expected, for example: quorate account import NAME < key.txt",
          );
        }
        const passphrase = await newPassphrase(context, name);
        const { address } = await createKeystore(keyFolder(context.home), {
          passphrase,
          name: `${name}.json`,
          privateKey: privateKey as Hex,
        });
        remember(context, name);
        context.output.result({ name, address, file }, [
          `Key ${name}: ${address}`,
          `Kept in ${file}. Delete the place it came from.`,
        ]);
      }),
    );

  command
    .command("list")
    .description("list the keys of the state folder")
    .action(
      action(async ({ config, home, output }) => {
        const keys = keyNames(home).map((name) => ({
          name,
          address: keyAddress(home, name),
        }));
        output.result(
          { default: config.account, keys },
          keys.length === 0
            ? ["No key yet. Make one: quorate account new NAME"]
            : keys.map(({ name, address }) => `${name === config.account ? "*" : " "} ${name}  ${address}`),
        );
      }),
    );

  command
    .command("use <name>")
    .description("make a key the default")
    .action(
      action(async ({ config, home, output }, name: string) => {
        if (!keyNames(home).includes(name)) {
          throw new FatalError(
            "CONFIG_UNKNOWN_ACCOUNT",
            `There is no key "${name}". Known: ${keyNames(home).join(", ") || "none"}. Choose one of them, or make it: quorate account new ${name}.`,
          );
        }
        writeConfig(home, { ...config, account: name });
        output.result({ account: name }, [`Commands now sign with ${name}.`]);
      }),
    );

  command
    .command("show [address]")
    .description("balances and standing of an address, else of the chosen key")
    .option("--token <address>", "token, else the network's")
    .action(
      action(async (context, address: string | undefined, options: { token?: string }) => {
        const owner = address === undefined ? context.address() : parseAddress(address, "The account");
        const token = await chooseToken(context, options.token);
        const client = await context.reader();
        const queryMarket = context.network().network.queryMarket;
        const [ether, wallet, account, queries, standing] = await Promise.all([
          client.public.getBalance({ address: owner }),
          client.public.readContract({
            address: token.address,
            abi: erc20Abi,
            functionName: "balanceOf",
            args: [owner],
          }),
          getAccount(client, { token: token.address, account: owner }),
          queryMarket === undefined
            ? undefined
            : getAccount({ ...client, market: queryMarket }, { token: token.address, account: owner }),
          getStanding(client, { provider: owner }),
        ]);
        context.output.result({ address: owner, token: token.address, ether, wallet, ...account, queries, standing }, [
          `Address   ${owner}`,
          `Gas       ${formatEther(ether)} ETH`,
          `Wallet    ${token.format(wallet)}`,
          `Free      ${token.format(account.free)} in the job market, can be withdrawn`,
          `Locked    ${token.format(account.locked)} in bonds of open jobs`,
          ...(queries === undefined
            ? []
            : [
                `Queries   ${token.format(queries.free)} free in the query market, ${token.format(queries.locked)} in bonds of open questions`,
              ]),
          `Standing  ${standing.aligned} aligned, ${standing.faults} faults, ${standing.late} late, ${standing.reported} reports, ${standing.declined} declined` +
            (standing.onProbation
              ? `; on probation number ${standing.probation}, ${standing.alignedInRow} of 3 alignments`
              : ""),
        ]);
      }),
    );

  command
    .command("deposit <amount>")
    .description("move tokens from the wallet into a market")
    .option("--market <name>", "jobs or queries: each has its own deposits", "jobs")
    .option("--token <address>", "token, else the network's")
    .option("--for <address>", "credit another account")
    .action(
      action(async (context, amount: string, options: { market: string; token?: string; for?: string }) => {
        requireMarket(options.market);
        const token = await chooseToken(context, options.token);
        const value = token.parse(amount, "The deposit");
        const given = options.for === undefined ? undefined : parseAddress(options.for, "--for");
        const client = await signerOf(context, options.market);
        const account = given ?? client.account.address;
        const hash = await context.sending(() => depositTokens(client, token, value, account, context.signal));
        context.output.result({ hash, account, amount: value }, [
          `Deposited ${token.format(value)} for ${account}.`,
          `Transaction ${hash}`,
        ]);
      }),
    );

  command
    .command("withdraw <amount>")
    .description("move free tokens out of a market; `all` for everything that is free")
    .option("--market <name>", "jobs or queries: each has its own deposits", "jobs")
    .option("--token <address>", "token, else the network's")
    .option("--to <address>", "receiver, else the account itself")
    .action(
      action(async (context, amount: string, options: { market: string; token?: string; to?: string }) => {
        requireMarket(options.market);
        const token = await chooseToken(context, options.token);
        const given = options.to === undefined ? undefined : parseAddress(options.to, "--to");
        if (amount !== "all") token.parse(amount, "The withdrawal");
        const client = await signerOf(context, options.market);
        const owner = client.account.address;
        const value =
          amount === "all"
            ? (await getAccount(client, { token: token.address, account: owner })).free
            : token.parse(amount, "The withdrawal");
        const to = given ?? owner;
        const { hash } = await context.sending(() =>
          withdraw(client, { token: token.address, to, amount: value, signal: context.signal }),
        );
        context.output.result({ hash, to, amount: value }, [
          `Withdrew ${token.format(value)} to ${to}.`,
          `Transaction ${hash}`,
        ]);
      }),
    );

  command
    .command("claim <number>")
    .description("move the bonds of a probation that has ended: back to the provider, or burnt")
    .option("--provider <address>", "provider, else the chosen key")
    .option("--token <address>", "token, else the network's")
    .action(
      action(async (context, number: string, options: { provider?: string; token?: string }) => {
        const probation = parseWhole(number, "The probation", 1, 2 ** 32 - 1);
        const token = await chooseToken(context, options.token);
        const given = options.provider === undefined ? undefined : parseAddress(options.provider, "--provider");
        const client = await context.signer();
        const provider = given ?? client.account.address;
        const { hash } = await context.sending(() =>
          claimQuarantine(client, { provider, token: token.address, number: probation, signal: context.signal }),
        );
        context.output.result({ hash, provider, probation }, [
          `Claimed the bonds of probation ${probation} of ${provider}.`,
          `Transaction ${hash}`,
        ]);
      }),
    );

  return command;
}

function requireMarket(market: string): void {
  if (market === "jobs" || market === "queries") return;
  throw new FatalError("USAGE_MARKET", `--market ${market} is none of jobs, queries. Choose one of these.`);
}

/** Signs for the market that a person names. */
function signerOf(context: Context, market: string): ReturnType<Context["signer"]> {
  return market === "queries" ? context.querySigner() : context.signer();
}

function remember({ config, home }: Context, name: string): void {
  if (config.account === undefined) writeConfig(home, { ...config, account: name });
}

/** Ends as soon as it cannot be a key any more: somebody may pipe a film. */
async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > 1_024) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}
