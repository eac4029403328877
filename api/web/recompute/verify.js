// Verifying a bundle in the visitor's browser: all that follows is worked out again and held against it.
//
// The second implementation of the draw: it shares no code with the service, and the tests hold them together.

import { Wrong, hex, spell, unhex } from "./canonical.js";
import { Standing, drawTicket, matchTeams, maySit, selectSites } from "./draw.js";
import {
  SUMMED, checkFrame, checkPool, checkSeed, readChanges, readFrame, readPool, readRules, readSample, readSeed, readTeams,
} from "./files.js";
import { sha256 } from "./sha256.js";

const SUMS = "SHA256SUMS";
const NEEDED = ["rules.json", "seed.json", "sample.jsonl", SUMS];

/**
 * Check all that a bundle's own files (names to Uint8Arrays, an object) can show. What was worked out again
 * and agrees, what was not looked at and why, and the first thing that is wrong, or null.
 * An Error "missing-file" for a bundle that cannot be judged.
 */
export function verifyBundle(files) {
  const verdict = { checked: [], unchecked: [], broken: null };
  try {
    for (const name of NEEDED) if (!files[name]) throw new Wrong("missing-file", "", name);
    checkAll(files, verdict);
  } catch (error) {
    if (!(error instanceof Wrong) || error.rule === "missing-file") throw error;
    const { rule, detail, file, line } = error;
    verdict.broken = { rule, detail, file, line };
  }
  return verdict;
}

function checkAll(files, { checked, unchecked }) {
  const bundle = readAll(files);
  const { rules, frame, pool, teams, changes } = bundle;
  checked.push("format");
  const done = (name, check) => {
    check();
    checked.push(name);
  };
  if (frame) done("frame", () => checkFrame(rules, files["frame.jsonl"], frame));
  if (pool) done("pool", () => checkPool(rules, files["pool.jsonl"]));
  done("seed", () => checkSeed(rules, bundle.seed));
  const beacon = rules.public_source.kind === "drand-quicknet";
  unchecked.push(["public-value", beacon ? "no-beacon-library" : "typed-in"]);
  if (!frame) {
    unchecked.push(["sample", "frame-confidential"]);
    done("tickets", () => checkTickets(bundle));
  } else if (!pool || !teams) {
    done("sample", () => compareSample(bundle.sample, outcomeOf(bundle).sample));
  } else {
    // The list of narrow seats is an auditor's; here it is only said that nobody counted again.
    unchecked.push(["narrow-seats", files["reports/narrow-seats.jsonl"] ? "not-recomputed" : "no-report"]);
    const outcome = outcomeOf(bundle);
    done("sample", () => compareSample(bundle.sample, outcome.sample));
    done("teams", () => compareTeams(bundle, outcome.teams));
    if (changes) done("changes", () => checkChanges(bundle, outcome));
    else unchecked.push(["changes", "not-opened"]);
  }
  if (!pool || !teams) unchecked.push(["teams", "public-bundle"]);
  done("sums", () => checkSums(files));
}

function readAll(files) {
  const read = (name, reader) => (files[name] ? reader(files[name]) : null);
  return {
    rules: readRules(files["rules.json"]),
    frame: read("frame.jsonl", readFrame),
    pool: read("pool.jsonl", readPool),
    seed: readSeed(files["seed.json"]),
    sample: readSample(files["sample.jsonl"]),
    teams: read("teams.jsonl", readTeams),
    changes: read("changes.jsonl", readChanges),
  };
}

/** What the seed makes of the sealed lists. */
function outcomeOf({ rules, frame, pool, seed }) {
  const raw = unhex(seed.seed);
  const { sample, reserves } = selectSites(raw, rules.strata, frame);
  const drawn = new Set(sample.map(({ id }) => id));
  const teams = pool ? matchTeams(raw, rules.team, frame.filter(({ id }) => drawn.has(id)), pool) : [];
  return { sample, reserves, teams };
}

function checkTickets({ rules, seed, sample }) {
  const raw = unhex(seed.seed);
  const codes = rules.strata.map(({ code }) => code);
  const ranks = new Map(codes.map((code) => [code, 0]));
  const seen = new Set();
  let last = 0;
  sample.forEach((one, i) => {
    const wrong = (rule, detail = one.id) => { throw new Wrong(rule, detail, "sample.jsonl", i + 1); };
    if (!ranks.has(one.stratum)) wrong("stratum-without-a-rule", one.stratum);
    ranks.set(one.stratum, ranks.get(one.stratum) + 1);
    if (seen.has(one.id)) wrong("line-duplicated");
    if (codes.indexOf(one.stratum) < last) wrong("line-moved");
    if (one.rank !== ranks.get(one.stratum)) wrong("wrong-rank");
    if (one.ticket !== drawTicket(raw, one.stratum, one.id)) wrong("wrong-ticket");
    seen.add(one.id);
    last = codes.indexOf(one.stratum);
  });
  for (const { code, sample: size } of rules.strata) {
    if (ranks.get(code) !== size) throw new Wrong("stratum-sample", code, "sample.jsonl");
  }
}

