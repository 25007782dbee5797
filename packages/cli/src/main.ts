import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FatalError } from "@quorate/core";
import { Command, CommanderError } from "commander";
import { accountCommand } from "./commands/account.ts";
import { backupCommands } from "./commands/backup.ts";
import { devnetCommand } from "./commands/devnet.ts";
import { jobCommand } from "./commands/job.ts";
import { networkCommand } from "./commands/network.ts";
import { providerCommand } from "./commands/provider.ts";
import { relayCommand } from "./commands/relay.ts";
import { trustCommand } from "./commands/trust.ts";
import { ExitCode, exitCodeOf } from "./exit-codes.ts";
import { createOutput } from "./output.ts";

const { version } = JSON.parse(readFileSync(fileURLToPath(new URL("../package.json", import.meta.url)), "utf8")) as {
  version: string;
};

const program = new Command("quorate")
  .description("Escrow marketplace for trustless distributed computing")
  .version(version)
  .option("--home <folder>", "folder of keys, configuration and state (QUORATE_HOME, else ~/.quorate)")
  .option("--network <name>", "network of config.json to work on")
  .option("--account <name>", "key file of the state folder to sign with")
  .option("--passphrase-file <file>", "file whose first line opens the key file (else QUORATE_PASSPHRASE, else asked)")
  .option("--json", "one JSON line on standard output, everything else on standard error", false)
  .configureHelp({ sortSubcommands: false, showGlobalOptions: true })
  .configureOutput({ outputError: () => {} })
  .exitOverride()
  .addHelpText(
    "after",
    "\nExit codes: 0 done, 2 usage, 3 try again later, 4 refused by a rule, 5 no result, 130 stopped, 1 a defect.",
  );

for (const command of [
  jobCommand(),
  providerCommand(),
  accountCommand(),
  trustCommand(),
  networkCommand(),
  relayCommand(),
  devnetCommand(),
  ...backupCommands(),
]) {
  program.addCommand(command);
}
inherit(program);

/** Sub-commands report wrong usage by throwing, like the program itself. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inherit(child);
  }
}

try {
  await program.parseAsync(process.argv);
  process.exitCode ??= ExitCode.Ok;
} catch (error) {
  if (error instanceof CommanderError && error.exitCode === 0) {
    process.exitCode = ExitCode.Ok;
  } else {
    const json = process.argv.includes("--json");
    const output = createOutput({ json, stdout: process.stdout, stderr: process.stderr });
    const failure =
      error instanceof CommanderError
        ? new FatalError(
            "USAGE_COMMAND_LINE",
            `${error.message.replace(/^error: /, "")}. See quorate ${process.argv[2] ?? ""} --help.`,
          )
        : error;
    output.failure(failure);
    process.exitCode = exitCodeOf(failure);
  }
}
