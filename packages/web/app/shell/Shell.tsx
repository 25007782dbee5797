import { Menu, Moon, Sun } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Button } from "react-aria-components";
import { useSession } from "../connection/index.ts";
import { type HistoryOrigin, historySetting } from "../data/followerStore.ts";
import { useSetting } from "../data/settings.ts";
import { count } from "../lib/format.ts";
import { usePagePath } from "../lib/location.ts";
import { useMarket } from "../market/index.ts";
import { routes } from "../routes.ts";
import buttonStyles from "../ui/Button.module.css";
import { Moment, Button as UiButton } from "../ui/index.ts";
import { Connect } from "./Connect.tsx";
import { Notices } from "./Notices.tsx";
import styles from "./Shell.module.css";
import { useTheme } from "./theme.ts";

const links: readonly { readonly href: string; readonly title: string; readonly under: readonly string[] }[] = [
  { href: routes.market, title: "Market", under: ["/providers"] },
  { href: routes.jobs, title: "Jobs", under: ["/jobs", "/request"] },
  { href: routes.questions, title: "Questions", under: ["/ask", "/questions", "/consent", "/records"] },
  { href: routes.check, title: "Check a proof", under: ["/check"] },
  { href: routes.account, title: "Account", under: ["/account", "/trust", "/settings"] },
];

/** What surrounds every page. */
export function Shell({ children }: { readonly children: ReactNode }): ReactNode {
  const [location] = usePagePath();
  const [isMenuOpen, setMenuOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const { isDark, choose } = useTheme();
  const isFirst = useRef(true);
  useEffect(() => {
    setMenuOpen(false);
    if (isFirst.current) {
      isFirst.current = false;
      return;
    }
    // Another page: who reads it by ear begins at its beginning, who reads it by eye at its top.
    main.current?.focus({ preventScroll: true });
    scrollTo({ top: 0 });
    void location;
  }, [location]);
  return (
    <>
      <a
        className={styles.skip}
        href={`#${location}`}
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the page
      </a>
      <header className={styles.header}>
        <div className={styles.bar}>
          <a className={styles.brand} href={routes.market}>
            <img src="./favicon.svg" width={28} height={28} alt="" />
            <span className={styles.brandName}>Quorate</span>
          </a>
          <nav className={styles.nav} data-open={isMenuOpen} aria-label="Main" id="main-navigation">
            {links.map(({ href, title, under }) => (
              <a key={href} href={href} aria-current={isAt(location, href, under) ? "page" : undefined}>
                {title}
              </a>
            ))}
          </nav>
          <div className={styles.tools}>
            <Button
              className={`${buttonStyles.button} ${buttonStyles.quiet} ${buttonStyles.small}`}
              aria-label={isDark ? "Use the light theme" : "Use the dark theme"}
              onPress={() => choose(isDark ? "light" : "dark")}
            >
              {isDark ? <Sun size={16} aria-hidden /> : <Moon size={16} aria-hidden />}
            </Button>
            <Connect kind="primary" />
            <span className={styles.menuButton}>
              <Button
                className={`${buttonStyles.button} ${buttonStyles.secondary} ${buttonStyles.small}`}
                aria-label="Menu"
                aria-expanded={isMenuOpen}
                aria-controls="main-navigation"
                onPress={() => setMenuOpen(!isMenuOpen)}
              >
                <Menu size={16} aria-hidden />
              </Button>
            </span>
          </div>
        </div>
      </header>
      <main className={styles.main} ref={main} tabIndex={-1}>
        <div className={styles.notices}>
          <Notices />
        </div>
        {children}
      </main>
      <Footer />
    </>
  );
}

function isAt(location: string, href: string, under: readonly string[]): boolean {
  return `#${location}` === href || under.some((path) => location === path || location.startsWith(`${path}/`));
}

function Footer(): ReactNode {
  const { network, networkKey } = useSession();
  const { head, since, readAll } = useMarket();
  const { value: origin } = useSetting<HistoryOrigin>(historySetting(networkKey));
  return (
    <footer className={styles.footer}>
      <div className={styles.footerBar}>
        <span>
          {network.name}, chain id {network.chainId}.{" "}
          {head === undefined ? (
            "No block has been read yet."
          ) : (
            <>
              Block {head.number}, <Moment at={head.timestamp} />.
            </>
          )}
        </span>
        {origin === undefined ? undefined : (
          <span>
            Up to block {origin.through}: from the index at {origin.host}, compared with the chain in{" "}
            {count(origin.places, "place")}.{" "}
            <UiButton kind="quiet" isSmall onPress={() => void readAll()}>
              Read it from the chain
            </UiButton>
          </span>
        )}
        {since === undefined || since <= network.fromBlock ? undefined : (
          <span>
            Read since block {since}; the market began at block {network.fromBlock}.{" "}
            <UiButton kind="quiet" isSmall onPress={() => void readAll()}>
              Read all of it
            </UiButton>
          </span>
        )}
        <span className="row">
          <a href={routes.settings}>Networks and settings</a>
          <a href="./licences.md">Licences</a>
        </span>
      </div>
    </footer>
  );
}
