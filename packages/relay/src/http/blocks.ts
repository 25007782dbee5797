import { pipeline } from "node:stream/promises";
import { isCid, MAX_BLOCK_BYTES, unixSeconds } from "@quorate/core";
import { relayError, routes } from "@quorate/wire";
import express, { type Request, type RequestHandler, type Response, type Router } from "express";
import type { RelayContext } from "./context.ts";
import { methodNotAllowed } from "./errors.ts";

const RAW_TYPE = "application/vnd.ipld.raw";

/** Types of an upload; browsers send the second when a page names none. */
const UPLOAD_TYPES = [RAW_TYPE, "application/octet-stream", "application/vnd.ipld.dag-pb"];

/** Block without bytes (identity hash), by which IPFS clients probe whether a gateway is alive. */
const PROBE_CID = "bafkqaaa";

/**
 * Mounts the routes of blocks: an IPFS trustless gateway for raw blocks, and uploads.
 *
 * @param router Where to.
 * @param context Stores and ports.
 * @see https://specs.ipfs.tech/http-gateways/trustless-gateway/
 */
export function mountBlocks(router: Router, context: RelayContext): void {
  const body = express.raw({ type: UPLOAD_TYPES, limit: MAX_BLOCK_BYTES, inflate: false });
  router
    .route(routes.getBlock.path)
    .get((req, res) => download(req, res, context))
    .put(uploadSlots(context.config.limits.concurrentUploads), body, async (req, res) => {
      const cid = cidOf(req);
      const bytes: unknown = req.body;
      if (!Buffer.isBuffer(bytes)) {
        throw relayError("UNSUPPORTED_MEDIA_TYPE", `Send the bytes of the block with Content-Type: ${RAW_TYPE}.`);
      }
      const isNew = await context.blocks.put(cid, bytes, context.sourceOf(req), unixSeconds(context.clock));
      context.metrics.blocks(isNew ? "stored" : "duplicate");
      res.status(isNew ? 201 : 200).json({ cid, size: bytes.byteLength, duplicate: !isNew });
    })
    .all(methodNotAllowed("GET, HEAD, PUT"));
}

/** Uploads sit in memory until they are checked: so many at once, the rest is told to come back. */
function uploadSlots(most: number): RequestHandler {
  let taken = 0;
  return (req, res, next) => {
    cidOf(req);
    if (taken >= most) throw relayError("RELAY_BUSY", "The relay takes other uploads at the moment. Try again soon.");
    taken++;
    res.once("close", () => {
      taken--;
    });
    next();
  };
}

async function download(req: Request, res: Response, context: RelayContext): Promise<void> {
  if (!asksForRaw(req)) {
    throw relayError("NOT_ACCEPTABLE", `Only raw blocks are served: ask with ?format=raw or Accept: ${RAW_TYPE}.`);
  }
  if (req.params.cid === PROBE_CID) return void blockHead(res, PROBE_CID, 0).end();
  const cid = cidOf(req);
  const size = context.blocks.size(cid, unixSeconds(context.clock));
  if (size === undefined) {
    if (/(^|[\s,])only-if-cached\b/i.test(req.get("cache-control") ?? "")) {
      throw relayError("BLOCK_NOT_CACHED", `The block ${cid} is not here.`);
    }
    throw relayError("BLOCK_NOT_FOUND", `The block ${cid} is not here: never uploaded, or its time is over.`);
  }
  if (isNotModified(req, cid)) return void blockHead(res, cid, undefined).status(304).end();
  if (req.method === "HEAD") return void blockHead(res, cid, size).end();
  const file = context.blocks.read(cid);
  try {
    // the file is opened before the answer begins, so that a lost file is an error and not a torn answer
    await new Promise<void>((resolve, reject) => file.once("open", () => resolve()).once("error", reject));
  } catch (cause) {
    throw relayError("BLOCK_NOT_FOUND", `The block ${cid} was lost. Upload it again.`, cause);
  }
  try {
    await pipeline(file, blockHead(res, cid, size));
  } catch (error) {
    context.logger.debug("download_cut", { cid, error });
    res.destroy();
  }
}

/** `format` goes before `Accept`, as the specification recommends. */
function asksForRaw(req: Request): boolean {
  const { format } = req.query;
  return format === undefined ? (req.get("accept") ?? "").includes(RAW_TYPE) : format === "raw";
}

function isNotModified(req: Request, cid: string): boolean {
  const tags = (req.get("if-none-match") ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(etagOf(cid)) || tags.includes("*");
}

function etagOf(cid: string): string {
  return `"${cid}.raw"`;
}

function blockHead(res: Response, cid: string, size: number | undefined): Response {
  res.set({
    "Content-Type": RAW_TYPE,
    "Content-Disposition": `attachment; filename="${cid}.bin"`,
    "Cache-Control": "public, max-age=29030400, immutable",
    ETag: etagOf(cid),
    "X-Ipfs-Path": `/ipfs/${cid}`,
    "X-Ipfs-Roots": cid,
    Vary: "Accept",
  });
  if (size !== undefined) res.set("Content-Length", String(size));
  return res;
}

function cidOf(req: Request): string {
  const { cid } = req.params;
  if (typeof cid === "string" && isCid(cid)) return cid;
  throw relayError("INVALID_CID", "Blocks are named by CIDv1 in base32, codec raw or dag-pb, hash SHA-256.");
}
