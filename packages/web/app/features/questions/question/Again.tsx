import { type AttributeStatement, encodeStatement, parseStatement, type Statement, toJson } from "@quorate/proofs";
import type { QueryRecord } from "@quorate/sdk/queries";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { navigate } from "wouter/use-hash-location";
import { Button, Card, ErrorNote } from "../../../ui/index.ts";
import { emptyDraft } from "../askDraft.ts";
import { writeAskDraft } from "../useAskDraft.ts";

/** Writes the same question anew; the person has to consent again. */
export function Again({ record }: { readonly record: QueryRecord }): ReactNode {
  const again = useMutation({
    mutationFn: async () => {
      const { chainId, market, provider, providerUrl, dataset, subjectKey, person } = record;
      const card = { version: 1, chainId, market, provider, providerUrl, dataset, subjectKey };
      await writeAskDraft({
        ...emptyDraft,
        ...draftOfStatement(parseStatement(record.statement)),
        providerUrl,
        dataset,
        card: JSON.stringify(toJson(card)),
        identity: person === 0n ? "nobody" : "same",
        person: person === 0n ? "" : person.toString(),
        askerName: record.askerName ?? "",
        label: record.label ?? "",
      });
      navigate("/ask");
    },
  });
  return (
    <Card title="Ask again">
      <div className="stack">
        <p>The same question can be prepared anew, about today. It needs a new consent.</p>
        <div className="row">
          <Button isDisabled={again.isPending} onPress={() => again.mutate()}>
            Write it again
          </Button>
        </div>
        {again.error === null ? undefined : <ErrorNote error={again.error} />}
      </div>
    </Card>
  );
}

function draftOfStatement(statement: Statement): Partial<typeof emptyDraft> {
  const topic = encodeStatement(statement).nullifierTopic.toString();
  if (statement.kind === "scorecard") {
    return {
      topic,
      clauses: statement.clauses.map(({ coefficients, atLeast, weight }) => ({
        coefficients,
        atLeast,
        weight: String(weight),
      })),
      cutoff: String(statement.cutoff),
    };
  }
  const values = statement satisfies AttributeStatement;
  return "low" in values
    ? { topic, relation: values.relation, value: values.low, high: values.high }
    : { topic, relation: values.relation, value: values.value };
}
