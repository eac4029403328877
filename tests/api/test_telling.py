"""Events in words: codes by their words, times in China's, lengths of time, in both languages."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from api.telling import codes, sentences, shown, tell, tell_delay, tell_time
from application.authorisation import ROLES
from application.replay import facts_of
from application.terms import METHODS as METHOD_WORDS
from application.terms import ROLE_CLASSES as ROLE_WORDS
from application.terms import SPECIALTIES as SPECIALTY_WORDS
from application.terms import STRATA as STRATUM_WORDS
from domain.access import SUBJECTS
from domain.assignment import VOID_GROUNDS
from domain.inspection import EVIDENCE_KINDS, WITHHOLD_GROUNDS
from domain.inspector import ROLE_CLASSES
from domain.person import GROUNDS, KINDS
from domain.recusal import DECIDERS, RECUSAL_GROUNDS, RECUSAL_ORIGINS
from domain.results import CODES
from domain.site import REMOVAL_GROUNDS
from domain.values import DISPOSALS, METHODS, SPECIALTIES, STRATA
from tests.examples_of_events import examples

LISTS: Final = {
    "role": ROLES,
    "kind": (*SUBJECTS, *EVIDENCE_KINDS, *KINDS, "officer", "expert", "sites", "inspectors", "items", "plan"),
    "role_class": ROLE_CLASSES,
    "stratum": STRATA,
    "skills": SPECIALTIES,
    "mode": METHODS,
    "disposal": DISPOSALS,
    "primary": CODES,
    "ground": (*RECUSAL_GROUNDS, *VOID_GROUNDS, *WITHHOLD_GROUNDS, *REMOVAL_GROUNDS, *GROUNDS),
    "origin": RECUSAL_ORIGINS,
    "party": ("agency", "discipline"),
    "decided_as": DECIDERS,
}


@pytest.mark.parametrize("name", LISTS)
def test_every_code_of_the_domain_s_lists_has_its_words(name: str) -> None:
    words = codes()[name]
    assert set(LISTS[name]) <= words.keys()
    for chinese, english in words.values():
        assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese)
        assert english.isascii()


def test_a_code_has_the_word_that_people_write_in_tables() -> None:
    written = {
        "stratum": STRATUM_WORDS,
        "skills": SPECIALTY_WORDS,
        "role_class": ROLE_WORDS,
        "mode": METHOD_WORDS,
    }
    for name, terms in written.items():
        for code, words in terms.items():
            assert codes()[name][code][0] == words[0], (name, code)


def test_no_event_is_told_with_a_code_or_with_a_time_of_another_zone() -> None:
    for topic, event in examples().items():
        for language in ("zh", "en"):
            words = tell(topic, facts_of(event), language)
            assert "T0" not in words.replace("TY-0", ""), words
            for code in (
                "on-site",
                "off-site",
                "near-relative",
                "civil-servant",
                "city-officer",
                "rectifying",
            ):
                assert code not in words, (topic, language, words)


def test_what_has_no_facts_is_left_out_of_the_sentence() -> None:
    facts = {"approval_no": "晋环检〔2024〕7号", "experts": []}
    topic = "inspection.approved.v1"
    assert tell(topic, facts, "en") == "The inspection was approved as 晋环检〔2024〕7号."
    assert tell(topic, {**facts, "experts": ["a", "b"]}, "en").endswith("〔2024〕7号, with experts a, b.")
    assert tell(topic, {**facts, "experts": ["[x]"]}, "zh").endswith("，协助专家 [x]。")


def test_times_are_china_s_with_their_zone() -> None:
    assert shown("2024-04-02T01:00:00.123456Z") == "2024-04-02 09:00:00 +08:00"
    assert tell_time(datetime(2024, 4, 1, 17, 0, tzinfo=UTC)) == "2024-04-02 01:00:00 +08:00"
    assert shown("2024-04-02") == "2024-04-02"


def test_what_is_no_code_stands_for_itself() -> None:
    assert shown("off-site", "zh", "mode") == "非现场检查"
    assert shown("off-site", "en", "mode") == "off site"
    assert shown("off-site", "zh", "reason") == "off-site"
    assert shown(["air", "soil", "x"], "zh", "skills") == "大气、土壤、x"
    assert shown(["air", "soil"], "en", "skills") == "air, soil"
    assert (shown(None), shown(""), shown([]), shown(True), shown(False)) == ("—", "—", "—", "✓", "✗")


@pytest.mark.parametrize(
    ("delay", "chinese", "english"),
    [
        (timedelta(days=3, hours=2), "3 天 2 小时", "3 d 2 h"),
        (timedelta(days=1, seconds=59), "1 天", "1 d"),
        (timedelta(hours=25, minutes=1), "1 天 1 小时 1 分钟", "1 d 1 h 1 min"),
        (timedelta(seconds=59), "0 分钟", "0 min"),
    ],
)
def test_a_delay_is_told_to_the_minute(delay: timedelta, chinese: str, english: str) -> None:
    assert (tell_delay(delay, "zh"), tell_delay(delay, "en")) == (chinese, english)


def test_there_are_words_for_every_topic() -> None:
    assert set(sentences()) == set(examples())
