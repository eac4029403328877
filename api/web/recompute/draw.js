// The draw itself: which sites, who goes, and who follows. Nothing but the seed and the sealed lists decides.

import { Wrong, bytes, be32, hex } from "./canonical.js";
import { sha256 } from "./sha256.js";

const TICKETS = 1n << 256n;
const UNIT = 64n;
const ZERO = Uint8Array.of(0);
const prefix = {
  object: bytes("sunlot-object-v1\0"),
  order: bytes("sunlot-order-v1\0"),
  inspector: bytes("sunlot-inspector-v1\0"),
  seat: bytes("sunlot-seat-v1\0"),
};

/** The ticket of a site, in hex. */
export function drawTicket(seed, stratum, id) {
  return hex(sha256(prefix.object, seed, bytes(stratum), ZERO, bytes(id)));
}

/** Sample and reserves: Pareto order sampling in exact integers, stratum by stratum. */
export function selectSites(seed, strata, frame) {
  const sample = [];
  const reserves = new Map();
  const eligible = new Map(strata.map((stratum) => [stratum.code, []]));
  for (const site of frame) if (site.eligible) eligible.get(site.stratum).push(site);
  for (const { code, sample: size } of strata) {
    const order = orderSites(seed, code, size, eligible.get(code));
    order.slice(0, size).forEach(({ id, ticket }, i) => sample.push({ id, rank: i + 1, stratum: code, ticket }));
    reserves.set(code, order.slice(size).map(({ id }) => id));
  }
  return { sample, reserves };
}

function orderSites(seed, code, size, sites) {
  let left = sites.map(({ id, weight }) => ({ id, weight: BigInt(weight), ticket: drawTicket(seed, code, id) }));
  left.sort(byTicket);
  const certain = [];
  let total = left.reduce((sum, site) => sum + site.weight, 0n);
  let m = BigInt(size);
  for (;;) {
    const sure = m > 0n ? left.filter((site) => site.weight * m >= total) : [];
    if (!sure.length) break;
    certain.push(...sure);
    left = left.filter((site) => site.weight * m < total);
    m -= BigInt(sure.length);
    total = left.reduce((sum, site) => sum + site.weight, 0n);
  }
  for (const site of left) site.key = paretoKey(site, total, m);
  left.sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : byTicket(one, other)));
  return [...certain, ...left];
}

function paretoKey({ ticket, weight }, total, m) {
  if (m === 0n) return 0n;
  const u = BigInt(`0x${ticket}`);
  return ((u * (total - m * weight)) << UNIT) / ((TICKETS - u) * m * weight);
}

function byTicket(one, other) {
  return compare(one.ticket, other.ticket) || compare(one.id, other.id);
}

/** The team of each drawn site, in the order in which they are filled. */
export function matchTeams(seed, rules, sites, pool) {
  const loads = new Map(pool.map((inspector) => [inspector.ref, 0]));
  const lots = new Map();
  const lot = (ref, load) => {
    const key = `${load} ${ref}`;
    if (!lots.has(key)) lots.set(key, hex(sha256(prefix.inspector, seed, be32(load), bytes(ref))));
    return lots.get(key);
  };
  const inArea = byArea(pool);
  return fillingOrder(seed, sites).map((site) => {
    const seats = [];
    for (const rule of rules) {
      let first = null;
      for (const inspector of inArea.get(site.area) ?? []) {
        const load = loads.get(inspector.ref);
        if (load >= inspector.cap || seats.some((seat) => seat.inspector === inspector.ref)) continue;
        if (!maySit(inspector, site, rule)) continue;
        const place = { load, lot: lot(inspector.ref, load), ref: inspector.ref };
        if (!first || before(place, first)) first = place;
      }
      seats.push({ inspector: first?.ref ?? null, seat: rule.seat });
      if (first) loads.set(first.ref, first.load + 1);
    }
    return { id: site.id, seats };
  });
}

