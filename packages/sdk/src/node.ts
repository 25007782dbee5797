export { type FileQueryStoreOptions, fileQueryStore } from "./queries/fileQueryStore.ts";
export { fileSubjectStore } from "./queries/fileSubjectStore.ts";
export { type FileKeyStoreOptions, fileKeyStore } from "./requester/fileKeyStore.ts";
