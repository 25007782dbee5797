import type { QueryRecord } from "@quorate/sdk/queries";
import type { ReactNode } from "react";
import { isAddressEqual } from "viem";
import { AddressName, useSession } from "../../../connection/index.ts";
import { Note } from "../../../ui/index.ts";
import { NeedsWallet } from "../parts.tsx";

/** Whether the connected wallet is the one that asks; says so if it is not. */
export function useIsAsker(record: QueryRecord): { readonly canSign: boolean; readonly notice: ReactNode } {
  const { account, questions } = useSession();
  if (account === undefined || account.isOnWrongNetwork) {
    return {
      canSign: false,
      notice: <NeedsWallet>Connect the wallet that prepared this question: it signs and pays.</NeedsWallet>,
    };
  }
  if (!isAddressEqual(account.address, record.asker)) {
    return {
      canSign: false,
      notice: (
        <Note tone="warn">
          <p>
            Another wallet prepared this question. Choose its account in your wallet:{" "}
            <AddressName address={record.asker} />
          </p>
        </Note>
      ),
    };
  }
  return { canSign: questions?.wallet !== undefined, notice: undefined };
}
