import { type ReactNode, useMemo } from "react";
import { type Address, getAddress, isAddress } from "viem";
import { useParams } from "wouter";
import { AddressName, useNames, useProfiles, useSession } from "../../connection/index.ts";
import { count, shortHex } from "../../lib/format.ts";
import { useMarket } from "../../market/index.ts";
import { emptyRecord, providersOf } from "../../parts/seats.ts";
import { routes } from "../../routes.ts";
import { Card, Empty, ErrorNote, Page, Wait } from "../../ui/index.ts";
import { OnlineState } from "./OnlineState.tsx";
import { Money } from "./provider/Money.tsx";
import { ProfileFacts } from "./provider/ProfileFacts.tsx";
import { SeatHistory } from "./provider/SeatHistory.tsx";
import { Standing } from "./provider/Standing.tsx";
import { TrustBadge, TrustButtons } from "./TrustButtons.tsx";
import { useStanding } from "./useStandings.ts";

/** One provider: who it says it is, how it stands, what it did and earned. */
export default function ProviderPage(): ReactNode {
  const { address = "" } = useParams<{ address: string }>();
  if (!isAddress(address, { strict: false })) {
    return (
      <Page title="There is no such provider">
        <Empty>
          <p>
            What stands in the address is no account. <a href={routes.providers}>See all providers</a>.
          </p>
        </Empty>
      </Page>
    );
  }
  return <Provider key={address} provider={getAddress(address)} />;
}

function Provider({ provider }: { readonly provider: Address }): ReactNode {
  const { model, isCurrent } = useMarket();
  const { account, network } = useSession();
  const { profiles, isLoaded } = useProfiles();
  const { name } = useNames()(provider);
  const { standing, error } = useStanding(provider);
  const profile = profiles.get(provider.toLowerCase());
  const isOwn = account?.address.toLowerCase() === provider.toLowerCase();
  const record = useMemo(
    () => providersOf(model).get(provider.toLowerCase()) ?? emptyRecord(provider),
    [model, provider],
  );
  const title = isOwn ? "Your seats" : (profile?.profile.body.name ?? name ?? shortHex(provider));
  const seats = useMemo(() => [...record.seats].reverse(), [record]);
  return (
    <Page
      title={title}
      lead={<AddressName address={provider} isLinked={false} />}
      actions={
        <>
          <OnlineState profile={profile} />
          <TrustBadge provider={provider} />
        </>
      }
    >
      {isOwn ? undefined : <TrustButtons provider={provider} name={title} />}
      <div className="grid-2">
        <Card title="Who it says it is">
          {profile !== undefined ? (
            <ProfileFacts profile={profile.profile} />
          ) : isLoaded ? (
            <Empty>
              {isOwn
                ? "Your account has no signed profile on the relays. A provider's agent publishes one."
                : "This account has no signed profile on the relays."}
            </Empty>
          ) : (
            <Wait>Asking the relays for its profile</Wait>
          )}
        </Card>
        <Card title="Standing on chain">
          {error ? <ErrorNote error={error} /> : undefined}
          {standing === undefined ? (
            error ? undefined : (
              <Wait>Reading its standing from the chain</Wait>
            )
          ) : (
            <Standing provider={provider} standing={standing} />
          )}
        </Card>
      </div>
      <Money provider={provider} record={record} agents={profile?.profile.body.agents ?? []} standing={standing} />
      <Card
        title={isOwn ? "History of your seats" : "History of its seats"}
        aside={
          seats.length === 0 ? undefined : (
            <a href={`${routes.jobs}?provider=${provider}`}>
              Its {count(new Set(seats.map(({ job }) => job)).size, "job")}
            </a>
          )
        }
      >
        {seats.length === 0 ? (
          <Empty>
            {isCurrent
              ? `This account never had a seat on ${network.name}.`
              : "The history is still being read from the chain."}
          </Empty>
        ) : (
          <SeatHistory seats={seats} />
        )}
      </Card>
    </Page>
  );
}
