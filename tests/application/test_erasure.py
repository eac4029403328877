"""Erasing a person: what stands against it, what goes with it, and what a kill in between leaves to do."""

from datetime import date, timedelta

import pytest

from application import accounts
from application.authorisation import ADMINISTRATOR, CITY_OFFICER, Actor, Grant, PermissionMissing
from application.erasure import approve_erasure, ask_erasure, finish_erasures, refuse_erasure
from application.imports import run_import
from application.inspectors import remove_inspector
from application.originals import erased_digests, require_unerased
from application.persons import read_persons
from application.ports import RetryKey
from application.sites import remove_site
from domain.account import Account
from domain.errors import BlobErased, NotFound, Stale
from domain.inspector import Inspector
from domain.intake import Intake
from domain.person import (
    ErasureOfOneself,
    ErasureSecondPersonNeeded,
    Person,
    PersonErased,
    PersonRetained,
    PersonStillListed,
)
from domain.site import Site
from domain.values import Provenance
from tests.application.intake_files import expert, officer, site, take_in
from tests.office import PASSWORD, SHANXI, TAIYUAN, Agency

LEFT = Provenance(source="人事处", reason="退休", effective_from=date(2024, 1, 1))
FIVE_YEARS = timedelta(days=5 * 366)


def inspector_of(agency: Agency, number: int = 11) -> Inspector:
    """The inspector with the certificate number of `officer(number)`."""
    person = agency.office.vault.persons([f"certificate/140100-{number:04}"])[
        f"certificate/140100-{number:04}"
    ]
    stream = agency.office.claims.holder("inspector-person", person)
    return agency.office.workflow.load(Inspector, stream or "")


def retired(agency: Agency, number: int = 11, *, waited: timedelta = FIVE_YEARS) -> str:
    """The reference of an officer who came by a file and left long ago."""
    inspector = inspector_of(agency, number)
    remove_inspector(agency.office, agency.call(agency.people.officer), inspector.id, provenance=LEFT)
    agency.clock.advance(seconds=waited.total_seconds())
    return inspector.person


def ask(agency: Agency, person: str, ground: str = "retention-over", *, by: Actor | None = None) -> None:
    """The city officer's request."""
    call = agency.call(by or agency.people.officer)
    ask_erasure(agency.office, call, person, ground=ground, reason="保存期限届满")


def approve(agency: Agency, person: str) -> tuple[str, ...]:
    """The leader's approval; the imports whose originals went with it."""
    answer = approve_erasure(agency.office, agency.call(agency.people.leader), person)
    return tuple(answer.also["originals"])


def row_of(agency: Agency, person: str) -> tuple[object, ...]:
    """The vault's row: value, salt, unique key."""
    sql = "SELECT value, salt, unique_key FROM vault WHERE person = ?"
    return tuple(agency.store.database.fetch(sql, (person,))[0])


def test_a_person_goes_with_the_originals_that_name_him(agency: Agency) -> None:
    take_in(agency, "inspectors", officer(11), officer(12))
    take_in(agency, "inspectors", officer(13))
    take_in(agency, "sites", site(1))
    digests = list(agency.office.blobs.digests())  # type: ignore[attr-defined]
    person = retired(agency)
    ask(agency, person)
    (intake,) = approve(agency, person)
    erased = agency.office.workflow.load(Intake, intake)
    assert erased.counts.rows == 2
    assert row_of(agency, person) == (None, None, None)
    assert erased_digests(agency.office) == {erased.original}
    assert set(digests) - set(agency.office.blobs.digests()) == {erased.original}  # type: ignore[attr-defined]
    assert agency.topics()[-2:] == ["person.erased.v1", "intake.original-erased.v1"]
    assert len(agency.office.vault.read([inspector_of(agency, 12).person])) == 1


def test_a_later_file_that_names_him_again_goes_too_and_none_comes_back(agency: Agency) -> None:
    take_in(agency, "inspectors", officer(11))
    (digest,) = agency.office.blobs.digests()  # type: ignore[attr-defined]
    content = agency.office.blobs.read(digest)
    take_in(agency, "inspectors", officer(11), officer(12))
    person = retired(agency)
    ask(agency, person)
    intakes = approve(agency, person)
    assert len(intakes) == 2
    for intake in intakes:
        with pytest.raises(BlobErased) as gone:
            require_unerased(agency.office, agency.office.workflow.load(Intake, intake).original)
        assert gone.value.facts["ground"] == "retention-over"
        assert gone.value.facts["erased_on"] == agency.call(agency.people.leader).act.taken_on
    before = agency.size()
    with pytest.raises(BlobErased):
        run_import(
            agency.office,
            agency.call(agency.people.officer),
            "inspectors",
            region=TAIYUAN,
            content=content,
        )
    assert agency.size() == before
    assert agency.office.vault.persons(["certificate/140100-0011"]) == {}


