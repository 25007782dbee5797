import { dateOf, type Papers, personOf, type Receipt } from "@quorate/proofs";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { CircleAlert, CircleCheck, CircleDashed, CircleHelp } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { type Address, isAddress, isAddressEqual, isHex } from "viem";
import { useParams } from "wouter";
import { navigate } from "wouter/use-hash-location";
import type { NetworkConfig } from "../../../src/config.ts";
import {
  type AcceptedReceipts,
  type CheckedReceipt,
  type CheckStep,
  challengeFor,
} from "../../../src/receipt-check/index.ts";
import { knownVerifiers } from "../../connection/asker.ts";
import { AddressName, networkKey, useDomains, useNames, useSession } from "../../connection/index.ts";
import { useSetting } from "../../data/settings.ts";
import { explain } from "../../lib/explain.ts";
import { formatMoment } from "../../lib/format.ts";
import { readShared, toLinkPart } from "../../lib/share.ts";
import { routes } from "../../routes.ts";
import {
  Button,
  ButtonLink,
  Card,
  Checkbox,
  CopyButton,
  Disclosure,
  ErrorNote,
  Facts,
  FileDrop,
  Hash,
  Note,
  Page,
  Select,
  TextField,
  Wait,
} from "../../ui/index.ts";
import { checkInWorker } from "../../workers/check.ts";
import styles from "./check.module.css";
import { adviceOf, headlineOf } from "./words.ts";

/** A receipt, verified in the browser and on chain. */
export default function CheckPage(): ReactNode {
  const { receipt: part } = useParams<{ receipt?: string }>();
  return (
    <Page
      title="Check a proof"
      lead="A receipt shows that a provider answered a question about somebody, with a proof. It is checked twice: computed in this browser, and compared with the chain. No wallet is needed, and nothing is sent to whoever gave it to you."
    >
      {part === undefined ? <Take /> : <Check key={part} part={part} />}
    </Page>
  );
}

/** Takes a receipt by file or paste. */
function Take(): ReactNode {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string>();
  const take = (given: string): void => {
    try {
      navigate(`/check/${toLinkPart(readShared(given, "a receipt"))}`);
    } catch (error) {
      setProblem(explain(error).message);
    }
  };
  return (
    <Card title="The receipt">
      <div className="stack-wide">
        <FileDrop
          label="Drop the file receipt.json here"
          button="Choose a receipt"
          accept={[".json", "application/json"]}
          onFiles={([file]) => {
            if (file !== undefined) void file.text().then(take);
          }}
        />
        <TextField
          label="Or paste it"
          hint="The text of the file, or a link to a receipt."
          rows={5}
          value={text}
          onChange={(next) => {
            setText(next);
            setProblem(undefined);
          }}
          error={problem}
        />
        <div className="row">
          <Button kind="primary" isDisabled={text.trim() === ""} onPress={() => take(text)}>
            Check it
          </Button>
        </div>
      </div>
    </Card>
  );
}

const noPapers: Papers = { name: "", birthDate: "", documentNumber: "" };

const ages = [
  { id: "1", label: "at most 1 day old" },
  { id: "7", label: "at most 7 days old" },
  { id: "30", label: "at most 30 days old" },
  { id: "365", label: "at most a year old" },
  { id: "36500", label: "of any age" },
] as const;

type Terms = {
  readonly days: (typeof ages)[number]["id"];
  readonly papers: Papers;
  readonly challenge: string;
  readonly signature: string;
};

function Check({ part }: { readonly part: string }): ReactNode {
  const { networks, network: selected } = useSession();
  const given = useMemo(() => {
    try {
      return { json: readShared(part, "a receipt") };
    } catch (error) {
      return { error };
    }
  }, [part]);
  const network = useMemo(() => networkOf(given.json, networks.all) ?? selected, [given.json, networks.all, selected]);
  if (given.json === undefined) {
    return (
      <ErrorNote error={given.error}>
        <ButtonLink isSmall href={routes.check}>
          Check another one
        </ButtonLink>
      </ErrorNote>
    );
  }
  if (network.queryMarket === undefined) {
    return (
      <Note tone="warn">
        <p>{network.name} has no query market, so no receipt can be compared with it. Choose another network.</p>
      </Note>
    );
  }
  return <OnNetwork json={given.json} part={part} network={network} market={network.queryMarket} />;
}

