import { type ReactNode, useState } from "react";
import { type Address, isAddressEqual } from "viem";
import { useTrust } from "../../connection/index.ts";
import { Badge, Button, ErrorNote } from "../../ui/index.ts";

/** Whether the visitor's list names a provider. */
export type TrustState = "allowed" | "denied" | "unknown";

/** How the trust list sees a provider. */
export function useTrustState(): (provider: Address) => TrustState {
  const { policy } = useTrust();
  return (provider) => {
    const names = (entry: { readonly provider: Address }): boolean => isAddressEqual(entry.provider, provider);
    if (policy.deny.some(names)) return "denied";
    return policy.allow.some(names) ? "allowed" : "unknown";
  };
}

/** The state in a word. */
export function TrustBadge({ provider }: { readonly provider: Address }): ReactNode {
  const state = useTrustState()(provider);
  if (state === "allowed") return <Badge tone="good">Trusted by you</Badge>;
  return state === "denied" ? <Badge tone="bad">Never seated by you</Badge> : <Badge>Not on your list</Badge>;
}

/** Puts a provider on the trust list, or takes it off. */
export function TrustButtons({
  provider,
  name,
}: {
  readonly provider: Address;
  /** For those who hear the page. */
  readonly name: string;
}): ReactNode {
  const { allow, deny, forget, isLoaded } = useTrust();
  const state = useTrustState()(provider);
  const [error, setError] = useState<unknown>();
  const run = (action: Promise<void>): void => {
    setError(undefined);
    action.catch(setError);
  };
  return (
    <div className="stack-tight">
      <div className="row">
        {state === "allowed" ? undefined : (
          <Button isSmall isDisabled={!isLoaded} aria-label={`Trust ${name}`} onPress={() => run(allow(provider))}>
            Trust
          </Button>
        )}
        {state === "denied" ? undefined : (
          <Button isSmall isDisabled={!isLoaded} aria-label={`Never seat ${name}`} onPress={() => run(deny(provider))}>
            Never seat
          </Button>
        )}
        {state === "unknown" ? undefined : (
          <Button
            isSmall
            kind="quiet"
            isDisabled={!isLoaded}
            aria-label={`Take off the list: ${name}`}
            onPress={() => run(forget(provider))}
          >
            Take off the list
          </Button>
        )}
      </div>
      {error ? <ErrorNote error={error} /> : undefined}
    </div>
  );
}
