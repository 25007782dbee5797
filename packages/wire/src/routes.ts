/** One HTTP route of a relay. */
export type Route = {
  /** HTTP method. */
  readonly method: "GET" | "POST" | "PUT";
  /** Path with `:name` parameters, relative to the relay's base URL. */
  readonly path: string;
};

/** Every route of a relay, once: the server mounts them and the client calls them. */
export const routes = {
  /** Body: an envelope. Answer: {@link PostedMessage}; 201 when new, 200 when the relay had it. */
  postMessage: { method: "POST", path: "/v1/messages" },
  /** Query: `after` (cursor), `waitMs` (0 to {@link MAX_WAIT_MS}). Answer: {@link MessagePage}. */
  getMessages: { method: "GET", path: "/v1/topics/:topic/messages" },
  /** Server-sent events: `message` with a {@link MessagePage} item as data and the cursor as event id. */
  streamMessages: { method: "GET", path: "/v1/topics/:topic/events" },
  /** Query: `after` (provider address). Answer: {@link ProfilePage}. */
  getProfiles: { method: "GET", path: "/v1/profiles" },
  /** Answer: a profile record. */
  getProfile: { method: "GET", path: "/v1/profiles/:provider" },
  /** Body: a signed profile of the provider in the path. */
  putProfile: { method: "PUT", path: "/v1/profiles/:provider" },
  /** Body: a presence signed by the provider or an agent of its profile. */
  putPresence: { method: "PUT", path: "/v1/profiles/:provider/presence" },
  /** Body: the bytes of the block that the CID names. */
  putBlock: { method: "PUT", path: "/ipfs/:cid" },
  /** Query: `format=raw`. As an IPFS trustless gateway answers. */
  getBlock: { method: "GET", path: "/ipfs/:cid" },
  /** Answer: {@link RelayInfo}. */
  getInfo: { method: "GET", path: "/v1/info" },
  /** 200 while the process runs. */
  getHealth: { method: "GET", path: "/health" },
  /** 200 while the relay accepts writes. */
  getReady: { method: "GET", path: "/ready" },
  /** Prometheus text. */
  getMetrics: { method: "GET", path: "/metrics" },
} as const;

/**
 * Address of a route at one relay.
 *
 * @param baseUrl Base URL of the relay; may have a path of its own.
 * @param route Entry of {@link routes}.
 * @param parameters Values of the `:name` parts; each is percent-encoded.
 * @param query Query parameters; absent values are left out.
 */
export function routeUrl(
  baseUrl: string,
  route: Route,
  parameters: Readonly<Record<string, string>> = {},
  query: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const path = route.path.replace(/:([a-z]+)/gi, (_, name: string) => {
    const value = parameters[name];
    if (value === undefined) throw new TypeError(`the route ${route.path} needs the parameter ${name}`);
    return encodeURIComponent(value);
  });
  const url = new URL(baseUrl);
  url.pathname = url.pathname.replace(/\/+$/, "") + path;
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url.href;
}
