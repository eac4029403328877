"""Accounts from the command line: the first administrator, roles, tokens, and what is never shown."""

import stat

from tests.api.cli.installation import PASSWORD, TAIYUAN, Installation


def test_init_makes_everything_that_an_installation_needs(empty: Installation) -> None:
    answer = empty.done("account", "init", "--login", "admin", "--name", "管理员", given=f"{PASSWORD}\n")
    assert answer["account"].startswith("account-")
    assert answer["vkey"].startswith("sunlot.example/140100+")
    assert stat.S_IMODE((empty.data / "ledger.key").stat().st_mode) == 0o600
    books = empty.done("rulebook", "list")
    assert [book["adopted"] for book in books] == [True]
    assert empty.done("ledger", "show")["ahead"] == 0


def test_init_again_changes_nothing(founded: Installation) -> None:
    before = founded.done("ledger", "show")
    again = founded.done("account", "init", "--login", "admin", "--name", "管理员", given=f"{PASSWORD}\n")
    assert again == {"login": "admin", "founded": True}
    assert founded.done("ledger", "show") == before


def test_init_goes_on_where_it_was_killed(empty: Installation) -> None:
    empty.done("migrate")
    vkey = empty.done("ledger", "keygen")["vkey"]
    answer = empty.done("account", "init", "--login", "admin", "--name", "管理员", given=f"{PASSWORD}\n")
    assert answer["vkey"] == vkey


def test_another_first_administrator_is_refused(founded: Installation) -> None:
    words = ("account", "init", "--login", "other", "--name", "某人")
    assert founded.refused(*words, given=f"{PASSWORD}\n")["code"] == "already-founded"


def test_a_weak_password_is_refused_before_anything_is_founded(empty: Installation) -> None:
    words = ("account", "init", "--login", "admin", "--name", "管理员")
    assert empty.refused(*words, given="short\n")["code"] == "password-weak"
    assert empty.done("ledger", "show")["stored"] == 0


def test_without_a_password_nothing_can_be_done(empty: Installation) -> None:
    words = ("account", "init", "--login", "admin", "--name", "管理员")
    assert empty.refused(*words, given="", status=2)["code"] == "password-missing"


def test_a_wrong_password_gives_no_token(founded: Installation) -> None:
    words = ("account", "sign-in", "--login", "admin", "--out", founded.folder / "x.token")
    assert founded.refused(*words, given="wrong horse battery\n")["code"] == "sign-in-refused"
    assert not (founded.folder / "x.token").exists()


def test_a_token_file_is_its_owners_alone_and_never_replaced(founded: Installation) -> None:
    assert stat.S_IMODE(founded.token("admin").stat().st_mode) == 0o600
    words = ("account", "sign-in", "--login", "admin", "--out", founded.token("admin"))
    assert founded.refused(*words, given=f"{PASSWORD}\n", status=2)["code"] == "file-exists"


def test_a_command_without_a_token_says_how_to_get_one(founded: Installation) -> None:
    result = founded.run("account", "list")
    assert result.exit_code == 2
    assert "sunlot account sign-in" in result.stderr
    assert result.stdout == ""


def test_a_revoked_token_opens_nothing(founded: Installation) -> None:
    account = founded.open_account("auditor", "auditor", region="140000")
    token = founded.done("account", "token", account, by="admin")["id"]
    founded.done("account", "revoke-token", account, token, by="admin")
    (held,) = [one for one in founded.done("account", "list", by="admin") if one["id"] == account]
    assert token not in {one["token"] for one in held["tokens"]}
    founded.done("account", "close", account, "--reason", "离职", by="admin")
    assert founded.refused("account", "list", by="auditor")["code"] == "token-refused"


def test_roles_are_given_listed_and_taken_back(founded: Installation) -> None:
    account = founded.open_account("leader", "leader")
    role = ("leader", "--region", TAIYUAN)
    assert founded.refused("account", "grant", account, *role, by="admin")["code"] == "grant-held"
    founded.done("account", "revoke", account, *role, "--reason", "调任", by="admin")
    listed = {one["id"]: one["grants"] for one in founded.done("account", "list", by="admin")}
    assert listed[account] == []
    assert [grant["role"] for grants in listed.values() for grant in grants] == ["administrator"]


def test_an_administrator_manages_no_other_province(founded: Installation) -> None:
    account = founded.done("account", "add", "--name", "某人", by="admin")["id"]
    refusal = founded.refused("account", "grant", account, "leader", "--region", "110000", by="admin")
    assert refusal["code"] == "permission-missing"
    assert refusal["facts"]["permission"] == "account.manage"


def test_a_reset_password_opens_and_the_old_one_does_not(founded: Installation) -> None:
    login = ("--login", "wang")
    account = founded.done(
        "account", "add", "--name", "王", *login, by="admin", given="first long password\n"
    )["id"]
    founded.done("account", "reset", account, *login, by="admin", given="second long password\n")
    words = ("account", "sign-in", *login)
    assert founded.refused(*words, given="first long password\n")["code"] == "sign-in-refused"
    assert founded.done(*words, given="second long password\n")["account"] == account


def test_the_same_key_answers_as_before_and_does_nothing_twice(founded: Installation) -> None:
    words = ("account", "add", "--name", "某人", "--key", "request-1")
    first = founded.done(*words, by="admin")
    assert founded.done(*words, by="admin") == first
    other = ("account", "add", "--name", "别人", "--key", "request-1")
    assert founded.refused(*other, by="admin")["code"] == "idempotency-key-reused"


def test_a_version_that_is_not_the_present_one_is_refused(founded: Installation) -> None:
    account = founded.open_account("leader", "leader")
    words = ("account", "close", account, "--reason", "离职", "--expected", "1")
    refusal = founded.refused(*words, by="admin")
    assert (refusal["code"], refusal["facts"]["actual"]) == ("stale", 3)


def test_no_secret_is_printed_or_logged(empty: Installation) -> None:
    empty.log_level = "DEBUG"
    words = ("account", "init", "--login", "admin", "--name", "管理员姓名")
    result = empty.run(*words, given=f"{PASSWORD}\n")
    signed = empty.run(
        "account", "sign-in", "--login", "admin", "--out", empty.token("admin"), given=PASSWORD
    )
    listed = empty.run("account", "list", by="admin")
    said = result.output + signed.output + listed.output
    secret_key = (empty.data / "ledger.key").read_text().strip()
    assert "alembic" in said or "upgrade" in said, "nothing was logged"
    for secret in (PASSWORD, secret_key, empty.token("admin").read_text().strip(), "管理员姓名"):
        assert secret not in said
