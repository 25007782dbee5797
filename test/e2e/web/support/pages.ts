import assert from "node:assert/strict";
import type { Kept, Stage } from "./stage.ts";

/** A page in a state that is worth a picture. */
export type PictureOf = {
  readonly name: string;
  /** Its address; what stories made is filled in. */
  readonly fragment: (kept: Kept, stage: Stage) => string | undefined;
  /** Whose browser looks at it; a stranger's unless told. */
  readonly as?: "requester" | "asker" | "subject";
};

/** Every page of the app, in the order of its navigation. */
export const pictures: readonly PictureOf[] = [
  { name: "market", fragment: () => "#/" },
  { name: "jobs", fragment: () => "#/jobs", as: "requester" },
  { name: "request", fragment: () => "#/request", as: "requester" },
  { name: "job-published", fragment: ({ publishedJob }) => publishedJob && `#/jobs/${publishedJob}`, as: "requester" },
  { name: "job-settled", fragment: ({ settledJob }) => settledJob && `#/jobs/${settledJob}`, as: "requester" },
  { name: "job-of-others", fragment: ({ settledJob }) => settledJob && `#/jobs/${settledJob}` },
  { name: "providers", fragment: () => "#/providers", as: "requester" },
  { name: "provider", fragment: (_, { provider }) => `#/providers/${provider}`, as: "requester" },
  { name: "questions", fragment: () => "#/questions", as: "asker" },
  { name: "ask", fragment: () => "#/ask", as: "asker" },
  {
    name: "question",
    fragment: ({ answeredQuestion }) => answeredQuestion && `#/questions/${answeredQuestion}`,
    as: "asker",
  },
  { name: "consent", fragment: ({ consentLink }) => consentLink, as: "subject" },
  { name: "records", fragment: () => "#/records", as: "subject" },
  { name: "check", fragment: () => "#/check" },
  { name: "receipt", fragment: ({ receiptLink }) => receiptLink },
  { name: "account", fragment: () => "#/account", as: "requester" },
  { name: "account-of-nobody", fragment: () => "#/account" },
  { name: "trust", fragment: () => "#/trust", as: "requester" },
  { name: "settings", fragment: () => "#/settings" },
  { name: "nowhere", fragment: () => "#/no/such/page" },
];

/**
 * The address of a picture, once the stories were played.
 *
 * @param picture which page
 * @param stage with what stories kept
 */
export function fragmentOf(picture: PictureOf, stage: Stage): string {
  const fragment = picture.fragment(stage.kept, stage);
  assert.ok(fragment !== undefined, `no story made what ${picture.name} shows`);
  return fragment;
}
