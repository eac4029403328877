"""Events: named for ever, defined beside their aggregate, evolved without rules, free of personal data."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.aggregate import Aggregate, DomainEvent
from domain.events import AGGREGATES, event_classes, topics
from tests.house.reference_events import structs_in
from tests.house.repository import all_modules, parsed, sources, subclasses
from tests.scenario import STAMPED

TOPIC = re.compile(r"[a-z-]+\.[a-z-]+\.v\d+")
EVENTS = [(aggregate, one) for aggregate in AGGREGATES for one in event_classes(aggregate)]
IDS = [one.TOPIC for _, one in EVENTS]


# --- topics ----------------------------------------------------------------------------------


def declared() -> dict[str, tuple[Path, str, ast.ClassDef]]:
    """Every event class as it is written, by topic: its file and its aggregate."""
    found = {}
    for path, _ in sources("domain"):
        for owner in parsed(path).body:
            if isinstance(owner, ast.ClassDef) and owner.name != "Aggregate":
                for one in owner.body:
                    if isinstance(one, ast.ClassDef) and is_event(one):
                        found[written_topic(one)] = (path, owner.name, one)
    return found


def is_event(written: ast.ClassDef) -> bool:
    """Whether a class is written as an event."""
    return any(
        ast.unparse(base) in ("Aggregate.Event", "DomainEvent", "CreatedEvent") for base in written.bases
    )


def written_topic(event: ast.ClassDef) -> str:
    """The topic that stands in the class itself, as a plain text."""
    for node in event.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TOPIC":
            assert isinstance(node.value, ast.Constant), event.name
            return str(node.value.value)
    raise AssertionError(f"{event.name} has no topic of its own")


@pytest.mark.parametrize(("aggregate", "event"), EVENTS, ids=IDS)
def test_an_event_is_written_inside_its_aggregate_with_its_topic_and_meaning(
    aggregate: type[Aggregate], event: type[DomainEvent]
) -> None:
    path, owner, written = declared()[event.TOPIC]
    assert ".".join(path.with_suffix("").parts) == aggregate.__module__
    assert (owner, written.name) == (aggregate.__name__, event.__name__)
    assert TOPIC.fullmatch(event.TOPIC)
    assert event.TOPIC.split(".")[0] == aggregate.TOPIC
    assert ast.get_docstring(written)


def test_no_two_events_and_no_two_aggregates_share_a_topic() -> None:
    assert len(topics()) == len(EVENTS)
    assert len({aggregate.TOPIC for aggregate in AGGREGATES}) == len(AGGREGATES)
    assert all("TOPIC" in vars(aggregate) for aggregate in AGGREGATES)


def test_every_aggregate_and_every_event_is_listed() -> None:
    all_modules()
    assert subclasses(Aggregate) == set(AGGREGATES)
    named = {one.TOPIC for one in subclasses(DomainEvent) if "TOPIC" in vars(one)}
    assert named - {Aggregate.Event.TOPIC} == set(topics()) == set(declared())


# --- evolution -------------------------------------------------------------------------------

BOOKKEEPING = frozenset(
    {
        "add",
        "append",
        "clear",
        "dict",
        "discard",
        "frozenset",
        "len",
        "list",
        "persons_of",
        "pop",
        "replace",
        "set",
        "tuple",
        "values",
    }
)
"""What an evolution may call beside constructors of values and helpers of its own that obey the same."""

RULES = (ast.Raise, ast.Assert, ast.Try, ast.While, ast.Await, ast.With, ast.Import, ast.ImportFrom)


def methods_of(tree: ast.Module) -> Iterator[tuple[ast.ClassDef, ast.FunctionDef]]:
    """Every method with its class."""
    for owner in ast.walk(tree):
        if isinstance(owner, ast.ClassDef):
            yield from ((owner, one) for one in owner.body if isinstance(one, ast.FunctionDef))


def evolves(method: ast.FunctionDef) -> bool:
    """Whether `@event(…)` decorates it."""
    calls = [one.func for one in method.decorator_list if isinstance(one, ast.Call)]
    return any(isinstance(func, ast.Name) and func.id == "event" for func in calls)


def rules_in(owner: ast.ClassDef, method: ast.FunctionDef, seen: frozenset[str] = frozenset()) -> list[str]:
    """What in a method is more than assignments and bookkeeping, following its own helpers."""
    found = []
    for node in (part for statement in method.body for part in ast.walk(statement)):
        if isinstance(node, RULES):
            found.append(f"{owner.name}.{method.name}: {type(node).__name__.lower()}, line {node.lineno}")
        elif isinstance(node, ast.Call):
            found += rules_called(owner, method, node, seen)
    return found


def rules_called(
    owner: ast.ClassDef, method: ast.FunctionDef, call: ast.Call, seen: frozenset[str]
) -> list[str]:
    """What a call in an evolution would run."""
    func = call.func
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "?")
    if name in BOOKKEEPING or name[0].isupper() or name in seen:
        return []
    helpers = [one for one in owner.body if isinstance(one, ast.FunctionDef) and one.name == name]
    own = isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id == "self"
    if own and helpers:
        return rules_in(owner, helpers[0], seen | {name})
    return [f"{owner.name}.{method.name}: calls {name}, line {call.lineno}"]


EVOLUTIONS = [
    (path, owner, method)
    for path, _ in sources("domain")
    for owner, method in methods_of(parsed(path))
    if evolves(method)
]


@pytest.mark.parametrize(
    ("path", "owner", "method"), EVOLUTIONS, ids=[f"{owner.name}.{one.name}" for _, owner, one in EVOLUTIONS]
)
def test_evolution_knows_no_rule(path: Path, owner: ast.ClassDef, method: ast.FunctionDef) -> None:
    assert rules_in(owner, method) == [], f"{path}: it would run again on every replay"


def test_every_aggregate_evolves_in_what_was_looked_at() -> None:
    assert {owner.name for _, owner, _ in EVOLUTIONS} == {aggregate.__name__ for aggregate in AGGREGATES}


@pytest.mark.parametrize(
    "body",
    [
        "raise ValueError",
        "if self.status != 'open':\n            raise ValueError",
        "assert self.status",
        "check_region(self.region)",
        "self.facts.check()",
        "self._require('open')",
    ],
)
def test_a_rule_in_an_evolution_would_be_found(body: str) -> None:
    tree = ast.parse(
        "class Thing:\n    @event(Done)\n    def _done(self):\n        "
        + body
        + "\n    def _require(self, status):\n        raise ValueError"
    )
    ((owner, method), _) = methods_of(tree)
    assert evolves(method)
    assert len(rules_in(owner, method)) == 1


# --- personal data ---------------------------------------------------------------------------

PERSONAL = frozenset(
    {
        *("address", "birth", "birthday", "card", "cellphone", "contact", "email", "id_number", "identity"),
        *("login", "mail", "mobile", "name", "nation", "password", "phone", "photo", "sex", "surname", "tel"),
    }
)

NOT_OF_A_PERSON = {
    "SiteFacts.name": "the enterprise's name as the public register has it",
    "SiteFacts.address": "the place under supervision",
    "ItemFacts.name": "what the item is called",
    "CatalogueLine.name": "what the item is called",
}


def told_fields() -> set[str]:
    """Every field that an event can tell, as `Struct.field`."""
    structs = {one for _, event in EVENTS for one in (event, *structs_in(event))}
    return {
        f"{one.__name__}.{field}"
        for one in structs
        for field in one.__struct_fields__
        if field not in STAMPED
    }


def test_no_event_has_a_field_for_personal_data() -> None:
    words = {field: {field.split(".")[1], *field.split(".")[1].split("_")} for field in told_fields()}
    personal = {field for field, parts in words.items() if parts & PERSONAL}
    assert personal == set(NOT_OF_A_PERSON)


def test_the_fields_within_fields_were_looked_at() -> None:
    assert {"Relation.uscc", "Certificate.valid_to", "LegalBasis.article", "Deadline.due"} <= told_fields()
