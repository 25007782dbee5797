import { type Address, JobStatus, nameOf, roleOfPlace, Verdict } from "@quorate/core";
import pc from "picocolors";
import { formatUnits } from "viem";
import { type MoneyFlow, moneyOf, type ObservedJob } from "./observer.ts";
import { DECIMALS } from "./organizations.ts";
import type { RequesterEvent } from "./requester-events.ts";
import type { Story } from "./stories.ts";

/** Tells people what happens on the local market. */
export type Narrator = {
  /** A step of starting or stopping. */
  step(text: string): void;
  /** A free line. */
  say(text: string): void;
  /** A line under a label. */
  item(label: string, text: string): void;
  /** The beginning of a story that is no job. */
  chapter(title: string, explanation: string): void;
  /** The beginning of a story. */
  begin(story: Story, number: number, of: number): void;
  /** What the requester did or saw. */
  tell(event: RequesterEvent): void;
  /** Something the wrappers did on purpose. */
  mishap(text: string): void;
  /** How a job ended: verdicts, and where every unit of money went. */
  end(job: ObservedJob, jobName: string): void;
};

/**
 * Makes a narrator.
 *
 * @param out - Where lines go.
 * @param nameOfAccount - Names for addresses.
 */
export function createNarrator(
  out: NodeJS.WritableStream & { isTTY?: boolean },
  nameOfAccount: (account: Address) => string,
): Narrator {
  const colours = pc.createColors(out.isTTY === true);
  const line = (text = ""): void => void out.write(`${text}\n`);
  const money = (amount: bigint | string): string => formatMoney(BigInt(amount));
  const item = (label: string, text: string): void => line(`  ${colours.dim(label.padEnd(12))}${text}`);
  const chapter = (title: string, explanation: string): void => {
    line();
    line(colours.bold(title));
    for (const text of wrap(explanation, 100)) line(`  ${text}`);
  };
  let panel = new Map<string, string>();

  return {
    step: (text) => line(`${colours.green("•")} ${text}`),
    say: line,
    item,
    chapter,
    begin(story, number, of) {
      panel = new Map();
      chapter(`Job ${number} of ${of}: ${story.title}`, story.explanation);
    },
    mishap: (text) => item("mishap", colours.yellow(text)),
    tell(event) {
      switch (event.type) {
        case "packed":
          item(
            "package",
            `${event.files.join(", ")}; encrypted: ${event.bytes.toLocaleString("en")} bytes in ${event.blocks} blocks, ${short(event.cid)}`,
          );
          break;
        case "requested":
          item("request", `job ${short(event.jobId)} is on both relays`);
          break;
        case "offer":
          item(
            "offer",
            `${nameOfAccount(event.provider).padEnd(16)} ${money(event.price).padStart(8)}  ${event.accepted ? "" : "refused: "}${event.reasons.join("; ")}`,
          );
          break;
        case "selected":
          for (const { provider, role, price } of event.chosen) {
            item("chosen", `${nameOfAccount(provider).padEnd(16)} ${money(price).padStart(8)}  as ${role}`);
          }
          for (const { provider, reasons } of event.refused)
            item("not chosen", `${nameOfAccount(provider).padEnd(16)}           ${reasons.join("; ")}`);
          break;
        case "opened":
          item(
            "escrow",
            `${money(event.escrow)} in escrow; bonds are locked; the package key is sealed to each of them`,
          );
          break;
        case "progress":
          for (const { provider, state } of event.panel) {
            if (panel.get(provider) !== state && state !== "waiting" && state !== "standby")
              item(labels[state] ?? "seat", `${nameOfAccount(provider)} ${words[state] ?? state}`);
            panel.set(provider, state);
          }
          break;
        case "result":
          item(
            "result",
            `${event.bytes.toLocaleString("en")} bytes from ${nameOfAccount(event.from)}, equal to the settled hash; ${event.ok ? "right" : colours.red("WRONG")}: ${event.summary}`,
          );
          break;
        case "failed":
          item("failed", colours.red(`${event.code}: ${event.message}`));
          break;
        case "ready":
        case "settled":
          break;
        default:
          event satisfies never;
      }
    },
    end({ facts, transactions }, jobName) {
      const { settled } = facts;
      if (settled === undefined) return;
      item(
        "settled",
        `${colours.bold(nameOf(JobStatus, settled.status))} by ${nameOfAccount(settled.carrier)}; ${transactions.length} transactions, ${transactions.reduce((sum, { gasUsed }) => sum + gasUsed, 0n).toLocaleString("en")} gas (${jobName})`,
      );
      facts.terms.places.forEach(({ provider, price }, place) => {
        const result = settled.results[place];
        if (result === undefined) return;
        const verdict = nameOf(Verdict, result.verdict);
        const colour =
          verdict === "Aligned" || verdict === "Standby"
            ? colours.green
            : verdict === "Fault" || verdict === "Late"
              ? colours.red
              : colours.yellow;
        item(
          "",
          `${nameOfAccount(provider).padEnd(16)} ${roleOfPlace(facts.terms, place).padEnd(7)} ${colour(verdict.padEnd(10))} paid ${money(result.paid)} of ${money(price)}${bondWords(result.verdict, facts.terms.bond)}`,
        );
      });
      const flow = moneyOf({ ...facts, settled });
      for (const text of moneyLines(flow, nameOfAccount(settled.carrier))) item("money", text);
    },
  };

  function bondWords(verdict: number, bond: bigint): string {
    if (verdict === Verdict.Fault) return `, bond of ${money(bond)} in quarantine`;
    if (verdict === Verdict.Late) return `, bond of ${money(bond)} burnt`;
    return "";
  }

  function moneyLines(flow: MoneyFlow, carrier: string): string[] {
    const lines = [
      `${money(flow.escrow)} escrowed = ${money(flow.paid)} to providers + ${money(flow.carrierFee)} to ${carrier} for settling + ${money(flow.refunded)} back to the requester`,
    ];
    if (flow.lateBonds > 0n) lines.push(`${money(flow.lateBonds)} of late bonds burnt`);
    if (flow.quarantined > 0n) lines.push(`${money(flow.quarantined)} of bonds in quarantine`);
    return lines;
  }
}

const labels: Readonly<Record<string, string>> = {
  committed: "commitment",
  opened: "opening",
  late: "late",
  replaced: "promotion",
};

const words: Readonly<Record<string, string>> = {
  committed: "has committed to an answer",
  opened: "has opened its commitment",
  declined: "has declined",
  late: "is late",
  replaced: "was late, and a spare has taken its seat",
  released: "had not committed when revealing began",
};

/**
 * Test dollars with their sign, without needless zeros.
 *
 * @param amount - Base units.
 */
export function formatMoney(amount: bigint): string {
  const [whole = "0", fraction = ""] = formatUnits(amount, DECIMALS).split(".");
  return `$${whole}.${fraction.padEnd(2, "0")}`;
}

function short(text: string): string {
  return text.length > 20 ? `${text.slice(0, 10)}…${text.slice(-6)}` : text;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
