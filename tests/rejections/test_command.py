"""`backfill rejections`: which rows wait, why, how they can be found, and what is said of a decision."""

from __future__ import annotations

import hashlib
import json

import pytest

from backfill.key import encode_key
from tests.workspace import Workspace

MAILS = """
    from pydantic import BaseModel

    import backfill
    from backfill import Rejected, is_missing


    class Mail(BaseModel):
        address: str


    class Domain(BaseModel):
        domain: str


    @backfill.transform("mails", where=is_missing("domain"))
    def fill_domain(mail: Mail) -> Domain:
        \"\"\"What stands after the @.\"\"\"
        _, at, domain = mail.address.partition("@")
        if not at:
            raise Rejected("no @ in it")
        return Domain(domain=domain)
"""
HOSTILE = "ada\x1b[2J\nß"
ADDRESSES = ["a@example.org", "b@example.org", HOSTILE, "carl"]


@pytest.fixture
def office(workspace: Workspace) -> Workspace:
    """Mails of which two have no domain; their addresses are their keys, one of them commands a terminal."""
    collation = {"mysql": " COLLATE utf8mb4_bin", "postgresql": ' COLLATE "C"', "sqlite": ""}
    kind = f"VARCHAR(40){collation[workspace.engine.dialect.name]}"
    workspace.execute(f"CREATE TABLE mails (address {kind} NOT NULL PRIMARY KEY, domain VARCHAR(40))")
    with workspace.engine.begin() as connection:
        place = "?" if workspace.engine.dialect.name == "sqlite" else "%s"
        for address in ADDRESSES:
            connection.exec_driver_sql(f"INSERT INTO mails (address) VALUES ({place})", (address,))
    workspace.write("transforms/__init__.py", "")
    workspace.write("transforms/fill_domain.py", MAILS)
    return workspace


def hashed(value: str) -> str:
    """As a key is shown to those who do not ask."""
    return f"#{hashlib.sha256(encode_key((value,)).encode()).hexdigest()[:12]}"


def test_a_key_of_text_is_shown_to_those_who_ask(office: Workspace) -> None:
    """A hash on every page but the one that was asked for, where it is in quotes, and commands nothing."""
    run = office.run("run", "fill_domain", "--max-rejections", "10")
    assert "2 rows that cannot be filled wait, and every other is filled. " in run.stderr
    page = office.run("rejections", "fill_domain").stdout
    for address in (HOSTILE, "carl"):
        assert f"mails row {hashed(address)}: no @ in it" in page
    assert "carl" not in page
    assert "\nTo see the keys that are #… here:  backfill rejections fill_domain --keys\n" in page
    shown = office.run("rejections", "fill_domain", "--keys").stdout
    assert 'mails row "carl": no @ in it' in shown
    assert r'mails row "ada\u001b[2J\nß": no @ in it' in shown
    assert "--keys" not in shown


def test_a_program_gets_the_key_as_it_is(office: Workspace) -> None:
    """If it asks for it, as a list of as many values as the key has columns."""
    office.run("run", "fill_domain", "--max-rejections", "10")
    assert "carl" not in office.run("rejections", "fill_domain", "--json").stdout
    rows = json.loads(office.run("rejections", "fill_domain", "--json", "--keys").stdout)
    assert sorted(row["key"] for row in rows) == [[HOSTILE], ["carl"]]
    assert {row["row"] for row in rows} == {hashed(HOSTILE), hashed("carl")}


def test_what_a_program_gets_is_not_phrased(office: Workspace) -> None:
    """A key or a reason that looks like a command stays as it is."""
    office.execute("INSERT INTO mails (address) VALUES ('backfill run x')")
    office.run("run", "fill_domain", "--max-rejections", "10")
    url = office.url.render_as_string(hide_password=False)
    told = office.run("rejections", "fill_domain", "--json", "--keys", "--database", url).stdout
    assert ["backfill run x"] in [row["key"] for row in json.loads(told)]


def test_numbers_need_no_hint(workspace: Workspace) -> None:
    """A key of numbers is shown in full already."""
    workspace.add_users(3)
    workspace.write_fill(body='return Written(nickname=f"u{user.id}") if user.id != 2 else 1 / 0')
    workspace.run("run", "fill_nickname", "--max-rejections", "1%")
    page = workspace.run("rejections", "fill_nickname").stdout
    assert "users row 2: ZeroDivisionError" in page
    assert "--keys" not in page
    assert page == workspace.run("rejections", "fill_nickname", "--keys").stdout


def test_what_was_taken_again_and_passed_is_listed_no_more(office: Workspace) -> None:
    """Though the run still waits for another row."""
    office.run("run", "fill_domain", "--max-rejections", "10")
    assert office.run("rejections", "fill_domain").stdout.count(" open ") == 2
    told = office.run("rejections", "fill_domain", "retry").stdout
    assert told == "fill_domain: 2 rejected rows will be taken again. To go on:  backfill run fill_domain\n"
    assert office.run("rejections", "fill_domain").stdout.count(" retrying ") == 2
    office.write("transforms/fill_domain.py", MAILS.replace("if not at:", 'if mail.address == "carl":'))
    again = office.run("run", "fill_domain", "--max-rejections", "10", "--accept-change")
    assert "1 row that cannot be filled waits, and every other is filled. " in again.stderr
    page = office.run("rejections", "fill_domain").stdout
    assert f" open      mails row {hashed('carl')}: no @ in it" in page
    assert page.count("mails row") == 1
    told = office.run("rejections", "fill_domain", "accept").stdout
    assert told == "fill_domain: 1 rejected row may stay unfilled. To go on:  backfill run fill_domain\n"
