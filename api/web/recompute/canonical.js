// Canonical JSON, its lines, and hashes over them: one value has one spelling, so one hash.

import { sha256 } from "./sha256.js";

/** What is wrong with a bundle: the rule that is broken, and where. Lines count from 1; 0 is not known. */
export class Wrong extends Error {
  constructor(rule, detail = "", file = "", line = 0) {
    super([line ? `${file}:${line}` : file, rule, detail].filter(Boolean).join(": "));
    Object.assign(this, { rule, detail, file, line });
  }

  /** The same at a place, unless who knew better has named one. */
  at(file, line = 0) {
    return this.file ? this : new Wrong(this.rule, this.detail, file, line);
  }
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const NEWLINE = 10;

/** UTF-8 bytes of a text. */
export function bytes(text) {
  return encoder.encode(text);
}

/** Lower-case hex of bytes. */
export function hex(data) {
  let text = "";
  for (const byte of data) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** Bytes of hex digits. */
export function unhex(text) {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/** A number below 2³² as 4 bytes, big-endian. */
export function be32(number) {
  const data = new Uint8Array(4);
  new DataView(data.buffer).setUint32(0, number);
  return data;
}

/** The canonical text of a value. */
export function spell(value) {
  if (Array.isArray(value)) return `[${value.map(spell).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const keys = Object.keys(value).sort(byCodePoint);
    return `{${keys.map((key) => `${JSON.stringify(key)}:${spell(value[key])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

/** The value of canonical bytes; Wrong for any other spelling of any value. */
export function decode(data) {
  const text = decodeText(data);
  let value;
  try {
    value = JSON.parse(text, keepOwn);
  } catch (error) {
    throw error instanceof Wrong ? error : new Wrong("not-json", error.message);
  }
  check(value, text);
  if (spell(value) !== text) throw new Wrong(misspelled(text), "the same value is spelled otherwise");
  return value;
}

/** What `parse` makes of each line of a .jsonl file. */
export function decodeLines(data, file, parse) {
  return splitLines(data, file).map((line, i) => {
    try {
      if (line.at(-1) === 13) throw new Wrong("carriage-return");
      return parse(decode(line));
    } catch (error) {
      throw error instanceof Wrong ? error.at(file, i + 1) : error;
    }
  });
}

/** The lines of a file without their line ends, split at \n only. */
export function splitLines(data, file) {
  const lines = [];
  let start = 0;
  for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, start)) {
    lines.push(data.subarray(start, at));
    start = at + 1;
  }
  if (start !== data.length) throw new Wrong("no-final-newline", "", file, lines.length + 1);
  return lines;
}

/** The RFC 6962 root over lines; of none, SHA-256 of nothing. */
export function merkleRoot(lines) {
  if (!lines.length) return sha256();
  let level = lines.map((line) => sha256(Uint8Array.of(0), line));
  while (level.length > 1) {
    const above = [];
    for (let i = 0; i + 1 < level.length; i += 2) above.push(sha256(Uint8Array.of(1), level[i], level[i + 1]));
    if (level.length % 2) above.push(level.at(-1));
    level = above;
  }
  return level[0];
}

function decodeText(data) {
  try {
    return strict.decode(data);
  } catch {
    throw new Wrong("not-utf-8");
  }
}

/** Objects without a prototype's names: "__proto__" is a key like any other. */
function keepOwn(key, value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.assign(Object.create(null), value);
}

function check(value, text) {
  if (typeof value === "number") {
    if (!Number.isInteger(value)) throw new Wrong("float", String(value));
    if (value < 0 || value > Number.MAX_SAFE_INTEGER) throw new Wrong("integer-out-of-range", String(value));
  } else if (typeof value === "string") {
    if (/\p{Surrogate}/u.test(value)) throw new Wrong("lone-surrogate");
  } else if (value !== null && typeof value === "object") {
    for (const [key, one] of Object.entries(value)) {
      check(key, text);
      check(one, text);
    }
  }
}

/** Which rule another spelling breaks: numbers and repeated keys have rules of their own. */
function misspelled(text) {
  const plain = text.replace(/"(?:[^"\\]|\\.)*"/g, (word) => (word.length > 2 ? `"${"_".repeat(word.length - 2)}"` : word));
  if (/[:,[]\s*-/.test(plain) || /^-/.test(plain)) return "integer-out-of-range";
  if (/\d[.eE]/.test(plain)) return "float";
  return repeatsKey(text) ? "duplicate-key" : "not-canonical";
}

function repeatsKey(text) {
  const seen = [];
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/g;
  for (const [word, colon] of text.matchAll(token)) {
    if (word === "{") seen.push(new Set());
    else if (word === "}") seen.pop();
    else if (colon) {
      const key = JSON.parse(word.slice(0, word.length - colon.length));
      if (seen.at(-1).has(key)) return true;
      seen.at(-1).add(key);
    }
  }
  return false;
}

function byCodePoint(left, right) {
  const one = [...left], other = [...right];
  for (let i = 0; i < one.length && i < other.length; i++) {
    if (one[i] !== other[i]) return one[i].codePointAt(0) - other[i].codePointAt(0);
  }
  return one.length - other.length;
}
