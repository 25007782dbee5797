import { Component, type ReactNode } from "react";
import { ErrorNote } from "../ui/index.ts";

type Props = { readonly children: ReactNode };
type State = { readonly error: unknown };

/** Shows what broke a page in the place of the page; React offers this to classes alone. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: undefined };

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return <ErrorNote error={error} onRetry={() => location.reload()} retryLabel="Load the page again" />;
  }
}
