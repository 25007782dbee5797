import { javascript } from "@codemirror/lang-javascript";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { tags } from "@lezer/highlight";
import { basicSetup, EditorView } from "codemirror";
import { type ReactNode, useEffect, useRef } from "react";

/** Colours come from the tokens, so that both themes hold their contrast. */
const look = EditorView.theme({
  "&": {
    border: "1px solid var(--line-strong)",
    borderRadius: "var(--radius-small)",
    backgroundColor: "var(--surface)",
    color: "var(--ink)",
    fontSize: "var(--text-small)",
    overflow: "hidden",
  },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "1px" },
  ".cm-scroller": { fontFamily: "var(--mono)", maxHeight: "28rem" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--ink-soft)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--accent-wash)",
  },
  ".cm-selectionMatch": { backgroundColor: "var(--info-wash)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-wash)", color: "var(--ink)" },
  ".cm-panels, .cm-tooltip": {
    backgroundColor: "var(--surface)",
    color: "var(--ink)",
    borderColor: "var(--line)",
  },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": {
    backgroundColor: "var(--accent)",
    color: "var(--accent-ink)",
  },
});

const colours = syntaxHighlighting(
  HighlightStyle.define([
    { tag: [tags.keyword, tags.modifier, tags.operatorKeyword, tags.controlKeyword], color: "var(--accent)" },
    { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "var(--good)" },
    { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--warn)" },
    { tag: [tags.comment, tags.lineComment, tags.blockComment], color: "var(--ink-soft)", fontStyle: "italic" },
    { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: "var(--info)" },
    { tag: tags.invalid, color: "var(--bad)" },
  ]),
);

/** An editor of JavaScript. Tab leaves it, as everywhere on a page. */
export default function Editor({
  label,
  text,
  onChange,
}: {
  readonly label: string;
  /** What it begins with; from then on the editor has the text. */
  readonly text: string;
  readonly onChange: (text: string) => void;
}): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const report = useRef(onChange);
  report.current = onChange;
  const first = useRef(text);
  useEffect(() => {
    const parent = place.current;
    if (parent === null) return;
    const view = new EditorView({
      parent,
      doc: first.current,
      extensions: [
        basicSetup,
        javascript(),
        look,
        colours,
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": label }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) report.current(update.state.doc.toString());
        }),
      ],
    });
    return () => view.destroy();
  }, [label]);
  return <div ref={place} />;
}
