// How Solidity tests are compiled: apart from what is deployed, and fast. A plugin of hardhat.config.ts.
//
// What is deployed takes the compiler's slow road (via IR, optimised). The tests are several times as much code, and nobody cares
// about their gas: with the older code generator and no optimiser they take a seventh of the time. They see the markets through their
// ABI and deploy them from the artifact (`vm.getCode`), so a test of a market runs the very bytecode that is deployed.
import { globSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { SolidityCompilerConfig } from "hardhat/types/config";
import type { HardhatPlugin } from "hardhat/types/plugins";
import type { CompilerInput, CompilerOutput } from "hardhat/types/solidity";

/** Names of this project's files, as the compiler sees them, begin so. */
const PROJECT = "project/";

/**
 * The settings of a test, of those of what is deployed.
 *
 * @param deployed configuration of what is deployed
 * @returns the same compiler and machine, the older code generator, no optimiser
 */
export function settingsForTests(deployed: SolidityCompilerConfig): SolidityCompilerConfig {
  return { ...deployed, settings: { ...deployed.settings, viaIR: false, optimizer: { enabled: false } } };
}

/**
 * Asks the compiler for nothing but the tests themselves. The contracts that they import are known through their types; what a test
 * creates with `new` is part of its code.
 *
 * @param input that Hardhat has made, which asks for every contract of every file
 * @param isTest whether a file of the project is a test or support of tests
 * @returns the input, with a selection file by file
 */
export function selectTests(input: CompilerInput, isTest: (file: string) => boolean): CompilerInput {
  const everything = input.settings.outputSelection["*"] ?? {};
  const outputSelection: CompilerInput["settings"]["outputSelection"] = {};
  for (const name of Object.keys(input.sources)) {
    const selected = name.startsWith(PROJECT) && isTest(name.slice(PROJECT.length));
    outputSelection[name] = { "": everything[""] ?? [], "*": selected ? (everything["*"] ?? []) : [] };
  }
  return { ...input, settings: { ...input.settings, outputSelection } };
}

/**
 * Lists contracts that were not asked for as if they were abstract: Hardhat's network looks up every contract of the syntax trees, and
 * does not start where it finds none.
 *
 * @param output of the compiler
 * @returns the output, with empty code for every contract that had none
 */
export function fillCode(output: CompilerOutput): CompilerOutput {
  const none = { object: "", opcodes: "", sourceMap: "", linkReferences: {} };
  const empty = {
    abi: [],
    evm: { bytecode: none, deployedBytecode: { ...none, immutableReferences: {} }, methodIdentifiers: {} },
  };
  const contracts = { ...output.contracts };
  for (const [file, { ast }] of Object.entries(output.sources)) {
    // Where the compiler found errors, it gives no tree.
    const { nodes } = (ast ?? { nodes: [] }) as {
      readonly nodes: readonly { readonly nodeType: string; readonly name: string }[];
    };
    const names = nodes.filter(({ nodeType }) => nodeType === "ContractDefinition").map(({ name }) => name);
    if (names.length === 0) continue;
    contracts[file] = { ...Object.fromEntries(names.map((name) => [name, empty])), ...contracts[file] };
  }
  return { ...output, contracts };
}

const plugin: HardhatPlugin = {
  id: "quorate-solidity-tests",
  hookHandlers: {
    config: async () => ({
      default: async () => ({
        async resolveUserConfig(user, resolveVariable, next) {
          const config = await next(user, resolveVariable);
          const { root, sources, tests } = config.paths;
          const nameOf = (path: string): string => relative(root, path).split(sep).join("/");
          const deployed = sources.solidity.map(nameOf);
          const files = globSync("**/*.sol", { cwd: tests.solidity })
            .map((file) => nameOf(join(tests.solidity, file)))
            .filter((file) => !deployed.some((folder) => file.startsWith(`${folder}/`)));
          for (const profile of Object.values(config.solidity.profiles)) {
            const [compiler] = profile.compilers;
            if (compiler === undefined) continue;
            // One object for all: Hardhat compiles together what has the same configuration, and compares by reference.
            const shared = settingsForTests(compiler);
            for (const file of files) profile.overrides[file] ??= shared;
          }
          return config;
        },
      }),
    }),
    solidity: async () => ({
      default: async () => ({
        // Hardhat leaves one core free; there are two compilations, and the machine may have two cores.
        build: (context, roots, options, next) =>
          next(context, roots, { ...options, concurrency: Math.max(2, options?.concurrency ?? 0) }),
        async preprocessSolcInputBeforeBuilding(context, input, next) {
          const overrides = context.config.solidity.profiles.default?.overrides;
          const isTest = (file: string): boolean => overrides?.[file] !== undefined;
          const hasTests = Object.keys(input.sources).some((name) => isTest(name.slice(PROJECT.length)));
          return next(context, hasTests ? selectTests(input, isTest) : input);
        },
        async invokeSolc(context, compiler, input, config, next) {
          const output = await next(context, compiler, input, config);
          return input.settings.outputSelection["*"] === undefined ? fillCode(output) : output;
        },
      }),
    }),
  },
};

export default plugin;
