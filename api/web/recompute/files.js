// The files of a bundle, read strictly: which fields, which words, which order, which figures.

import { Wrong, bytes, decode, decodeLines, merkleRoot, splitLines, hex, spell, be32, unhex } from "./canonical.js";
import { sha256 } from "./sha256.js";

const SITE = ["area", "eligible", "id", "needs", "reason", "salt", "stratum", "weight"];
const INSPECTOR = ["areas", "cap", "conflicts", "lead", "ref", "salt", "skills"];
const RULES = [
  "algorithm", "as_of", "attempt", "contributors", "draw_no", "frame", "log", "plan_row", "pool",
  "public_source", "strata", "supplements", "team",
];
const GENESIS = 1692803367n;
const LAST_SECOND = 253402300799n; // the year 9999 ends
const MAX_NUMBER = 2 ** 32 - 1;
export const SUMMED = ["frame.jsonl", "pool.jsonl", "rules.json", "sample.jsonl", "seed.json", "teams.jsonl"];

/** frame.jsonl; Wrong with the line's number. */
export function readFrame(data) {
  const sites = decodeLines(data, "frame.jsonl", parseSite);
  checkOrder(sites.map((site) => site.id), "frame.jsonl");
  return sites;
}

/** pool.jsonl. */
export function readPool(data) {
  const pool = decodeLines(data, "pool.jsonl", parseInspector);
  checkOrder(pool.map((inspector) => inspector.ref), "pool.jsonl");
  return pool;
}

/** sample.jsonl. */
export function readSample(data) {
  return decodeLines(data, "sample.jsonl", (value) => {
    const line = fields(value, ["id", "rank", "stratum", "ticket"]);
    integer(line.rank, "rank", 1);
    hexOf(line.ticket, "ticket", 32);
    word(line.id, "id");
    word(line.stratum, "stratum");
    return line;
  });
}

/** teams.jsonl. */
export function readTeams(data) {
  return decodeLines(data, "teams.jsonl", (value) => {
    const line = fields(value, ["id", "seats"]);
    word(line.id, "id");
    return { id: line.id, seats: parseSeats(line.seats) };
  });
}

/** changes.jsonl. */
export function readChanges(data) {
  return decodeLines(data, "changes.jsonl", (value) => {
    const kind = isObject(value) ? value.kind : undefined;
    if (kind === "recusal") {
      const line = fields(value, ["kind", "id", "seat", "recused", "substitute"]);
      for (const name of ["id", "seat", "recused"]) word(line[name], name);
      wordOrNull(line.substitute, "substitute");
      return line;
    }
    if (kind === "void") {
      const line = fields(value, ["kind", "id", "replacement", "seats"]);
      word(line.id, "id");
      wordOrNull(line.replacement, "replacement");
      return { ...line, seats: parseSeats(line.seats) };
    }
    throw new Wrong("unknown-change");
  });
}

/** rules.json; figures that contradict each other are Wrong here already. */
export function readRules(data) {
  return located("rules.json", () => parseRules(readDocument(data)));
}

/** seed.json; whether it follows from the rules is for checkSeed. */
export function readSeed(data) {
  return located("seed.json", () => {
    const line = fields(readDocument(data), ["evidence", "public_value", "reveals", "seed"]);
    if (!isObject(line.evidence)) throw new Wrong("not-an-object", "evidence");
    for (const reveal of list(line.reveals, "reveals")) {
      fields(reveal, ["party", "secret"]);
      word(reveal.party, "party");
      hexOf(reveal.secret, "secret", 32);
    }
    hexOf(line.seed, "seed", 32);
    text(line.public_value, "public_value");
    return line;
  });
}

