import { useCallback, useEffect, useRef, useState } from "react";
import { openDatabase, putDurably } from "../../data/db.ts";
import { type AskDraft, emptyDraft } from "./askDraft.ts";

const KEY = "ask";
const WRITE_AFTER_MS = 200;

/**
 * Reads the draft of a question.
 *
 * @returns An empty one when there is none, or none that this version reads.
 */
export async function readAskDraft(): Promise<AskDraft> {
  const stored = (await (await openDatabase()).get("drafts", KEY)) as Partial<AskDraft> | undefined;
  return { ...emptyDraft, ...stored };
}

/**
 * Stores the draft of a question.
 *
 * @param draft - Undefined forgets it.
 */
export async function writeAskDraft(draft: AskDraft | undefined): Promise<void> {
  await putDurably("drafts", KEY, draft);
}

/** The draft of a question as a form uses it; it survives a reload. */
export type AskDraftState = {
  /** Undefined until it was read. */
  readonly draft: AskDraft | undefined;
  readonly update: (change: Partial<AskDraft>) => void;
  /** Forgets it. */
  readonly discard: () => Promise<void>;
};

/** The draft of a question. */
export function useAskDraft(): AskDraftState {
  const [draft, setDraft] = useState<AskDraft>();
  const latest = useRef<AskDraft>(undefined);
  const timer = useRef<number>(undefined);

  const write = useCallback(() => {
    clearTimeout(timer.current);
    if (timer.current === undefined) return;
    timer.current = undefined;
    // A draft that could not be kept is no reason to stop writing it.
    void writeAskDraft(latest.current).catch(() => {});
  }, []);

  useEffect(() => {
    let isHere = true;
    void readAskDraft()
      .catch(() => emptyDraft)
      .then((stored) => {
        if (!isHere) return;
        latest.current = stored;
        setDraft(stored);
      });
    addEventListener("pagehide", write);
    return () => {
      isHere = false;
      removeEventListener("pagehide", write);
      write();
    };
  }, [write]);

  const update = useCallback(
    (change: Partial<AskDraft>) => {
      const next = { ...(latest.current ?? emptyDraft), ...change };
      latest.current = next;
      setDraft(next);
      clearTimeout(timer.current);
      timer.current = setTimeout(write, WRITE_AFTER_MS) as unknown as number;
    },
    [write],
  );

  const discard = useCallback(async () => {
    clearTimeout(timer.current);
    timer.current = undefined;
    latest.current = emptyDraft;
    setDraft(emptyDraft);
    await writeAskDraft(undefined);
  }, []);

  return { draft, update, discard };
}