def test_one_who_stays_is_not_erased_nor_one_whose_time_is_not_over(agency: Agency) -> None:
    take_in(agency, "inspectors", officer(11))
    person = inspector_of(agency).person
    before = agency.size()
    with pytest.raises(PersonStillListed):
        ask(agency, person)
    assert agency.size() == before
    retired(agency, waited=timedelta(days=300))
    with pytest.raises(PersonRetained) as kept:
        ask(agency, person)
    assert kept.value.facts["retain_until"] == date(2029, 4, 1)
    ask(agency, person, "unlawful-processing")
    approve(agency, person)
    assert row_of(agency, person) == (None, None, None)


def test_a_day_of_leaving_in_the_past_does_not_shorten_the_time(agency: Agency) -> None:
    take_in(agency, "inspectors", officer(11))
    long_ago = Provenance(source="人事处", reason="退休", effective_from=date(2001, 1, 1))
    inspector = inspector_of(agency)
    remove_inspector(agency.office, agency.call(agency.people.officer), inspector.id, provenance=long_ago)
    with pytest.raises(PersonRetained):
        ask(agency, inspector.person)


def test_two_people_of_the_region_decide(agency: Agency) -> None:
    take_in(agency, "inspectors", officer(11))
    person = retired(agency)
    people, office = agency.people, agency.office
    for wrong in (people.elsewhere, people.auditor, people.leader):
        with pytest.raises(PermissionMissing):
            ask(agency, person, by=wrong)
    both = Actor(account=people.leader.account, grants=(*people.leader.grants, Grant(CITY_OFFICER, "140100")))
    ask(agency, person, by=both)
    for wrong in (people.officer, people.administrator):
        with pytest.raises(PermissionMissing):
            approve_erasure(office, agency.call(wrong), person)
    with pytest.raises(ErasureSecondPersonNeeded):
        approve_erasure(office, agency.call(both), person)
    assert office.vault.read([person])
    approve_erasure(office, agency.call(people.discipline), person)
    assert not office.vault.read([person])


def test_a_refused_request_may_be_made_again(agency: Agency) -> None:
    take_in(agency, "inspectors", officer(11))
    person = retired(agency)
    ask(agency, person)
    refuse_erasure(agency.office, agency.call(agency.people.leader), person, reason="先核对")
    ask(agency, person)
    approve(agency, person)
    with pytest.raises(PersonErased):
        ask(agency, person)


def test_the_account_s_login_name_goes_with_its_holder(agency: Agency) -> None:
    office, admin = agency.office, agency.people.administrator
    call = agency.call(admin)
    id = accounts.open_account(office, call, person={"name": "赵六"}, login="zhaoliu", password=PASSWORD).id
    person = office.workflow.load(Account, id).person
    with pytest.raises(PersonStillListed):
        ask(agency, person, by=admin)
    accounts.close_account(office, agency.call(admin), id, reason="离职")
    agency.clock.advance(seconds=FIVE_YEARS.total_seconds())
    ask(agency, person, by=admin)
    approve(agency, person)
    assert office.credentials.by_login("zhaoliu") is None
    assert office.vault.read([person]) == {}
    again = accounts.open_account(office, agency.call(admin), person={}, login="zhaoliu", password=PASSWORD)
    assert again.id != id


def test_nobody_decides_on_himself_nor_for_the_inspector_he_stood_for(agency: Agency) -> None:
    office, people = agency.office, agency.people
    take_in(agency, "inspectors", officer(11))
    inspector = inspector_of(agency)
    admin = agency.call(people.administrator)
    id = accounts.open_account(office, admin, person={"name": "李1"}, login="li", password=PASSWORD).id
    accounts.give_role(office, admin, id, role="leader", region="140100", until=None)
    accounts.link_inspector(office, admin, id, inspector=inspector.id)
    person = retired(agency)
    ask(agency, person)
    himself = Actor(account=id, grants=(Grant("leader", "140100"),))
    with pytest.raises(ErasureOfOneself):
        approve_erasure(office, agency.call(himself), person)
    with pytest.raises(ErasureOfOneself):
        refuse_erasure(office, agency.call(himself), person, reason="否")


