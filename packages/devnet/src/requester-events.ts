import type { Address, Hex } from "@quorate/core";
import type { FailedEvent } from "./channel.ts";
import type { Story } from "./stories.ts";

/** What the requester's process tells the one that started it, as it happens. Amounts are decimal strings in base units. */
export type RequesterEvent =
  | { readonly type: "ready" }
  | {
      readonly type: "packed";
      readonly files: readonly string[];
      readonly bytes: number;
      readonly blocks: number;
      readonly cid: string;
    }
  | { readonly type: "requested"; readonly jobId: Hex }
  | {
      readonly type: "offer";
      readonly provider: Address;
      readonly price: string;
      readonly accepted: boolean;
      readonly reasons: readonly string[];
    }
  | {
      readonly type: "selected";
      readonly chosen: readonly { readonly provider: Address; readonly role: string; readonly price: string }[];
      readonly refused: readonly { readonly provider: Address; readonly reasons: readonly string[] }[];
    }
  | { readonly type: "opened"; readonly jobId: Hex; readonly escrow: string }
  | {
      readonly type: "progress";
      readonly status: string;
      readonly panel: readonly { readonly provider: Address; readonly role: string; readonly state: string }[];
    }
  | { readonly type: "settled"; readonly jobId: Hex; readonly status: string }
  | {
      readonly type: "result";
      readonly jobId: Hex;
      readonly from: Address;
      readonly bytes: number;
      readonly ok: boolean;
      readonly summary: string;
    }
  | FailedEvent;

/** What the requester's process is told to do. */
export type RequesterCommand = { readonly type: "run"; readonly story: Story };

/** Settings of the requester's process. */
export type RequesterConfig = {
  readonly rpc: string;
  readonly chainId: number;
  readonly market: Address;
  readonly token: Address;
  readonly fromBlock: number;
  readonly relays: readonly string[];
  /** State folder in the layout of the command line: keys, trust policy, jobs. */
  readonly home: string;
  readonly passphraseFile: string;
  /** Address by slug of the organization. */
  readonly organizations: Readonly<Record<string, Address>>;
};
