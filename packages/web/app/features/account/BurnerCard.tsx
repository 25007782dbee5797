import { type ReactNode, useState } from "react";
import { useDisconnect } from "wagmi";
import { BURNER_KEY_SETTING, burnerKey } from "../../connection/burner.ts";
import { writeSetting } from "../../data/settings.ts";
import { Button, Card, CopyButton, ErrorNote, Note } from "../../ui/index.ts";

/** The burner wallet's key: shown, copied, replaced. */
export function BurnerCard(): ReactNode {
  const { mutateAsync: disconnect } = useDisconnect();
  const [key, setKey] = useState<string>();
  const [isSure, setSure] = useState(false);
  const [error, setError] = useState<unknown>();
  const replace = async (): Promise<void> => {
    try {
      await disconnect({});
      await writeSetting(BURNER_KEY_SETTING, undefined);
    } catch (thrown) {
      setError(thrown);
    }
  };
  return (
    <Card title="Burner wallet">
      <div className="stack">
        <p>
          This wallet is a key that lies unprotected in this browser. It is for local chains, where nothing is worth
          anything.
        </p>
        <div className="row">
          <Button
            isSmall
            onPress={() => {
              if (key !== undefined) setKey(undefined);
              else burnerKey().then(setKey, setError);
            }}
          >
            {key === undefined ? "Show the key" : "Hide the key"}
          </Button>
          <Button isSmall onPress={() => setSure(true)}>
            Replace the key
          </Button>
        </div>
        {key === undefined ? undefined : (
          <Note tone="warn">
            <p style={{ overflowWrap: "anywhere" }}>
              <code>{key}</code> <CopyButton text={key} label="Copy the private key" />
            </p>
          </Note>
        )}
        {isSure ? (
          <Note tone="bad">
            <p>
              What the old key owns is lost with it: tokens, deposits, open jobs and bonds. Withdraw first, or copy the
              key.
            </p>
            <div className="row">
              <Button kind="danger" isSmall onPress={() => void replace()}>
                Forget the old key for ever
              </Button>
              <Button isSmall onPress={() => setSure(false)}>
                Keep it
              </Button>
            </div>
          </Note>
        ) : undefined}
        {error ? <ErrorNote error={error} /> : undefined}
      </div>
    </Card>
  );
}
