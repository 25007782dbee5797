export { type FileKeyStoreOptions, fileKeyStore } from "./requester/fileKeyStore.ts";
