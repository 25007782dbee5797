import type { Address } from "@quorate/core";
import type { JobWishes } from "@quorate/sdk";
import { type ReactNode, useState } from "react";
import { Amount, unlockSecret, useSecret, useSession } from "../../connection/index.ts";
import { count, formatBytes, formatDuration } from "../../lib/format.ts";
import { Button, Card, Checkbox, ErrorNote, Facts, Note, TextField, Wait } from "../../ui/index.ts";
import type { Parts } from "./publish.ts";
import styles from "./request.module.css";
import { Total } from "./TermsStep.tsx";

/** Fourth step: everything once more, before anything leaves the browser. */
export function ReviewStep({
  parts,
  wishes,
  token,
  label,
  onLabel,
  hasRun,
  derivedKeys,
  onDerivedKeys,
}: {
  readonly parts: Parts;
  readonly wishes: JobWishes;
  readonly token: Address;
  readonly label: string;
  readonly onLabel: (label: string) => void;
  readonly hasRun: boolean;
  readonly derivedKeys: boolean;
  readonly onDerivedKeys: (derived: boolean) => void;
}): ReactNode {
  const { account, network } = useSession();
  const {
    seats = 0,
    spares = 0,
    shadows = 0,
    quorum = 0,
    commitWindow = 0,
    revealWindow = 0,
    offerWindow = 0,
  } = wishes;
  const size = [...parts.files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
  const readers = seats + spares + shadows;
  return (
    <div className={styles.terms}>
      <div className="stack-wide">
        <Card title="What is sent">
          <div className="stack">
            <Facts
              rows={[
                ["Program", <code key="program">{parts.manifest.program}</code>],
                ["Engine", `${parts.manifest.engine.name} ${parts.manifest.engine.version}`],
                ["Files", `${count(parts.files.size, "file")}, ${formatBytes(size)}`],
                ["Tried here", hasRun ? "it ran to its end" : "no: you skipped it"],
                [
                  "Panel",
                  `${quorum} of ${seats} seats have to agree; up to ${count(spares, "spare")} and ${count(shadows, "shadow")}`,
                ],
                ["Highest price of a seat", <Amount key="price" value={wishes.priceCeiling} token={token} />],
                ["Bond of each provider", <Amount key="bond" value={wishes.bond ?? 0n} token={token} />],
                [
                  "Time",
                  `${formatDuration(offerWindow)} for offers, ${formatDuration(commitWindow)} for commitments, ${formatDuration(revealWindow)} for openings`,
                ],
              ]}
            />
            <TextField
              label="Name of the job"
              hint="For you alone; it stays in this browser."
              value={label}
              onChange={onLabel}
            />
          </div>
        </Card>
        <Card title="What leaves this browser, and who can read it">
          <ul className="stack-tight">
            <li>
              <strong>Now:</strong> the package, encrypted, goes to {count(network.relays.length, "relay")}. A relay can
              read nothing of it but its rounded size. The terms above are public, so that providers can offer.
            </li>
            <li>
              <strong>When you open the job:</strong> its key is sealed to each provider that you choose, at most{" "}
              {count(readers, "party", "parties")}: {count(seats, "seat")}
              {spares === 0 ? "" : `, ${count(spares, "spare")}`}
              {shadows === 0 ? "" : `, ${count(shadows, "shadow")}`}. Each of them can read program and data, also those
              that decline or are never needed.
            </li>
            <li>
              <strong>At the end:</strong> the result comes back sealed to a key that this browser keeps.
            </li>
          </ul>
        </Card>
        <KeysCard derivedKeys={derivedKeys} onDerivedKeys={onDerivedKeys} />
        <Card title="What your wallet will ask">
          <ol className="stack-tight">
            {account?.isContract === true ? (
              <li>Now: one transaction that announces the request on chain, since your account is a contract.</li>
            ) : (
              <li>Now: one signature under the request, which costs nothing.</li>
            )}
            <li>
              After you chose among the offers: at most two prompts, one that lets the market take what your balance
              lacks, one that opens the job and pays the escrow.
            </li>
          </ol>
        </Card>
      </div>
      <Total wishes={wishes} token={token} />
    </div>
  );
}

function KeysCard({
  derivedKeys,
  onDerivedKeys,
}: {
  readonly derivedKeys: boolean;
  readonly onDerivedKeys: (derived: boolean) => void;
}): ReactNode {
  const { jobs, account } = useSession();
  const secret = useSecret();
  const [isAsking, setAsking] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const unlock = async (): Promise<void> => {
    setAsking(true);
    setFailure(undefined);
    try {
      await unlockSecret(jobs);
    } catch (thrown) {
      setFailure(thrown);
      onDerivedKeys(false);
    } finally {
      setAsking(false);
    }
  };
  const isContract = account?.isContract === true;
  return (
    <Card title="Keys of this job">
      <div className="stack">
        <p className="soft">
          The keys that open offers and result are made for this job and stored in this browser before anything is sent.
          Who loses them loses the result.
        </p>
        {isContract ? (
          <Note>
            <p>
              The signatures of a contract account are not the same each time, so keys cannot be derived from them: they
              are random. Export them on the account page.
            </p>
          </Note>
        ) : (
          <Checkbox isSelected={derivedKeys} onChange={onDerivedKeys}>
            Use keys that this wallet can derive again.{" "}
            <span className="soft">
              Then another browser with the same wallet can open the result too. The wallet signs the same words twice,
              for free; wallets that sign differently each time cannot do this.
            </span>
          </Checkbox>
        )}
        {derivedKeys && !isContract ? (
          secret !== undefined ? (
            <Note tone="good">
              <p>The wallet signed alike twice: the keys of this job will come from it.</p>
            </Note>
          ) : isAsking ? (
            <Wait>Waiting for the wallet to sign the same words twice</Wait>
          ) : (
            <div>
              <Button isDisabled={account === undefined} onPress={() => void unlock()}>
                Derive the keys now
              </Button>
            </div>
          )
        ) : undefined}
        {failure === undefined ? undefined : <ErrorNote error={failure} />}
      </div>
    </Card>
  );
}
