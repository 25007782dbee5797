import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FatalError } from "@quorate/core";
import { Command, CommanderError } from "commander";
import { accountCommand } from "./commands/account.ts";
import { backupCommands } from "./commands/backup.ts";
import { devnetCommand } from "./commands/devnet.ts";
import { domainCommand } from "./commands/domain.ts";
import { jobCommand } from "./commands/job.ts";
import { networkCommand } from "./commands/network.ts";
import { providerCommand } from "./commands/provider.ts";
import { queryCommand } from "./commands/query.ts";
import { relayCommand } from "./commands/relay.ts";
import { subjectCommand } from "./commands/subject.ts";
import { trustCommand } from "./commands/trust.ts";
import { writeTo } from "./context.ts";
import { ExitCode, exitCodeOf, withCode } from "./exit-codes.ts";
import type { Output } from "./output.ts";

const { version } = JSON.parse(readFileSync(fileURLToPath(new URL("../package.json", import.meta.url)), "utf8")) as {
  version: string;
};

/** A command line that was not understood, with the command it was meant for. */
class Misunderstood extends CommanderError {
  readonly path: string;

  constructor({ exitCode, code, message }: CommanderError, path: string) {
    super(exitCode, code, message);
    this.path = path;
  }
}

/**
 * The whole tree of commands.
 *
 * @param print - Gets help and version texts.
 * @returns The root; parsing throws a CommanderError for help, version and wrong usage.
 */
export function createProgram(print: (text: string) => void): Command {
  const program = new Command("quorate")
    .description("Escrow marketplace for trustless distributed computing")
    .version(version)
    .option("--home <folder>", "folder of keys, configuration and state (QUORATE_HOME, else ~/.quorate)")
    .option("--network <name>", "network of config.json to work on")
    .option("--account <name>", "key file of the state folder to sign with")
    .option(
      "--passphrase-file <file>",
      "file whose first line opens the key file (else QUORATE_PASSPHRASE, else asked)",
    )
    .option("--json", "one JSON line on standard output, everything else on standard error", false)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: print, writeErr: print, outputError: () => {} })
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 2 usage, 3 try again later, 4 refused by a rule, 5 no result, 130 stopped, 1 a defect.",
    );
  for (const command of [
    jobCommand(),
    providerCommand(),
    queryCommand(),
    subjectCommand(),
    domainCommand(),
    accountCommand(),
    trustCommand(),
    networkCommand(),
    relayCommand(),
    devnetCommand(),
    ...backupCommands(),
  ]) {
    program.addCommand(command);
  }
  settle(program, "quorate");
  return program;
}

/** Gives sub-commands the settings of the root, and wrong usage the name of its command. */
function settle(command: Command, path: string): void {
  command.exitOverride((error) => {
    throw new Misunderstood(error, path);
  });
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    settle(child, `${path} ${child.name()}`);
  }
}

/**
 * Runs a command line.
 *
 * @param argv - Arguments after the program's name.
 * @param output - Makes the output for a mode; called again for errors, which may come before any command.
 * @returns The exit code.
 */
export async function run(argv: readonly string[], output: (json: boolean) => Output): Promise<ExitCode> {
  const end = argv.indexOf("--");
  const json = argv.slice(0, end < 0 ? undefined : end).includes("--json");
  let printed = "";
  const program = createProgram((text) => {
    printed += text;
  });
  writeTo(program, output);
  try {
    await program.parseAsync([...argv], { from: "user" });
    return ExitCode.Ok;
  } catch (error) {
    const { result, failure } = output(json);
    if (!(error instanceof CommanderError)) {
      const known = withCode(error);
      failure(known);
      return exitCodeOf(known);
    }
    if (error.exitCode === 0) {
      result(error.code === "commander.version" ? { version } : { help: printed }, [printed.trimEnd()]);
      return ExitCode.Ok;
    }
    const path = error instanceof Misunderstood ? error.path : "quorate";
    const what =
      error.code === "commander.help"
        ? `${path} needs a command.`
        : `${error.message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ")}.`;
    const misuse = new FatalError("USAGE_COMMAND_LINE", `${what} See: ${path} --help`);
    failure(misuse);
    return exitCodeOf(misuse);
  }
}