function before(one, other) {
  return (one.load - other.load || compare(one.lot, other.lot) || compare(one.ref, other.ref)) < 0;
}

function fillingOrder(seed, sites) {
  const keyed = sites.map((site) => ({ site, key: hex(sha256(prefix.order, seed, bytes(site.id))) }));
  keyed.sort((one, other) => compare(one.key, other.key) || compare(one.site.id, other.site.id));
  return keyed.map(({ site }) => site);
}

function byArea(pool) {
  const areas = new Map();
  for (const inspector of pool) {
    for (const area of inspector.areas) {
      if (!areas.has(area)) areas.set(area, []);
      areas.get(area).push(inspector);
    }
  }
  return areas;
}

/** Whether the inspector qualifies for the seat; loads, caps and the team aside. */
export function maySit(inspector, site, rule) {
  return inspector.areas.includes(site.area)
    && !inspector.conflicts.includes(site.id)
    && (inspector.lead || !rule.lead)
    && (!rule.skilled || !site.needs.length || site.needs.some((need) => inspector.skills.includes(need)));
}

/** The teams as they stand after recusals and void sites. */
export class Standing {
  constructor(seed, rules, frame, pool, teams, reserves) {
    this.seed = seed;
    this.rules = new Map(rules.map((rule) => [rule.seat, rule]));
    this.sites = new Map(frame.map((site) => [site.id, site]));
    this.inArea = byArea(pool);
    this.teams = new Map(teams.map(({ id, seats }) => [id, new Map(seats.map((one) => [one.seat, one.inspector]))]));
    this.reserves = reserves;
    this.barred = new Map();
    this.used = new Map();
  }

  /** What must follow: the change itself, worked out anew. */
  follow(change) {
    return change.kind === "recusal" ? this.recuse(change.id, change.recused) : this.voidSite(change.id);
  }

  recuse(id, recused) {
    const team = this.team(id);
    const seat = [...team.keys()].find((name) => team.get(name) === recused);
    if (seat === undefined) throw new Wrong("not-on-the-team", `${recused} at ${id}`);
    if (!this.barred.has(id)) this.barred.set(id, new Set());
    this.barred.get(id).add(recused);
    team.set(seat, null);
    const substitute = this.next(id, seat, team);
    team.set(seat, substitute);
    return { id, kind: "recusal", recused, seat, substitute };
  }

  voidSite(id) {
    this.team(id);
    const { stratum } = this.sites.get(id);
    const place = this.used.get(stratum) ?? 0;
    const replacement = this.reserves.get(stratum)[place] ?? null;
    this.teams.delete(id);
    if (replacement === null) return { id, kind: "void", replacement, seats: [] };
    this.used.set(stratum, place + 1);
    const team = new Map();
    this.teams.set(replacement, team);
    for (const seat of this.rules.keys()) team.set(seat, this.next(replacement, seat, team));
    const seats = [...team].map(([seat, inspector]) => ({ inspector, seat }));
    return { id, kind: "void", replacement, seats };
  }

  team(id) {
    const team = this.teams.get(id);
    if (!team) throw new Wrong("not-drawn", id);
    return team;
  }

  next(id, seat, team) {
    const site = this.sites.get(id);
    const away = new Set([...(this.barred.get(id) ?? []), ...team.values()]);
    let first = null;
    for (const inspector of this.inArea.get(site.area) ?? []) {
      if (away.has(inspector.ref) || !maySit(inspector, site, this.rules.get(seat))) continue;
      const key = hex(sha256(prefix.seat, this.seed, bytes(id), ZERO, bytes(seat), ZERO, bytes(inspector.ref)));
      if (!first || compare(key, first.key) < 0 || (key === first.key && inspector.ref < first.ref)) {
        first = { key, ref: inspector.ref };
      }
    }
    return first?.ref ?? null;
  }
}

/** Order of ASCII texts by their bytes. */
export function compare(one, other) {
  return one < other ? -1 : one > other ? 1 : 0;
}
