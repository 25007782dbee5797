import { parseTrustPolicy, planReplication, type TrustPolicy } from "@quorate/sdk";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { zeroAddress } from "viem";
import { AddressName, trustToJson, useProfiles, useSession, useToken, useTrust } from "../../connection/index.ts";
import { saveText } from "../../lib/save.ts";
import { useChainTime } from "../../market/index.ts";
import { isOnline } from "../../parts/online.ts";
import {
  Button,
  Card,
  Checkbox,
  Choices,
  Empty,
  ErrorNote,
  FileDrop,
  Note,
  Page,
  TextField,
  Wait,
} from "../../ui/index.ts";
import { draftOf, judgeDraft, planWords, policyWords, type TrustDraft } from "./draft.ts";
import styles from "./Trust.module.css";

/** Whom the visitor trusts with its data and with a vote. */
export default function TrustPage(): ReactNode {
  const { isLoaded, policy } = useTrust();
  const { network } = useSession();
  return (
    <Page
      title="Whom you trust"
      lead="Everybody who gets a place in your job can read its data. This list, kept in this browser, decides who may."
    >
      {isLoaded ? (
        <Editor
          key={JSON.stringify(trustToJson(policy))}
          policy={policy}
          token={network.tokens[0]?.address ?? zeroAddress}
        />
      ) : (
        <Wait>Reading your list</Wait>
      )}
    </Page>
  );
}

