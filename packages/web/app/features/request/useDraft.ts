import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { openDatabase, putDurably } from "../../data/db.ts";
import { type DraftFiles, emptyDraft, noFiles, type RequestDraft, readDraft } from "./draft.ts";

const FORM = "request";
const FILES = "request/files";

/** The form that is being filled in, as this browser keeps it. */
export type StoredDraft = {
  readonly draft: RequestDraft;
  readonly files: DraftFiles;
  readonly change: (change: Partial<RequestDraft>) => void;
  readonly changeFiles: (files: DraftFiles) => void;
  /** Resolves once everything that was changed is durable. */
  readonly flush: () => Promise<void>;
  /** Forgets the form. */
  readonly clear: () => Promise<void>;
  /** Why the form could not be kept. */
  readonly error: unknown;
};

/** Form and files, as they are stored. */
export async function loadDraft(): Promise<{ readonly draft: RequestDraft; readonly files: DraftFiles }> {
  const database = await openDatabase();
  const [form, files] = await Promise.all([database.get("drafts", FORM), database.get("drafts", FILES)]);
  return { draft: readDraft(form), files: (files as DraftFiles | undefined) ?? noFiles };
}

/** Forgets form and files. */
export async function deleteDraft(): Promise<void> {
  await putDurably("drafts", FORM, undefined);
  await putDurably("drafts", FILES, undefined);
}

/** Writes the newest value of one key, one write at a time: what was overtaken is never written. */
function createWriter(key: string): { put(value: unknown): Promise<void> } {
  let waiting: { readonly value: unknown } | undefined;
  let running: Promise<void> | undefined;
  const drain = async (): Promise<void> => {
    try {
      while (waiting !== undefined) {
        const { value } = waiting;
        waiting = undefined;
        await putDurably("drafts", key, value);
      }
    } finally {
      // In the same turn as the last look at what waits: nothing can come in between and be left behind.
      running = undefined;
    }
  };
  return {
    put(value) {
      waiting = { value };
      running ??= Promise.resolve().then(drain);
      return running;
    },
  };
}

/** The draft; undefined until it was read. Every change is stored, so that a reload or a closed tab loses nothing. */
export function useDraft(): StoredDraft | undefined {
  const [state, setState] = useState<{ readonly draft: RequestDraft; readonly files: DraftFiles }>();
  const [error, setError] = useState<unknown>();
  const latest = useRef(state);
  const writers = useMemo(() => ({ form: createWriter(FORM), files: createWriter(FILES) }), []);
  const pending = useRef<Promise<unknown>>(Promise.resolve());
  useEffect(() => {
    let isHere = true;
    loadDraft().then(
      (loaded) => {
        if (!isHere) return;
        latest.current = loaded;
        setState(loaded);
      },
      (thrown: unknown) => {
        if (!isHere) return;
        setError(thrown);
        latest.current = { draft: emptyDraft, files: noFiles };
        setState(latest.current);
      },
    );
    return () => {
      isHere = false;
    };
  }, []);
  const keep = useCallback((writing: Promise<void>) => {
    pending.current = Promise.all([pending.current.catch(() => {}), writing]);
    pending.current.then(() => setError(undefined), setError);
  }, []);
  const change = useCallback(
    (next: Partial<RequestDraft>) => {
      const { current } = latest;
      if (current === undefined) return;
      latest.current = { ...current, draft: { ...current.draft, ...next } };
      setState(latest.current);
      keep(writers.form.put(latest.current.draft));
    },
    [keep, writers],
  );
  const changeFiles = useCallback(
    (files: DraftFiles) => {
      const { current } = latest;
      if (current === undefined) return;
      latest.current = { ...current, files };
      setState(latest.current);
      keep(writers.files.put(files));
    },
    [keep, writers],
  );
  const flush = useCallback(async () => {
    await pending.current;
  }, []);
  const clear = useCallback(async () => {
    await pending.current.catch(() => {});
    await deleteDraft();
    latest.current = { draft: emptyDraft, files: noFiles };
    setState(latest.current);
  }, []);
  return useMemo(
    () => (state === undefined ? undefined : { ...state, change, changeFiles, flush, clear, error }),
    [state, change, changeFiles, flush, clear, error],
  );
}
