import { Errno } from "./abi.ts";

/** A file or folder of the program's read-only tree. */
export type Node =
  | { readonly kind: "file"; readonly inode: bigint; readonly bytes: Uint8Array }
  | { readonly kind: "directory"; readonly inode: bigint; readonly entries: ReadonlyMap<string, Node> };

/** Longest path, bytes. */
const MAX_PATH_BYTES = 4_096;

type MutableDirectory = { kind: "directory"; inode: bigint; entries: Map<string, Node> };

/**
 * Builds the tree from file names with `/` between folders. Inode numbers follow the sorted names, so that they are
 * equal on every host.
 *
 * @param files Contents by name.
 */
export function buildTree(files: ReadonlyMap<string, Uint8Array>): Node {
  let inode = 1n;
  const root: MutableDirectory = { kind: "directory", inode: inode++, entries: new Map() };
  for (const name of [...files.keys()].sort()) {
    const parts = name.split("/");
    const last = parts.pop() as string;
    let directory = root;
    for (const part of parts) {
      let next = directory.entries.get(part);
      if (next?.kind !== "directory") {
        next = { kind: "directory", inode: inode++, entries: new Map() };
        directory.entries.set(part, next);
      }
      directory = next as MutableDirectory;
    }
    directory.entries.set(last, { kind: "file", inode: inode++, bytes: files.get(name) as Uint8Array });
  }
  return root;
}

/** Outcome of looking a path up: the node, or an error number; `parent` tells that only the last part is missing. */
export type Lookup = { readonly node: Node } | { readonly errno: number; readonly lastPartMissing: boolean };

/**
 * Looks a path up below a folder. A path can never leave the folder that it starts from: neither an absolute path nor
 * `..` reaches anything above, whatever the tree holds.
 *
 * @param start Folder of the descriptor.
 * @param path Path as the program gave it.
 */
export function lookUp(start: Node, path: Uint8Array): Lookup {
  const refuse = (errno: number, lastPartMissing = false): Lookup => ({ errno, lastPartMissing });
  if (path.length > MAX_PATH_BYTES) return refuse(Errno.NameTooLong);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(path);
  } catch {
    return refuse(Errno.IllegalBytes);
  }
  if (text === "") return refuse(Errno.NoEntry);
  if (text.includes("\0")) return refuse(Errno.Invalid);
  if (text.startsWith("/")) return refuse(Errno.NotCapable);
  const trail: Node[] = [start];
  const parts = text.split("/");
  for (const [index, part] of parts.entries()) {
    const here = trail.at(-1) as Node;
    // `file/` and `file/.` name a folder that is not there.
    if (here.kind !== "directory") return refuse(Errno.NotDirectory);
    if (part === "" || part === ".") continue;
    if (part === "..") {
      trail.pop();
      if (trail.length === 0) return refuse(Errno.NotCapable);
      continue;
    }
    const next = here.entries.get(part);
    if (next === undefined) return refuse(Errno.NoEntry, index === parts.length - 1);
    trail.push(next);
  }
  return { node: trail.at(-1) as Node };
}
