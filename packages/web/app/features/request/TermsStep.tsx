import type { Address } from "@quorate/core";
import type { JobWishes } from "@quorate/sdk";
import type { ReactNode } from "react";
import { Amount, useBalances, useSession, useToken } from "../../connection/index.ts";
import { count, formatDuration } from "../../lib/format.ts";
import { Card, Checkbox, Disclosure, Note, Select, Stat, Sums, Table, TextField } from "../../ui/index.ts";
import type { DraftTerms } from "./draft.ts";
import styles from "./request.module.css";
import { endingsOf, escrowBound, type ReadTerms, type TermsContext } from "./terms.ts";

/** Third step: what is paid, to how many, and when. */
export function TermsStep({
  terms,
  context,
  typed,
  onChange,
}: {
  readonly terms: ReadTerms;
  readonly context: TermsContext;
  readonly typed: DraftTerms;
  readonly onChange: (terms: Partial<DraftTerms>) => void;
}): ReactNode {
  const { network } = useSession();
  const { fields, problems } = terms;
  const { symbol } = context;
  const field = (
    name: keyof typeof fields,
  ): { value: string; error: string | undefined; onChange: (v: string) => void } => ({
    value: fields[name] ?? "",
    error: problems[name],
    onChange: (value) => onChange({ [name]: value }),
  });
  return (
    <div className={styles.terms}>
      <div className="stack-wide">
        <Card title="Price and panel">
          <div className="stack">
            <div className="grid-2">
              {network.tokens.length > 1 ? (
                <Select
                  label="Token"
                  hint="Everything of this job is paid in it."
                  value={context.token}
                  onChange={(token) =>
                    onChange({ token, priceCeiling: undefined, bond: undefined, carrierFee: undefined })
                  }
                  options={network.tokens.map(({ address, symbol: label }) => ({ id: address, label }))}
                />
              ) : undefined}
              <TextField
                label="Highest price of a seat"
                unit={symbol}
                inputMode="decimal"
                hint={<AskingHint context={context} />}
                {...field("priceCeiling")}
              />
              <TextField
                label="Bond of each provider"
                unit={symbol}
                inputMode="decimal"
                hint="Locked by the provider, not by you. A provider that is late or proved wrong loses it."
                {...field("bond")}
              />
              <TextField
                label="Seats"
                inputMode="numeric"
                hint="Organizations that compute the job, each by itself: 2 to 7."
                {...field("seats")}
              />
              <TextField
                label="Quorum"
                inputMode="numeric"
                hint="Equal answers that decide. The least is more than half; more makes a wrong answer harder and an undecided job likelier."
                {...field("quorum")}
              />
            </div>
            {terms.warnings.map((words) => (
              <Note key={words} tone="warn">
                <p>{words}</p>
              </Note>
            ))}
            <Disclosure
              title="Spares, time and the rest"
              isOpenAtFirst={[
                "spares",
                "shadows",
                "commitWindow",
                "revealWindow",
                "offerWindow",
                "carrierFee",
                "calloutPercent",
                "standbyPercent",
              ].some((name) => problems[name as keyof typeof problems] !== undefined)}
            >
              <div className="stack">
                <div className="grid-2">
                  <TextField
                    label="Spares"
                    inputMode="numeric"
                    hint="Providers that stand by and take a seat whose provider is late or declines. They can read the data."
                    {...field("spares")}
                  />
                  <TextField
                    label="Shadows"
                    inputMode="numeric"
                    hint="Providers that compute for pay but have no vote, for example to end a probation. They can read the data."
                    {...field("shadows")}
                  />
                  <TextField
                    label="Time for commitments"
                    unit="s"
                    inputMode="numeric"
                    hint={<InWords seconds={fields.commitWindow}>to compute and to commit to an answer.</InWords>}
                    {...field("commitWindow")}
                  />
                  <TextField
                    label="Time for openings"
                    unit="s"
                    inputMode="numeric"
                    hint={
                      <InWords seconds={fields.revealWindow}>to show the answers; it ends early when all have.</InWords>
                    }
                    {...field("revealWindow")}
                  />
                  <TextField
                    label="Time for offers"
                    unit="s"
                    inputMode="numeric"
                    hint={<InWords seconds={fields.offerWindow}>to collect offers and open the job.</InWords>}
                    {...field("offerWindow")}
                  />
                  <TextField
                    label="Fee for settling"
                    unit={symbol}
                    inputMode="decimal"
                    hint="Goes to whoever brings the job to its end on chain."
                    {...field("carrierFee")}
                  />
                  <TextField
                    label="Call-out fee"
                    unit="% of the price"
                    inputMode="decimal"
                    hint="For a provider that worked though no answer could be accepted."
                    {...field("calloutPercent")}
                  />
                  <TextField
                    label="Standby fee"
                    unit="% of the price"
                    inputMode="decimal"
                    hint="For a spare that was not needed."
                    {...field("standbyPercent")}
                  />
                </div>
                <Checkbox isSelected={typed.setVotes === true} onChange={(setVotes) => onChange({ setVotes })}>
                  The seats may vote by one set that all of them sign.{" "}
                  <span className="soft">
                    It saves transactions; if they do not agree on a set, each commits by itself.
                  </span>
                </Checkbox>
                <Checkbox
                  isSelected={typed.acceptProbation === true}
                  onChange={(acceptProbation) => onChange({ acceptProbation })}
                >
                  Providers on probation may have a seat.{" "}
                  <span className="soft">They gave an answer before that a majority contradicted.</span>
                </Checkbox>
              </div>
            </Disclosure>
          </div>
        </Card>
        {terms.wishes === undefined ? undefined : <EndingsCard wishes={terms.wishes} token={context.token} />}
      </div>
      <Total wishes={terms.wishes} token={context.token} />
    </div>
  );
}

