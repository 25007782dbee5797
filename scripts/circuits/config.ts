// circuits/circuits.json as data, with what follows from it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { keccak256, toUtf8Bytes } from "ethers";
import { root } from "../lib/workspace.ts";

/** A circuit that is deployed: a template with parameters. */
export type Instance = {
  readonly name: string;
  /** Source below `circuits/`. */
  readonly file: string;
  readonly template: string;
  /** Arguments of the template, in order. */
  readonly parameters: readonly bigint[];
  /** Names of the public signals in the order of proofs. */
  readonly publicSignals: readonly string[];
  /** Inputs that may differ while the public signals stay. */
  readonly freeInputs: readonly string[];
  /** The target; a build above it fails. */
  readonly maxConstraints: number;
  /** Name of the generated contract. */
  readonly verifier: string;
};

/** How the keys for development are made. */
export type DevelopmentSetup = {
  readonly phase1: { readonly package: string; readonly path: string; readonly sha256: string };
  readonly phase2: { readonly beaconText: string; readonly iterationsExponent: number };
};

/** All of `circuits/circuits.json`. */
export type Config = {
  readonly consentTag: bigint;
  readonly instances: readonly Instance[];
  readonly setup: DevelopmentSetup;
};

type InstanceFile = Omit<Instance, "name" | "parameters"> & {
  readonly parameters: Readonly<Record<string, number | "consent">>;
};
type ConfigFile = {
  readonly consent: { readonly domain: string; readonly tag: string };
  readonly circuits: Readonly<Record<string, InstanceFile>>;
  readonly developmentSetup: DevelopmentSetup;
};

/**
 * Derives the tag that opens a signed message from the name of its domain.
 *
 * @param domain ASCII text
 * @returns the first 31 bytes of its keccak-256, a field element
 */
export function domainTag(domain: string): bigint {
  return BigInt(keccak256(toUtf8Bytes(domain))) >> 8n;
}

/**
 * Reads `circuits/circuits.json`.
 *
 * @returns instances in the order of the file
 * @throws Error when the tag does not follow from its domain, or two instances have one form
 */
export function readConfig(): Config {
  const file = JSON.parse(readFileSync(join(root, "circuits/circuits.json"), "utf8")) as ConfigFile;
  const consentTag = BigInt(file.consent.tag);
  if (consentTag !== domainTag(file.consent.domain)) {
    throw new Error(`circuits.json: the tag of ${file.consent.domain} must be ${domainTag(file.consent.domain)}`);
  }
  const forms = Object.values(file.circuits).map(({ parameters }) => parameters.form);
  if (new Set(forms).size !== forms.length || forms.includes(undefined)) {
    throw new Error("circuits.json: each circuit needs a form of its own, or a query of one is valid in another");
  }
  const instances = Object.entries(file.circuits).map(([name, { parameters, ...rest }]): Instance => {
    const values = Object.values(parameters).map((value) => (value === "consent" ? consentTag : BigInt(value)));
    return { name, parameters: values, ...rest };
  });
  return { consentTag, instances, setup: file.developmentSetup };
}

/**
 * Writes the main component of an instance.
 *
 * @param instance of circuits.json
 * @returns source text for {@link compileCircuit}
 */
export function mainOf(instance: Instance): string {
  const file = instance.file.replace(/^src\//, "");
  return mainSource(file, `${instance.template}(${instance.parameters.join(", ")})`);
}

/**
 * Writes a main component.
 *
 * @param file with the template, as `include` wants it
 * @param call of the template, as `Interval()`
 * @returns source text
 */
export function mainSource(file: string, call: string): string {
  return `pragma circom 2.2.3;\ninclude "${file}";\ncomponent main = ${call};\n`;
}
