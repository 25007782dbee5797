import { AS_OF_TOLERANCE_S, dateOf, type ScorecardDefinition } from "@quorate/proofs";
import type { FetchedDataset } from "@quorate/sdk/queries";
import type { ReactNode } from "react";
import { Button, Note, Select, TextField } from "../../ui/index.ts";
import {
  type AskDraft,
  type ClauseDraft,
  type DraftedStatement,
  exampleClauses,
  isRange,
  relations,
  tidyNumber,
  topicsOf,
} from "./askDraft.ts";
import styles from "./questions.module.css";

const MOST_CLAUSES = 4;

/** A statement about what a data set defines. */
export function StatementForm({
  draft,
  update,
  dataset,
  drafted,
}: {
  readonly draft: AskDraft;
  readonly update: (change: Partial<AskDraft>) => void;
  readonly dataset: FetchedDataset;
  readonly drafted: DraftedStatement | undefined;
}): ReactNode {
  const { definition } = dataset;
  const topics = topicsOf(definition);
  const topic = topics.find(({ id }) => id === draft.topic) ?? topics[0];
  if (topic === undefined) {
    return (
      <Note tone="warn">
        <p>The data set “{definition.name}” defines nothing that could be asked about.</p>
      </Note>
    );
  }
  const about = topic.kind === "attribute" ? topic.attribute : topic.scorecard;
  return (
    <div className="stack">
      <Select
        label="About"
        hint={about.description}
        value={topic.id}
        onChange={(id) => update({ topic: id, clauses: [], cutoff: "" })}
        options={topics.map((one) => ({
          id: one.id,
          label: one.kind === "attribute" ? one.attribute.name : one.scorecard.name,
          note:
            one.kind === "attribute"
              ? one.attribute.unit === ""
                ? "a number"
                : `in ${one.attribute.unit}`
              : `scorecard of ${one.scorecard.fields.map(({ name }) => name).join(", ")}`,
        }))}
      />
      {topic.kind === "attribute" ? (
        <div className="grid-3">
          <Select
            label="Relation"
            value={draft.relation}
            onChange={(relation) => update({ relation })}
            options={relations}
          />
          <ValueField
            label={isRange(draft.relation) ? "From" : "Value"}
            unit={topic.attribute.unit}
            value={draft.value}
            onChange={(value) => update({ value })}
          />
          {isRange(draft.relation) ? (
            <ValueField
              label="To"
              unit={topic.attribute.unit}
              value={draft.high}
              onChange={(high) => update({ high })}
            />
          ) : undefined}
        </div>
      ) : (
        <Scorecard scorecard={topic.scorecard} draft={draft} update={update} />
      )}
      <DayField draft={draft} update={update} history={definition.history} />
      {drafted === undefined ? undefined : drafted.statement !== undefined ? (
        <Note tone="good">
          <p>
            You will learn whether it is true that <strong>{drafted.words}</strong>. Yes or no, nothing else.
          </p>
        </Note>
      ) : drafted.isUnfinished ? (
        <p className="soft">{drafted.problem}</p>
      ) : (
        <Note tone="warn">
          <p>{drafted.problem}</p>
        </Note>
      )}
    </div>
  );
}

function ValueField({
  label,
  unit,
  value,
  onChange,
}: {
  readonly label: string;
  readonly unit: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}): ReactNode {
  return (
    <TextField
      label={label}
      value={value}
      onChange={(text) => onChange(tidyNumber(text))}
      inputMode="decimal"
      {...(unit === "" ? {} : { unit })}
    />
  );
}

/** The day that a statement is about; one at most from today unless the data set answers about earlier ones. */
function DayField({
  draft,
  update,
  history,
}: {
  readonly draft: AskDraft;
  readonly update: (change: Partial<AskDraft>) => void;
  readonly history: boolean;
}): ReactNode {
  const now = Math.floor(Date.now() / 1000);
  const today = dateOf(now);
  if (history) {
    return (
      <TextField
        label="On the day"
        hint="Today, or an earlier day: this data set keeps its history. Days are UTC."
        type="date"
        value={draft.day === "" ? today : draft.day}
        onChange={(day) => update({ day: day === today ? "" : day })}
      />
    );
  }
  return (
    <Select
      label="On the day"
      value={draft.day === "" ? today : draft.day}
      onChange={(day) => update({ day: day === today ? "" : day })}
      options={[
        { id: today, label: `Today, ${today}` },
        { id: dateOf(now - AS_OF_TOLERANCE_S), label: `Yesterday, ${dateOf(now - AS_OF_TOLERANCE_S)}` },
        { id: dateOf(now + AS_OF_TOLERANCE_S), label: `Tomorrow, ${dateOf(now + AS_OF_TOLERANCE_S)}` },
      ]}
    />
  );
}

function Scorecard({
  scorecard,
  draft,
  update,
}: {
  readonly scorecard: ScorecardDefinition;
  readonly draft: AskDraft;
  readonly update: (change: Partial<AskDraft>) => void;
}): ReactNode {
  const { clauses } = draft;
  const replace = (index: number, change: Partial<ClauseDraft>): void =>
    update({ clauses: clauses.map((clause, n) => (n === index ? { ...clause, ...change } : clause)) });
  const fillIn = (): void => {
    const example = exampleClauses(scorecard);
    update({ clauses: example, cutoff: String(example.length) });
  };
  return (
    <div className="stack">
      <p>
        A scorecard asks about several numbers together. Each clause multiplies the fields, adds them up and gives
        points when the sum is high enough; the answer is yes when there are enough points.
      </p>
      {clauses.map((clause, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: clauses have no identity but their place
        <section key={index} className={styles.clause} aria-label={`Clause ${index + 1}`}>
          <div className="row-apart">
            <h3>Clause {index + 1}</h3>
            <Button
              isSmall
              kind="quiet"
              onPress={() => update({ clauses: clauses.filter((_, n) => n !== index) })}
              aria-label={`Remove clause ${index + 1}`}
            >
              Remove
            </Button>
          </div>
          <div className="grid-3">
            {scorecard.fields.map((field) => (
              <TextField
                key={field.name}
                label={`${field.name} ×`}
                hint={field.unit === "" ? "empty for 0" : `in ${field.unit}; empty for 0`}
                inputMode="decimal"
                value={clause.coefficients[field.name] ?? ""}
                onChange={(text) =>
                  replace(index, { coefficients: { ...clause.coefficients, [field.name]: tidyNumber(text) } })
                }
              />
            ))}
            <TextField
              label="adds up to at least"
              inputMode="decimal"
              value={clause.atLeast}
              onChange={(text) => replace(index, { atLeast: tidyNumber(text) })}
            />
            <TextField
              label="and then gives"
              unit="points"
              inputMode="numeric"
              value={clause.weight}
              onChange={(weight) => replace(index, { weight })}
            />
          </div>
        </section>
      ))}
      <div className="row">
        <Button
          isSmall
          isDisabled={clauses.length >= MOST_CLAUSES}
          onPress={() => update({ clauses: [...clauses, { coefficients: {}, atLeast: "", weight: "1" }] })}
        >
          Add a clause
        </Button>
        <Button isSmall kind="quiet" onPress={fillIn}>
          Fill in an example
        </Button>
        <span className="soft small">At most {MOST_CLAUSES}.</span>
      </div>
      <TextField
        label="Yes from"
        unit="points"
        inputMode="numeric"
        value={draft.cutoff}
        onChange={(cutoff) => update({ cutoff })}
        hint="As many points as there are clauses means that all of them hold, if each gives one."
      />
    </div>
  );
}