/** Wrong unless frame.jsonl is the frame that the rules fixed. */
export function checkFrame(rules, data, sites) {
  const counted = new Map(rules.strata.map((stratum) => [stratum.code, { size: 0, eligible: 0 }]));
  sites.forEach((site, i) => {
    const count = counted.get(site.stratum);
    if (!count) throw new Wrong("stratum-without-a-rule", site.stratum, "frame.jsonl", i + 1);
    count.size += 1;
    count.eligible += site.eligible ? 1 : 0;
  });
  checkListing("frame", rules.frame, data);
  for (const stratum of rules.strata) {
    const { size, eligible } = counted.get(stratum.code);
    checkStratum(stratum, { size, eligible, sample: sampleSize(size, eligible, stratum.rate) });
  }
}

/** Wrong unless pool.jsonl is the pool that the rules fixed. */
export function checkPool(rules, data) {
  checkListing("pool", rules.pool, data);
}

/** Wrong unless seed.json follows: each commitment opens, the value fits the source, the seed is right. */
export function checkSeed(rules, record) {
  const parties = rules.contributors.map((one) => one.party);
  if (spell(record.reveals.map((one) => one.party)) !== spell(parties)) {
    throw new Wrong("wrong-contributors", "", "seed.json", 1);
  }
  located("seed.json", () => {
    checkValue(rules.public_source, record.public_value, record.evidence);
    record.reveals.forEach((reveal, i) => checkReveal(rules, rules.contributors[i], reveal));
  });
  const made = hex(deriveSeed(rules, record));
  if (made !== record.seed) throw new Wrong("wrong-seed", `${record.seed} instead of ${made}`, "seed.json", 1);
}

function checkReveal(rules, contributor, reveal) {
  const made = sha256(
    bytes("sunlot-commit-v1\0"), bytes(rules.log), Uint8Array.of(0), be32(rules.draw_no), be32(rules.attempt),
    bytes(contributor.party), Uint8Array.of(0), unhex(reveal.secret),
  );
  if (hex(made) !== contributor.commitment) throw new Wrong("commitment-does-not-open", contributor.party);
}

function deriveSeed(rules, record) {
  const secrets = record.reveals.map((reveal) => unhex(reveal.secret));
  const rulesHash = sha256(bytes(spell(rules)));
  return sha256(bytes("sunlot-seed-v1\0"), rulesHash, ...secrets, sha256(bytes(record.public_value)));
}

function readDocument(data) {
  if (data.at(-1) !== 10) throw new Wrong("no-final-newline");
  return decode(data.subarray(0, -1));
}

/** One line of the frame. */
export function parseSite(value) {
  const line = fields(value, SITE);
  flag(line.eligible, "eligible");
  text(line.reason, "reason");
  if (line.eligible === (line.reason !== "")) throw new Wrong("reason");
  word(line.id, "id");
  word(line.stratum, "stratum");
  word(line.area, "area");
  hexOf(line.salt, "salt", 16);
  integer(line.weight, "weight", 1, 100);
  wordList(line.needs, "needs");
  return line;
}

function parseInspector(value) {
  const line = fields(value, INSPECTOR);
  word(line.ref, "ref");
  wordList(line.areas, "areas");
  integer(line.cap, "cap");
  hexOf(line.salt, "salt", 16);
  flag(line.lead, "lead");
  wordList(line.skills, "skills");
  wordList(line.conflicts, "conflicts");
  return line;
}

function parseSeats(value) {
  return list(value, "seats").map((seat) => {
    fields(seat, ["inspector", "seat"]);
    wordOrNull(seat.inspector, "inspector");
    word(seat.seat, "seat");
    return seat;
  });
}

