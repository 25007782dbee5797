import { FileCode2, FileText, Trash2 } from "lucide-react";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { formatBytes } from "../../lib/format.ts";
import {
  Button,
  Card,
  Choices,
  Disclosure,
  ErrorNote,
  FileDrop,
  Note,
  Select,
  TextField,
  Wait,
} from "../../ui/index.ts";
import {
  BLANK_PROGRAM,
  type DraftFile,
  type DraftLimits,
  dataProblem,
  engineOf,
  type PartProblems,
  type ProgramSource,
  programProblem,
} from "./draft.ts";
import { type Example, examples, loadExample } from "./examples.ts";
import styles from "./request.module.css";
import type { StoredDraft } from "./useDraft.ts";

const Editor = lazy(() => import("./Editor.tsx"));

const WRITTEN = "program.js";
const NO_STDIN = "-";

/** First step: what is to be computed, on what. */
export function ProgramStep({
  stored,
  problems,
  areProblemsShown,
}: {
  readonly stored: StoredDraft;
  readonly problems: PartProblems | undefined;
  /** Somebody tried to go on. */
  readonly areProblemsShown: boolean;
}): ReactNode {
  const { draft, files, change, changeFiles } = stored;
  const [refused, setRefused] = useState<string>();
  const [failure, setFailure] = useState<unknown>();
  const [isLoading, setLoading] = useState(false);

  const choose = (source: ProgramSource): void => {
    setRefused(undefined);
    if (source === draft.source) return;
    change({ source, example: undefined, stdin: "" });
    if (source === "editor") {
      const isJavaScript = files.program !== undefined && engineOf(files.program.name) === "quickjs";
      // Whoever looked at an example first goes on from it.
      if (!isJavaScript) changeFiles({ ...files, program: written(BLANK_PROGRAM) });
    }
  };
  const take = async (example: Example): Promise<void> => {
    setLoading(true);
    setFailure(undefined);
    try {
      changeFiles(await loadExample(example));
      change({
        source: "example",
        example: example.id,
        args: example.args.join("\n"),
        stdin: "",
        label: example.title,
      });
    } catch (thrown) {
      setFailure(thrown);
    } finally {
      setLoading(false);
    }
  };
  const takeProgram = async ([file]: readonly File[]): Promise<void> => {
    if (file === undefined) return;
    const program = await read(file);
    const problem = programProblem(program);
    setRefused(problem);
    if (problem === undefined) {
      changeFiles({ program, data: files.data.filter(({ name }) => name !== program.name) });
      change({ source: "file", example: undefined });
    }
  };
  return (
    <div className="stack-wide">
      <Card title="Program">
        <div className="stack">
          <Choices<ProgramSource>
            label="Where does the program come from?"
            value={draft.source}
            onChange={choose}
            options={[
              { id: "example", title: "An example", note: "Works at once, on public data." },
              { id: "file", title: "A file of mine", note: "JavaScript, or WebAssembly for WASI preview 1." },
              { id: "editor", title: "Write it here", note: "JavaScript in an editor." },
            ]}
          />
          {draft.source === "example" ? (
            <Choices
              label="Which example?"
              value={draft.example}
              onChange={(id) => {
                const example = examples.find((candidate) => candidate.id === id);
                if (example !== undefined) void take(example);
              }}
              options={examples.map(({ id, title, note }) => ({ id, title, note }))}
            />
          ) : undefined}
          {draft.source === "file" ? (
            <FileDrop
              label="Drop the program here: a .js or .wasm file"
              button="Choose a program"
              accept={[".js", ".mjs", ".wasm"]}
              onFiles={(dropped) => void takeProgram(dropped)}
            />
          ) : undefined}
          {isLoading ? <Wait>Loading the example's data</Wait> : undefined}
          {failure === undefined ? undefined : <ErrorNote error={failure} />}
          {refused === undefined ? undefined : (
            <Note tone="bad">
              <p>{refused}</p>
            </Note>
          )}
          {files.program === undefined ? undefined : (
            <FileRow
              file={files.program}
              note={engineOf(files.program.name) === "wasi-p1" ? "runs as WASI preview 1" : "runs in QuickJS"}
              icon={<FileCode2 size={18} aria-hidden />}
              onRemove={() => {
                changeFiles({ ...files, program: undefined });
                change({ example: undefined });
              }}
            />
          )}
          {files.program !== undefined && engineOf(files.program.name) === "quickjs" && draft.source !== "file" ? (
            <ProgramText
              key={draft.example ?? draft.source}
              isEditable={draft.source === "editor"}
              file={files.program}
              onChange={(text) => changeFiles({ ...files, program: written(text, files.program?.name) })}
              onEdit={() => choose("editor")}
            />
          ) : undefined}
          {areProblemsShown && problems?.program !== undefined ? (
            <Note tone="bad">
              <p>{problems.program}</p>
            </Note>
          ) : undefined}
        </div>
      </Card>
      <DataCard stored={stored}>
        <Disclosure
          title="Arguments, input and limits"
          isOpenAtFirst={problems !== undefined && Object.keys(problems.limits).length > 0}
        >
          <div className="stack">
            <div className="grid-2">
              <TextField
                label="Arguments"
                hint="One a line. JavaScript finds them as args."
                rows={3}
                value={draft.args}
                onChange={(args) => change({ args })}
                error={problems?.args}
              />
              <Select
                label="Standard input"
                hint={problems?.stdin ?? "A data file that the program reads as its input."}
                value={draft.stdin === "" ? NO_STDIN : draft.stdin}
                onChange={(name) => change({ stdin: name === NO_STDIN ? "" : name })}
                options={[
                  { id: NO_STDIN, label: "None" },
                  ...files.data.map(({ name }) => ({ id: name, label: name })),
                ]}
              />
            </div>
            <Limits
              limits={draft.limits}
              problems={problems?.limits ?? {}}
              onChange={(limits) => change({ limits: { ...draft.limits, ...limits } })}
            />
          </div>
        </Disclosure>
      </DataCard>
    </div>
  );
}

function written(text: string, name: string = WRITTEN): DraftFile {
  return { name, bytes: new TextEncoder().encode(text) };
}

async function read(file: File): Promise<DraftFile> {
  return { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) };
}

