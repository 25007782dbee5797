// What anybody runs to see which code lies at an address and how it was made, against a node with the markets on it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { jobMarketArtifact, poseidon2Artifact, queryMarketArtifact } from "@quorate/abi/artifacts";
import { deployMarket, localWindows } from "@quorate/devnet";
import { type Address, concat, getContractAddress, type Hex, padHex, size, toHex } from "viem";
import { domainWords } from "../../../scripts/lib/deployed.ts";
import { root } from "../../../scripts/lib/workspace.ts";
import { type Anvil, localChain, startAnvil } from "../chain/anvil.ts";

const NOBODY = "0x00000000000000000000000000000000000000ff";
const WINDOWS = ["--min-window", String(localWindows.min), "--max-window", String(localWindows.max)];

type Made = { readonly address: Address; readonly hash: Hex };

let anvil: Anvil;
let folder: string;
let market: Address;

before(async () => {
  anvil = await startAnvil();
  await anvil.rpc("evm_setAutomine", true);
  folder = mkdtempSync(join(tmpdir(), "quorate-bytecode-"));
  market = (await deployMarket(anvil.url, folder)).market;
});

after(async () => {
  await anvil?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the script as a person does; it must not block this process, which keeps no node waiting. */
function verify(address: string, ...more: string[]): Promise<{ readonly code: number; readonly text: string }> {
  return new Promise((resolve) => {
    const script = join(root, "scripts", "verify-bytecode.ts");
    const args = [script, "--rpc", anvil.url, "--address", address, ...more];
    const child = execFile(process.execPath, args, { cwd: root }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, text: stdout + stderr }),
    );
  });
}

const word = (value: number | Hex): Hex => (typeof value === "number" ? toHex(value, { size: 32 }) : padHex(value));

/** Sends a transaction that makes a contract. */
async function make(...code: readonly Hex[]): Promise<Made> {
  const account = anvil.wallet.account ?? null;
  const hash = await anvil.wallet.sendTransaction({ data: concat(code), account, chain: localChain });
  const { contractAddress } = await anvil.public.waitForTransactionReceipt({ hash });
  assert.ok(contractAddress);
  return { address: contractAddress, hash };
}

function makeJobMarket(minWindow: number, maxWindow: number): Promise<Made> {
  return make(jobMarketArtifact.bytecode, word(minWindow), word(maxWindow));
}

async function codeAt(address: Address): Promise<Hex> {
  const code = await anvil.public.getCode({ address });
  assert.ok(code !== undefined);
  return code;
}

/** Changes a word wherever it stands in the code of a contract, while something is tried; then the code is as before. */
async function withWord<T>(address: Address, from: Hex, to: Hex, body: () => Promise<T>): Promise<T> {
  const code = await codeAt(address);
  const changed = code.replaceAll(from.slice(2), to.slice(2));
  assert.notEqual(changed, code);
  await anvil.rpc("anvil_setCode", address, changed);
  try {
    return await body();
  } finally {
    await anvil.rpc("anvil_setCode", address, code);
  }
}

describe("the code at an address", () => {
  test("is named as that of the build, with its windows, chain and address", async () => {
    const { code, text } = await verify(market, ...WINDOWS);
    assert.equal(code, 0, text);
    assert.match(text, new RegExp(`${market} is JobMarket, with the immutables`, "i"));
    assert.match(text, /^ {2}Windows\.minWindow = 5$/m);
    assert.match(text, /^ {2}Windows\.maxWindow = 604800$/m);
    assert.match(text, /^ {2}EIP712\._cachedChainId = 31337$/m);
    assert.match(text, new RegExp(`^ {2}EIP712\\._cachedThis = ${market}$`, "im"));
    assert.match(text, /Its constructor was not looked at/);
  });

  test("is refused with one byte changed, although it still runs", async () => {
    const code = await codeAt(market);
    const tampered = `${code.slice(0, -2)}${code.endsWith("00") ? "01" : "00"}`;
    await anvil.rpc("anvil_setCode", market, tampered);
    const other = await verify(market, ...WINDOWS);
    assert.equal(other.code, 1, other.text);
    assert.match(other.text, /is neither JobMarket nor QueryMarket of this build/);
    // The same place with the true code: the byte alone made the difference.
    await anvil.rpc("anvil_setCode", market, code);
    assert.equal((await verify(market, ...WINDOWS)).code, 0);
  });

  test("is missed where there is none", async () => {
    const { code, text } = await verify("0x00000000000000000000000000000000000000fe");
    assert.notEqual(code, 0);
    assert.match(text, /there is no code at 0x/);
  });
});

describe("immutables", () => {
  test("are compared with the windows that are documented unless others are named", async () => {
    const { code, text } = await verify(market);
    assert.equal(code, 1, text);
    assert.match(text, /has the code of JobMarket, but:\n {2}the immutable Windows\.minWindow is 5, expected 300\n/);
    const usual = await makeJobMarket(300, 604_800);
    assert.equal((await verify(usual.address)).code, 0);
  });

  test("are refused with the windows of another market", async () => {
    const { code, text } = await verify(market, "--min-window", "5", "--max-window", "3600");
    assert.equal(code, 1, text);
    assert.match(text, /but:\n {2}the immutable Windows\.maxWindow is 604800, expected 3600\n$/);
  });

  test("are refused with another chain: signatures of one would count on the other", async () => {
    const { code, text } = await withWord(market, word(31_337), word(1), () => verify(market, ...WINDOWS));
    assert.equal(code, 1, text);
    assert.match(text, /but:\n {2}the immutable EIP712\._cachedChainId is 1, expected 31337\n$/);
  });

  test("are refused with the address of another market: what was signed for it would count here", async () => {
    await anvil.rpc("anvil_setCode", NOBODY, await codeAt(market));
    const { code, text } = await verify(NOBODY, ...WINDOWS);
    assert.equal(code, 1, text);
    assert.match(text, new RegExp(`the immutable EIP712\\._cachedThis is ${market}, expected ${NOBODY}`, "i"));
    assert.match(text, /the immutable EIP712\._cachedDomainSeparator is 0x/);
  });
});

