/**
 * A requester in a process of its own, for the test that kills it. Brings a job to the point where it is opened, says so,
 * and opens it when told. Arguments: RPC URL, market, token, folder of the key store.
 */
import { once } from "node:events";
import type { Address } from "@quorate/core";
import { fileKeyStore } from "@quorate/sdk/node";
import { memoryRelays } from "../../../packages/sdk/src/testing/memoryRelays.ts";
import { collect, connectChain, requesterOf, smallPackage, wishes } from "./fixture.ts";
import { scriptedProviders } from "./scriptedProvider.ts";

const [rpcUrl, market, token, directory] = process.argv.slice(2) as [string, Address, Address, string];
const chain = connectChain(rpcUrl, market, token);
const relays = memoryRelays(chain.domain);
const providers = await scriptedProviders(chain, relays, [2, 3, 4]);
const requester = requesterOf(
  chain,
  relays,
  providers.map(({ address }) => address),
  { keyStore: fileKeyStore({ directory }) },
);
const job = await requester.requestJob({ prepared: smallPackage(), wishes: wishes(chain) });
for (const provider of providers) await provider.offer(job);
const selection = await requester.selectOffers(job.jobId, await collect(requester, job.jobId, providers.length));
console.log(`ready ${job.jobId}`);
await once(process.stdin, "data");
await requester.openJob(job.jobId, selection);
console.log("opened");
