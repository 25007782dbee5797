import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { unlockSecret, useSecret, useSession } from "../../connection/index.ts";
import {
  type BackedUp,
  backedUp,
  damagedRecords,
  exportBackup,
  type ImportPlan,
  importRecords,
  LEAST_PASSPHRASE,
  openBackup,
  planImport,
  readRecords,
} from "../../data/backup.ts";
import { onChange } from "../../data/db.ts";
import { count } from "../../lib/format.ts";
import { saveText } from "../../lib/save.ts";
import { Button, Card, Disclosure, ErrorNote, Facts, FileDrop, Note, TextField, Wait } from "../../ui/index.ts";

const titles: Readonly<Record<BackedUp, string>> = {
  jobs: "Jobs you requested",
  queries: "Questions you asked",
  subjects: "What you consented to",
};

/** What this browser keeps, how it is taken along, and how it comes back. */
export function KeysCard(): ReactNode {
  const { data, error, refetch } = useQuery({ queryKey: ["records"], queryFn: readRecords });
  useEffect(
    () =>
      onChange(({ store }) => {
        if (backedUp.some((name) => name === store)) void refetch();
      }),
    [refetch],
  );
  const damaged = data === undefined ? undefined : damagedRecords(data);
  const bad = backedUp.flatMap((store) => (damaged?.[store] ?? []).map((key) => `${titles[store]}: ${key}`));
  return (
    <Card title="Keys in this browser">
      <div className="stack-wide">
        <p>
          Results and answers are encrypted to keys that lie in this browser. A key in a browser is as safe as the
          browser: who can use it can read them, and who clears its data loses them. Money is not among them: that
          belongs to your wallet.
        </p>
        {error ? <ErrorNote error={error} /> : undefined}
        {data === undefined ? (
          error ? undefined : (
            <Wait>Reading what is stored</Wait>
          )
        ) : (
          <Facts
            rows={backedUp.map((store) => [titles[store], count(Object.keys(data[store]).length, "record")] as const)}
          />
        )}
        {bad.length === 0 ? undefined : (
          <Note tone="bad">
            <p>
              {count(bad.length, "entry cannot", "entries cannot")} be read. Restore them from a backup; without them
              these results cannot be opened.
            </p>
            <ul className="small">
              {bad.map((words) => (
                <li key={words}>
                  <code>{words}</code>
                </li>
              ))}
            </ul>
          </Note>
        )}
        <Unlock />
        <Disclosure title="Take them along: one encrypted file">
          <Export />
        </Disclosure>
        <Disclosure title="Bring them back from a file">
          <Import />
        </Disclosure>
      </div>
    </Card>
  );
}

