export {
  type AddressLabel,
  AddressName,
  type KnownDomain,
  NamesProvider,
  useDomains,
  useNames,
  useProfiles,
} from "./names.tsx";
export { type Networks, networkKey, useNetworks } from "./networks.ts";
export { promptsInWords } from "./prompts.ts";
export { useRequester } from "./requester.ts";
export { type ConnectedAccount, type Session, SessionProvider, useSession } from "./SessionProvider.tsx";
export { unlockSecret, useSecret } from "./secret.ts";
export { Amount, type Balances, type TokenUnit, useBalances, useToken } from "./tokens.tsx";
export { type Trust, trustToJson, useTrust } from "./trust.ts";
