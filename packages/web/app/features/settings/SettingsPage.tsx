import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { createPublicClient, http } from "viem";
import { type NetworkConfig, parseNetwork } from "../../../src/config.ts";
import { networkKey, useSession } from "../../connection/index.ts";
import { forgetIndex, logsAbove } from "../../data/followerStore.ts";
import { count, formatBytes } from "../../lib/format.ts";
import { useMarket } from "../../market/index.ts";
import { type ThemeChoice, useTheme } from "../../shell/theme.ts";
import {
  Badge,
  Button,
  Card,
  Choices,
  Disclosure,
  ErrorNote,
  Facts,
  Hash,
  Note,
  Page,
  TextField,
  Wait,
} from "../../ui/index.ts";
import { judgeNetwork, type NetworkDraft, networkDraftOf } from "./networkDraft.ts";

/** Networks, appearance, and what this browser keeps. */
export default function SettingsPage(): ReactNode {
  return (
    <Page title="Settings" lead="They stay in this browser.">
      <Networks />
      <Endpoints />
      <Theme />
      <Storage />
    </Page>
  );
}

function Networks(): ReactNode {
  const { networks, networkKey: selected } = useSession();
  const [edited, setEdited] = useState<{ readonly draft: NetworkDraft; readonly base: NetworkConfig | undefined }>();
  const [error, setError] = useState<unknown>();
  const run = (task: Promise<void>): void => {
    setError(undefined);
    task.catch(setError);
  };
  return (
    <Card title="Network">
      <div className="stack">
        <Choices
          label="Market that this app shows"
          value={selected}
          onChange={(key) => run(networks.select(key))}
          options={networks.all.map((network) => ({
            id: networkKey(network),
            title: network.name,
            note: `chain id ${network.chainId}${networks.own.includes(networkKey(network)) ? ", changed in this browser" : ""}`,
          }))}
        />
        <div className="row">
          <Button
            isSmall
            onPress={() => setEdited({ draft: networkDraftOf(networks.selected), base: networks.selected })}
          >
            Edit {networks.selected.name}
          </Button>
          <Button isSmall onPress={() => setEdited({ draft: networkDraftOf(undefined), base: undefined })}>
            Add a network
          </Button>
          {networks.own.includes(selected) ? (
            <Button kind="danger" isSmall onPress={() => run(networks.remove(selected))}>
              Remove my changes to {networks.selected.name}
            </Button>
          ) : undefined}
        </div>
        {error ? <ErrorNote error={error} /> : undefined}
        {edited === undefined ? undefined : (
          <NetworkEditor
            key={edited.base === undefined ? "new" : networkKey(edited.base)}
            {...edited}
            onSave={(network) =>
              run(
                networks.save(network).then(async () => {
                  setEdited(undefined);
                  await networks.select(networkKey(network));
                }),
              )
            }
            onClose={() => setEdited(undefined)}
          />
        )}
      </div>
    </Card>
  );
}

function NetworkEditor({
  draft: first,
  base,
  onSave,
  onClose,
}: {
  readonly draft: NetworkDraft;
  readonly base: NetworkConfig | undefined;
  readonly onSave: (network: NetworkConfig) => void;
  readonly onClose: () => void;
}): ReactNode {
  const [draft, setDraft] = useState(first);
  const [json, setJson] = useState("");
  const [error, setError] = useState<unknown>();
  const field = (key: keyof NetworkDraft, label: string, more: { hint?: string; rows?: number } = {}): ReactNode => (
    <TextField label={label} value={draft[key]} onChange={(value) => setDraft({ ...draft, [key]: value })} {...more} />
  );
  const attempt = (read: () => NetworkConfig): void => {
    setError(undefined);
    try {
      onSave(read());
    } catch (thrown) {
      setError(thrown);
    }
  };
  return (
    <section className="stack" aria-label={base === undefined ? "Add a network" : `Edit ${base.name}`}>
      <h3>{base === undefined ? "Add a network" : `Edit ${base.name}`}</h3>
      <div className="grid-2">
        {field("name", "Name")}
        {field("chainId", "Chain id")}
        {field("market", "Address of the job market")}
        {field("queryMarket", "Address of the query market", { hint: "Empty where questions are not asked." })}
        {field("fromBlock", "First block", { hint: "Of the deployment: nothing before it is read." })}
        {field("confirmations", "Confirmations", { hint: "Blocks after which an event counts, its own included." })}
        {field("firstVisitBlocks", "Blocks of a first visit", { hint: "The newest ones, read one by one." })}
        {field("index", "Index", {
          hint: "Endpoint that answers eth_getLogs for long ranges. Older history is read there. May be empty.",
        })}
      </div>
      {field("rpc", "RPC endpoints", { rows: 2, hint: "One a line, the preferred first." })}
      {field("relays", "Relays", { rows: 2, hint: "One a line." })}
      {field("domains", "Domain providers", { rows: 2, hint: "One address of an agent a line." })}
      {field("tokens", "Tokens", { rows: 2, hint: "One a line: address, symbol, digits after the point." })}
      <div className="row">
        <Button kind="primary" onPress={() => attempt(() => judgeNetwork(draft, base))}>
          Save and use
        </Button>
        <Button onPress={onClose}>Cancel</Button>
      </div>
      <Disclosure title="Paste settings as JSON">
        <div className="stack">
          <TextField label="A network as in config.json" value={json} onChange={setJson} rows={6} />
          <div>
            <Button isDisabled={json.trim() === ""} onPress={() => attempt(() => parseNetwork(JSON.parse(json)))}>
              Use this JSON
            </Button>
          </div>
        </div>
      </Disclosure>
      {error ? <ErrorNote error={error} /> : undefined}
    </section>
  );
}