function FileRow({
  file,
  note,
  icon,
  onRemove,
}: {
  readonly file: DraftFile;
  readonly note?: string;
  readonly icon: ReactNode;
  readonly onRemove: () => void;
}): ReactNode {
  return (
    <div className={styles.file}>
      {icon}
      <code className={styles.fileName}>{file.name}</code>
      <span className="soft small numeric">
        {formatBytes(file.bytes.length)}
        {note === undefined ? "" : `, ${note}`}
      </span>
      <Button kind="quiet" isSmall onPress={onRemove} aria-label={`Remove ${file.name}`}>
        <Trash2 size={16} aria-hidden />
      </Button>
    </div>
  );
}

function ProgramText({
  file,
  isEditable,
  onChange,
  onEdit,
}: {
  readonly file: DraftFile;
  readonly isEditable: boolean;
  readonly onChange: (text: string) => void;
  readonly onEdit: () => void;
}): ReactNode {
  const text = new TextDecoder().decode(file.bytes);
  if (isEditable) {
    return (
      <Suspense fallback={<Wait>Loading the editor</Wait>}>
        <Editor label={`Source of ${file.name}`} text={text} onChange={onChange} />
      </Suspense>
    );
  }
  return (
    <Disclosure title={`Look at ${file.name}`}>
      <div className="stack">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
        <section className={styles.source} aria-label={`Source of ${file.name}`} tabIndex={0}>
          <pre>{text}</pre>
        </section>
        <div>
          <Button isSmall onPress={onEdit}>
            Change it in the editor
          </Button>
        </div>
      </div>
    </Disclosure>
  );
}

function DataCard({ stored, children }: { readonly stored: StoredDraft; readonly children: ReactNode }): ReactNode {
  const { draft, files, change, changeFiles } = stored;
  const [refused, setRefused] = useState<readonly string[]>([]);
  const takeData = async (dropped: readonly File[]): Promise<void> => {
    const added = await Promise.all(dropped.map(read));
    const problems = added.map((file) => dataProblem(file, files));
    const good = added.filter((_, index) => problems[index] === undefined);
    setRefused(problems.filter((problem) => problem !== undefined));
    if (good.length === 0) return;
    const names = new Set(good.map(({ name }) => name));
    changeFiles({ ...files, data: [...files.data.filter(({ name }) => !names.has(name)), ...good] });
  };
  const total = files.data.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return (
    <Card
      title="Data and limits"
      aside={
        files.data.length === 0 ? undefined : (
          <span className="soft small numeric">
            {files.data.length === 1 ? "1 file" : `${files.data.length} files`}, {formatBytes(total)}
          </span>
        )
      }
    >
      <div className="stack">
        <FileDrop
          label="Drop data files here, as many as the program needs"
          button="Choose data files"
          isMultiple
          onFiles={(dropped) => void takeData(dropped)}
        />
        {refused.map((words) => (
          <Note key={words} tone="bad">
            <p>{words}</p>
          </Note>
        ))}
        {files.data.length === 0 ? (
          <p className="soft small">No data: the program works with its arguments alone.</p>
        ) : (
          <ul className="stack-tight" aria-label="Data files">
            {files.data.map((file) => (
              <li key={file.name}>
                <FileRow
                  file={file}
                  icon={<FileText size={18} aria-hidden />}
                  onRemove={() => {
                    changeFiles({ ...files, data: files.data.filter(({ name }) => name !== file.name) });
                    if (draft.stdin === file.name) change({ stdin: "" });
                  }}
                />
              </li>
            ))}
          </ul>
        )}
        {children}
      </div>
    </Card>
  );
}

function Limits({
  limits,
  problems,
  onChange,
}: {
  readonly limits: DraftLimits;
  readonly problems: PartProblems["limits"];
  readonly onChange: (limits: Partial<DraftLimits>) => void;
}): ReactNode {
  return (
    <div className="grid-3">
      <TextField
        label="Fuel"
        unit="million"
        inputMode="numeric"
        hint="Instructions that the program may use; the same count everywhere."
        value={limits.fuelMillions}
        onChange={(fuelMillions) => onChange({ fuelMillions })}
        error={problems.fuelMillions}
      />
      <TextField
        label="Memory"
        unit="MiB"
        inputMode="numeric"
        hint="Of the program; its engine in JavaScript needs 16 of them."
        value={limits.memoryMiB}
        onChange={(memoryMiB) => onChange({ memoryMiB })}
        error={problems.memoryMiB}
      />
      <TextField
        label="Output"
        unit="KiB"
        inputMode="numeric"
        hint="Largest result."
        value={limits.outputKiB}
        onChange={(outputKiB) => onChange({ outputKiB })}
        error={problems.outputKiB}
      />
      <TextField
        label="Time"
        unit="s"
        inputMode="numeric"
        hint="After so long a provider gives up and reports it."
        value={limits.wallTimeS}
        onChange={(wallTimeS) => onChange({ wallTimeS })}
        error={problems.wallTimeS}
      />
    </div>
  );
}