function Unlock(): ReactNode {
  const { jobs, account } = useSession();
  const secret = useSecret();
  const [isAsking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>();
  if (account === undefined) return;
  const ask = async (): Promise<void> => {
    setAsking(true);
    setError(undefined);
    try {
      await unlockSecret(jobs);
    } catch (thrown) {
      setError(thrown);
    } finally {
      setAsking(false);
    }
  };
  return (
    <div className="stack-tight">
      <h3>Keys that can be made again</h3>
      <p className="soft">
        A wallet that signs the same words always alike can be the source of the keys: it signs two times now, and new
        jobs of this page get keys that the same wallet makes again, on any machine. Never sign these words on another
        site.
      </p>
      {secret === undefined ? (
        <div className="row">
          <Button isSmall isDisabled={isAsking || jobs.wallet === undefined} onPress={() => void ask()}>
            Derive keys from my wallet
          </Button>
          {isAsking ? <Wait>Waiting for your wallet to sign the same words twice</Wait> : undefined}
        </div>
      ) : (
        <Note tone="good">
          <p>Until this page is closed, keys of new jobs are derived from your wallet.</p>
        </Note>
      )}
      {error ? <ErrorNote error={error} /> : undefined}
    </div>
  );
}

function Export(): ReactNode {
  const [passphrase, setPassphrase] = useState("");
  const [again, setAgain] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [isDone, setDone] = useState(false);
  const isLong = passphrase.length >= LEAST_PASSPHRASE;
  const run = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    setDone(false);
    try {
      saveText("quorate-keys.json", await exportBackup(await readRecords(), passphrase));
      setDone(true);
      setPassphrase("");
      setAgain("");
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="stack">
      <p>The file opens with the passphrase alone, and nobody can give you another one.</p>
      <div className="grid-2">
        <TextField
          label="Passphrase of the file"
          type="password"
          value={passphrase}
          onChange={setPassphrase}
          hint={`${LEAST_PASSPHRASE} characters at least; several words are best.`}
        />
        <TextField
          label="The same passphrase again"
          type="password"
          value={again}
          onChange={setAgain}
          error={again !== "" && again !== passphrase ? "This is not the same." : undefined}
        />
      </div>
      <div className="row">
        <Button isDisabled={!isLong || again !== passphrase || isBusy} onPress={() => void run()}>
          Export the keys
        </Button>
        {isBusy ? <Wait>Encrypting</Wait> : undefined}
      </div>
      {error ? <ErrorNote error={error} /> : undefined}
      {isDone ? (
        <Note tone="good">
          <p>
            quorate-keys.json was handed to your browser's downloads. Keep it with its passphrase in mind, not beside
            it.
          </p>
        </Note>
      ) : undefined}
    </div>
  );
}

function Import(): ReactNode {
  const [file, setFile] = useState<File>();
  const [passphrase, setPassphrase] = useState("");
  const [plan, setPlan] = useState<ImportPlan>();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [done, setDone] = useState<string>();
  const run = async (task: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await task();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  const open = (chosen: File): Promise<void> =>
    run(async () => setPlan(planImport(await openBackup(await chosen.text(), passphrase), await readRecords())));
  const take = (entries: ImportPlan["add"]): Promise<void> =>
    run(async () => {
      await importRecords(entries);
      setDone(`${count(entries.length, "record is", "records are")} in this browser now.`);
      setPlan(undefined);
      setFile(undefined);
      setPassphrase("");
    });
  return (
    <div className="stack">
      <FileDrop
        label={file === undefined ? "Drop the exported file here" : file.name}
        button="Choose the file"
        accept={[".json", "application/json"]}
        onFiles={([chosen]) => {
          setFile(chosen);
          setPlan(undefined);
          setDone(undefined);
        }}
      />
      <TextField label="Its passphrase" type="password" value={passphrase} onChange={setPassphrase} />
      <div className="row">
        <Button
          isDisabled={file === undefined || passphrase === "" || isBusy}
          onPress={() => {
            if (file !== undefined) void open(file);
          }}
        >
          Open the file
        </Button>
        {isBusy ? <Wait>Opening the file</Wait> : undefined}
      </div>
      {error ? <ErrorNote error={error} /> : undefined}
      {done === undefined ? undefined : (
        <Note tone="good">
          <p>{done}</p>
        </Note>
      )}
      {plan === undefined ? undefined : <Plan plan={plan} isBusy={isBusy} onTake={(entries) => void take(entries)} />}
    </div>
  );
}

function Plan({
  plan: { add, same, differs, damaged },
  isBusy,
  onTake,
}: {
  readonly plan: ImportPlan;
  readonly isBusy: boolean;
  readonly onTake: (entries: ImportPlan["add"]) => void;
}): ReactNode {
  return (
    <div className="stack">
      <Facts
        rows={[
          ["New here", count(add.length, "record")],
          ["The same is here", count(same.length, "record")],
          ["Differs from what is here", count(differs.length, "record")],
          ["Cannot be read", count(damaged.length, "record")],
        ]}
      />
      <div className="row">
        <Button isDisabled={add.length === 0 || isBusy} onPress={() => onTake(add)}>
          Add what is new
        </Button>
        {add.length === 0 ? <span className="soft small">The file holds nothing new.</span> : undefined}
      </div>
      {differs.length === 0 ? undefined : (
        <Note tone="warn">
          <p>
            {count(differs.length, "record")} of the file {differs.length === 1 ? "is" : "are"} in another state than
            here; the one here may be newer. A job that was opened since then would be forgotten to be open. Replace
            only what you know to be older here.
          </p>
          <ul className="small">
            {differs.map(({ store, key }) => (
              <li key={key}>
                {titles[store]}: <code>{key}</code>
              </li>
            ))}
          </ul>
          <Button kind="danger" isSmall isDisabled={isBusy} onPress={() => onTake(differs)}>
            Replace them with the file's
          </Button>
        </Note>
      )}
    </div>
  );
}