function parseRules(value) {
  const rules = fields(value, RULES);
  if (rules.algorithm !== "sunlot-draw-v1") throw new Wrong("unknown-algorithm");
  someText(rules.log, "log");
  integer(rules.draw_no, "draw_no", 0, MAX_NUMBER);
  integer(rules.attempt, "attempt", 1, MAX_NUMBER);
  someText(rules.plan_row, "plan_row");
  integer(rules.as_of, "as_of");
  for (const one of list(rules.contributors, "contributors")) {
    fields(one, ["commitment", "party"]);
    word(one.party, "party");
    hexOf(one.commitment, "commitment", 32);
  }
  parseSource(rules.public_source);
  for (const name of ["frame", "pool"]) {
    fields(rules[name], ["root", "size"]);
    hexOf(rules[name].root, "root", 32);
    integer(rules[name].size, "size");
  }
  list(rules.strata, "strata").forEach(parseStratum);
  for (const seat of list(rules.team, "team")) {
    fields(seat, ["lead", "seat", "skilled"]);
    flag(seat.lead, "lead");
    flag(seat.skilled, "skilled");
    word(seat.seat, "seat");
  }
  if (rules.supplements !== null) integer(rules.supplements, "supplements", 0, MAX_NUMBER);
  checkTogether(rules);
  return rules;
}

function parseStratum(stratum) {
  fields(stratum, ["code", "eligible", "rate", "sample", "size"]);
  for (const name of ["size", "eligible", "sample"]) integer(stratum[name], name);
  word(stratum.code, "code");
  if (list(stratum.rate, "rate").length !== 2) throw new Wrong("wrong-rate");
  integer(stratum.rate[0], "numerator");
  integer(stratum.rate[1], "denominator", 1);
  if (stratum.eligible > stratum.size) throw new Wrong("stratum-eligible", stratum.code);
  const { size, eligible, rate } = stratum;
  checkStratum(stratum, { size, eligible, sample: sampleSize(size, eligible, rate) });
}

function checkTogether(rules) {
  unique("contributors", rules.contributors.map((one) => one.party));
  unique("commitments", rules.contributors.map((one) => one.commitment));
  unique("seats", rules.team.map((one) => one.seat));
  const codes = rules.strata.map((one) => one.code);
  unique("strata", codes);
  if (codes.some((code, i) => i && codes[i - 1] > code)) throw new Wrong("unsorted-list", "strata");
  for (const party of ["agency", "discipline"]) {
    if (!rules.contributors.some((one) => one.party === party)) throw new Wrong("contributor-missing", party);
  }
  const size = rules.strata.reduce((sum, one) => sum + one.size, 0);
  if (size !== rules.frame.size) throw new Wrong("frame-size", "the strata do not add up");
  if (rules.supplements !== null && rules.strata.some(({ rate }) => rate[0] !== 1 || rate[1] !== 1)) {
    throw new Wrong("supplement-rate");
  }
}

function parseSource(source) {
  const kind = isObject(source) ? source.kind : undefined;
  if (kind === "drand-quicknet") {
    const last = Number((LAST_SECOND - GENESIS) / 3n);
    integer(fields(source, ["kind", "round"]).round, "round", 1, last);
  } else if (kind === "dice") {
    integer(fields(source, ["kind", "rolls"]).rolls, "rolls", 20);
  } else if (kind === "lottery") {
    fields(source, ["kind", "name", "issue", "at"]);
    someText(source.name, "name");
    someText(source.issue, "issue");
    time(source.at);
  } else throw new Wrong("unknown-source");
}

function checkValue(source, value, evidence) {
  if (source.kind === "drand-quicknet") {
    if (!/^[0-9a-f]{64}$/.test(value)) throw new Wrong("wrong-public-value");
    const signature = only(evidence, "signature");
    if (typeof signature !== "string" || !/^[0-9a-f]{96}$/.test(signature)) throw new Wrong("wrong-signature");
    if (value !== hex(sha256(unhex(signature)))) throw new Wrong("wrong-public-value");
  } else {
    const count = source.kind === "dice" ? source.rolls : value.length;
    if (!/^[0-9]+$/.test(value) || value.length !== count) throw new Wrong("wrong-public-value");
    if (source.kind === "dice") {
      const witnesses = only(evidence, "witnesses");
      if (!Number.isInteger(witnesses) || witnesses < 2) throw new Wrong("wrong-witnesses");
    } else if (typeof only(evidence, "reference") !== "string" || !evidence.reference) {
      throw new Wrong("wrong-reference");
    }
  }
}

