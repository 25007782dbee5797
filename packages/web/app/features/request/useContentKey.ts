import { useEffect, useState } from "react";
import { contentKey } from "./draft.ts";
import type { Parts } from "./publish.ts";

/** Key of what would be sent; undefined while it is computed. */
export function useContentKey(parts: Parts | undefined): string | undefined {
  const [state, setState] = useState<{ readonly parts: Parts; readonly key: string }>();
  useEffect(() => {
    if (parts === undefined) return;
    let isHere = true;
    void contentKey(parts).then((key) => {
      if (isHere) setState({ parts, key });
    });
    return () => {
      isHere = false;
    };
  }, [parts]);
  return state !== undefined && state.parts === parts ? state.key : undefined;
}
