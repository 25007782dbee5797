import type { Manifest } from "@quorate/core";
import { Play, Square } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { formatBytes } from "../../lib/format.ts";
import { Button, Card, ErrorNote, Facts, Note, Wait } from "../../ui/index.ts";
import { run, type TriedRun } from "../../workers/run.ts";
import { ResultView } from "./job/ResultView.tsx";
import styles from "./request.module.css";
import { tryWords } from "./tryWords.ts";

const wholes = new Intl.NumberFormat("en");

/** Second step: the same engine as the providers', in a worker of this page. */
export function TryStep({
  parts,
  hasRun,
  onRan,
}: {
  readonly parts: { readonly manifest: Manifest; readonly files: ReadonlyMap<string, Uint8Array> };
  /** This content ran to its end here before. */
  readonly hasRun: boolean;
  /** It ran to its end. */
  readonly onRan: () => void;
}): ReactNode {
  const [state, setState] = useState<
    { readonly kind: "idle" | "running" } | { readonly kind: "done"; readonly run: TriedRun }
  >({ kind: "idle" });
  const [failure, setFailure] = useState<unknown>();
  const stopper = useRef<AbortController>(undefined);
  useEffect(() => () => stopper.current?.abort(), []);

  const start = async (): Promise<void> => {
    const controller = new AbortController();
    stopper.current = controller;
    setFailure(undefined);
    setState({ kind: "running" });
    try {
      const ended = await run(parts, controller.signal);
      setState({ kind: "done", run: ended });
      if (ended.kind === "ok") onRan();
    } catch (thrown) {
      setState({ kind: "idle" });
      setFailure(thrown);
    }
  };

  return (
    <Card title="Try it here">
      <div className="stack">
        <p className="soft">
          A program that fails here fails everywhere, for money. This browser has the providers' own engine: it runs the
          program in a sandbox without network, clock or anything of this page.
        </p>
        <div className="row">
          {state.kind === "running" ? (
            <>
              <Button onPress={() => stopper.current?.abort()}>
                <Square size={16} aria-hidden />
                Stop
              </Button>
              <Wait>
                Running {parts.manifest.program}, for {parts.manifest.limits.wallTimeMs / 1000} s at most
              </Wait>
            </>
          ) : (
            <Button kind={state.kind === "idle" && !hasRun ? "primary" : "secondary"} onPress={() => void start()}>
              <Play size={16} aria-hidden />
              {state.kind === "done" || hasRun ? "Run it again" : "Run it here"}
            </Button>
          )}
        </div>
        {failure === undefined ? undefined : <ErrorNote error={failure} />}
        {state.kind === "idle" && hasRun ? (
          <Note tone="good">
            <p>This program ran to its end here, on the same data.</p>
          </Note>
        ) : undefined}
        {state.kind === "done" ? <Tried run={state.run} outputLimit={parts.manifest.limits.outputBytes} /> : undefined}
      </div>
    </Card>
  );
}

function Tried({ run: ended, outputLimit }: { readonly run: TriedRun; readonly outputLimit: number }): ReactNode {
  const { tone, title, text } = tryWords(ended);
  const diagnostics = "diagnostics" in ended ? ended.diagnostics.trim() : "";
  return (
    <div className="stack">
      <Note tone={tone}>
        <p>
          <strong>{title}.</strong> {text}
        </p>
      </Note>
      {"usage" in ended ? (
        <Facts
          rows={[
            ["Fuel", <Figure key="fuel">{wholes.format(ended.usage.fuel)} units</Figure>],
            ["Memory", <Figure key="memory">{formatBytes(ended.usage.memoryBytes)}</Figure>],
            [
              "Output",
              <Figure key="output">
                {formatBytes(ended.usage.outputBytes)} of {formatBytes(outputLimit)}
              </Figure>,
            ],
            ["Time in this browser", <Figure key="time">{wholes.format(Math.round(ended.usage.elapsedMs))} ms</Figure>],
          ]}
        />
      ) : undefined}
      {diagnostics === "" ? undefined : (
        <div className="stack-tight">
          <h3>What the program said besides</h3>
          <section className={styles.source} aria-label="Diagnostics of the program">
            <pre>{diagnostics}</pre>
          </section>
        </div>
      )}
      {ended.kind === "ok" ? (
        <div className="stack-tight">
          <h3>Result</h3>
          <ResultView bytes={ended.output} name="result" />
        </div>
      ) : undefined}
    </div>
  );
}

function Figure({ children }: { readonly children: ReactNode }): ReactNode {
  return <span className="numeric">{children}</span>;
}
