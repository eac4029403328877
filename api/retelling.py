"""Events of a history in words, as people and machines are given them: compact, or in full."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from api.histories import Retold, Sibling
from api.telling import tell, tell_delay
from application.unfolding import Change


class ToldInWords(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event: when it happened, when it was recorded and how much later, who did it, in words.

    Compact, it ends with `sealed`. In full there are `command` (what led to it, or the event that did),
    `correlation_id` with the address of all events of that request, all facts, what changed in the
    state of its stream, and where its receipt is. `siblings` are other events of the request; `more` says
    that there are still others.
    """

    idx: int
    stream: str
    version: int
    topic: str
    words: str
    occurred_at: datetime
    recorded_at: datetime
    delay: timedelta
    delay_words: str
    late: bool
    by: str
    on_behalf_of: str | None
    sealed: bool
    command: str | None = None
    correlation_id: str | None = None
    request: str | None = None
    receipt: str | None = None
    facts: dict[str, Any] | None = None
    changes: Sequence[Change] | None = None
    siblings: Sequence[Sibling] | None = None
    more: bool = False


def put_in_words(retold: Retold, language: str, *, full: bool) -> ToldInWords:
    """An event in words; `language` is `zh` or `en`."""
    told = retold.told
    compact = ToldInWords(
        idx=told.idx,
        stream=told.stream,
        version=told.version,
        topic=told.topic,
        words=tell(told.topic, told.facts, language),
        occurred_at=told.occurred_at,
        recorded_at=told.recorded_at,
        delay=told.delay,
        delay_words=tell_delay(told.delay, language) if told.late else "",
        late=told.late,
        by=told.by,
        on_behalf_of=told.on_behalf_of,
        sealed=told.sealed,
    )
    return _completed(compact, retold) if full else compact


def _completed(compact: ToldInWords, retold: Retold) -> ToldInWords:
    told = retold.told
    request = told.correlation_id
    return msgspec.structs.replace(
        compact,
        command=told.causation_id,
        correlation_id=request,
        request=f"/api/v1/requests/{quote(request)}" if request else "",
        receipt=f"/ledger/receipts/{told.idx}",
        facts=told.facts,
        changes=told.changes,
        siblings=retold.siblings,
        more=retold.more,
    )