function Editor({ policy, token }: { readonly policy: TrustPolicy; readonly token: `0x${string}` }): ReactNode {
  const { save, history } = useTrust();
  const unit = useToken(token);
  const before = useMemo(() => draftOf(policy, unit.decimals), [policy, unit.decimals]);
  const [draft, setDraft] = useState<TrustDraft>(before);
  const [error, setError] = useState<unknown>();
  const change = (changes: Partial<TrustDraft>): void => setDraft({ ...draft, ...changes });
  const judged = judgeDraft(draft, unit.decimals);
  const isChanged = JSON.stringify(draft) !== JSON.stringify(before);
  const seatsNobody = judged.policy?.accept === "allow-list" && judged.policy.allow.length === 0;
  const plan = judged.policy === undefined || seatsNobody ? undefined : planReplication(history, judged.policy);
  useEffect(() => {
    if (!isChanged) return;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [isChanged]);
  const store = (next: unknown): void => {
    setError(undefined);
    save(next).catch(setError);
  };
  return (
    <>
      {judged.policy === undefined ? (
        <Note tone="bad">
          <p>{judged.error}</p>
        </Note>
      ) : (
        <Note>
          <p>
            <strong>{policyWords(judged.policy)}</strong>
          </p>
          {plan === undefined ? undefined : <p>{planWords(plan)}</p>}
        </Note>
      )}
      <Card title="Who may be seated">
        <Choices
          label="Accept offers of"
          value={draft.accept}
          onChange={(accept) => change({ accept })}
          options={[
            {
              id: "allow-list",
              title: "My list only",
              note: "The safe choice: you know everybody who reads your data.",
            },
            {
              id: "history",
              title: "Also good histories",
              note: "Strangers that answered well beside those you know.",
            },
            { id: "anyone", title: "Anyone", note: "For data that may be public. One person may hold every seat." },
          ]}
        />
      </Card>
      <AllowList draft={draft} onChange={change} />
      <DenyList draft={draft} onChange={change} />
      <Numbers draft={draft} onChange={change} symbol={unit.symbol} />
      <div className={styles.bar} data-changed={isChanged}>
        <div className="row">
          <Button
            kind="primary"
            isDisabled={!isChanged || judged.policy === undefined}
            onPress={() => store(judged.policy)}
          >
            Save
          </Button>
          <Button isDisabled={!isChanged} onPress={() => setDraft(before)}>
            Undo changes
          </Button>
          <span className="soft small" role="status">
            {judged.policy === undefined
              ? "Correct what is said above first."
              : isChanged
                ? "Not saved yet."
                : "Saved in this browser."}
          </span>
        </div>
        {error ? <ErrorNote error={error} /> : undefined}
      </div>
      <Files policy={policy} onImport={store} />
    </>
  );
}

type Part = { readonly draft: TrustDraft; readonly onChange: (changes: Partial<TrustDraft>) => void };

function AllowList({ draft, onChange }: Part): ReactNode {
  const { profiles } = useProfiles();
  useChainTime();
  const { allow, deny } = draft;
  const listed = new Set([...allow, ...deny].map(({ provider }) => provider.trim().toLowerCase()));
  const suggested = [...profiles.values()].filter(
    (record) => isOnline(record, Date.now() / 1000) && !listed.has(record.profile.provider.toLowerCase()),
  );
  const set = (index: number, entry: Partial<TrustDraft["allow"][number]>): void =>
    onChange({ allow: allow.map((old, at) => (at === index ? { ...old, ...entry } : old)) });
  return (
    <Card title="Trusted providers">
      <div className="stack">
        {allow.length === 0 ? <Empty>Your list is empty.</Empty> : undefined}
        {allow.map(({ provider, organization, note }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: entries have no other identity while they are typed
          <fieldset key={index} className={styles.entry}>
            <legend className="visually-hidden">Trusted provider {index + 1}</legend>
            <TextField
              label="Account"
              value={provider}
              onChange={(value) => set(index, { provider: value })}
              placeholder="0x…"
            />
            <TextField
              label="Organization"
              value={organization}
              onChange={(value) => set(index, { organization: value })}
            />
            <TextField label="Note" value={note} onChange={(value) => set(index, { note: value })} />
            <Button
              isSmall
              aria-label={`Remove trusted provider ${index + 1}`}
              onPress={() => onChange({ allow: allow.filter((_, at) => at !== index) })}
            >
              Remove
            </Button>
          </fieldset>
        ))}
        <div>
          <Button isSmall onPress={() => onChange({ allow: [...allow, { provider: "", organization: "", note: "" }] })}>
            Add a provider
          </Button>
        </div>
        {suggested.length === 0 ? undefined : (
          <section className="stack-tight" aria-label="Online and not on your list">
            <h3>Online and not on your list</h3>
            <ul className="stack-tight">
              {suggested.map(({ profile }) => (
                <li key={profile.provider} className="row-apart">
                  <AddressName address={profile.provider} />
                  <Button
                    isSmall
                    aria-label={`Add ${profile.body.name}`}
                    onPress={() =>
                      onChange({
                        allow: [...allow, { provider: profile.provider, organization: profile.body.name, note: "" }],
                      })
                    }
                  >
                    Add
                  </Button>
                </li>
              ))}
            </ul>
            <p className="soft small">
              A name is the provider's own word. Add who you know by another way: a contract, a site that names the
              account.
            </p>
          </section>
        )}
      </div>
    </Card>
  );
}

function DenyList({ draft: { deny }, onChange }: Part): ReactNode {
  const set = (index: number, entry: Partial<TrustDraft["deny"][number]>): void =>
    onChange({ deny: deny.map((old, at) => (at === index ? { ...old, ...entry } : old)) });
  return (
    <Card title="Never seated">
      <div className="stack">
        {deny.length === 0 ? <p className="soft">Nobody. This list beats every other rule.</p> : undefined}
        {deny.map(({ provider, reason }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: entries have no other identity while they are typed
          <fieldset key={index} className={styles.entry}>
            <legend className="visually-hidden">Denied provider {index + 1}</legend>
            <TextField
              label="Account"
              value={provider}
              onChange={(value) => set(index, { provider: value })}
              placeholder="0x…"
            />
            <TextField label="Reason" value={reason} onChange={(value) => set(index, { reason: value })} />
            <Button
              isSmall
              aria-label={`Remove denied provider ${index + 1}`}
              onPress={() => onChange({ deny: deny.filter((_, at) => at !== index) })}
            >
              Remove
            </Button>
          </fieldset>
        ))}
        <div>
          <Button isSmall onPress={() => onChange({ deny: [...deny, { provider: "", reason: "" }] })}>
            Deny a provider
          </Button>
        </div>
      </div>
    </Card>
  );
}

function Numbers({ draft, onChange, symbol }: Part & { readonly symbol: string }): ReactNode {
  type Key = { [K in keyof TrustDraft]: TrustDraft[K] extends string ? K : never }[keyof TrustDraft];
  const field = (
    key: Exclude<Key, "accept">,
    label: string,
    more: { hint?: string; unit?: string } = {},
  ): ReactNode => (
    <TextField
      label={label}
      value={draft[key]}
      onChange={(value) => onChange({ [key]: value })}
      inputMode="decimal"
      {...more}
    />
  );
  return (
    <>
      {draft.accept === "history" ? (
        <Card title="What a good history is">
          <div className="stack">
            <div className="grid-2">
              {field("leastAligned", "Aligned answers, at least")}
              {field("mostFaults", "Faults, at most")}
              {field("mostMissed", "Late or declined, at most", { unit: "% of its places" })}
              {field("leastKnownCoPanelists", "Trusted organizations beside it, at least", {
                hint: "A stranger's job counts only when so many of your list came to the same answer.",
              })}
            </div>
            <TextField
              label="Requesters whose jobs always count"
              value={draft.knownRequesters}
              onChange={(knownRequesters) => onChange({ knownRequesters })}
              rows={2}
              hint="Accounts, one a line; your own always count."
            />
          </div>
        </Card>
      ) : undefined}
      <Card title="Limits of a job">
        <div className="stack">
          <Checkbox
            isSelected={draft.onePlacePerOrganization}
            onChange={(onePlacePerOrganization) => onChange({ onePlacePerOrganization })}
          >
            Accounts of one organization share one place
          </Checkbox>
          <div className="grid-2">
            {field("leastBond", "Bond of a place, at least", { unit: symbol, hint: "Empty for no limit." })}
            {field("highestPrice", "Price of a place, at most", { unit: symbol, hint: "Empty for no limit." })}
            {field("target", "Chance of an accepted answer, at least", { unit: "%" })}
            {field("leastSeats", "Seats, at least", { unit: "seats" })}
            {field("mostSeats", "Seats, at most", { unit: "seats" })}
            {field("mostSpares", "Spares, at most", { unit: "spares" })}
          </div>
        </div>
      </Card>
    </>
  );
}

function Files({
  policy,
  onImport,
}: {
  readonly policy: TrustPolicy;
  readonly onImport: (policy: unknown) => void;
}): ReactNode {
  const [error, setError] = useState<unknown>();
  const [found, setFound] = useState<TrustPolicy>();
  const read = async (file: File): Promise<void> => {
    setError(undefined);
    setFound(undefined);
    try {
      setFound(parseTrustPolicy(JSON.parse(await file.text())));
    } catch (thrown) {
      setError(thrown);
    }
  };
  return (
    <Card title="As a file">
      <div className="stack">
        <p className="soft">The same trust.json that the command line reads.</p>
        <div>
          <Button
            isSmall
            onPress={() => saveText("trust.json", `${JSON.stringify(trustToJson(policy), undefined, 2)}\n`)}
          >
            Export trust.json
          </Button>
        </div>
        <FileDrop
          label="Drop a trust.json here"
          button="Choose a file"
          accept={[".json", "application/json"]}
          onFiles={([file]) => {
            if (file !== undefined) void read(file);
          }}
        />
        {error ? <ErrorNote error={error} /> : undefined}
        {found === undefined ? undefined : (
          <Note tone="warn">
            <p>{policyWords(found)} It takes the place of what is saved here.</p>
            <Button isSmall onPress={() => onImport(found)}>
              Use this file
            </Button>
          </Note>
        )}
      </div>
    </Card>
  );
}
