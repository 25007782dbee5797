import { FatalError } from "@quorate/core";
import { type CheckedReceipt, type CheckReceiptOptions, type CheckVerdict, checkReceipt } from "./checkReceipt.ts";

/** Name of the element. */
export const RECEIPT_ELEMENT = "quorate-receipt";

/** Name of the event that an element fires when a receipt was checked; its detail is a {@link CheckedReceipt}. */
export const RECEIPT_CHECKED_EVENT = "quorate-receipt-checked";

/** How an element checks: {@link checkReceipt}, or one that runs it in a worker. */
export type ReceiptChecker = (given: unknown, options: CheckReceiptOptions) => Promise<CheckedReceipt>;

const styleText = `
:host {
  display: block;
  container-type: inline-size;
  font: 400 1rem/1.5 var(--quorate-font, system-ui, sans-serif);
  color: var(--quorate-ink, #1d2326);
}
* { box-sizing: border-box; }
.card {
  display: grid;
  gap: 1rem;
  padding: 1.25rem;
  background: var(--quorate-surface, #fff);
  border: 1px solid var(--quorate-line, #dcd8ce);
  border-radius: 12px;
}
h2, h3, p, ul, dl, dd { margin: 0; padding: 0; }
h2 { font-size: 1.25rem; line-height: 1.3; }
h3 { font-size: 1rem; }
ul { list-style: none; display: grid; gap: .75rem; }
li { display: grid; grid-template-columns: 1.5rem 1fr; gap: .5rem; }
.soft { color: var(--quorate-ink-soft, #4d565b); font-size: .875rem; }
.verdict { padding: .75rem 1rem; border-radius: 8px; background: var(--quorate-wash, #efede7); }
.accepted { background: var(--quorate-good-wash, #e2f1e5); }
.refused { background: var(--quorate-bad-wash, #fbe5e2); }
.untrusted, .unanchored, .unknown { background: var(--quorate-warn-wash, #fbeed3); }
code { font-family: ui-monospace, monospace; font-size: .875em; overflow-wrap: anywhere; }
.body, dl { display: grid; gap: .75rem; }
.body:empty, .soft:empty { display: none; }
dt { font-weight: 600; }
input[type="file"] { font: inherit; max-width: 100%; }
:focus-visible { outline: 2px solid var(--quorate-focus, #0b57d0); outline-offset: 2px; }
summary { cursor: pointer; font-weight: 600; }
details > * + * { margin-top: .75rem; }
@media (prefers-color-scheme: dark) {
  :host {
    color: var(--quorate-ink, #e9edee);
  }
  .card { background: var(--quorate-surface, #1a2124); border-color: var(--quorate-line, #2f3a3e); }
  .soft { color: var(--quorate-ink-soft, #a9b5b9); }
  .verdict { background: var(--quorate-wash, #141a1c); }
  .accepted { background: var(--quorate-good-wash, #173324); }
  .refused { background: var(--quorate-bad-wash, #3d1f1d); }
  .untrusted, .unanchored, .unknown { background: var(--quorate-warn-wash, #382a10); }
  :focus-visible { outline-color: var(--quorate-focus, #8ab4f8); }
}
`;

/**
 * What a verdict says, in one sentence.
 *
 * @param verdict - Of a check.
 */
export function verdictSentence(verdict: CheckVerdict): string {
  switch (verdict) {
    case "accepted":
      return "The receipt is good.";
    case "untrusted":
      return "The proof is good, but it is the word of a provider that you have not accepted.";
    case "unanchored":
      return "The proof holds, but the chain was not asked.";
    case "unknown":
      return "It could not be checked to the end: the chain did not answer.";
    case "refused":
      return "The receipt is refused.";
    default:
      return verdict satisfies never;
  }
}

const marks = { passed: "✓", refused: "✗", unknown: "?", skipped: "–" } as const;
const markWords = { passed: "passed", refused: "refused", unknown: "not known", skipped: "not looked at" } as const;

/** The class of `<quorate-receipt>`; see {@link defineReceiptElement}. */
export type ReceiptElement = HTMLElement & {
  /** What is accepted, and where the chain is read. Setting it checks anew. */
  options: CheckReceiptOptions | undefined;
  /** The receipt, JSON text or parsed; without one the element asks for a file. Setting it checks anew. */
  receipt: unknown;
  /** What checks; {@link checkReceipt} on the page's thread unless set. */
  checker: ReceiptChecker;
  /** The last result. */
  readonly checked: CheckedReceipt | undefined;
};

/**
 * Registers the element `<quorate-receipt>`, which asks for a receipt or is given one, checks it, and says in words what was found.
 * Free of frameworks, styles stay within it.
 *
 * @param registry - Where; the page's own unless given.
 * @throws FatalError `ELEMENT_UNSUPPORTED` outside of a browser.
 */
