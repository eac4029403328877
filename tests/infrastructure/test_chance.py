"""The system's clock and chance."""

from datetime import UTC, datetime, timedelta

from domain.identifiers import check_stream_id
from infrastructure.chance import SystemChance
from infrastructure.clock import SystemClock


def test_ids_are_stream_ids_that_do_not_repeat() -> None:
    ids = {SystemChance().id("recusal") for _ in range(100)}
    assert len(ids) == 100
    assert all(check_stream_id(id).startswith("recusal-") for id in ids)


def test_tokens_have_the_size_asked_for() -> None:
    assert {len(SystemChance().token(size)) for size in (0, 16, 32)} == {0, 16, 32}
    assert SystemChance().token(16) != SystemChance().token(16)


def test_the_clock_is_aware_and_present() -> None:
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)
