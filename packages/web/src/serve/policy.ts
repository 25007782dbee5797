/**
 * What the app's page may load and run, as directives of a Content Security Policy. In the page itself, for hosts that set no
 * headers, and in the headers of `startWeb`.
 */
export const contentPolicy: Readonly<Record<string, readonly string[]>> = {
  "default-src": ["'none'"],
  // WebAssembly runs programs before they are sent; nothing is evaluated as script.
  "script-src": ["'self'", "'wasm-unsafe-eval'"],
  "worker-src": ["'self'"],
  // Charts and the editor bring style elements with them.
  "style-src": ["'self'", "'unsafe-inline'"],
  // Icons of wallets and results come as data.
  "img-src": ["'self'", "data:", "blob:"],
  "media-src": ["blob:"],
  "font-src": ["'self'"],
  // Nodes, relays and providers are the visitor's choice.
  "connect-src": ["*"],
  "base-uri": ["'none'"],
  "form-action": ["'none'"],
};

/** Directives that count in headers alone. */
export const headerOnly: Readonly<Record<string, readonly string[]>> = { "frame-ancestors": ["'none'"] };