export function defineReceiptElement(registry: CustomElementRegistry | undefined = globalThis.customElements): void {
  if (registry === undefined || typeof HTMLElement === "undefined") {
    throw new FatalError(
      "ELEMENT_UNSUPPORTED",
      "There are no custom elements here. Call defineReceiptElement in a browser; elsewhere use checkReceipt.",
    );
  }
  if (registry.get(RECEIPT_ELEMENT) === undefined) registry.define(RECEIPT_ELEMENT, makeElement());
}

/** Made on demand: modules of elements are imported in Node as well. */
function makeElement(): CustomElementConstructor {
  return class extends HTMLElement implements ReceiptElement {
    checker: ReceiptChecker = checkReceipt;
    #options: CheckReceiptOptions | undefined;
    #receipt: unknown;
    #checked: CheckedReceipt | undefined;
    /** Only the newest check may show its result. */
    #run = 0;
    readonly #body: HTMLElement;
    readonly #status: HTMLElement;

    constructor() {
      super();
      const root = this.attachShadow({ mode: "open" });
      // A sheet of its own: pages whose policy forbids inline styles can embed it.
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(styleText);
      root.adoptedStyleSheets = [sheet];
      const card = element("section", { className: "card" });
      card.setAttribute("aria-label", "Check of a receipt");
      this.#body = element("div", { className: "body" });
      this.#status = element("p", { className: "soft" });
      this.#status.setAttribute("role", "status");
      card.append(this.#picker(), this.#status, this.#body);
      root.append(card);
    }

    get options(): CheckReceiptOptions | undefined {
      return this.#options;
    }

    set options(options: CheckReceiptOptions | undefined) {
      this.#options = options;
      void this.#check();
    }

    get receipt(): unknown {
      return this.#receipt;
    }

    set receipt(receipt: unknown) {
      this.#receipt = receipt;
      void this.#check();
    }

    get checked(): CheckedReceipt | undefined {
      return this.#checked;
    }

    #picker(): HTMLElement {
      const label = element("label", { className: "soft" });
      const input = element("input", { type: "file", accept: ".json,application/json" });
      input.addEventListener("change", () => {
        const [file] = input.files ?? [];
        if (file === undefined) return;
        void file.text().then((text) => {
          this.receipt = text;
        });
      });
      label.append("Receipt to check ", input);
      return label;
    }

    async #check(): Promise<void> {
      this.#run += 1;
      const run = this.#run;
      const options = this.#options;
      this.#checked = undefined;
      this.#body.replaceChildren();
      if (options === undefined || this.#receipt === undefined || this.#receipt === null) {
        this.#status.textContent = "";
        return;
      }
      this.#status.textContent = "Checking the receipt, here and on chain…";
      const checked = await this.checker(this.#receipt, options);
      if (run !== this.#run) return;
      this.#checked = checked;
      this.#status.textContent = "";
      this.#show(checked);
      this.dispatchEvent(
        new CustomEvent<CheckedReceipt>(RECEIPT_CHECKED_EVENT, { detail: checked, bubbles: true, composed: true }),
      );
    }

    #show(checked: CheckedReceipt): void {
      const verdict = element("div", { className: `verdict ${checked.verdict}` });
      verdict.setAttribute("role", checked.verdict === "refused" ? "alert" : "status");
      verdict.append(element("h2", { textContent: verdictSentence(checked.verdict) }));
      // A refused receipt says nothing, so nothing of what it says is repeated.
      if (checked.verdict !== "refused" && checked.statement !== undefined && checked.answer !== undefined) {
        const sentence = checked.answer
          ? `Yes: ${checked.statement}.`
          : `No: it is not true that ${checked.statement}.`;
        verdict.append(element("p", { textContent: sentence }));
      }
      if (checked.receipt !== undefined) {
        verdict.append(
          element("p", { className: "soft", textContent: `As registered by ${checked.receipt.provider}.` }),
        );
      }
      const steps = element("ul");
      for (const { state, title, words, code } of checked.steps) {
        const item = element("li");
        const mark = element("span", { textContent: marks[state] });
        mark.setAttribute("role", "img");
        mark.setAttribute("aria-label", markWords[state]);
        const text = element("div");
        text.append(element("h3", { textContent: title }), element("p", { className: "soft", textContent: words }));
        if (code !== undefined) text.append(element("code", { textContent: code }));
        item.append(mark, text);
        steps.append(item);
      }
      this.#body.replaceChildren(verdict, steps);
      if (checked.signals.length > 0) {
        const details = element("details");
        const list = element("dl");
        for (const { title, meaning, value } of checked.signals) {
          const definition = element("dd");
          definition.append(
            element("p", { className: "soft", textContent: meaning }),
            element("code", { textContent: value.toString() }),
          );
          list.append(element("dt", { textContent: title }), definition);
        }
        details.append(element("summary", { textContent: "The public numbers of the proof" }), list);
        this.#body.append(details);
      }
    }
  };
}

function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]> = {},
): HTMLElementTagNameMap[Tag] {
  return Object.assign(document.createElement(tag), properties);
}
