import type * as PlotModule from "@observablehq/plot";
import { type ReactNode, useEffect, useRef, useState } from "react";
import styles from "./Chart.module.css";
import { Wait } from "./Note.tsx";

/** The chart library; it is loaded with the first chart. */
export type Plot = typeof PlotModule;

const MIN_WIDTH = 280;

/** A chart with its words: who cannot see it reads the summary. */
export function Chart({
  summary,
  caption,
  draw,
}: {
  /** What it shows, in a sentence with its main numbers. */
  readonly summary: string;
  readonly caption?: ReactNode;
  /** Options of `Plot.plot` for a width in pixels, that of the place. Keep it the same function while its data is the same. */
  readonly draw: (plot: Plot, width: number) => PlotModule.PlotOptions;
}): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const [plot, setPlot] = useState<Plot>();
  const [width, setWidth] = useState(0);
  useEffect(() => {
    let isHere = true;
    void import("@observablehq/plot").then((loaded) => {
      if (isHere) setPlot(loaded);
    });
    return () => {
      isHere = false;
    };
  }, []);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const element = place.current;
    if (plot === undefined || element === null || width === 0) return;
    const drawn = Math.max(width, MIN_WIDTH);
    const svg = plot.plot({ width: drawn, ...draw(plot, drawn) });
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", summary);
    // The picture has one name; its parts have none of their own.
    for (const part of svg.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
    element.replaceChildren(svg);
    return () => svg.remove();
  }, [plot, width, draw, summary]);
  return (
    <figure className={styles.chart}>
      <div ref={place} />
      {plot === undefined ? <Wait>Loading the chart</Wait> : undefined}
      {caption === undefined ? undefined : <figcaption>{caption}</figcaption>}
    </figure>
  );
}

/** What the colours of a chart stand for. */
export function Legend({
  entries,
}: {
  /** Name, and a colour of the tokens. */
  readonly entries: readonly (readonly [name: string, colour: string])[];
}): ReactNode {
  return (
    <ul className={styles.legend} aria-label="Colours of the chart">
      {entries.map(([name, colour]) => (
        <li key={name}>
          <span className={styles.swatch} style={{ background: colour }} aria-hidden="true" />
          {name}
        </li>
      ))}
    </ul>
  );
}
