import { useEffect, useSyncExternalStore } from "react";
import { useSetting } from "../data/settings.ts";

/** What a visitor may choose. */
export type ThemeChoice = "system" | "light" | "dark";

const dark = matchMedia("(prefers-color-scheme: dark)");

function subscribe(listener: () => void): () => void {
  dark.addEventListener("change", listener);
  return () => dark.removeEventListener("change", listener);
}

/** The theme, set on the document; the system's until a visitor chooses. */
export function useTheme(): {
  readonly choice: ThemeChoice;
  readonly isDark: boolean;
  readonly choose: (choice: ThemeChoice) => void;
} {
  const setting = useSetting<ThemeChoice>("theme");
  const isSystemDark = useSyncExternalStore(subscribe, () => dark.matches);
  const choice = setting.value ?? "system";
  const isDark = choice === "dark" || (choice === "system" && isSystemDark);
  useEffect(() => {
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
  }, [isDark]);
  return { choice, isDark, choose: (next) => void setting.write(next) };
}
