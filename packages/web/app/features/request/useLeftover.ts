import type { JobRecord } from "@quorate/sdk";
import { useEffect, useState } from "react";
import { findByNonce } from "./publish.ts";

/** The job that was made of the stored form by a page that ended before it was done; looked for once. */
export function useLeftover(
  isFormRead: boolean,
  nonce: string | undefined,
): { readonly record: JobRecord | undefined } | undefined {
  const [found, setFound] = useState<{ readonly nonce: string | undefined; readonly record: JobRecord | undefined }>();
  useEffect(() => {
    if (!isFormRead) return;
    let isHere = true;
    const settle = (record: JobRecord | undefined): void => {
      if (isHere) setFound((before) => before ?? { nonce, record });
    };
    if (nonce === undefined) settle(undefined);
    else findByNonce(nonce).then(settle, () => settle(undefined));
    return () => {
      isHere = false;
    };
  }, [isFormRead, nonce]);
  // The nonce of a form that is published from this page is no leftover.
  if (found === undefined) return undefined;
  return found.nonce === nonce ? found : { record: undefined };
}
