// One site's line of a frame: proved to be in it, or not to be in it, without the other lines.

import { Wrong, bytes, decode, hex, unhex } from "./canonical.js";
import { parseSite } from "./files.js";
import { sha256 } from "./sha256.js";

const FRAME = "frame.jsonl";

/** The site of a line `{index, line, path}` that is proved to stand in the frame of the rules; else Wrong. */
export function verifyLine(rules, { index, line, path }) {
  const data = bytes(line);
  const root = rootBy(sha256(Uint8Array.of(0, ...data)), index, rules.frame.size, path);
  if (root !== rules.frame.root) throw new Wrong("line-not-in-frame", `place ${index}`, FRAME, index + 1);
  try {
    return parseSite(decode(data));
  } catch (error) {
    throw error instanceof Wrong ? error.at(FRAME, index + 1) : error;
  }
}

/** Wrong unless these two neighbours, either of which may be null at an end, leave no place for the id. */
export function verifyAbsence(rules, id, before, after) {
  const left = before ? before.index : -1, right = after ? after.index : rules.frame.size;
  const early = !before || verifyLine(rules, before).id < id;
  const late = !after || verifyLine(rules, after).id > id;
  if (right - left !== 1 || !early || !late) throw new Wrong("absence-not-proved", id, FRAME);
}

/** The root in hex to which a leaf's path leads (RFC 9162, 2.1.3.2), null for a path of another length. */
function rootBy(leaf, index, size, path) {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) return null;
  let place = BigInt(index), last = BigInt(size - 1), node = leaf;
  for (const step of path) {
    if (!last || !/^[0-9a-f]{64}$/.test(step)) return null;
    const sibling = unhex(step);
    if (place & 1n || place === last) {
      node = sha256(Uint8Array.of(1, ...sibling, ...node));
      while (!(place & 1n) && place) [place, last] = [place >> 1n, last >> 1n];
    } else {
      node = sha256(Uint8Array.of(1, ...node, ...sibling));
    }
    [place, last] = [place >> 1n, last >> 1n];
  }
  return last ? null : hex(node);
}
