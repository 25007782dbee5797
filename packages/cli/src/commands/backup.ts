import { resolve } from "node:path";
import { backupState, restoreState } from "@quorate/service";
import { Command } from "commander";
import { action } from "../context.ts";

/** `quorate backup` and `quorate restore`: the whole state folder, keys and votes included. */
export function backupCommands(): Command[] {
  return [
    new Command("backup")
      .argument("<folder>", "new folder for the copy")
      .description("copy the state folder: keys (encrypted), jobs, votes, settings")
      .action(
        action(async ({ home, output }, folder: string) => {
          const target = resolve(folder);
          const { files, createdAt } = await backupState(resolve(home), target);
          output.result({ folder: target, createdAt, files }, [
            `Copied ${Object.keys(files).length} files to ${target}.`,
            "Keep it as safe as the state folder: job records open packages and results.",
          ]);
        }),
      ),
    new Command("restore")
      .argument("<folder>", "folder that quorate backup made")
      .description("bring a copy back as the state folder, which must not exist")
      .action(
        action(async ({ home, output }, folder: string) => {
          const { files, createdAt } = await restoreState(resolve(folder), resolve(home));
          output.result({ home: resolve(home), createdAt, files }, [
            `Restored ${Object.keys(files).length} files of ${createdAt} to ${resolve(home)}.`,
            "Never run the same agent key in two places, and let an agent of an older copy read the chain before anything else.",
          ]);
        }),
      ),
  ];
}
