import { toJson } from "@quorate/proofs";
import type { SubjectClient } from "@quorate/sdk/queries";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useSession } from "../../../connection/index.ts";
import { downloadJson, toLinkPart } from "../../../lib/share.ts";
import { routes } from "../../../routes.ts";
import { Button, Card, ErrorNote, Wait } from "../../../ui/index.ts";
import { SharedLink } from "../parts.tsx";

/** The card to hand to whoever may ask. */
export function OwnCard({ subject }: { readonly subject: SubjectClient }): ReactNode {
  const { networkKey } = useSession();
  const query = useQuery({
    queryKey: ["card", networkKey, subject.publicKey[0].toString()],
    queryFn: () => subject.card(),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const json = query.data === undefined ? undefined : toJson(query.data);
  return (
    <Card title="Your card">
      <div className="stack">
        <p>
          Give this to whoever may ask about you. It says where your records are and under which key, and nothing about
          them.
        </p>
        {query.error === null ? undefined : <ErrorNote error={query.error} onRetry={() => void query.refetch()} />}
        {json === undefined ? (
          query.error === null ? (
            <Wait>Waiting for the provider to name its data set</Wait>
          ) : undefined
        ) : (
          <SharedLink
            fragment={routes.askAbout(toLinkPart(json))}
            label="Link that asks about you"
            copyLabel="Copy the link to your card"
          >
            <Button onPress={() => downloadJson("card.json", json)}>Download as a file</Button>
          </SharedLink>
        )}
      </div>
    </Card>
  );
}
