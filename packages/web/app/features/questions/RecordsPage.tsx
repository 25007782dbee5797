import { type SubjectClient, type SubjectState, subjectStateId } from "@quorate/sdk/queries";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { Address } from "viem";
import { AddressName, useNames, useSession } from "../../connection/index.ts";
import { type SubjectDomain, useSubject, useSubjectDomains } from "../../connection/subject.ts";
import { subjectStore } from "../../data/queryStores.ts";
import { Button, Card, Disclosure, ErrorNote, Facts, Page, Select, Wait } from "../../ui/index.ts";
import { NeedsWallet, NoQueryMarket, useCanSign } from "./parts.tsx";
import { AddProvider } from "./records/AddProvider.tsx";
import { Enrol } from "./records/Enrol.tsx";
import { Log } from "./records/Log.tsx";
import { OwnCard } from "./records/OwnCard.tsx";
import { Records } from "./records/Records.tsx";

const OTHER = "other";

/** The subject's own records: enrolling, what is on record, who asked. */
export default function RecordsPage(): ReactNode {
  const { network } = useSession();
  const { domains, isWaiting } = useSubjectDomains();
  const nameOf = useNames();
  const [chosen, setChosen] = useState<string>();
  const first = domains[0]?.provider.toLowerCase();
  const selected = chosen ?? first ?? OTHER;
  const domain = domains.find(({ provider }) => provider.toLowerCase() === selected);
  return (
    <Page
      title="My records"
      lead="A domain provider, such as an employer's payroll, holds records about you. Here you bind them to a key of yours, see what they say, and see who asked about them. Nobody learns anything without your consent to exactly that question."
    >
      {network.queryMarket === undefined ? (
        <NoQueryMarket />
      ) : domains.length === 0 && isWaiting ? (
        <Wait>Waiting for the providers of this network to say who they are</Wait>
      ) : (
        <>
          <Card title="Provider">
            <div className="stack">
              <Select
                label="Who holds the records"
                value={selected}
                onChange={setChosen}
                options={[
                  ...domains.map(({ provider, url }) => ({
                    id: provider.toLowerCase(),
                    label: nameOf(provider).name ?? provider,
                    note: url,
                  })),
                  { id: OTHER, label: "Another provider", note: "by its address and URL" },
                ]}
              />
              {domain === undefined ? <AddProvider onAdded={setChosen} /> : <DomainFacts domain={domain} />}
            </div>
          </Card>
          {domain === undefined ? undefined : <AtProvider key={domain.provider} domain={domain} />}
        </>
      )}
    </Page>
  );
}

function DomainFacts({ domain }: { readonly domain: SubjectDomain }): ReactNode {
  return (
    <Facts
      rows={[
        ["Account", <AddressName key="a" address={domain.provider} />],
        ["Reached at", <code key="u">{domain.url}</code>],
      ]}
    />
  );
}

function AtProvider({ domain }: { readonly domain: SubjectDomain }): ReactNode {
  const { account } = useSession();
  const { subject, unlock } = useSubject(domain);
  const canSign = useCanSign();
  const unlocking = useMutation({ mutationFn: unlock });
  if (subject === undefined) {
    return (
      <Card title="Your key">
        <div className="stack">
          <p>
            Your key for this provider follows from a signature of your wallet, so the same wallet finds the same
            records again on any machine. The wallet signs the same words twice, to make sure that it always signs them
            alike. Nothing is sent.
          </p>
          <NeedsWallet>Connect the wallet that your records are, or shall be, bound to.</NeedsWallet>
          {account === undefined ? undefined : (
            <div className="row">
              <Button kind="primary" isDisabled={!canSign || unlocking.isPending} onPress={() => unlocking.mutate()}>
                Unlock my records
              </Button>
              {unlocking.isPending ? <Wait>Waiting for {account.wallet} to sign, twice</Wait> : undefined}
            </div>
          )}
          {unlocking.error === null ? undefined : <ErrorNote error={unlocking.error} />}
        </div>
      </Card>
    );
  }
  return <Unlocked domain={domain} subject={subject} />;
}

function Unlocked({ domain, subject }: { readonly domain: SubjectDomain; readonly subject: SubjectClient }): ReactNode {
  const { network, networkKey } = useSession();
  const { chainId, queryMarket } = network;
  const key = subject.publicKey[0].toString();
  const state = useQuery({
    queryKey: ["subject", networkKey, domain.provider, key],
    queryFn: async (): Promise<SubjectState | null> =>
      (await subjectStore.get(
        subjectStateId({
          chainId,
          market: queryMarket as Address,
          provider: domain.provider,
          subjectKey: subject.publicKey,
        }),
      )) ?? null,
  });
  const isEnrolled = Object.keys(state.data?.persons ?? {}).length > 0;
  if (!state.isFetched) return <Wait>Reading what this browser knows of your records</Wait>;
  if (!isEnrolled) {
    return (
      <Card title="Enrol">
        <Enrol subject={subject} onEnrolled={() => void state.refetch()} />
      </Card>
    );
  }
  return (
    <>
      <Records subject={subject} onRead={() => void state.refetch()} />
      <OwnCard subject={subject} />
      <Log subject={subject} state={state.data ?? undefined} />
      <Card>
        <Disclosure title="Enrol with another code">
          <Enrol subject={subject} onEnrolled={() => void state.refetch()} />
        </Disclosure>
      </Card>
    </>
  );
}