/** The network that a receipt is of, among those of this browser. */
function networkOf(json: unknown, all: readonly NetworkConfig[]): NetworkConfig | undefined {
  const { chainId, market } = (json ?? {}) as { readonly chainId?: unknown; readonly market?: unknown };
  return all.find(
    (network) =>
      network.chainId === chainId &&
      typeof market === "string" &&
      network.queryMarket?.toLowerCase() === market.toLowerCase(),
  );
}

function OnNetwork({
  json,
  part,
  network,
  market,
}: {
  readonly json: unknown;
  readonly part: string;
  readonly network: NetworkConfig;
  readonly market: Address;
}): ReactNode {
  const key = networkKey(network);
  const trusted = useSetting<readonly Address[]>(`check/${key}`);
  const [terms, setTerms] = useState<Terms>({ days: "30", papers: noPapers, challenge: "", signature: "" });
  const [steps, setSteps] = useState<readonly CheckStep[]>([]);
  const providers = trusted.value ?? [];
  const person = personOfPapers(terms.papers);
  const accepts: AcceptedReceipts = {
    chainId: network.chainId,
    market,
    providers,
    verifiers: knownVerifiers(network),
    person: person.person,
    maxAgeS: Number(terms.days) * 86_400,
    challenge:
      terms.challenge !== "" && isHex(terms.signature.trim())
        ? { text: terms.challenge, signature: terms.signature.trim() as `0x${string}` }
        : undefined,
  };
  const query = useQuery({
    queryKey: ["check", key, part, providers, terms.days, person.person?.toString(), accepts.challenge],
    enabled: trusted.isLoaded,
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => {
      setSteps([]);
      const onStep = (step: CheckStep): void => setSteps((before) => [...before, step]);
      return checkInWorker(json, { accepts, rpc: network.rpc, onStep }, signal);
    },
  });
  const checked = query.data;
  return (
    <>
      {query.error === null ? undefined : <ErrorNote error={query.error} onRetry={() => void query.refetch()} />}
      {checked === undefined ? (
        query.error === null ? (
          <Card title="Being checked">
            <div className="stack">
              <Wait>
                {steps.length === 0
                  ? "Computing the proof in this browser, in a worker"
                  : `Comparing it with the chain of ${network.name}`}
              </Wait>
              <Steps steps={steps} />
            </div>
          </Card>
        ) : undefined
      ) : (
        <Checked
          checked={checked}
          network={network}
          trusted={providers}
          onTrust={(next) => void trusted.write(next)}
          onRetry={() => void query.refetch()}
          isChecking={query.isFetching}
        />
      )}
      {checked?.receipt === undefined ? undefined : (
        <Card title="What you ask for">
          <TermsForm terms={terms} onChange={setTerms} receipt={checked.receipt} problem={person.problem} />
        </Card>
      )}
      <div className="row">
        <ButtonLink href={routes.check}>Check another receipt</ButtonLink>
      </div>
    </>
  );
}

function personOfPapers(papers: Papers): { readonly person?: bigint; readonly problem?: string } {
  if (Object.values(papers).every((text) => text === "")) return {};
  try {
    return { person: personOf(papers) };
  } catch (error) {
    return { problem: explain(error).message };
  }
}

function Checked({
  checked,
  network,
  trusted,
  onTrust,
  onRetry,
  isChecking,
}: {
  readonly checked: CheckedReceipt;
  readonly network: NetworkConfig;
  readonly trusted: readonly Address[];
  readonly onTrust: (providers: readonly Address[]) => void;
  readonly onRetry: () => void;
  readonly isChecking: boolean;
}): ReactNode {
  const { receipt, verdict } = checked;
  const headline = headlineOf(checked);
  return (
    <>
      <Card>
        <div className="stack">
          {isChecking ? (
            <Wait>Checking it again</Wait>
          ) : (
            <Note tone={headline.tone}>
              <p className={styles.headline}>{headline.title}</p>
              <p>{headline.words}</p>
              {verdict === "unknown" ? (
                <Button isSmall onPress={onRetry}>
                  Check again
                </Button>
              ) : undefined}
            </Note>
          )}
          {receipt === undefined || checked.statement === undefined ? undefined : (
            <Said checked={checked} receipt={receipt} />
          )}
        </div>
      </Card>
      {receipt === undefined || verdict === "refused" ? undefined : (
        <Card title="Whose word counts for you?">
          <Trust receipt={receipt} trusted={trusted} onChange={onTrust} />
        </Card>
      )}
      <Card title="How it was checked">
        <div className="stack">
          <Steps steps={checked.steps} />
          <p className="soft small">
            Proof and answer were computed in this browser, in a worker that has ended. The chain is {network.name},
            read at {network.rpc[0]}.
          </p>
        </div>
      </Card>
      {checked.signals.length === 0 ? undefined : (
        <Card title="The public numbers of the proof">
          <Signals checked={checked} />
        </Card>
      )}
    </>
  );
}

