import { type Papers, personOf } from "@quorate/proofs";
import type { SubjectClient } from "@quorate/sdk/queries";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Button, ErrorNote, TextField, Wait } from "../../../ui/index.ts";
import { PapersFields } from "../parts.tsx";

const noPapers: Papers = { name: "", birthDate: "", documentNumber: "" };

/** Binds the records behind a provider's code to the subject's key. */
export function Enrol({
  subject,
  onEnrolled,
}: {
  readonly subject: SubjectClient;
  readonly onEnrolled: () => void;
}): ReactNode {
  const [code, setCode] = useState("");
  const [papers, setPapers] = useState(noPapers);
  const hasPapers = Object.values(papers).some((text) => text !== "");
  const problem = hasPapers ? problemOf(papers) : undefined;
  const enrolling = useMutation({
    mutationFn: () => subject.enrol({ code: code.trim().toUpperCase(), ...(hasPapers ? { papers } : {}) }),
    onSuccess: onEnrolled,
  });
  return (
    <div className="stack">
      <p>
        The provider gave you a code when it registered you. Code and papers go to it encrypted; it binds the records
        behind the code to your key.
      </p>
      <TextField
        label="Code of the provider"
        value={code}
        onChange={setCode}
        placeholder="XXXX-XXXX-XXXX-XXXX"
        hint="It works once."
      />
      <PapersFields papers={papers} onChange={setPapers} />
      <p className="soft small">Leave the papers empty only if the provider registered you without papers. {problem}</p>
      <div className="row">
        <Button
          kind="primary"
          isDisabled={code.trim().length < 8 || problem !== undefined || enrolling.isPending}
          onPress={() => enrolling.mutate()}
        >
          Enrol
        </Button>
        {enrolling.isPending ? <Wait>Waiting for the provider to bind your records to your key</Wait> : undefined}
      </div>
      {enrolling.error === null ? undefined : <ErrorNote error={enrolling.error} />}
    </div>
  );
}

function problemOf(papers: Papers): string | undefined {
  try {
    personOf(papers);
    return;
  } catch (error) {
    return (error as Error).message;
  }
}
