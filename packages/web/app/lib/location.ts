import { useMemo } from "react";
import { useHashLocation } from "wouter/use-hash-location";

/**
 * Splits the fragment's address into path and query. Both stay in the fragment, so that no host sees what is looked for.
 *
 * @param location - What stands behind `#`.
 */
export function splitAddress(location: string): { readonly path: string; readonly query: string } {
  const at = location.indexOf("?");
  return at === -1 ? { path: location, query: "" } : { path: location.slice(0, at), query: location.slice(at + 1) };
}

/** The path of the page that is open, without its query; the hook of the router. */
export function usePagePath(): [string, (to: string) => void] {
  const [location, navigate] = useHashLocation();
  return [splitAddress(location).path, navigate];
}

/** The query of the address, and how it is replaced; the page stays the same. */
export function useAddressQuery(): readonly [URLSearchParams, (next: URLSearchParams) => void] {
  const [location] = useHashLocation();
  const { path, query } = splitAddress(location);
  const parameters = useMemo(() => new URLSearchParams(query), [query]);
  const replace = (next: URLSearchParams): void => {
    const oldURL = window.location.href;
    const text = next.toString();
    history.replaceState(null, "", `#${path}${text === "" ? "" : `?${text}`}`);
    dispatchEvent(new HashChangeEvent("hashchange", { oldURL, newURL: window.location.href }));
  };
  return [parameters, replace];
}
