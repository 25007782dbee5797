import { Wallet } from "lucide-react";
import { type ReactNode, useState } from "react";
import { type Connector, useConnect, useConnectors, useDisconnect } from "wagmi";
import { fundFromFaucet, isBurner } from "../connection/burner.ts";
import { AddressName, useSession } from "../connection/index.ts";
import { shortHex } from "../lib/format.ts";
import { routes } from "../routes.ts";
import { Button, ButtonLink, Dialog, ErrorNote, Facts, Note, Wait } from "../ui/index.ts";
import styles from "./Connect.module.css";

/** Who is connected, and how to change it. */
export function Connect({ kind = "secondary" }: { readonly kind?: "primary" | "secondary" }): ReactNode {
  const { account } = useSession();
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button kind={account === undefined ? kind : "secondary"} isSmall onPress={() => setOpen(true)}>
        <Wallet size={16} aria-hidden />
        {account === undefined ? "Connect a wallet" : shortHex(account.address)}
      </Button>
      <Dialog
        title={account === undefined ? "Connect a wallet" : "Your wallet"}
        isOpen={isOpen}
        onClose={() => setOpen(false)}
      >
        {account === undefined ? <Choose onDone={() => setOpen(false)} /> : <Connected onDone={() => setOpen(false)} />}
      </Dialog>
    </>
  );
}

function Choose({ onDone }: { readonly onDone: () => void }): ReactNode {
  const { network, isLocal, publicClient } = useSession();
  const connectors = useConnectors();
  const { mutateAsync: connect, error, isPending, variables, reset } = useConnect();
  const [step, setStep] = useState<string>();
  const [failure, setFailure] = useState<unknown>();
  const wallets = connectors.filter((connector) => !isBurner(connector));
  const burner = connectors.find(isBurner);

  const choose = async (connector: Connector): Promise<void> => {
    reset();
    setFailure(undefined);
    try {
      const { accounts } = await connect({ connector });
      const [address] = accounts;
      const [token] = network.tokens;
      if (isBurner(connector) && isLocal && address !== undefined && token !== undefined) {
        setStep("Waiting for the local chain to send gas money and test tokens");
        const hasGas = (await publicClient.getBalance({ address })) > 0n;
        if (!hasGas) await fundFromFaucet(publicClient, address, token.address, token.decimals);
      }
      onDone();
    } catch (thrown) {
      setFailure(thrown);
    } finally {
      setStep(undefined);
    }
  };

  return (
    <div className="stack">
      {wallets.length === 0 ? (
        <Note>
          <p>
            No wallet was found in this browser. Wallets announce themselves (EIP-6963): install one, unlock it, and
            load this page again.
          </p>
        </Note>
      ) : (
        <ul className="stack-tight" aria-label="Wallets in this browser">
          {wallets.map((connector) => (
            <li key={connector.uid} className={styles.wallet}>
              {connector.icon === undefined ? (
                <Wallet size={24} aria-hidden />
              ) : (
                <img src={connector.icon.trim()} width={24} height={24} alt="" />
              )}
              <strong>{connector.name}</strong>
              <Button isSmall isDisabled={isPending || step !== undefined} onPress={() => void choose(connector)}>
                Connect {connector.name}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {burner === undefined ? undefined : (
        <Note>
          <p>
            {network.name} is a local chain, where nothing is worth anything. A burner wallet is a key that this browser
            makes and keeps unprotected; it comes with gas money and 5,000 test tokens.
          </p>
          <Button isSmall isDisabled={isPending || step !== undefined} onPress={() => void choose(burner)}>
            Use a burner wallet
          </Button>
        </Note>
      )}
      {isPending && step === undefined ? (
        <Wait>Waiting for {(variables?.connector as Connector | undefined)?.name ?? "the wallet"} to answer</Wait>
      ) : undefined}
      {step === undefined ? undefined : <Wait>{step}</Wait>}
      {(failure ?? error) ? <ErrorNote error={failure ?? error} /> : undefined}
    </div>
  );
}

function Connected({ onDone }: { readonly onDone: () => void }): ReactNode {
  const { account, network } = useSession();
  const { mutate: disconnect } = useDisconnect();
  if (account === undefined) return;
  return (
    <div className="stack">
      <Facts
        rows={[
          ["Account", <AddressName key="a" address={account.address} isLinked={false} />],
          ["Wallet", account.wallet],
          ["Kind", kindOf(account)],
          ["Network", `${network.name} (chain id ${network.chainId})`],
        ]}
      />
      {account.isContract ? (
        <Note>
          <p>
            This account is a contract (ERC-1271). Relays cannot verify its signatures, so its requests are announced on
            chain, and its deposits are approved in a transaction instead of a permit.
          </p>
        </Note>
      ) : undefined}
      <div className="row">
        <ButtonLink isSmall href={routes.account}>
          Money and keys
        </ButtonLink>
        <Button
          isSmall
          onPress={() => {
            disconnect({});
            onDone();
          }}
        >
          Disconnect
        </Button>
      </div>
    </div>
  );
}

function kindOf({ isBurner: burner, isContract }: { isBurner: boolean; isContract: boolean | undefined }): string {
  if (burner) return "Burner key of this browser";
  if (isContract === undefined) return "Looking at its code";
  return isContract ? "Contract account" : "Key account";
}
