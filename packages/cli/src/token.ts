import { type Address, FatalError, MAX_AMOUNT } from "@quorate/core";
import { erc20Abi, formatUnits, type PublicClient, parseUnits } from "viem";
import type { Context } from "./context.ts";
import { parseAddress } from "./units.ts";

/** A token as people speak of it. */
export type Token = {
  readonly address: Address;
  readonly symbol: string;
  readonly decimals: number;
  /** Base units of an amount that a person wrote, for example `12.5`. */
  parse(text: string, what: string): bigint;
  /** An amount with its symbol. */
  format(amount: bigint): string;
};

/**
 * The token that a command's amounts are in.
 *
 * @param context - Of the command.
 * @param option - `--token`; the network's token when absent.
 * @throws FatalError `CONFIG_NO_TOKEN` when neither is there, `USAGE_ADDRESS`, `USAGE_TOKEN` when the address is no ERC-20 token.
 */
export async function chooseToken(context: Context, option: string | undefined): Promise<Token> {
  const { name, network } = context.network();
  const address = option === undefined ? network.token : parseAddress(option, "--token");
  if (address === undefined) {
    throw new FatalError(
      "CONFIG_NO_TOKEN",
      `Network "${name}" has no default token. Name one with --token, or: quorate network add ${name} --token ADDRESS.`,
    );
  }
  return readToken(await context.publicClient(), address);
}

/**
 * Reads symbol and decimals of a token.
 *
 * @param client - Node client.
 * @param address - Token contract.
 * @throws FatalError `USAGE_TOKEN` when the address is no ERC-20 token.
 */
export async function readToken(client: PublicClient, address: Address): Promise<Token> {
  try {
    const [symbol, decimals] = await Promise.all([
      client.readContract({ address, abi: erc20Abi, functionName: "symbol" }),
      client.readContract({ address, abi: erc20Abi, functionName: "decimals" }),
    ]);
    return makeToken(address, symbol, decimals);
  } catch (error) {
    throw new FatalError(
      "USAGE_TOKEN",
      `${address} does not answer like an ERC-20 token on this chain. Check the address and the network.`,
      { cause: error },
    );
  }
}

/**
 * A token whose symbol and decimals are known.
 *
 * @param address - Token contract.
 * @param symbol - For people.
 * @param decimals - Digits after the point.
 */
export function makeToken(address: Address, symbol: string, decimals: number): Token {
  return {
    address,
    symbol,
    decimals,
    parse(text, what) {
      if (!/^\d+(\.\d+)?$/.test(text)) {
        throw new FatalError(
          "USAGE_AMOUNT",
          `${what} "${text}" is not an amount. Write digits with a point, for example 12.5, in ${symbol}.`,
        );
      }
      if ((text.split(".")[1] ?? "").length > decimals) {
        throw new FatalError(
          "USAGE_AMOUNT",
          `${what} ${text} has more than the ${decimals} decimals of ${symbol}. Round it.`,
        );
      }
      const amount = parseUnits(text, decimals);
      if (amount > MAX_AMOUNT) {
        throw new FatalError(
          "USAGE_AMOUNT",
          `${what} ${text} ${symbol} is more than the market can hold (${formatUnits(MAX_AMOUNT, decimals)}). Ask for less.`,
        );
      }
      return amount;
    },
    format: (amount) => `${formatUnits(amount, decimals)} ${symbol}`,
  };
}
