import { randomBytes } from "node:crypto";
import { type FileHandle, link, open, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FatalError } from "@quorate/core";

async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open directories; there the rename is durable by itself or not at all.
  if (process.platform === "win32") return;
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Writes a new file that only its owner may read: complete and durable, or not there. Never replaces a file.
 *
 * @param path Target.
 * @param content Text.
 * @throws `FILE_EXISTS`.
 */
export async function writeSecretFile(path: string, content: string): Promise<void> {
  const directory = dirname(path);
  const temporary = join(directory, `.${randomBytes(8).toString("hex")}.tmp`);
  let handle: FileHandle | undefined;
  try {
    handle = await open(temporary, "wx", 0o600);
    await handle.writeFile(content);
    await handle.sync();
    await handle.close();
    handle = undefined;
    // A link fails where a rename would replace.
    await link(temporary, path);
    await syncDirectory(directory);
  } catch (error) {
    if ((error as { code?: string }).code === "EEXIST")
      throw new FatalError(
        "FILE_EXISTS",
        `${path} exists already and is not replaced. Choose another name, or move it away.`,
        {
          cause: error,
          details: { path },
        },
      );
    throw error;
  } finally {
    await handle?.close();
    await unlink(temporary).catch(() => {});
  }
}
