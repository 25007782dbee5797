export {
  isLocalChain,
  type NetworkConfig,
  parseNetwork,
  parseSiteConfig,
  type SiteConfig,
  type TokenConfig,
} from "./config.ts";
export { type RunningWeb, siteFolder, startWeb, type WebOptions } from "./serve/startWeb.ts";
