import { consentRequestToJson } from "@quorate/proofs";
import type { Asker, ConsentFile } from "@quorate/sdk/queries";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { Hex } from "viem";
import { type OwnQuestion, useAsker } from "../../../connection/asker.ts";
import { useSetting } from "../../../data/settings.ts";
import { explain } from "../../../lib/explain.ts";
import { downloadJson, toLinkPart } from "../../../lib/share.ts";
import { useChainTime } from "../../../market/index.ts";
import { routes } from "../../../routes.ts";
import { Button, Card, Countdown, ErrorNote, Note, Wait } from "../../../ui/index.ts";
import { consentSetting, readConsentFile } from "../consentFile.ts";
import { SharedLink, TextOrFile } from "../parts.tsx";
import { useIsAsker } from "./useIsAsker.tsx";
import { useQuoting } from "./useQuoting.ts";

const QUOTING = "Waiting for your wallet to sign the sealed question, then for the provider's price";

/** Hands the request to the person, and takes the consent that comes back. */
export function Consent({ record, view }: OwnQuestion): ReactNode {
  const { queryId } = record;
  const asker = useAsker();
  const now = useChainTime();
  const arrived = useSetting<ConsentFile>(consentSetting(queryId));
  const [text, setText] = useState("");
  const { canSign, notice } = useIsAsker(record);
  const quoting = useQuoting(record);
  const request = useQuery({
    queryKey: ["consent-request", queryId],
    enabled: asker !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () => consentRequestToJson(await (asker as Asker).consentRequest(queryId)),
  });
  const pasted = readPasted(text, queryId);
  const consent = pasted.file ?? arrived.value;
  return (
    <>
      <Card
        title="Get the person's consent"
        aside={
          view.deadline === undefined ? undefined : (
            <span className="soft small">
              <Countdown until={view.deadline} now={now} over="the time is over" />
            </span>
          )
        }
      >
        <div className="stack">
          <p>
            Send this link to the person that the question is about. It opens a page that says what you would learn and
            what not, and asks for a yes or no. The link holds the question: whoever sees it knows what you ask.
          </p>
          {request.data === undefined ? (
            <Wait>Writing the request</Wait>
          ) : (
            <SharedLink
              fragment={routes.consent(toLinkPart(request.data))}
              label="Link to the request for consent"
              copyLabel="Copy the link for the person"
            >
              <Button onPress={() => downloadJson("request.json", request.data)}>Download as a file</Button>
            </SharedLink>
          )}
        </div>
      </Card>
      <Card title="The consent">
        <div className="stack">
          {arrived.value !== undefined && pasted.file === undefined ? (
            <Note tone="good">
              <p>The consent has arrived: it was given in this browser. It is sealed to the provider.</p>
            </Note>
          ) : (
            <TextOrFile
              label="Consent that came back"
              hint="You cannot read it: it is sealed to the provider. If the person uses this browser, it arrives by itself."
              dropLabel="Or drop the file consent.json here"
              value={text}
              onChange={setText}
              error={pasted.problem}
            />
          )}
          {notice}
          <div className="row">
            <Button
              kind="primary"
              isDisabled={consent === undefined || !canSign || quoting.isPending}
              onPress={() => quoting.mutate(consent?.consent)}
            >
              Send the question
            </Button>
            {quoting.isPending ? (
              <Wait>{QUOTING}</Wait>
            ) : (
              <span className="soft small">
                {consent === undefined
                  ? "Waits for the consent."
                  : "Sealed to the provider, which answers with its price. Nothing is paid yet."}
              </span>
            )}
          </div>
          {quoting.error === null ? undefined : <ErrorNote error={quoting.error} />}
        </div>
      </Card>
    </>
  );
}

function readPasted(text: string, queryId: Hex): { readonly file?: ConsentFile; readonly problem?: string } {
  if (text.trim() === "") return {};
  try {
    return { file: readConsentFile(text, queryId) };
  } catch (error) {
    return { problem: explain(error).message };
  }
}
