"""Words and codes, both ways."""

import pytest

from application.intake_templates import TEMPLATES
from application.terms import (
    CREDITS,
    GROUNDS,
    METHODS,
    ROLE_CLASSES,
    SPECIALTIES,
    STRATA,
    Terms,
    region_names,
    terms_of,
)
from domain import inspector, site, values
from infrastructure.rulebooks import SHIPPED, load_rulebooks

RULES = load_rulebooks(SHIPPED).all[0].rulebook
TERMS = terms_of(RULES)
FIELDS = Terms.__struct_fields__


@pytest.mark.parametrize("field", FIELDS)
def test_every_word_leads_to_its_code_and_the_shown_word_back(field: str) -> None:
    vocabulary = getattr(TERMS, field)
    for code, words in vocabulary.words.items():
        assert {vocabulary.code(word) for word in words} == {code}
        assert vocabulary.code(vocabulary.word(code)) == vocabulary.code(code) == code


@pytest.mark.parametrize("field", FIELDS)
def test_no_word_stands_for_two_codes(field: str) -> None:
    words = [word for words in getattr(TERMS, field).words.values() for word in words]
    assert len(set(words)) == len(words)


def test_the_codes_are_those_of_the_domain() -> None:
    assert set(STRATA) == set(values.STRATA)
    assert set(SPECIALTIES) == set(values.SPECIALTIES)
    assert set(METHODS) == set(values.METHODS)
    assert set(CREDITS) == set(site.CREDITS) - {""}
    assert set(ROLE_CLASSES) == set(inspector.ROLE_CLASSES)
    assert set(GROUNDS) == set(inspector.RELATION_GROUNDS)


def test_the_rulebooks_names_are_understood() -> None:
    for vocabulary, terms in (
        (TERMS.strata, RULES.strata),
        (TERMS.specialties, RULES.specialties),
        (TERMS.credits, RULES.credit_colours),
        (TERMS.role_classes, RULES.role_classes),
        (TERMS.grounds, RULES.recusal_grounds),
    ):
        understood = {vocabulary.code(term.name): term.code for term in terms}
        assert understood == {term.code: term.code for term in terms}


def test_width_case_and_spaces_do_not_matter() -> None:
    assert TERMS.strata.code(" Ｋｅｙ ") == "key"
    assert TERMS.credits.code("红 牌") == "red"
    assert TERMS.strata.code("重要") is None


def test_a_regions_name_is_understood_where_it_is_the_only_one() -> None:
    taiyuan, province = region_names(RULES, "140100"), region_names(RULES, "140000")
    assert taiyuan.code("小店区") == taiyuan.code("太原市小店区") == taiyuan.code("140105") == "140105"
    assert taiyuan.code("城区") is None
    assert province.code("城区") is None
    assert province.code("阳泉市城区") == "140302"
    assert province.code("晋城市城区") == "140502"


@pytest.mark.parametrize("kind", TEMPLATES)
def test_titles_differ_within_a_template(kind: str) -> None:
    columns = TEMPLATES[kind].columns
    for names in (
        [one.title for one in columns],
        [one.english for one in columns],
        [one.key for one in columns],
    ):
        assert len(set(names)) == len(names)
