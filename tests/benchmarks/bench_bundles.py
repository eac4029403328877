"""How fast a bundle is verified beside drawing it anew from the sealed bytes, and a line of its frame proved.

Both start from bytes: reading a million lines strictly is part of either.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from time import perf_counter

from domain.drawing.bundle import SUMS, complete_draw, seal_draw
from domain.drawing.frame_index import FrameIndex
from domain.drawing.lines import write_changes
from domain.drawing.rules import Contributor, read_rules
from domain.drawing.seed import Reveal, commit, read_seed
from domain.drawing.source import Dice
from domain.drawing.verify import verify_bundle
from tests.benchmarks.bench_drawing import AREAS, TEAM, make_inspector, make_site, measure
from tests.benchmarks.figure import Figure

FULL = 200_000
LOG, PARTIES = "sunlot.bench/one", ("agency", "discipline")
SECRETS = {party: party.encode().ljust(32, b".") for party in PARTIES}
DICE = "12345678901234567890"
ASKED = 1_000


def figures(scale: float = 1.0) -> list[Figure]:
    """Measure all; `scale` shrinks the frame."""
    count = max(600, round(FULL * scale))
    sealed = make_sealed(count)
    return [measure_verifying(count, sealed), *measure_line(count, sealed)]


def make_sealed(count: int) -> dict[str, bytes]:
    """Frame, pool and rules of a weighted draw of a twentieth."""
    codes = [f"stratum-{number:03}" for number in range(60)]
    files = seal_draw(
        log=LOG,
        draw_no=1,
        attempt=1,
        plan_row="bench/01",
        as_of=0,
        contributors=[Contributor(one, commit(LOG, 1, 1, one, SECRETS[one]).hex()) for one in PARTIES],
        public_source=Dice(20),
        rates=dict.fromkeys(codes, (1, 20)),
        team=TEAM,
        frame=[make_site(number, codes, AREAS) for number in range(count)],
        pool=[make_inspector(number) for number in range(max(60, count // 50))],
    )
    return {
        "frame.jsonl": files.frame_jsonl,
        "pool.jsonl": files.pool_jsonl,
        "rules.json": files.rules_json,
    }


def measure_verifying(count: int, sealed: Mapping[str, bytes]) -> Figure:
    """Verify the whole bundle, beside drawing it from what was sealed."""
    bundle = {**sealed, **complete(sealed), "changes.jsonl": write_changes([])}

    def verify() -> None:
        if not verify_bundle(bundle.__getitem__).sound:
            raise AssertionError("the bundle is not sound")

    drawing, verifying = measure(lambda: complete(sealed), verify)
    return Figure(
        name=f"verify a bundle of {count:,} sites",
        value=verifying,
        unit="s",
        beside_name="drawing it from the sealed bytes",
        beside=drawing,
        target="≤ 1.5×",
        holds=verifying <= 1.5 * drawing if count >= FULL else None,
    )


def measure_line(count: int, sealed: Mapping[str, bytes]) -> list[Figure]:
    """Go through the frame once, then prove some lines of it."""
    rules, seed = read_rules(sealed["rules.json"]), read_seed(complete(sealed)["seed.json"]).seed
    frame = sealed["frame.jsonl"]
    start = perf_counter()
    index = FrameIndex(rules, seed, frame.splitlines(keepends=True))
    indexing = perf_counter() - start
    ids = [make_site(number, ["x"], AREAS).id for number in range(0, count, max(1, count // ASKED))]
    start = perf_counter()
    for id in ids:
        if index.find(id, lambda offset, length: frame[offset : offset + length]) is None:
            raise AssertionError(f"{id} was not found")
    each = (perf_counter() - start) / len(ids)
    return [
        Figure(f"index a frame of {count:,} lines", indexing, "s", "", None, "stated", holds=None),
        Figure(f"prove a line of {count:,}", 1000 * each, "ms", "", None, "≤ 10 ms", holds=each <= 0.01),
    ]


def complete(sealed: Mapping[str, bytes]) -> dict[str, bytes]:
    """The result, from the bytes that were sealed."""
    made = complete_draw(sealed, [Reveal(one, SECRETS[one]) for one in PARTIES], DICE, {"witnesses": 2})
    return {
        "seed.json": made.seed_json,
        "sample.jsonl": made.sample_jsonl,
        "teams.jsonl": made.teams_jsonl,
        SUMS: made.sums,
    }


if __name__ == "__main__":
    for figure in figures(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0):
        sys.stdout.write(f"{figure}\n")
