import { type ReactNode, useState } from "react";
import { type Address, isAddressEqual } from "viem";
import { useSubjectDomains } from "../../../connection/subject.ts";
import { Button, ErrorNote, Note, TextField, Wait } from "../../../ui/index.ts";
import { useDataset } from "../useDataset.ts";

/** A URL alone proves nothing: the address comes from where the person trusts it. */
export function AddProvider({ onAdded }: { readonly onAdded: (provider: string) => void }): ReactNode {
  const { remember } = useSubjectDomains();
  const [url, setUrl] = useState("");
  const [provider, setProvider] = useState("");
  const [asked, setAsked] = useState("");
  const dataset = useDataset(asked);
  const isAddress = /^0x[0-9a-fA-F]{40}$/.test(provider);
  const other =
    dataset.data !== undefined && isAddress && !isAddressEqual(dataset.data.provider, provider as Address)
      ? dataset.data.provider
      : undefined;
  return (
    <div className="stack">
      <div className="grid-2">
        <TextField
          label="Address of the provider"
          hint="From a place that you trust, for example a letter of the provider: a URL alone proves nothing."
          value={provider}
          onChange={setProvider}
          placeholder="0x…"
        />
        <TextField label="URL of its agent" value={url} onChange={setUrl} inputMode="url" placeholder="https://…" />
      </div>
      <div className="row">
        <Button isDisabled={!isAddress || url.trim() === "" || dataset.isFetching} onPress={() => setAsked(url.trim())}>
          Look at this provider
        </Button>
        {!isAddress && provider !== "" ? (
          <span className="soft small">An address is 0x and 40 digits.</span>
        ) : undefined}
      </div>
      {dataset.isFetching ? <Wait>Waiting for {asked} to say what it holds</Wait> : undefined}
      {dataset.error === null || asked === "" ? undefined : <ErrorNote error={dataset.error} />}
      {other === undefined ? undefined : (
        <Note tone="bad">
          <p>
            {asked} answers for <code>{other}</code>, not for the address that you gave. Ask the provider which is
            right.
          </p>
        </Note>
      )}
      {dataset.data === undefined || other !== undefined || !isAddress ? undefined : (
        <Note tone="good">
          <p>It answers for this address, with the data set “{dataset.data.definition.name}”.</p>
          <Button
            isSmall
            onPress={() => {
              void remember({ provider: provider as Address, url: asked }).then(() => onAdded(provider.toLowerCase()));
            }}
          >
            Use this provider
          </Button>
        </Note>
      )}
    </div>
  );
}