type NodeAnswer = { readonly chainId: number; readonly block: bigint; readonly latencyMs: number };

function Endpoints(): ReactNode {
  const { network, relays } = useSession();
  return (
    <Card title="Endpoints">
      <div className="stack">
        <ul className="stack" aria-label="RPC endpoints">
          {network.rpc.map((url) => (
            <NodeTest key={url} url={url} />
          ))}
        </ul>
        <RelayTest key={relays.urls.join()} />
        <Facts
          rows={[
            ["Job market", <Hash key="j" value={network.market} label="address of the job market" />],
            [
              "Query market",
              network.queryMarket === undefined ? (
                "none"
              ) : (
                <Hash key="q" value={network.queryMarket} label="address of the query market" />
              ),
            ],
            ["Confirmations", count(network.confirmations, "block")],
            ["Index for older history", network.index === undefined ? "none" : <code key="i">{network.index}</code>],
          ]}
        />
      </div>
    </Card>
  );
}

function NodeTest({ url }: { readonly url: string }): ReactNode {
  const { network } = useSession();
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ["node-test", url],
    enabled: false,
    retry: false,
    queryFn: async (): Promise<NodeAnswer> => {
      const node = createPublicClient({ transport: http(url, { retryCount: 0, timeout: 5_000 }) });
      const begin = performance.now();
      const chainId = await node.getChainId();
      const latencyMs = Math.round(performance.now() - begin);
      return { chainId, block: await node.getBlockNumber(), latencyMs };
    },
  });
  return (
    <li className="stack-tight">
      <div className="row-apart">
        <code>{url}</code>
        <Button isSmall isDisabled={isFetching} aria-label={`Test ${url}`} onPress={() => void refetch()}>
          Test
        </Button>
      </div>
      {isFetching ? (
        <Wait>Waiting for the node</Wait>
      ) : error ? (
        <ErrorNote error={error} />
      ) : data === undefined ? undefined : data.chainId === network.chainId ? (
        <Note tone="good">
          <p>
            Chain id {data.chainId}, block {data.block.toString()}, answered in {data.latencyMs} ms.
          </p>
        </Note>
      ) : (
        <Note tone="bad">
          <p>
            This node is of chain {data.chainId}, and {network.name} is chain {network.chainId}. It cannot be used.
          </p>
        </Note>
      )}
    </li>
  );
}

function RelayTest(): ReactNode {
  const { relays, networkKey: key } = useSession();
  const { data, isFetching, refetch } = useQuery({
    queryKey: ["relay-test", key],
    enabled: false,
    queryFn: ({ signal }) => relays.status({ signal }),
  });
  return (
    <div className="stack-tight">
      <div className="row-apart">
        <h3>Relays</h3>
        <Button isSmall isDisabled={isFetching} onPress={() => void refetch()}>
          Test the relays
        </Button>
      </div>
      {isFetching ? <Wait>Waiting for the relays</Wait> : undefined}
      <ul className="stack-tight" aria-label="Relays">
        {relays.urls.map((url) => {
          const state = data?.find((entry) => entry.url === url);
          return (
            <li key={url} className="row-apart">
              <code>{url}</code>
              {state === undefined ? (
                <span className="soft small">not tested</span>
              ) : state.error === undefined ? (
                <Badge tone="good">Answers</Badge>
              ) : (
                <span className="small">
                  <Badge tone="bad">Does not answer</Badge> {state.error.message}
                </span>
              )}
            </li>
          );
        })}
      </ul>
      <p className="soft small">
        Relays carry messages and encrypted packages. None of them can read or change them, and money does not depend on
        them.
      </p>
    </div>
  );
}

function Theme(): ReactNode {
  const { choice, choose } = useTheme();
  return (
    <Card title="Appearance">
      <Choices<ThemeChoice>
        label="Theme"
        value={choice}
        onChange={choose}
        options={[
          { id: "system", title: "As the system" },
          { id: "light", title: "Light" },
          { id: "dark", title: "Dark" },
        ]}
      />
    </Card>
  );
}

function Storage(): ReactNode {
  const { networkKey: key, network } = useSession();
  const { cursor } = useMarket();
  const [error, setError] = useState<unknown>();
  const { data } = useQuery({
    queryKey: ["storage", key, cursor],
    placeholderData: (before) => before,
    queryFn: async () => {
      const logs = (await logsAbove(key, -1)).length;
      const { usage } = await navigator.storage.estimate();
      return { logs, usage };
    },
  });
  const forget = async (): Promise<void> => {
    try {
      await forgetIndex(key);
      location.reload();
    } catch (thrown) {
      setError(thrown);
    }
  };
  return (
    <Card title="Storage">
      <div className="stack">
        {data === undefined ? (
          <Wait>Looking at what is stored</Wait>
        ) : (
          <Facts
            rows={[
              [`Read of ${network.name}`, `${count(data.logs, "event")} up to block ${Math.max(cursor, 0)}`],
              [
                "This site keeps",
                data.usage === undefined ? "the browser does not say how much" : formatBytes(data.usage),
              ],
            ]}
          />
        )}
        <p className="soft small">
          What was read of the chain can be forgotten and is read again, older history from the index if there is one.
          Keys, networks and your trust list stay.
        </p>
        <div>
          <Button isSmall onPress={() => void forget()}>
            Forget what was read of the chain
          </Button>
        </div>
        {error ? <ErrorNote error={error} /> : undefined}
      </div>
    </Card>
  );
}
