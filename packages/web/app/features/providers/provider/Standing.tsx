import { PROBATION_ALIGNMENTS, PROBATION_SECONDS } from "@quorate/core";
import type { GetStandingReturnType } from "@quorate/sdk";
import type { ReactNode } from "react";
import type { Address } from "viem";
import { count } from "../../../lib/format.ts";
import { useMarket } from "../../../market/index.ts";
import { JobLink } from "../../../parts/JobTable.tsx";
import { Moment, Note, Stat } from "../../../ui/index.ts";

/** What the chain counts of a provider. */
export function Standing({
  provider,
  standing,
}: {
  readonly provider: Address;
  readonly standing: GetStandingReturnType;
}): ReactNode {
  const { model } = useMarket();
  const probations = model.probations.filter((entry) => entry.provider.toLowerCase() === provider.toLowerCase());
  return (
    <div className="stack">
      {standing.onProbation ? <ProbationNote standing={standing} /> : undefined}
      <div className="grid-3">
        <Stat label="Aligned" value={standing.aligned} note="answers that were accepted" />
        <Stat label="Faults" value={standing.faults} note="against the majority" />
        <Stat label="Late" value={standing.late} note="missed a deadline" />
        <Stat label="Reported" value={standing.reported} note="could not compute" />
        <Stat label="Declined" value={standing.declined} note="in time" />
        <Stat label="Undecided" value={standing.undecided} note="no quorum" />
      </div>
      <p className="soft small">
        Anybody can make jobs for itself and align with itself. Count on these numbers only together with who asked and
        who sat beside it.
      </p>
      {probations.length === 0 ? undefined : (
        <ul className="stack-tight small" aria-label="Probations">
          {probations.map(({ jobId, beganAt, ended }) => (
            <li key={`${jobId}${beganAt}`}>
              Probation began <Moment at={beganAt} /> with job <JobLink jobId={jobId} />,{" "}
              {ended === undefined ? (
                "no end was recorded"
              ) : (
                <>
                  ended {ended.well ? "well" : "with another fault"} <Moment at={ended.at} />
                </>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function ProbationNote({ standing }: { readonly standing: GetStandingReturnType }): ReactNode {
  const left = PROBATION_ALIGNMENTS - standing.alignedInRow;
  return (
    <Note tone="warn">
      <p>
        <strong>On probation</strong> since <Moment at={standing.probationSince} />: it is seated only where a request
        accepts that, or as a shadow, and its bond of the fault lies in quarantine.
      </p>
      <p>
        Way out: {count(left, "more aligned answer")} in a row, in jobs opened since then ({standing.alignedInRow} of{" "}
        {PROBATION_ALIGNMENTS} so far; a missed deadline begins the row anew), or no fault until{" "}
        <Moment at={standing.lastFaultAt + PROBATION_SECONDS} />. Then the bond can be claimed back. A fault in a job
        opened during the probation burns it and begins another one.
      </p>
    </Note>
  );
}
