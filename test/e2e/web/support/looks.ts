import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { sizes } from "./stage.ts";

/** Impacts that no page may have. */
const IMPACTS: readonly unknown[] = ["serious", "critical"];

/** Rules whose outcome depends on theme and width; what is left depends on the elements alone. */
const RULES_OF_LOOKS = ["color-contrast", "link-in-text-block", "scrollable-region-focusable"];

/**
 * Holds a page against the rules of accessibility.
 *
 * @param page that is open
 * @param name for the message
 * @param rules all of axe's unless told
 */
export async function assertAccessible(page: Page, name: string, rules?: string[]): Promise<void> {
  const axe = new AxeBuilder({ page });
  const { violations } = await (rules === undefined ? axe : axe.withRules(rules)).analyze();
  const bad = violations
    .filter(({ impact }) => IMPACTS.includes(impact))
    .map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
  assert.deepEqual(bad, [], `${name} breaks rules of accessibility`);
}

/**
 * What a page looks like, in both themes and at both widths: each is held against the rules, measured for overflow, and kept as a
 * picture.
 *
 * @param page that is open
 * @param name of the pictures
 * @param options folder for pictures; whether every rule is tried in every look
 */
export async function lookAtPage(
  page: Page,
  name: string,
  { folder, isThorough }: { readonly folder?: string | undefined; readonly isThorough: boolean },
): Promise<void> {
  let rules: string[] | undefined;
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.waitForFunction((scheme) => document.documentElement.dataset.theme === scheme, colorScheme);
      // Charts are drawn anew for another width, in the frame after the one that sees it.
      await page.evaluate(
        () => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))),
      );
      const title = `${name}, ${size}, ${colorScheme}`;
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${title} is ${overflow} px wider than its window`);
      await assertAccessible(page, title, rules);
      if (!isThorough) rules = RULES_OF_LOOKS;
      if (folder !== undefined) {
        const path = join(folder, `${name}-${size}-${colorScheme}.png`);
        mkdirSync(dirname(path), { recursive: true });
        await page.screenshot({ path, fullPage: true });
      }
    }
  }
}
