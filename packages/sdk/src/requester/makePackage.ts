import {
  contentHashOf,
  derivePackageKeys,
  type EncryptedPackage,
  encodePackage,
  encryptPackage,
  generatePackageKey,
  hashRequirements,
  type Manifest,
  type Package,
  type Requirements,
  requirementsOf,
} from "@quorate/core";
import type { Hex } from "viem";

/** Parameters of {@link makePackage}. */
export type MakePackageParameters = {
  /** How the program is run, and its limits. */
  readonly manifest: Manifest;
  /** Program and data by file name; text is encoded as UTF-8. */
  readonly files: ReadonlyMap<string, Uint8Array | string> | Readonly<Record<string, Uint8Array | string>>;
  /**
   * 32 bytes; random by default. One package, one key: give a derived key only if nothing else was ever encrypted under it.
   */
  readonly packageKey?: Uint8Array;
};

/** A package, encrypted and ready to be asked for. */
export type PreparedPackage = {
  readonly package: Package;
  /** 32 bytes; secret. Whoever has it reads the package. */
  readonly packageKey: Uint8Array;
  readonly encrypted: EncryptedPackage;
  /** `contentHash` of the request. */
  readonly contentHash: Hex;
  readonly requirements: Requirements;
  /** `requirementsHash` of the request. */
  readonly requirementsHash: Hex;
};

/**
 * Encodes and encrypts program and data. Nothing leaves the machine.
 *
 * @param parameters Manifest, files, optionally a key.
 * @returns The encrypted blocks with their key and hashes.
 * @throws FatalError `MANIFEST_MALFORMED`, `PACKAGE_MALFORMED`, `PACKAGE_TOO_LARGE`.
 */
export function makePackage(parameters: MakePackageParameters): PreparedPackage {
  const entries = parameters.files instanceof Map ? [...parameters.files] : Object.entries(parameters.files);
  const encoder = new TextEncoder();
  const files = new Map<string, Uint8Array>(
    entries.map(([name, content]) => [name, typeof content === "string" ? encoder.encode(content) : content]),
  );
  const pkg: Package = { manifest: parameters.manifest, files };
  const plaintext = encodePackage(pkg);
  const packageKey = parameters.packageKey ?? generatePackageKey();
  const requirements = requirementsOf(pkg.manifest);
  return {
    package: pkg,
    packageKey,
    encrypted: encryptPackage(plaintext, packageKey),
    contentHash: contentHashOf(derivePackageKeys(packageKey).contentKey, plaintext),
    requirements,
    requirementsHash: hashRequirements(requirements),
  };
}