/** What a receipt says, whatever that is worth. */
function Said({ checked, receipt }: { readonly checked: CheckedReceipt; readonly receipt: Receipt }): ReactNode {
  const { statement, answer, verdict, root, askerPresent } = checked;
  const isRefused = verdict === "refused";
  return (
    <>
      {isRefused || answer === undefined ? undefined : (
        <p className={styles.answer}>{answer ? `Yes: ${statement}.` : `No: it is not true that ${statement}.`}</p>
      )}
      <Facts
        rows={[
          ...(isRefused || answer === undefined ? [["It claims to be about", statement] as const] : []),
          ["As registered by", <AddressName key="p" address={receipt.provider} />],
          [
            "Asked by",
            <span key="a">
              <AddressName address={receipt.asker} />{" "}
              <span className="soft small">
                {askerPresent
                  ? "It signed your fresh words."
                  : "Whoever shows you the receipt may have copied it from there."}
              </span>
            </span>,
          ],
          ["About the day", dateOf(receipt.statement.asOf)],
          [
            "About",
            receipt.person === 0n
              ? "a record of nobody's papers"
              : "the record of one person, named by the fingerprint of its papers",
          ],
          ...(root === undefined
            ? []
            : [
                [
                  "Data published",
                  root.supersededAt === 0
                    ? `${formatMoment(root.publishedAt)}; current`
                    : `${formatMoment(root.publishedAt)}; newer data followed on ${formatMoment(root.supersededAt)}`,
                ] as const,
              ]),
          ...(receipt.transaction === undefined
            ? []
            : [["Answered in", <Hash key="t" value={receipt.transaction} label="transaction" />] as const]),
        ]}
      />
    </>
  );
}

function Trust({
  receipt,
  trusted,
  onChange,
}: {
  readonly receipt: Receipt;
  readonly trusted: readonly Address[];
  readonly onChange: (providers: readonly Address[]) => void;
}): ReactNode {
  const domains = useDomains();
  const nameOf = useNames();
  const [typed, setTyped] = useState("");
  const offered = [
    receipt.provider,
    ...domains.flatMap(({ info }) => (info === undefined ? [] : [info.provider])),
    ...trusted,
  ].filter((provider, index, all) => all.findIndex((other) => isAddressEqual(other, provider)) === index);
  const isTrusted = (provider: Address): boolean => trusted.some((other) => isAddressEqual(other, provider));
  const without = (provider: Address): readonly Address[] =>
    trusted.filter((other) => !isAddressEqual(other, provider));
  return (
    <div className="stack">
      <p className="soft">
        A proof shows what a provider has registered, not that it is true. Choose those whose word you take; this
        browser remembers it.
      </p>
      <ul className="stack-tight" aria-label="Providers whose word counts">
        {offered.map((provider) => (
          <li key={provider}>
            <Checkbox
              isSelected={isTrusted(provider)}
              onChange={(isOn) => onChange(isOn ? [...without(provider), provider] : without(provider))}
            >
              <strong>{nameOf(provider).name ?? "A provider without a known name"}</strong>{" "}
              <code className="soft small">{provider}</code>
              {isAddressEqual(provider, receipt.provider) ? " – gave this answer" : ""}
            </Checkbox>
          </li>
        ))}
      </ul>
      <Disclosure title="Accept another provider by its address">
        <div className="row">
          <TextField label="Address" value={typed} onChange={setTyped} placeholder="0x…" />
          <Button
            isSmall
            isDisabled={!isAddress(typed.trim())}
            onPress={() => {
              onChange([...without(typed.trim() as Address), typed.trim() as Address]);
              setTyped("");
            }}
          >
            Accept it
          </Button>
        </div>
      </Disclosure>
    </div>
  );
}