function compareSample(found, follow) {
  const i = firstDifference(found, follow);
  if (i < 0) return;
  compareIds("sample.jsonl", i, found, follow);
  for (const field of ["stratum", "rank", "ticket"]) {
    if (found[i][field] !== follow[i][field]) {
      const detail = `${found[i].id}: ${found[i][field]} instead of ${follow[i][field]}`;
      throw new Wrong(`wrong-${field}`, detail, "sample.jsonl", i + 1);
    }
  }
}

function compareTeams({ rules, frame, pool, teams: found }, follow) {
  const i = firstDifference(found, follow);
  if (i < 0) return;
  compareIds("teams.jsonl", i, found, follow);
  const one = found[i];
  if (spell(one.seats.map(({ seat }) => seat)) !== spell(rules.team.map(({ seat }) => seat))) {
    throw new Wrong("wrong-seats", one.id, "teams.jsonl", i + 1);
  }
  const place = one.seats.findIndex(({ inspector }, n) => inspector !== follow[i].seats[n].inspector);
  const rule = seatRule(one, place, { rules, pool, before: found.slice(0, i), site: frame.find(({ id }) => id === one.id) });
  const detail = `${one.id}, ${one.seats[place].seat}: ${one.seats[place].inspector} instead of ${follow[i].seats[place].inspector}`;
  throw new Wrong(rule, detail, "teams.jsonl", i + 1);
}

function seatRule(team, place, { rules, pool, before, site }) {
  const ref = team.seats[place].inspector;
  if (ref === null) return "seat-left-empty";
  const inspector = pool.find((one) => one.ref === ref);
  if (!inspector) return "inspector-unknown";
  const elsewhere = team.seats.slice(0, place).some((seat) => seat.inspector === ref);
  const load = before.flatMap(({ seats }) => seats).filter((seat) => seat.inspector === ref).length;
  const may = maySit(inspector, site, rules.team[place]) && !elsewhere && load < inspector.cap;
  return may ? "inspector-not-next" : "inspector-may-not-sit";
}

function checkChanges({ rules, frame, pool, teams, changes, seed }, { reserves }) {
  const standing = new Standing(unhex(seed.seed), rules.team, frame, pool, teams, reserves);
  changes.forEach((change, i) => {
    let follows;
    try {
      follows = standing.follow(change);
    } catch (error) {
      throw error instanceof Wrong ? error.at("changes.jsonl", i + 1) : error;
    }
    if (spell(follows) !== spell(change)) {
      const rule = change.kind === "void" && follows.replacement !== change.replacement ? "wrong-replacement" : "wrong-substitute";
      throw new Wrong(rule, `${spell(change)} instead of ${spell(follows)}`, "changes.jsonl", i + 1);
    }
  });
}

function checkSums(files) {
  const lines = new TextDecoder("latin1").decode(files[SUMS]).split("\n");
  const malformed = (line) => new Wrong("sums-malformed", "", SUMS, line);
  if (lines.pop() !== "" || lines.length !== SUMMED.length) throw malformed(lines.length);
  SUMMED.forEach((name, i) => {
    const match = /^([0-9a-f]{64}) {2}([!-~]+)$/.exec(lines[i]);
    if (!match || match[2] !== name) throw malformed(i + 1);
    if (files[name] && hex(sha256(files[name])) !== match[1]) throw new Wrong("sum-differs", name, SUMS, i + 1);
  });
}

function compareIds(file, i, found, follow) {
  const one = found[i]?.id, other = follow[i]?.id;
  if (one === other) return;
  const wrong = (rule, detail) => new Wrong(rule, detail, file, i + 1);
  const has = (lines, id) => lines.some((line) => line.id === id);
  if (one === undefined) throw wrong("line-left-out", other);
  if (has(found.slice(0, i), one)) throw wrong("line-duplicated", one);
  if (has(follow, one)) {
    throw wrong(other === undefined || has(found, other) ? "line-moved" : "line-left-out", `${one} instead of ${other}`);
  }
  if (other === undefined || (has(found, other) && found.length > follow.length)) throw wrong("line-added", one);
  throw wrong("site-swapped", `${one} instead of ${other}`);
}

function firstDifference(found, follow) {
  const length = Math.max(found.length, follow.length);
  for (let i = 0; i < length; i++) {
    if (i >= found.length || i >= follow.length || spell(found[i]) !== spell(follow[i])) return i;
  }
  return -1;
}
