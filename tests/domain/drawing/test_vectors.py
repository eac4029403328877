"""Byte for byte what an independent program made of the same inputs."""

from __future__ import annotations

import dataclasses

import pytest

from domain.drawing.bundle import complete_draw, draw, read_bundle, redraw, seal_draw, stand, write_sums
from domain.drawing.canonical import digest, merkle_root, split_lines
from domain.drawing.errors import MissingFile, WrongFigure, WrongResult, WrongSecret
from domain.drawing.lines import Recusal, write_changes, write_frame, write_pool
from domain.drawing.rules import form_strata, hash_rules, write_rules
from domain.drawing.seed import commit, write_seed
from domain.drawing.succession import Standing
from tests.domain.drawing.vectors import NAMES, load_files

SEALED = ("frame.jsonl", "pool.jsonl", "rules.json")


@pytest.fixture(params=NAMES)
def files(request: pytest.FixtureRequest) -> dict[str, bytes]:
    return load_files(str(request.param))


def test_each_file_is_written_as_it_was_read(files: dict[str, bytes]) -> None:
    bundle = read_bundle(files.__getitem__)
    assert bundle.pool is not None
    assert write_frame(reversed(bundle.frame)) == files["frame.jsonl"]
    assert write_pool(reversed(bundle.pool)) == files["pool.jsonl"]
    assert write_rules(bundle.rules) == files["rules.json"]
    assert write_seed(bundle.seed) == files["seed.json"]
    assert write_changes(bundle.changes or ()) == files["changes.jsonl"]
    assert write_sums(files) == files["SHA256SUMS"]


def test_roots_sizes_and_strata_follow_from_the_lists(files: dict[str, bytes]) -> None:
    bundle = read_bundle(files.__getitem__)
    rules = bundle.rules
    assert merkle_root(split_lines(files["frame.jsonl"])).hex() == rules.frame.root
    assert merkle_root(split_lines(files["pool.jsonl"])).hex() == rules.pool.root
    assert form_strata(bundle.frame, {one.code: one.rate for one in rules.strata}) == rules.strata
    assert hash_rules(rules) == digest(files["rules.json"][:-1])


def test_commitments_open_with_the_revealed_secrets(files: dict[str, bytes]) -> None:
    bundle = read_bundle(files.__getitem__)
    rules = bundle.rules
    made = [
        commit(rules.log, rules.draw_no, rules.attempt, one.party, one.secret).hex()
        for one in bundle.seed.reveals
    ]
    assert made == [contributor.commitment for contributor in rules.contributors]


def test_sealing_the_same_lists_gives_the_same_rules(files: dict[str, bytes]) -> None:
    bundle = read_bundle(files.__getitem__)
    assert bundle.pool is not None
    told = {field.name: getattr(bundle.rules, field.name) for field in dataclasses.fields(bundle.rules)}
    rates = {one.code: one.rate for one in told.pop("strata")}
    sealed = seal_draw(**{**told, "frame": bundle.frame[::-1], "pool": bundle.pool[::-1]}, rates=rates)
    assert sealed.rules_json == files["rules.json"]
    assert (sealed.frame_jsonl, sealed.pool_jsonl) == (files["frame.jsonl"], files["pool.jsonl"])
    assert sealed.rules_hash == digest(files["rules.json"][:-1])


def test_completing_gives_seed_sample_teams_and_sums(files: dict[str, bytes]) -> None:
    record = read_bundle(files.__getitem__).seed
    sealed = {name: files[name] for name in SEALED}
    completed = complete_draw(sealed, record.reveals[::-1], record.public_value, record.evidence)
    assert completed.seed == record.seed
    assert completed.seed_json == files["seed.json"]
    assert completed.sample_jsonl == files["sample.jsonl"]
    assert completed.teams_jsonl == files["teams.jsonl"]
    assert completed.sums == files["SHA256SUMS"]
    assert completed.sums_hash == digest(files["SHA256SUMS"])


def test_each_change_follows_from_the_ones_before(files: dict[str, bytes]) -> None:
    changes = read_bundle(files.__getitem__).changes
    assert changes
    standing = stand(read_bundle({**files, "changes.jsonl": b""}.__getitem__))
    made = [
        standing.recuse(one.id, one.recused) if isinstance(one, Recusal) else standing.void(one.id)
        for one in changes
    ]
    assert write_changes(made) == files["changes.jsonl"]