function TermsForm({
  terms,
  onChange,
  receipt,
  problem,
}: {
  readonly terms: Terms;
  readonly onChange: (terms: Terms) => void;
  readonly receipt: Receipt;
  readonly problem: string | undefined;
}): ReactNode {
  const { papers } = terms;
  const setPapers = (change: Partial<Papers>): void => onChange({ ...terms, papers: { ...papers, ...change } });
  return (
    <div className="stack-wide">
      <Select
        label="The day of the statement is"
        value={terms.days}
        onChange={(days) => onChange({ ...terms, days })}
        options={ages}
      />
      <Disclosure title="Compare it with papers that I see">
        <div className="stack">
          <p className="soft">The receipt is refused when it is about anybody else. The papers stay in this browser.</p>
          <div className="grid-3">
            <TextField label="Name" value={papers.name} onChange={(name) => setPapers({ name })} />
            <TextField
              label="Birth date"
              type="date"
              value={papers.birthDate}
              onChange={(birthDate) => setPapers({ birthDate })}
            />
            <TextField
              label="Document number"
              value={papers.documentNumber}
              onChange={(documentNumber) => setPapers({ documentNumber })}
            />
          </div>
          {problem === undefined ? undefined : <p className="soft small">{problem}</p>}
        </div>
      </Disclosure>
      <Disclosure title="Make sure that its asker stands before me">
        <div className="stack">
          <p className="soft">
            Anybody can copy a receipt. Write words that nobody can know before, let the asker sign them on the page of
            its question, and put the signature here.
          </p>
          <TextField
            label="Fresh words"
            value={terms.challenge}
            onChange={(challenge) => onChange({ ...terms, challenge })}
            placeholder="loan 42, Monday noon"
          />
          {terms.challenge === "" ? undefined : (
            <p className="soft small">
              The asker signs: <code>{challengeFor(receipt, terms.challenge)}</code>{" "}
              <CopyButton text={challengeFor(receipt, terms.challenge)} label="Copy what the asker signs" />
            </p>
          )}
          <TextField
            label="Signature of the asker"
            value={terms.signature}
            onChange={(signature) => onChange({ ...terms, signature })}
            placeholder="0x…"
            error={
              terms.signature !== "" && !isHex(terms.signature.trim())
                ? "A signature is 0x and hex digits."
                : terms.signature !== "" && terms.challenge === ""
                  ? "Write the fresh words that it signs."
                  : undefined
            }
          />
        </div>
      </Disclosure>
    </div>
  );
}

/** Trust is the visitor's to give: that it is missing is no fault of the receipt. */
function stateOf({ id, state }: CheckStep): CheckStep["state"] {
  return id === "provider" && state === "refused" ? "unknown" : state;
}

const icons = {
  passed: <CircleCheck size={20} role="img" aria-label="passed" />,
  refused: <CircleAlert size={20} role="img" aria-label="refused" />,
  unknown: <CircleHelp size={20} role="img" aria-label="not known" />,
  skipped: <CircleDashed size={20} role="img" aria-label="not looked at" />,
} as const;

function Steps({ steps }: { readonly steps: readonly CheckStep[] }): ReactNode {
  return (
    <ol className={styles.steps} aria-label="Parts of the check">
      {steps.map((step) => (
        <li key={step.id} className={styles[stateOf(step)]}>
          {icons[stateOf(step)]}
          <div className="stack-tight">
            <h3>{step.title}</h3>
            <p className="soft">
              {step.words} {adviceOf(step)}
            </p>
            {step.code === undefined ? undefined : <code className="soft small">{step.code}</code>}
          </div>
        </li>
      ))}
    </ol>
  );
}

function Signals({ checked }: { readonly checked: CheckedReceipt }): ReactNode {
  return (
    <dl className={styles.signals}>
      {checked.signals.map(({ name, title, meaning, value }) => (
        <div key={name}>
          <dt>
            {title} <code className="soft small">{name}</code>
          </dt>
          <dd className="stack-tight">
            <span className={styles.value}>
              <code title={value.toString()}>{shortNumber(value)}</code>
              <CopyButton text={value.toString()} label={`Copy the number ${name}`} />
            </span>
            <span className="soft">{meaning}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

const ENDS = 8;

function shortNumber(value: bigint): string {
  const text = value.toString();
  return text.length <= 2 * ENDS + 1 ? text : `${text.slice(0, ENDS)}…${text.slice(-ENDS)}`;
}
