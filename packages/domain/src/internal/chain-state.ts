import type { Batch } from "@quorate/chain";
import { type Address, type Hex, type Logger, silentLogger } from "@quorate/core";
import { decodeState, encodeState } from "@quorate/service";
import { type DomainEvent, decodeDomainEvent } from "./chain-reader.ts";
import type { Dataset, State } from "./context.ts";
import type { Publications } from "./publications.ts";
import type { Questions } from "./questions.ts";

/**
 * What the final chain says. Events wait in the database until their block is final: an answer that was sent for a question
 * which a reorganisation takes back would have been given for nothing.
 */
export type ChainState = {
  /** Takes a step of the follower; call in its transaction. */
  take(batch: Batch): void;
  /** Timestamp of the newest final block, unix s; 0 before the first. */
  finalTime(): number;
  /** Timestamp of the newest block, unix s; 0 before the first. */
  headTime(): number;
  /** Number of the newest final block; -1 before the first batch of this run. */
  finalBlock(): number;
};

/**
 * Makes the consumer of a follower.
 *
 * @param ports State, and what events change.
 */
export function createChainState(ports: {
  readonly state: State;
  readonly provider: Address;
  readonly datasets: readonly Dataset[];
  readonly publications: Publications;
  readonly questions: Questions;
  readonly logger?: Logger;
}): ChainState {
  const { provider, datasets, publications, questions, logger = silentLogger } = ports;
  const { db } = ports.state;
  const dropEvents = db.prepare("DELETE FROM chain_event WHERE block > ?");
  const dropBlocks = db.prepare("DELETE FROM chain_block WHERE number > ?");
  const addEvent = db.prepare("INSERT OR REPLACE INTO chain_event VALUES (?, ?, ?)");
  const addBlock = db.prepare("INSERT OR REPLACE INTO chain_block VALUES (?, ?)");
  const finalEvents = db.prepare("SELECT body FROM chain_event WHERE block <= ? ORDER BY block, log_index");
  const newestFinal = db.prepare("SELECT timestamp FROM chain_block WHERE number <= ? ORDER BY number DESC LIMIT 1");
  const forgetEvents = db.prepare("DELETE FROM chain_event WHERE block <= ?");
  const forgetBlocks = db.prepare("DELETE FROM chain_block WHERE number <= ?");
  const setTime = db.prepare(
    "INSERT INTO meta (name, value) VALUES ('final-time', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
  );
  const stored = db.prepare("SELECT value FROM meta WHERE name = 'final-time'").get()?.value as Uint8Array | undefined;
  let finalTime = stored === undefined ? 0 : Number(Buffer.from(stored).toString());
  let headTime = finalTime;
  let finalBlock = -1;

  const idOf = (dataset: Hex): number | undefined => datasets.find((candidate) => candidate.dataset === dataset)?.id;

  const apply = (event: DomainEvent, at: number): void => {
    switch (event.name) {
      case "RootPublished":
      case "RootRevoked": {
        const datasetId = idOf(event.dataset);
        if (datasetId === undefined) return;
        if (event.name === "RootPublished") publications.published(datasetId, event.root, at);
        else publications.revoked(datasetId, event.root);
        return;
      }
      case "QuestionAsked": {
        const question = questions.byQuoteId(event.id);
        // Another agent of the provider quoted it, or a backup was restored: whoever quoted has to answer.
        if (question === undefined) logger.error("question_unknown", { id: event.id, deadline: event.deadline });
        else if (question.phase === "quoted") questions.asked(question, event.deadline, at);
        else logger.error("question_unexpected", { id: event.id, phase: question.phase });
        return;
      }
      case "QuestionAnswered":
      case "QuestionExpired": {
        const question = questions.byQuoteId(event.id);
        if (question === undefined || question.phase === "answered" || question.phase === "expired") return;
        const phase = event.name === "QuestionAnswered" ? "answered" : "expired";
        // Its nullifier may have been seen in a transaction that came too late: an index goes back only if there was none.
        questions.end(question, phase, at, phase === "expired" && question.proof === undefined);
        logger.info("question_ended", { id: event.id, phase });
        return;
      }
      default:
        event satisfies never;
    }
  };

  return {
    take({ rollback, blocks, head, finalTo }) {
      if (rollback !== undefined) {
        dropEvents.run(rollback.toBlock);
        dropBlocks.run(rollback.toBlock);
      }
      for (const { number, timestamp, logs } of blocks) {
        addBlock.run(number, timestamp);
        for (const log of logs) {
          const event = decodeDomainEvent(log, provider);
          if (event !== undefined) addEvent.run(number, log.logIndex, encodeState({ event, at: timestamp }));
        }
      }
      headTime = Math.max(headTime, head.timestamp);
      finalBlock = finalTo;
      for (const row of finalEvents.all(finalTo)) {
        const { event, at } = decodeState(row.body as string) as { event: DomainEvent; at: number };
        apply(event, at);
      }
      const newest = newestFinal.get(finalTo)?.timestamp as number | undefined;
      if (newest !== undefined && newest > finalTime) {
        finalTime = newest;
        setTime.run(Buffer.from(String(newest)));
        for (const question of questions.inPhase("quoted")) {
          // Whoever had asked in time would have done so in a block that is final by now.
          if (question.quote.expiry < newest) questions.end(question, "lapsed", newest, true);
        }
      }
      forgetEvents.run(finalTo);
      forgetBlocks.run(finalTo);
    },
    finalTime: () => finalTime,
    headTime: () => headTime,
    finalBlock: () => finalBlock,
  };
}
