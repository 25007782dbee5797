export { startQueryPlayers } from "./query-players.ts";
export { type DomainProvider, type QuerySide, startQuerySide } from "./query-side.ts";
export { type QueriesSummary, type QuerySummary, runQueryStories } from "./run-query-stories.ts";
