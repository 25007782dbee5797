import { type Address, unixSeconds } from "@quorate/core";
import {
  assertFresh,
  MAX_PRESENCE_LIFETIME_S,
  MAX_PROFILE_BYTES,
  MAX_PROFILE_LIFETIME_S,
  parseWire,
  presenceSchema,
  profileDigest,
  profileSchema,
  relayError,
  routes,
  verifyProfile,
} from "@quorate/wire";
import express, { type Router } from "express";
import { getAddress, isAddressEqual } from "viem";
import type { RelayContext } from "./context.ts";
import { jsonOf, methodNotAllowed } from "./errors.ts";

/**
 * Mounts the routes of profiles.
 *
 * @param router Where to.
 * @param context Stores and ports.
 */
export function mountProfiles(router: Router, context: RelayContext): void {
  const body = express.raw({ type: "application/json", limit: MAX_PROFILE_BYTES, inflate: false });

  router
    .route(routes.getProfiles.path)
    .get((req, res) => {
      const { after } = req.query;
      const page = context.profiles.page(
        after === undefined ? undefined : addressOf(after),
        unixSeconds(context.clock),
      );
      const next = page.next === undefined ? "" : `,"next":"${page.next.toLowerCase()}"`;
      res
        .set("Cache-Control", "no-store")
        .type("application/json")
        .send(`{"profiles":[${page.records.join(",")}]${next}}`);
    })
    .all(methodNotAllowed("GET"));

  router
    .route(routes.getProfile.path)
    .get((req, res) => {
      const provider = addressOf(req.params.provider);
      const json = context.profiles.get(provider, unixSeconds(context.clock));
      if (json === undefined) throw relayError("PROFILE_NOT_FOUND", `No profile of ${provider} is here.`);
      res.set("Cache-Control", "no-store").type("application/json").send(json);
    })
    .put(body, async (req, res) => {
      const profile = parseWire(profileSchema, jsonOf(req.body), "INVALID_PROFILE", "The profile");
      assertSame(profile.provider, addressOf(req.params.provider));
      assertFresh(profile, unixSeconds(context.clock), MAX_PROFILE_LIFETIME_S);
      for (const market of context.markets) {
        if (!(await verifyProfile(profile, market))) continue;
        const digest = profileDigest(profile, market);
        const isNew = context.profiles.put(profile, digest, context.sourceOf(req), context.isTrusted(profile.provider));
        res.status(isNew ? 201 : 200).json({ stored: isNew });
        return;
      }
      throw relayError(
        "BAD_SIGNATURE",
        `The profile is not signed by ${profile.provider} for a market of this relay. Only ECDSA signatures of EOAs count.`,
      );
    })
    .all(methodNotAllowed("GET, PUT"));

  router
    .route(routes.putPresence.path)
    .put(body, async (req, res) => {
      const presence = parseWire(presenceSchema, jsonOf(req.body), "INVALID_PROFILE", "The sign of life");
      assertSame(presence.provider, addressOf(req.params.provider));
      const nowS = unixSeconds(context.clock);
      assertFresh(presence, nowS, MAX_PRESENCE_LIFETIME_S);
      await context.profiles.putPresence(presence, context.markets, nowS);
      res.status(200).json({ stored: true });
    })
    .all(methodNotAllowed("PUT"));
}

function assertSame(inBody: Address, inPath: Address): void {
  if (isAddressEqual(inBody, inPath)) return;
  throw relayError("INVALID_PROFILE", `The body is of ${inBody}, the path names ${inPath}.`);
}

function addressOf(value: unknown): Address {
  if (typeof value === "string" && /^0x[0-9a-fA-F]{40}$/.test(value)) return getAddress(value);
  throw relayError("INVALID_QUERY", "A provider is a 20-byte hex address.");
}
