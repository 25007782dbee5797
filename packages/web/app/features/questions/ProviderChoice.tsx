import type { DomainDataset } from "@quorate/wire";
import { type ReactNode, useState } from "react";
import type { Hex } from "viem";
import { Amount, type KnownDomain } from "../../connection/index.ts";
import { count, formatDuration } from "../../lib/format.ts";
import { Button, Choices, Select, TextField } from "../../ui/index.ts";

const OTHER = "other";

/** Which provider is asked, and about which of its data sets. */
export function ProviderChoice({
  domains,
  url,
  dataset,
  onChange,
}: {
  readonly domains: readonly KnownDomain[];
  /** Of the provider that is chosen; may be none of the known ones. */
  readonly url: string;
  readonly dataset: Hex | undefined;
  readonly onChange: (change: { readonly providerUrl: string; readonly dataset: Hex | undefined }) => void;
}): ReactNode {
  const isKnown = domains.some((domain) => domain.url === url);
  const [isOther, setOther] = useState(false);
  const [typed, setTyped] = useState(isKnown ? "" : url);
  const selected = isOther || (!isKnown && url !== "") ? OTHER : url;
  const datasets = domains.find((domain) => domain.url === url)?.info?.datasets ?? [];
  return (
    <div className="stack">
      <Choices
        label="Who holds the records?"
        value={selected}
        onChange={(id) => {
          setOther(id === OTHER);
          if (id !== OTHER) onChange({ providerUrl: id, dataset: undefined });
        }}
        options={[
          ...domains.map((domain) => ({
            id: domain.url,
            title: domain.signedName ?? domain.info?.name ?? domain.url,
            note: <DomainNote domain={domain} />,
          })),
          { id: OTHER, title: "Another provider", note: "by the URL of its agent" },
        ]}
      />
      {selected === OTHER ? (
        <div className="stack-tight">
          <TextField
            label="URL of the provider's agent"
            value={typed}
            onChange={setTyped}
            inputMode="url"
            placeholder="https://…"
          />
          <div className="row">
            <Button
              isSmall
              isDisabled={!URL.canParse(typed.trim())}
              onPress={() => onChange({ providerUrl: typed.trim(), dataset: undefined })}
            >
              Ask what it answers about
            </Button>
          </div>
        </div>
      ) : undefined}
      {datasets.length > 1 ? (
        <Select
          label="Data set"
          value={dataset ?? ""}
          onChange={(id) => onChange({ providerUrl: url, dataset: id as Hex })}
          options={datasets.map((one) => ({ id: one.dataset as string, label: nameOf(one) }))}
        />
      ) : undefined}
    </div>
  );
}

const circuits: Readonly<Record<string, string>> = {
  "sealed-answer": "one number",
  scorecard: "several numbers together",
};

function nameOf({ definition }: DomainDataset): string {
  const { name } = definition as { readonly name?: unknown };
  return typeof name === "string" ? name : "without a name";
}

function DomainNote({ domain: { info, error } }: { readonly domain: KnownDomain }): ReactNode {
  if (info === undefined) {
    return error === null || error === undefined ? "Waiting for its answer" : "Does not answer now";
  }
  if (info.datasets.length === 0) return "Offers no data set";
  return (
    <>
      {info.datasets.map((dataset) => (
        <span key={dataset.dataset}>
          {nameOf(dataset)}:{" "}
          {dataset.offers.length === 0
            ? "nothing is on offer"
            : dataset.offers.map((offer, n) => (
                <span key={offer.circuit}>
                  {n === 0 ? "" : "; "}
                  {circuits[offer.circuit] ?? offer.circuit} for <Amount value={offer.price} token={offer.token} />,
                  bond <Amount value={offer.bond} token={offer.token} />, within {formatDuration(offer.window)}
                </span>
              ))}
          .{" "}
        </span>
      ))}
      {info.datasets.length > 1 ? `${count(info.datasets.length, "data set")}.` : undefined}
    </>
  );
}
