/**
 * An applicant of the local market as a process of its own: the shipped subject's client, its key derived from a wallet. Argument:
 * file with its settings. It is told over the process channel what it is asked, and tells over it what it says.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Hex } from "@quorate/core";
import {
  type ConsentRequest,
  consentMessage,
  deriveSubjectSecret,
  leafOf,
  queryOfQuestion,
  subjectFromSecret,
  subjectIdOf,
} from "@quorate/proofs";
import { fileSubjectStore } from "@quorate/sdk/node";
import { createSubject, type SubjectClient } from "@quorate/sdk/queries";
import { createLogger, runService } from "@quorate/service";
import { sealConsent } from "@quorate/wire";
import { createPublicClient, http, type PublicClient } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { parseSettings, serveCommands } from "../channel.ts";
import type { ApplicantCommand, ApplicantConfig, ApplicantEvent, KnownProvider } from "./messages.ts";

const config = parseSettings<ApplicantConfig>(readFileSync(process.argv[2] as string, "utf8"));
const wallet = privateKeyToAccount(readFileSync(config.secretFile, "utf8").trim() as Hex);

process.exitCode = await runService(
  async (signal) => {
    await serveCommands<ApplicantCommand, ApplicantEvent>(process, { type: "ready" }, run, signal);
  },
  { logger: createLogger({ level: "info", stream: process.stdout }), exit: (code) => process.exit(code) },
);

async function clientAt({ provider, url }: KnownProvider): Promise<{ client: SubjectClient; secret: Uint8Array }> {
  const secret = await deriveSubjectSecret(wallet, provider);
  const publicClient = createPublicClient({ transport: http(config.rpc), pollingInterval: 500 }) as PublicClient;
  const client = createSubject({
    client: { public: publicClient, chainId: config.chainId, market: config.market },
    secret,
    provider,
    providerUrl: url,
    store: fileSubjectStore({ directory: join(config.home, "subject") }),
    verifiers: config.verifiers as Parameters<typeof createSubject>[0]["verifiers"],
  });
  return { client, secret };
}

async function run(command: ApplicantCommand): Promise<ApplicantEvent> {
  const { client, secret } = await clientAt(command.at);
  switch (command.type) {
    case "enrol":
      await client.enrol({ code: command.code, papers: config.papers });
      await untilPublished(client);
      return { type: "enrolled", subjectKey: client.publicKey };
    case "consent":
      if (command.manner === "blindly") {
        return { type: "consented", sealed: await signBlindly(client, secret, command) };
      }
      return consent(client, command);
  }
}

/**
 * Waits until the records of this applicant lie under a root on chain: a question that names an older root cannot be answered.
 * Whoever started the process limits the wait.
 */
async function untilPublished(client: SubjectClient): Promise<void> {
  for (;;) {
    const records = await client.records();
    if (records.length > 0 && records.every(({ state }) => state === "published")) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function consent(
  client: SubjectClient,
  { request, manner }: Extract<ApplicantCommand, { type: "consent" }>,
): Promise<ApplicantEvent> {
  const review = await client.review(request);
  const { words } = review;
  if (manner === "refuses") return { type: "refused", words };
  const { sealed } = await client.consent(request, review);
  return { type: "consented", sealed, words };
}

/**
 * What the client of somebody who cheats does: it signs for a record that does not fit the question, without any of the
 * checks. The shipped client has no such option.
 */
async function signBlindly(
  client: SubjectClient,
  secret: Uint8Array,
  { at, request }: { readonly at: KnownProvider; readonly request: ConsentRequest },
): Promise<string> {
  const subject = subjectFromSecret(secret, at.provider);
  const [view] = await client.records();
  if (view === undefined) throw new Error("the provider shows no record");
  const query = queryOfQuestion(request);
  const leaf = leafOf(view.record, { subjectId: subjectIdOf(subject.publicKey, request.person), nk: subject.nk });
  const { key } = request.questionKey;
  const consented = { query, leaf, notAfter: key.expiry, signature: subject.sign(consentMessage(query, leaf)) };
  const { chainId, market, dataset, asker } = request;
  return sealConsent(consented, key.encryptionKey, { chainId, market, provider: at.provider, dataset, asker });
}