function only(evidence, name) {
  if (spell(Object.keys(evidence)) !== spell([name])) throw new Wrong("wrong-evidence");
  return evidence[name];
}

function time(value) {
  const match = typeof value === "string"
    && /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,6})?(?:Z|[+-](\d\d):(\d\d))$/.exec(value);
  if (!match) throw new Wrong("not-a-time", "at");
  const [year, month, day, hour, minute, second, zoneHour = 0, zoneMinute = 0] = match.slice(1).map((one) => Number(one ?? 0));
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const exists = year >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!exists || hour > 23 || minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59) throw new Wrong("not-a-time", "at");
}

function checkListing(name, fixed, data) {
  const lines = splitLines(data, `${name}.jsonl`);
  if (lines.length !== fixed.size) throw new Wrong(`${name}-size`, `${lines.length}`, `${name}.jsonl`);
  if (hex(merkleRoot(lines)) !== fixed.root) throw new Wrong(`${name}-root`, "", `${name}.jsonl`);
}

function checkStratum(ruled, counted) {
  for (const name of ["size", "eligible", "sample"]) {
    if (ruled[name] !== counted[name]) {
      const detail = `${ruled.code}: ${ruled[name]} instead of ${counted[name]}`;
      throw new Wrong(`stratum-${name}`, detail, "rules.json", 1);
    }
  }
}

/** min(eligible, ⌈size·num/den⌉), in integers. */
function sampleSize(size, eligible, [numerator, denominator]) {
  const asked = (BigInt(size) * BigInt(numerator) + BigInt(denominator) - 1n) / BigInt(denominator);
  return asked < BigInt(eligible) ? Number(asked) : eligible;
}

function checkOrder(names, file) {
  for (let i = 1; i < names.length; i++) {
    if (names[i - 1] >= names[i]) {
      throw new Wrong(names[i - 1] === names[i] ? "repeated" : "unsorted", names[i], file, i + 1);
    }
  }
}

function located(file, work) {
  try {
    return work();
  } catch (error) {
    throw error instanceof Wrong ? error.at(file, 1) : error;
  }
}

function unique(name, words) {
  if (new Set(words).size !== words.length) throw new Wrong("repeated", name);
}

function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function fields(value, names) {
  if (!isObject(value)) throw new Wrong("not-an-object");
  const keys = Object.keys(value);
  if (keys.length !== names.length || !names.every((name) => keys.includes(name))) throw new Wrong("wrong-fields", keys.join());
  return value;
}

function word(value, name) {
  if (typeof value !== "string" || !/^[!-~]+$/.test(value)) throw new Wrong("not-a-word", name);
}

function wordOrNull(value, name) {
  if (value !== null) word(value, name);
}

function wordList(value, name) {
  list(value, name).forEach((one) => word(one, name));
  if (value.some((one, i) => i && value[i - 1] >= one)) throw new Wrong("unsorted-list", name);
}

function text(value, name) {
  if (typeof value !== "string") throw new Wrong("not-text", name);
}

function someText(value, name) {
  text(value, name);
  if (!value || value.includes("\0")) throw new Wrong("empty-text", name);
}

function hexOf(value, name, length) {
  if (typeof value !== "string" || value.length !== 2 * length || !/^[0-9a-f]+$/.test(value)) throw new Wrong("not-hex", name);
}

function flag(value, name) {
  if (typeof value !== "boolean") throw new Wrong("not-a-flag", name);
}

function integer(value, name, low = 0, high = Number.MAX_SAFE_INTEGER) {
  if (!Number.isInteger(value) || value < low || value > high) throw new Wrong("not-in-range", name);
}

function list(value, name) {
  if (!Array.isArray(value)) throw new Wrong("not-a-list", name);
  return value;
}
