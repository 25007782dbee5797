// Reads lcov, the format in which both runners report.

/** What a report says of one file. */
export type FileCoverage = {
  readonly lines: { readonly found: number; readonly hit: number; readonly missed: readonly number[] };
  /** Lines of branches that were never taken. */
  readonly branches: { readonly found: number; readonly hit: number; readonly missed: readonly number[] };
};

/**
 * Reads a report.
 *
 * @param text in lcov's format
 * @returns coverage by file, as the report names it
 */
export function readLcov(text: string): ReadonlyMap<string, FileCoverage> {
  const files = new Map<string, FileCoverage>();
  for (const record of text.split("end_of_record")) {
    const file = /^SF:(.*)$/m.exec(record)?.[1];
    if (file === undefined) continue;
    const lines = [...record.matchAll(/^DA:(\d+),(\d+)/gm)].map(
      ([, line, count]) => [Number(line), Number(count)] as const,
    );
    const branches = [...record.matchAll(/^BRDA:(\d+),\d+,\d+,(-|\d+)/gm)].map(
      ([, line, count]) => [Number(line), count === "-" ? 0 : Number(count)] as const,
    );
    files.set(file, { lines: summarize(lines), branches: summarize(branches) });
  }
  return files;
}

function summarize(items: readonly (readonly [line: number, count: number])[]): FileCoverage["lines"] {
  const missed = items.filter(([, count]) => count === 0).map(([line]) => line);
  return { found: items.length, hit: items.length - missed.length, missed };
}
