import { useEffect, useState } from "react";
import type { Head } from "./hub.ts";

/**
 * Time of the chain now, by its newest block and what has passed since.
 *
 * @param head - Newest block.
 * @returns Unix s.
 */
export function chainTimeAt(head: Head): number {
  return head.timestamp + Math.max(0, Math.floor((performance.now() - head.heardAt) / 1000));
}

/**
 * Time of the chain, ticking. Never the machine's clock: deadlines are the chain's.
 *
 * @param head - Newest block; undefined before the first.
 * @returns Unix s; undefined before the first block.
 */
export function useTicking(head: Head | undefined): number | undefined {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((value) => value + 1), 1_000);
    return () => clearInterval(timer);
  }, []);
  return head === undefined ? undefined : chainTimeAt(head);
}