describe("the query market", () => {
  let poseidon: Made;
  let queries: Made;

  before(async () => {
    poseidon = await make(poseidon2Artifact.bytecode);
    queries = await make(queryMarketArtifact.bytecode, word(300), word(604_800), word(poseidon.address));
  });

  test("is good with circomlibjs' Poseidon and its own transaction", async () => {
    const { code, text } = await verify(queries.address, "--transaction", queries.hash);
    assert.equal(code, 0, text);
    assert.match(text, /is QueryMarket, with the immutables/);
    assert.match(text, new RegExp(`^ {2}QueryMarket\\.poseidon2 = ${poseidon.address}$`, "im"));
  });

  test("is refused with a hash that is Poseidon where its constructor asks, and something else elsewhere", async () => {
    const code = await codeAt(poseidon.address);
    await anvil.rpc("anvil_setCode", poseidon.address, concat([code, "0x00"]));
    try {
      const other = await verify(queries.address, "--transaction", queries.hash);
      assert.equal(other.code, 1, other.text);
      assert.match(other.text, /but:\n {2}the code at 0x\w{40} is not circomlibjs' Poseidon of two inputs\n$/);
    } finally {
      await anvil.rpc("anvil_setCode", poseidon.address, code);
    }
  });

  test("is refused when its code names another contract than its constructor was given", async () => {
    const twin = await make(poseidon2Artifact.bytecode);
    const { code, text } = await withWord(queries.address, word(poseidon.address), word(twin.address), () =>
      verify(queries.address, "--transaction", queries.hash),
    );
    assert.equal(code, 1, text);
    assert.match(
      text,
      new RegExp(`constructor argument poseidon2_ is ${poseidon.address}, expected ${twin.address}`, "i"),
    );
  });
});

describe("the transaction that made a market", () => {
  test("is good with the constructor of the build and the arguments that are expected", async () => {
    const made = await makeJobMarket(5, 604_800);
    const { code, text } = await verify(made.address, "--transaction", made.hash, ...WINDOWS);
    assert.equal(code, 0, text);
    assert.match(text, /It was made by the constructor of this build, with these arguments\./);
  });

  test("is refused with another argument, even if the code holds the expected value", async () => {
    const made = await makeJobMarket(6, 604_800);
    const { code, text } = await withWord(made.address, word(6), word(5), () =>
      verify(made.address, "--transaction", made.hash, ...WINDOWS),
    );
    assert.equal(code, 1, text);
    assert.match(text, /but:\n {2}constructor argument minWindow_ is 6, expected 5\n$/);
  });

  test("is refused if its constructor also wrote storage, which the code does not show", async () => {
    const sound = await makeJobMarket(5, 604_800);
    const [sender] = await anvil.wallet.getAddresses();
    assert.ok(sender);
    const nonce = await anvil.public.getTransactionCount({ address: sender });
    const address = getContractAddress({ from: sender, nonce: BigInt(nonce) });
    // The code of the market as the true constructor would have left it at that address.
    const [was, is] = [domainWords(31_337, sound.address), domainWords(31_337, address)];
    let runtime = await codeAt(sound.address);
    for (const [name, value] of Object.entries(is)) {
      runtime = runtime.replaceAll(was[name]?.slice(2).toLowerCase() ?? "", value.slice(2).toLowerCase()) as Hex;
    }
    // SSTORE(0, 1), then what every loader does: copy what follows it and return that.
    const loader: Hex = concat(["0x600160005561", toHex(size(runtime), { size: 2 }), "0x80600f5f395ff3"]);
    assert.equal(size(loader), 0x0f);
    const made = await make(loader, runtime);
    assert.equal(made.address.toLowerCase(), address.toLowerCase());
    assert.equal(await codeAt(made.address), runtime);
    assert.equal((await verify(made.address, ...WINDOWS)).code, 0);
    const { code, text } = await verify(made.address, "--transaction", made.hash, ...WINDOWS);
    assert.equal(code, 1, text);
    assert.match(text, /does not begin with the creation code of JobMarket: it was another constructor\n$/);
  });

  test("is refused if it is another market's, or unknown", async () => {
    const made = await makeJobMarket(5, 604_800);
    const other = await verify(market, "--transaction", made.hash, ...WINDOWS);
    assert.equal(other.code, 1, other.text);
    assert.match(other.text, new RegExp(`the transaction has made ${made.address}, not ${market}`, "i"));
    const unknown = await verify(market, "--transaction", word(1), ...WINDOWS);
    assert.notEqual(unknown.code, 0);
    assert.match(unknown.text, /the chain has no transaction 0x0/);
  });
});