def test_a_site_s_contact_may_go_while_the_site_stays(agency: Agency) -> None:
    take_in(agency, "sites", site(1, contact="王芳", phone="19900000001"), site(2, contact="", phone=""))
    (first, second) = (event for event in agency.events() if isinstance(event, Site.Registered))
    assert second.person == ""
    ask(agency, first.person, "consent-withdrawn")
    assert len(approve(agency, first.person)) == 1
    assert agency.office.vault.read([first.person]) == {}


def test_a_removed_site_s_contact_is_not_kept_at_all(agency: Agency) -> None:
    take_in(agency, "sites", site(1))
    (event,) = (event for event in agency.events() if isinstance(event, Site.Registered))
    remove_site(
        agency.office,
        agency.call(agency.people.officer),
        event.originator_id,
        ground="closed",
        provenance=LEFT,
    )
    ask(agency, event.person)
    approve(agency, event.person)


def test_a_name_alone_counts_only_where_there_is_no_number(agency: Agency) -> None:
    """Another person of the same name keeps the file that names only him."""
    take_in(agency, "inspectors", officer(11, name="李伟"))
    take_in(agency, "inspectors", expert(12, name="李伟"))
    person = retired(agency)
    ask(agency, person)
    assert len(approve(agency, person)) == 1


def test_whoever_saw_another_version_is_told_so(agency: Agency) -> None:
    take_in(agency, "inspectors", officer(11))
    person = retired(agency)
    ask(agency, person)
    with pytest.raises(Stale):
        approve_erasure(agency.office, agency.call(agency.people.leader, expected=7), person)
    assert agency.office.vault.read([person])


def test_a_request_repeated_with_its_key_erases_once(agency: Agency) -> None:
    take_in(agency, "inspectors", officer(11))
    person = retired(agency)
    ask(agency, person)
    call = agency.call(agency.people.leader, retry=RetryKey("a", "k", "r"))
    workflow = agency.office.workflow
    first = workflow.once(call, lambda: approve_erasure(agency.office, call, person))
    size = agency.size()
    assert workflow.once(call, lambda: approve_erasure(agency.office, call, person)) == first
    assert agency.size() == size


def test_nobody_of_the_vault_is_not_found(agency: Agency) -> None:
    with pytest.raises(NotFound):
        ask(agency, "person-" + "0" * 32)


def test_a_reading_after_the_erasure_shows_nothing_and_is_recorded(agency: Agency) -> None:
    take_in(agency, "inspectors", officer(11))
    person = retired(agency)
    ask(agency, person)
    approve(agency, person)
    read = read_persons(
        agency.office, agency.call(agency.people.officer), [person], region="140100", reason="核对"
    )
    assert read == {}
    assert agency.topics()[-1] == "access.recorded.v1"


def test_files_that_a_killed_process_left_are_deleted_by_the_next_run(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(agency, "inspectors", officer(11))
    person = retired(agency)
    ask(agency, person)

    class Killed(BaseException):
        """The process ends here."""

    def die(_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("application.erasure.finish_erasures", die)
        with pytest.raises(Killed):
            approve(agency, person)
    (digest,) = erased_digests(agency.office)
    assert agency.office.blobs.has(digest)
    assert agency.office.vault.read([person]) == {}
    assert finish_erasures(agency.office) == 1
    assert not agency.office.blobs.has(digest)
    assert finish_erasures(agency.office) == 0


def test_an_administrator_asks_for_accounts_of_no_region(agency: Agency) -> None:
    office, admin = agency.office, agency.people.administrator
    assert admin.grants == (Grant(ADMINISTRATOR, SHANXI),)
    id = accounts.open_account(office, agency.call(admin), person={"name": "钱七"}, login="", password="").id
    accounts.close_account(office, agency.call(admin), id, reason="误开")
    person = office.workflow.load(Account, id).person
    ask(agency, person, "unlawful-processing", by=admin)
    approve(agency, person)
    assert agency.office.workflow.load(Person, person).case.region == ""
