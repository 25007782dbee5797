import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ComponentType, type LazyExoticComponent, lazy, type ReactNode, Suspense } from "react";
import { I18nProvider } from "react-aria-components";
import { Route, Router, Switch } from "wouter";
import { NamesProvider, SessionProvider, useNetworks } from "./connection/index.ts";
import { usePagePath } from "./lib/location.ts";
import { ErrorBoundary } from "./shell/ErrorBoundary.tsx";
import { Shell } from "./shell/Shell.tsx";
import { useTheme } from "./shell/theme.ts";
import { ErrorNote, Wait } from "./ui/index.ts";

type PageComponent = LazyExoticComponent<ComponentType>;

/** Every page, loaded when it is opened. */
const pages: readonly (readonly [path: string, page: PageComponent])[] = [
  ["/", lazy(() => import("./features/market/MarketPage.tsx"))],
  ["/request", lazy(() => import("./features/request/RequestPage.tsx"))],
  ["/jobs/:id", lazy(() => import("./features/request/job/JobPage.tsx"))],
  ["/jobs", lazy(() => import("./features/jobs/JobsPage.tsx"))],
  ["/providers", lazy(() => import("./features/providers/ProvidersPage.tsx"))],
  ["/providers/:address", lazy(() => import("./features/providers/ProviderPage.tsx"))],
  ["/account", lazy(() => import("./features/account/AccountPage.tsx"))],
  ["/trust", lazy(() => import("./features/trust/TrustPage.tsx"))],
  ["/settings", lazy(() => import("./features/settings/SettingsPage.tsx"))],
  ["/questions", lazy(() => import("./features/questions/QuestionsPage.tsx"))],
  ["/questions/:id", lazy(() => import("./features/questions/QuestionPage.tsx"))],
  ["/ask/:card?", lazy(() => import("./features/questions/AskPage.tsx"))],
  ["/consent/:request?", lazy(() => import("./features/questions/ConsentPage.tsx"))],
  ["/records", lazy(() => import("./features/questions/RecordsPage.tsx"))],
  ["/check/:receipt?", lazy(() => import("./features/check/CheckPage.tsx"))],
];

const queries = new QueryClient({
  defaultOptions: { queries: { retry: 1, staleTime: 5_000, refetchOnWindowFocus: false } },
});

/** The app. */
export function App(): ReactNode {
  return (
    <I18nProvider locale="en-GB">
      <QueryClientProvider client={queries}>
        <ErrorBoundary>
          <Start />
        </ErrorBoundary>
      </QueryClientProvider>
    </I18nProvider>
  );
}

function Start(): ReactNode {
  useTheme();
  const { networks, error } = useNetworks();
  if (networks === undefined) {
    return (
      <main style={{ padding: "2rem" }}>
        {error ? (
          <ErrorNote error={error} onRetry={() => location.reload()} retryLabel="Load again" />
        ) : (
          <Wait>Reading the configuration</Wait>
        )}
      </main>
    );
  }
  return (
    <SessionProvider networks={networks}>
      <NamesProvider>
        <Router hook={usePagePath}>
          <Shell>
            <Pages />
          </Shell>
        </Router>
      </NamesProvider>
    </SessionProvider>
  );
}

function Pages(): ReactNode {
  const [location] = usePagePath();
  return (
    <ErrorBoundary key={location}>
      <Suspense fallback={<Wait>Loading the page</Wait>}>
        <Switch>
          {pages.map(([path, Page]) => (
            <Route key={path} path={path}>
              <Page />
            </Route>
          ))}
          <Route>
            <NotFound />
          </Route>
        </Switch>
      </Suspense>
    </ErrorBoundary>
  );
}

function NotFound(): ReactNode {
  return (
    <div className="stack">
      <h1>There is no such page</h1>
      <p>
        The address does not lead anywhere. <a href="#/">Go to the market</a>.
      </p>
    </div>
  );
}
