// The interfaces as integrators get them: packed, installed into an empty project, imported by contracts that the compiler takes from there.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { jobMarketAbi, queryMarketAbi } from "@quorate/abi";
import { root } from "../../../scripts/lib/workspace.ts";
import { packPackages } from "../../../scripts/pack.ts";

/** The parts of solc-js that are used here. */
type Solc = {
  compile(
    input: string,
    callbacks: { readonly import: (path: string) => { contents: string } | { error: string } },
  ): string;
};
type AbiItem = { readonly type: string; readonly name?: string; readonly inputs?: readonly AbiParameter[] };
type AbiParameter = { readonly type: string; readonly components?: readonly AbiParameter[] };
type Output = {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts?: Readonly<
    Record<
      string,
      Readonly<
        Record<string, { readonly abi: readonly AbiItem[]; readonly evm: { readonly bytecode: { object: string } } }>
      >
    >
  >;
};

const solc = createRequire(import.meta.url)("solc") as Solc;
const OURS = "@quorate/contracts/";
let project = "";

/** Compiles a contract of the project; what it imports comes from the package, OpenZeppelin's from the workspace. */
function compile(source: string, evmVersion = "osaka"): { output: Output; errors: readonly string[] } {
  const input = {
    language: "Solidity",
    sources: { "Consumer.sol": { content: source } },
    settings: { evmVersion, viaIR: true, outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } } },
  };
  const output = JSON.parse(
    solc.compile(JSON.stringify(input), {
      import: (path) => {
        const file = join(path.startsWith(OURS) ? project : root, "node_modules", path);
        return existsSync(file) ? { contents: readFileSync(file, "utf8") } : { error: `there is no ${path}` };
      },
    }),
  ) as Output;
  const errors = (output.errors ?? [])
    .filter(({ severity }) => severity === "error")
    .map(({ formattedMessage }) => formattedMessage);
  return { output, errors };
}

/** A function, event or error with the types of its parameters. */
function signatureOf({ type, name, inputs = [] }: AbiItem): string {
  const typeOf = ({ type: word, components }: AbiParameter): string =>
    components === undefined ? word : word.replace("tuple", `(${components.map(typeOf).join(",")})`);
  return `${type} ${name}(${inputs.map(typeOf).join(",")})`;
}

const CONSUMER = `pragma solidity ^0.8.24;
import {IJobCallback} from "@quorate/contracts/interfaces/IJobCallback.sol";
import {IJobMarket} from "@quorate/contracts/interfaces/IJobMarket.sol";
import {JobStatus, OUTCOME_OK} from "@quorate/contracts/types/Job.sol";

contract Consumer is IJobCallback {
    IJobMarket private immutable market;
    mapping(bytes32 => bytes27) public resultOf;
    constructor(IJobMarket market_) { market = market_; }
    function onJobSettled(bytes32 jobId, JobStatus status, uint8 outcome, bytes27 resultHash) external {
        require(msg.sender == address(market));
        if (status == JobStatus.Accepted && outcome == OUTCOME_OK) resultOf[jobId] = resultHash;
    }
    function holds(bytes32 jobId, bytes32 key, bytes calldata result) external view returns (bool) {
        return market.verifyResult(jobId, key, result);
    }
}
`;

describe("interfaces from npm", () => {
  before(() => {
    // Outside of the repository, so that nothing resolves to the workspace by accident.
    project = mkdtempSync(join(tmpdir(), "quorate-solidity-"));
    const [packed] = packPackages(join(project, "tarballs"), ["contracts"]);
    assert.ok(packed !== undefined);
    writeFileSync(
      join(project, "package.json"),
      JSON.stringify({ private: true, dependencies: { [packed.name]: `file:${packed.tarball}` } }),
    );
    const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--offline"];
    const { status, stdout, stderr } = spawnSync("npm", args, { cwd: project, encoding: "utf8" });
    assert.equal(status, 0, `${stdout}${stderr}`);
  });

  after(() => rmSync(project, { recursive: true, force: true }));

  it("are every interface, the types that they name, and nothing that is deployed", () => {
    const folder = join(project, "node_modules", OURS);
    const interfaces = globSync("*.sol", { cwd: join(root, "contracts", "interfaces") }).sort();
    assert.deepEqual(readdirSync(join(folder, "interfaces")).sort(), interfaces);
    assert.deepEqual(readdirSync(folder).sort(), ["LICENSE", "README.md", "interfaces", "package.json", "types"]);
    for (const file of readdirSync(join(folder, "types")))
      assert.ok(existsSync(join(root, "contracts", "types", file)), file);
  });

  it("are the sources of the markets but for the pragma", () => {
    for (const path of ["interfaces/IJobMarket.sol", "interfaces/IQueryMarket.sol", "types/Job.sol"]) {
      const text = readFileSync(join(project, "node_modules", OURS, path), "utf8");
      assert.match(text, /^pragma solidity \^0\.8\.24;$/m);
      const source = readFileSync(join(root, "contracts", path), "utf8");
      assert.equal(text.replace("^0.8.24", "0.8.37"), source);
    }
  });

  for (const evmVersion of ["osaka", "paris"]) {
    it(`a contract that acts on jobs compiles against them for ${evmVersion}`, () => {
      const { output, errors } = compile(CONSUMER, evmVersion);
      assert.deepEqual(errors, []);
      assert.match(output.contracts?.["Consumer.sol"]?.Consumer?.evm.bytecode.object ?? "", /^[0-9a-f]{100,}$/);
    });
  }

  it("the worked example compiles against them", () => {
    const source = readFileSync(join(root, "contracts", "examples", "ResultPayout.sol"), "utf8");
    const { output, errors } = compile(source.replaceAll(/"\.\.\/(interfaces|types)\//g, `"${OURS}$1/`));
    assert.deepEqual(errors, []);
    assert.match(output.contracts?.["Consumer.sol"]?.ResultPayout?.evm.bytecode.object ?? "", /^[0-9a-f]{100,}$/);
  });

  it("a callback with another signature is refused by the compiler", () => {
    const { errors } = compile(CONSUMER.replace("bytes27 resultHash) external", "bytes32 resultHash) external"));
    assert.ok(
      errors.some((message) => message.includes("should be marked as abstract")),
      errors.join("\n"),
    );
  });

  it("say of the markets what the ABIs of @quorate/abi say", () => {
    const all =
      'import "@quorate/contracts/interfaces/IJobMarket.sol"; import "@quorate/contracts/interfaces/IQueryMarket.sol";';
    const { output, errors } = compile(`pragma solidity ^0.8.24;\n${all}\n`);
    assert.deepEqual(errors, []);
    const abis: Readonly<Record<string, readonly AbiItem[]>> = {
      IJobMarket: jobMarketAbi,
      IQueryMarket: queryMarketAbi,
    };
    for (const [name, deployed] of Object.entries(abis)) {
      const items = output.contracts?.[`${OURS}interfaces/${name}.sol`]?.[name]?.abi ?? [];
      assert.ok(items.length > 20, `${name} has ${items.length} items`);
      const known = new Set(deployed.map(signatureOf));
      assert.deepEqual(
        items.map(signatureOf).filter((signature) => !known.has(signature)),
        [],
      );
    }
  });
});
