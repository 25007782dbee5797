import { escrowBoundOf, type JobRecord, type OfferDiagnosis, type ReceivedOffer } from "@quorate/sdk";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type ReactNode, useRef } from "react";
import { useBalances, useProfiles, useRequester, useSession, useToken } from "../../../../connection/index.ts";
import { formatAmount } from "../../../../lib/format.ts";
import { useChainTime } from "../../../../market/index.ts";
import { routes } from "../../../../routes.ts";
import { ButtonLink, Note } from "../../../../ui/index.ts";
import { askingPrices } from "../../terms.ts";
import { diagnosisWords } from "./diagnosis.ts";

const DIAGNOSE_MS = 5_000;

/** Why offers are missing, as far as this browser can tell. */
export function Diagnoses({
  record,
  received,
}: {
  readonly record: JobRecord;
  readonly received: readonly ReceivedOffer[];
}): ReactNode {
  const requester = useRequester();
  const { network } = useSession();
  const { profiles } = useProfiles();
  const now = useChainTime();
  const { request, requirements, jobId } = record;
  const unit = useToken(request.token);
  const { balances } = useBalances(request.requester, request.token);
  const latest = useRef(received);
  latest.current = received;
  const refused = received.filter((item) => item.kind === "offer" && !item.judgement.accepted).length;
  const query = useQuery<readonly OfferDiagnosis[]>({
    queryKey: ["diagnosis", jobId, received.length, refused],
    refetchInterval: DIAGNOSE_MS,
    placeholderData: keepPreviousData,
    gcTime: 10_000,
    queryFn: ({ signal }) => requester.diagnoseOffers(jobId, latest.current, { signal }),
  });
  const [lowestAsked] = askingPrices(profiles.values(), requirements.engine, request.token, now ?? 0);
  const words = (query.data ?? []).map((diagnosis) =>
    diagnosisWords(diagnosis, {
      record,
      lowestAsked,
      needed: escrowBoundOf(request),
      available: balances === undefined ? undefined : balances.wallet + balances.jobs.free,
      relays: network.relays.length,
      refused,
      format: (amount) => formatAmount(amount, unit),
    }),
  );
  if (words.length === 0) return;
  return (
    <div className="stack-tight">
      {words.map(({ code, title, text, isWait }) => (
        <Note key={code} tone={isWait ? "info" : "warn"}>
          <p>
            <strong>{title}.</strong> {text}
          </p>
          {code === "PRICE_TOO_LOW" || code === "REQUEST_EXPIRED" ? (
            <ButtonLink isSmall href={routes.request}>
              Request again
            </ButtonLink>
          ) : undefined}
        </Note>
      ))}
    </div>
  );
}
