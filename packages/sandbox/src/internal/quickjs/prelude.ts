/**
 * Runs inside QuickJS before the program: builds the documented global API out of a few host functions and replaces
 * what would differ between hosts. It is an expression whose value is a function of the host functions; that returns the
 * function which runs the program's module. Everything here is within the program's own reach and nothing here is
 * trusted by the host: a program that breaks it breaks its own output.
 */
export const PRELUDE: string = String.raw`(function (host) {
  "use strict";
  const { stringify } = JSON;
  const { fromCharCode } = String;
  const asciiOnly = /^[\x01-\x7f]*$/;

  // QuickJS has no TextEncoder; lone surrogates become U+FFFD as in the Encoding Standard.
  function encode(text) {
    const bytes = new Uint8Array(text.length * 3);
    let length = 0;
    for (let index = 0; index < text.length; index += 1) {
      let point = text.codePointAt(index);
      if (point > 0xffff) index += 1;
      if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd;
      if (point < 0x80) bytes[length++] = point;
      else if (point < 0x800) {
        bytes[length++] = 0xc0 | (point >> 6);
        bytes[length++] = 0x80 | (point & 63);
      } else if (point < 0x10000) {
        bytes[length++] = 0xe0 | (point >> 12);
        bytes[length++] = 0x80 | ((point >> 6) & 63);
        bytes[length++] = 0x80 | (point & 63);
      } else {
        bytes[length++] = 0xf0 | (point >> 18);
        bytes[length++] = 0x80 | ((point >> 12) & 63);
        bytes[length++] = 0x80 | ((point >> 6) & 63);
        bytes[length++] = 0x80 | (point & 63);
      }
    }
    return bytes.buffer.slice(0, length);
  }

  // Short pieces of output are joined: each crossing to the host costs as much as a thousand instructions.
  let waiting = "";
  function flush() {
    const text = waiting;
    waiting = "";
    if (text !== "") host.writeAscii(1, text);
  }

  function send(stream, data) {
    if (typeof data === "string" && asciiOnly.test(data)) {
      if (stream !== 1) host.writeAscii(stream, data);
      else if ((waiting += data).length >= 16384) flush();
      return;
    }
    if (stream === 1) flush();
    if (typeof data === "string") host.writeBytes(stream, encode(data));
    else if (data instanceof ArrayBuffer) host.writeBytes(stream, data);
    else if (ArrayBuffer.isView(data)) {
      host.writeBytes(stream, data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
    } else throw new TypeError("write takes a string, an ArrayBuffer or a view of one");
  }

  const show = (value) =>
    typeof value === "string" ? value : typeof value === "object" && value !== null ? stringify(value) : String(value);
  const line = (stream) => (...values) => send(stream, values.map(show).join(" ") + "\n");

  const known = (name) => {
    if (typeof name !== "string" || !host.hasFile(name)) throw new RangeError("no such file: " + String(name));
    return name;
  };
  const text = (name) => host.text(name).join("\0");

  const quorate = Object.freeze({
    args: Object.freeze(host.args),
    env: Object.freeze(host.env),
    input: Object.freeze({ text: () => text(null), bytes: () => new Uint8Array(host.bytes(null)) }),
    files: Object.freeze({
      names: () => host.fileNames.slice(),
      text: (name) => text(known(name)),
      bytes: (name) => new Uint8Array(host.bytes(known(name))),
    }),
    write: (data) => send(1, data),
    exit: (code = 0) => {
      flush();
      host.exit(code);
    },
  });
  const console = Object.freeze({
    log: line(2), info: line(2), debug: line(2), warn: line(2), error: line(2),
  });
  const define = (name, value) =>
    Object.defineProperty(globalThis, name, { value, enumerable: false, writable: true, configurable: true });
  define("quorate", quorate);
  define("print", line(1));
  define("console", console);
  Object.defineProperty(Math, "random", {
    value: function random() { return host.random(); }, enumerable: false, writable: true, configurable: true,
  });

  return async function run(namespace) {
    let result = namespace.default;
    if (typeof result === "function") result = result(quorate);
    result = await result;
    if (result === undefined) {
      // Nothing to add.
    } else if (typeof result === "string" || result instanceof ArrayBuffer || ArrayBuffer.isView(result)) send(1, result);
    else {
      const json = stringify(result);
      if (json === undefined) throw new TypeError("the result of the program has no JSON form");
      send(1, json + "\n");
    }
    return flush;
  };
})`;
