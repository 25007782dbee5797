import { existsSync } from "node:fs";
import { type Address, FatalError, type Hex } from "@quorate/core";
import { claimQuarantine, getAccount, getStanding, withdraw } from "@quorate/sdk";
import { createKeystore } from "@quorate/service";
import { Command } from "commander";
import { erc20Abi, formatEther } from "viem";
import { writeConfig } from "../config.ts";
import { action, type Context } from "../context.ts";
import { keyAddress, keyFile, keyFolder, keyNames } from "../key-files.ts";
import { readPassphrase } from "../passphrase.ts";
import { depositTokens } from "../pay-in.ts";
import { chooseToken } from "../token.ts";

/** `quorate account`: key files, balances, deposits, withdrawals. */
export function accountCommand(): Command {
  const command = new Command("account").description("keys, balances, deposits, withdrawals");

  command
    .command("new <name>")
    .description("make a key and keep it encrypted (keystore v3)")
    .action(
      action(async (context, name: string) => {
        const file = newKeyFile(context, name);
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
        const file = newKeyFile(context, name);
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
          keys.map(({ name, address }) => `${name === config.account ? "*" : " "} ${name}  ${address}`),
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
            `There is no key "${name}". Known: ${keyNames(home).join(", ") || "none"}.`,
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
        const owner = (address as Address | undefined) ?? addressOfChosen(context);
        const token = await chooseToken(context, options.token);
        const client = await context.reader();
        const [ether, wallet, account, standing] = await Promise.all([
          client.public.getBalance({ address: owner }),
          client.public.readContract({
            address: token.address,
            abi: erc20Abi,
            functionName: "balanceOf",
            args: [owner],
          }),
          getAccount(client, { token: token.address, account: owner }),
          getStanding(client, { provider: owner }),
        ]);
        context.output.result({ address: owner, token: token.address, ether, wallet, ...account, standing }, [
          `Address   ${owner}`,
          `Gas       ${formatEther(ether)} ETH`,
          `Wallet    ${token.format(wallet)}`,
          `Free      ${token.format(account.free)} in the market, can be withdrawn`,
          `Locked    ${token.format(account.locked)} in bonds of open jobs`,
          `Standing  ${standing.aligned} aligned, ${standing.faults} faults, ${standing.late} late, ${standing.reported} reports, ${standing.declined} declined` +
            (standing.onProbation
              ? `; on probation number ${standing.probation}, ${standing.alignedInRow} of 3 alignments`
              : ""),
        ]);
      }),
    );

  command
    .command("deposit <amount>")
    .description("move tokens from the wallet into the market")
    .option("--token <address>", "token, else the network's")
    .option("--for <address>", "credit another account")
    .action(
      action(async (context, amount: string, options: { token?: string; for?: string }) => {
        const token = await chooseToken(context, options.token);
        const client = await context.signer();
        const account = (options.for as Address | undefined) ?? client.account.address;
        const value = token.parse(amount, "The deposit");
        const hash = await depositTokens(client, token, value, account, context.signal);
        context.output.result({ hash, account, amount: value }, [
          `Deposited ${token.format(value)} for ${account}.`,
          `Transaction ${hash}`,
        ]);
      }),
    );

  command
    .command("withdraw <amount>")
    .description("move free tokens out of the market; `all` for everything that is free")
    .option("--token <address>", "token, else the network's")
    .option("--to <address>", "receiver, else the account itself")
    .action(
      action(async (context, amount: string, options: { token?: string; to?: string }) => {
        const token = await chooseToken(context, options.token);
        const client = await context.signer();
        const owner = client.account.address;
        const value =
          amount === "all"
            ? (await getAccount(client, { token: token.address, account: owner })).free
            : token.parse(amount, "The withdrawal");
        const to = (options.to as Address | undefined) ?? owner;
        const { hash } = await withdraw(client, { token: token.address, to, amount: value, signal: context.signal });
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
        const token = await chooseToken(context, options.token);
        const client = await context.signer();
        const provider = (options.provider as Address | undefined) ?? client.account.address;
        const { hash } = await claimQuarantine(client, {
          provider,
          token: token.address,
          number: Number(number),
          signal: context.signal,
        });
        context.output.result({ hash, provider, probation: Number(number) }, [
          `Claimed the bonds of probation ${number} of ${provider}.`,
          `Transaction ${hash}`,
        ]);
      }),
    );

  return command;
}

function addressOfChosen({ config, home, options }: Context): Address {
  const names = keyNames(home);
  const name = options.account ?? config.account ?? (names.length === 1 ? names[0] : undefined);
  if (name === undefined || !names.includes(name)) {
    throw new FatalError("CONFIG_NO_ACCOUNT", "Name an address, or choose a key with --account.");
  }
  return keyAddress(home, name);
}

function newKeyFile({ home }: Context, name: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) {
    throw new FatalError(
      "USAGE_KEY_NAME",
      `"${name}" cannot name a key: use up to 32 small letters, digits and dashes.`,
    );
  }
  const file = keyFile(home, name);
  if (existsSync(file)) {
    throw new FatalError(
      "USAGE_KEY_EXISTS",
      `There is a key "${name}" already and it is not overwritten. Choose another name, or move ${file} away.`,
    );
  }
  return file;
}

async function newPassphrase(context: Context, name: string): Promise<string> {
  const sources = {
    file: context.options.passphraseFile,
    variable: process.env.QUORATE_PASSPHRASE,
    terminal: process.stdin.isTTY ? { input: process.stdin, output: process.stderr as NodeJS.WriteStream } : undefined,
  };
  const first = await readPassphrase(sources, `New passphrase of ${name}: `, context.signal);
  if (sources.file !== undefined || sources.variable || sources.terminal === undefined) return first;
  const second = await readPassphrase(sources, "Again: ", context.signal);
  if (first !== second)
    throw new FatalError("USAGE_PASSPHRASES_DIFFER", "The two passphrases differ. Nothing was written; try again.");
  return first;
}

function remember({ config, home }: Context, name: string): void {
  if (config.account === undefined) writeConfig(home, { ...config, account: name });
}

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
