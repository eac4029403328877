// SHA-256 (FIPS 180-4), synchronous: a draw needs a million small hashes, and the browser's own are promises.

const ROUNDS = primes(64).map((prime) => fraction(Math.cbrt(prime)));
const START = primes(8).map((prime) => fraction(Math.sqrt(prime)));
const words = new Int32Array(64);

/** The hash of the parts one after the other: Uint8Arrays in, 32 bytes out. */
export function sha256(...parts) {
  const message = pad(parts);
  const state = Int32Array.from(START);
  const view = new DataView(message.buffer);
  for (let block = 0; block < message.length; block += 64) {
    for (let i = 0; i < 16; i++) words[i] = view.getInt32(block + 4 * i);
    compress(state);
  }
  const digest = new Uint8Array(32);
  const out = new DataView(digest.buffer);
  state.forEach((word, i) => out.setInt32(4 * i, word));
  return digest;
}

function pad(parts) {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const message = new Uint8Array((length + 9 + 63) & ~63);
  let at = 0;
  for (const part of parts) {
    message.set(part, at);
    at += part.length;
  }
  message[length] = 0x80;
  const view = new DataView(message.buffer);
  view.setUint32(message.length - 8, Math.floor(length / 0x20000000));
  view.setUint32(message.length - 4, (length << 3) >>> 0);
  return message;
}

function compress(state) {
  for (let i = 16; i < 64; i++) {
    const a = words[i - 15], b = words[i - 2];
    const small0 = turn(a, 7) ^ turn(a, 18) ^ (a >>> 3);
    const small1 = turn(b, 17) ^ turn(b, 19) ^ (b >>> 10);
    words[i] = (words[i - 16] + small0 + words[i - 7] + small1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i++) {
    const big1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
    const first = (h + big1 + ((e & f) ^ (~e & g)) + ROUNDS[i] + words[i]) | 0;
    const big0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
    const second = (big0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + first) | 0;
    d = c; c = b; b = a; a = (first + second) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => { state[i] = (state[i] + word) | 0; });
}

function turn(word, by) {
  return (word >>> by) | (word << (32 - by));
}

function primes(count) {
  const found = [];
  for (let n = 2; found.length < count; n++) if (found.every((prime) => n % prime)) found.push(n);
  return found;
}

/** The first 32 bits behind the point; a double holds 53 bits, of which at most 8 stand before it. */
function fraction(root) {
  return Math.floor((root - Math.floor(root)) * 0x100000000) | 0;
}
