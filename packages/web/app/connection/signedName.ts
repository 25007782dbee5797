import { type DomainInfo, verifyProfile } from "@quorate/wire";
import { isAddressEqual } from "viem";

/**
 * Name of a domain provider by a profile that its account signed.
 *
 * @param info - What its agent says about itself.
 * @param now - Unix s of this machine.
 * @returns Undefined where it has no profile, or one that does not count: of another account or market, expired, wrongly signed.
 */
export async function signedNameOf(info: DomainInfo, now: number): Promise<string | undefined> {
  const { profile } = info;
  if (profile === undefined || !isAddressEqual(profile.provider, info.provider) || profile.expiry <= now) return;
  return (await verifyProfile(profile, info)) ? profile.body.name : undefined;
}
