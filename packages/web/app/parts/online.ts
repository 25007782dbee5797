import type { ProfileRecord } from "@quorate/wire";

/**
 * Tells whether a provider means to be online. Its signs of life carry the time of its clock, not the chain's.
 *
 * @param record - Profile with the newest sign of life.
 * @param now - Unix s of this machine.
 */
export function isOnline({ presence }: ProfileRecord, now: number): boolean {
  return presence !== undefined && now < presence.expiry;
}

/**
 * What an engine runs, for people.
 *
 * @param name - Of the engine.
 */
export function engineTitle(name: string): string {
  return engineTitles[name] ?? name;
}

const engineTitles: Readonly<Record<string, string>> = { quickjs: "JavaScript", "wasi-p1": "WASI" };