function AskingHint({ context }: { readonly context: TermsContext }): ReactNode {
  const unit = useToken(context.token);
  const [lowest] = context.asking;
  const highest = context.asking.at(-1);
  if (lowest === undefined || highest === undefined) {
    return "No provider that is online and has this engine says what it asks. Take what the work is worth to you.";
  }
  return (
    <>
      {count(context.asking.length, "provider")} online with this engine {context.asking.length === 1 ? "asks" : "ask"}{" "}
      <Amount value={lowest} token={context.token} />
      {highest === lowest ? (
        ""
      ) : (
        <>
          {" "}
          to <Amount value={highest} token={context.token} />
        </>
      )}{" "}
      or more. You pay what a provider offers, never more than this.
      {unit.isConfigured ? "" : " The token's unit is its contract's own word."}
    </>
  );
}

function InWords({
  seconds,
  children,
}: {
  readonly seconds: string | undefined;
  readonly children: ReactNode;
}): ReactNode {
  const value = Number(seconds);
  return (
    <>
      {Number.isFinite(value) && value > 0 ? `${formatDuration(value)} ` : ""}
      {children}
    </>
  );
}

function EndingsCard({ wishes, token }: { readonly wishes: JobWishes; readonly token: Address }): ReactNode {
  return (
    <Card title="What each ending would cost">
      <div className="stack">
        <p className="soft small">
          Computed by the market's own rules, with every place at the highest price. What is not paid out returns to
          your balance in the market.
        </p>
        <Table
          label="Endings of the job and what they cost"
          rows={endingsOf(wishes)}
          keyOf={({ title }) => title}
          columns={[
            {
              title: "Ending",
              cell: ({ title, note }) => (
                <>
                  <strong>{title}</strong>
                  <div className="soft small">{note}</div>
                </>
              ),
            },
            { title: "To providers", isNumber: true, cell: ({ paid }) => <Amount value={paid} token={token} /> },
            {
              title: "For settling",
              isNumber: true,
              cell: ({ carrierFee }) => <Amount value={carrierFee} token={token} />,
            },
            { title: "Back to you", isNumber: true, cell: ({ refunded }) => <Amount value={refunded} token={token} /> },
            { title: "Bonds", cell: ({ bonds }) => bonds },
          ]}
        />
      </div>
    </Card>
  );
}

/** The most that the job can take, and where it would come from. */
export function Total({
  wishes,
  token,
}: {
  readonly wishes: JobWishes | undefined;
  readonly token: Address;
}): ReactNode {
  const { account } = useSession();
  const { balances } = useBalances(account?.address, token);
  return (
    <aside className={styles.total} aria-label="Total">
      <Card title="Total">
        {wishes === undefined ? (
          <p className="soft">Correct the fields that are marked, then the total stands here.</p>
        ) : (
          <TotalOf wishes={wishes} token={token} balances={balances?.jobs.free} wallet={balances?.wallet} />
        )}
      </Card>
    </aside>
  );
}

function TotalOf({
  wishes,
  token,
  balances: free,
  wallet,
}: {
  readonly wishes: JobWishes;
  readonly token: Address;
  readonly balances: bigint | undefined;
  readonly wallet: bigint | undefined;
}): ReactNode {
  const bound = escrowBound(wishes);
  const { seats = 0, spares = 0, shadows = 0, priceCeiling, carrierFee = 0n } = wishes;
  const missing = free === undefined ? undefined : bound > free ? bound - free : 0n;
  const standby = bound - BigInt(seats + shadows) * priceCeiling - carrierFee;
  return (
    <div className="stack">
      <Stat
        label="At most in escrow"
        value={<Amount value={bound} token={token} />}
        note="The exact amount follows from the offers that you choose; it is paid when you open the job."
      />
      <Sums
        rows={[
          [
            count(seats + shadows, "paid place"),
            <Amount key="places" value={BigInt(seats + shadows) * priceCeiling} token={token} />,
          ],
          ...(spares === 0
            ? []
            : [
                [
                  `${count(spares, "spare")} standing by`,
                  <Amount key="spares" value={standby} token={token} />,
                ] as const,
              ]),
          ["Settling", <Amount key="fee" value={carrierFee} token={token} />],
          ...(free === undefined
            ? []
            : [["Free in the market", <Amount key="free" value={free} token={token} />] as const]),
          ...(missing === undefined || missing === 0n
            ? []
            : [["From your wallet", <Amount key="wallet" value={missing} token={token} />] as const]),
        ]}
      />
      {missing !== undefined && wallet !== undefined && missing > wallet ? (
        <Note tone="warn">
          <p>
            Your wallet holds <Amount value={wallet} token={token} />: less than the job can need. Providers ignore
            requests that could not be paid.
          </p>
        </Note>
      ) : undefined}
    </div>
  );
}
