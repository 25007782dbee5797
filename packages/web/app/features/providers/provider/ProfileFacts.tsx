import { type Profile, type ProfileUrlVerdict, verifyProfileUrl } from "@quorate/wire";
import { type ReactNode, useState } from "react";
import { Amount, useSession } from "../../../connection/index.ts";
import { engineTitle } from "../../../parts/online.ts";
import { Button, ErrorNote, Facts, Hash, Moment, Note, Wait } from "../../../ui/index.ts";

/** What a provider says of itself. */
export function ProfileFacts({ profile }: { readonly profile: Profile }): ReactNode {
  const { body } = profile;
  return (
    <div className="stack">
      <Facts
        rows={[
          ["Name", <strong key="n">{body.name}</strong>],
          [
            "Signed",
            <span key="s">
              by this account, <Moment at={profile.createdAt} />
            </span>,
          ],
          [
            "Engines",
            body.engines.map(({ name, version }) => `${engineTitle(name)} (${name} ${version})`).join(", ") || "none",
          ],
          [
            "Asks from",
            (body.prices ?? []).length === 0
              ? "not said"
              : (body.prices ?? []).map(({ token, from }) => <Amount key={token} value={from} token={token} />),
          ],
          [
            "Agents",
            body.agents.length === 0
              ? "none"
              : body.agents.map((agent) => (
                  <div key={agent}>
                    <Hash value={agent} label="address of the agent" />
                  </div>
                )),
          ],
          ["Relays", body.endpoints.join(", ") || "not said"],
          ["Site", body.url ?? "not named"],
        ]}
      />
      {body.url === undefined ? undefined : <SiteProof profile={profile} />}
    </div>
  );
}

/** A profile may name any site: whether the site names the provider is asked there, and only when somebody wants to know. */
function SiteProof({ profile }: { readonly profile: Profile }): ReactNode {
  const { network, isLocal } = useSession();
  const [verdict, setVerdict] = useState<ProfileUrlVerdict>();
  const [isAsking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>();
  const ask = async (): Promise<void> => {
    setAsking(true);
    setError(undefined);
    try {
      setVerdict(await verifyProfileUrl(profile, { chainId: network.chainId, allowLocal: isLocal }));
    } catch (thrown) {
      setError(thrown);
    } finally {
      setAsking(false);
    }
  };
  return (
    <div className="stack-tight">
      <p className="soft small">
        Anybody can write any site into a profile. The site can confirm it: this calls {profile.body.url}, which sees
        your network address.
      </p>
      <div className="row">
        <Button isSmall isDisabled={isAsking} onPress={() => void ask()}>
          Ask the site
        </Button>
        {isAsking ? <Wait>Waiting for {profile.body.url}</Wait> : undefined}
      </div>
      {verdict === undefined ? undefined : verdict.proved ? (
        <Note tone="good">
          <p>{verdict.origin} names this provider as its own.</p>
        </Note>
      ) : (
        <ErrorNote error={verdict.error} />
      )}
      {error ? <ErrorNote error={error} /> : undefined}
    </div>
  );
}