def test_changes_can_be_made_one_at_a_time_by_a_fresh_reader(files: dict[str, bytes]) -> None:
    bundle = read_bundle(files.__getitem__)
    rules, changes = bundle.rules, bundle.changes
    assert bundle.pool is not None
    assert bundle.teams is not None
    assert changes
    outcome = draw(rules, bundle.seed.seed, bundle.frame, bundle.pool)
    for number, change in enumerate(changes):
        standing = Standing(
            bundle.seed.seed,
            rules.team,
            bundle.frame,
            bundle.pool,
            bundle.teams,
            outcome.reserves,
            changes[:number],
        )
        standing.take(change)


def test_a_public_bundle_recomputes_the_sites_alone(files: dict[str, bytes]) -> None:
    public = {
        name: data
        for name, data in files.items()
        if name not in ("pool.jsonl", "teams.jsonl", "changes.jsonl")
    }
    bundle = read_bundle(public.__getitem__)
    assert (bundle.pool, bundle.teams, bundle.changes) == (None, None, None)
    assert redraw(bundle).sample == bundle.sample
    with pytest.raises(MissingFile):
        stand(bundle)


def test_a_bundle_without_its_rules_is_named_incomplete(files: dict[str, bytes]) -> None:
    del files["rules.json"]
    with pytest.raises(MissingFile) as refused:
        read_bundle(files.__getitem__)
    assert refused.value.file == "rules.json"


@pytest.mark.parametrize("name", ["sample.jsonl", "teams.jsonl"])
def test_swapped_lines_of_the_result_are_named(files: dict[str, bytes], name: str) -> None:
    lines = files[name].splitlines(keepends=True)
    files[name] = b"".join([lines[0], lines[2], lines[1], *lines[3:]])
    with pytest.raises(WrongResult) as refused:
        redraw(read_bundle(files.__getitem__))
    assert (refused.value.file, refused.value.line) == (name, 2)


@pytest.mark.parametrize("name", ["sample.jsonl", "teams.jsonl"])
def test_a_missing_last_line_of_the_result_is_named(files: dict[str, bytes], name: str) -> None:
    lines = files[name].splitlines(keepends=True)
    files[name] = b"".join(lines[:-1])
    with pytest.raises(WrongResult) as refused:
        redraw(read_bundle(files.__getitem__))
    assert (refused.value.rule, refused.value.file, refused.value.line) == ("wrong-length", name, len(lines))


@pytest.mark.parametrize(("name", "rule"), [("frame.jsonl", "frame-root"), ("pool.jsonl", "pool-root")])
def test_a_changed_salt_breaks_the_root(files: dict[str, bytes], name: str, rule: str) -> None:
    at = files[name].index(b'"salt":"') + 8
    flipped = b"1" if files[name][at : at + 1] == b"0" else b"0"
    files[name] = files[name][:at] + flipped + files[name][at + 1 :]
    with pytest.raises(WrongFigure) as refused:
        redraw(read_bundle(files.__getitem__))
    assert refused.value.rule == rule


@pytest.mark.parametrize(("name", "rule"), [("frame.jsonl", "frame-size"), ("pool.jsonl", "pool-size")])
def test_a_line_left_out_breaks_the_size(files: dict[str, bytes], name: str, rule: str) -> None:
    files[name] = b"".join(files[name].splitlines(keepends=True)[1:])
    with pytest.raises(WrongFigure) as refused:
        redraw(read_bundle(files.__getitem__))
    assert refused.value.rule == rule


def test_a_changed_seed_is_wrong(files: dict[str, bytes]) -> None:
    bundle = read_bundle(files.__getitem__)
    files["seed.json"] = files["seed.json"].replace(bundle.seed.seed.hex().encode(), b"0" * 64)
    with pytest.raises(WrongResult) as refused:
        redraw(read_bundle(files.__getitem__))
    assert refused.value.rule == "wrong-seed"


def test_a_changed_secret_does_not_open_its_commitment(files: dict[str, bytes]) -> None:
    secret = read_bundle(files.__getitem__).seed.reveals[0].secret.hex().encode()
    files["seed.json"] = files["seed.json"].replace(secret, b"0" * 64)
    with pytest.raises(WrongSecret) as refused:
        redraw(read_bundle(files.__getitem__))
    assert refused.value.rule == "commitment-does-not-open"


def test_a_doctored_change_is_named_by_its_line(files: dict[str, bytes]) -> None:
    changes = read_bundle(files.__getitem__).changes or []
    number = next(n for n, one in enumerate(changes) if isinstance(one, Recusal))
    changed = changes[number]
    assert isinstance(changed, Recusal)
    changes[number] = changed._replace(substitute=None)
    files["changes.jsonl"] = write_changes(changes)
    with pytest.raises(WrongResult) as refused:
        stand(read_bundle(files.__getitem__))
    assert (refused.value.file, refused.value.line) == ("changes.jsonl", number + 1)
