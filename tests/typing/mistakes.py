"""Mistakes that a type checker reports: the code after a common head, and what mypy says."""

HEAD = """
from typing import Any
from pydantic import BaseModel
from sqlalchemy import Connection, column, func
import backfill
from backfill import Change, Delete, Insert, Rows, Update, is_missing

class User(BaseModel):
    full_name: str

class Name(BaseModel):
    first_name: str
    last_name: str

@backfill.transform("users")
def split(user: User) -> Name:
    return Name(first_name=user.full_name, last_name="")
"""

MISTAKES: dict[str, tuple[str, str]] = {
    "a dictionary from a row": (
        """
        @backfill.transform("users")
        def mistake(user: User) -> dict[str, str]:
            return {"first_name": user.full_name}
        """,
        'Value of type variable "PerRow"',
    ),
    "a list of text from a row": (
        """
        @backfill.transform("users")
        def mistake(user: User) -> list[str]:
            return []
        """,
        'Value of type variable "PerRow"',
    ),
    "text from a row": (
        """
        @backfill.transform("users")
        def mistake(user: User) -> str:
            return user.full_name
        """,
        'Value of type variable "PerRow"',
    ),
    "an output field forgotten": (
        """
        @backfill.transform("users")
        def mistake(user: User) -> Name:
            return Name(first_name=user.full_name)
        """,
        'Missing named argument "last_name" for "Name"',
    ),
    "an output field of another type": (
        """
        @backfill.transform("users")
        def mistake(user: User) -> Name:
            return Name(first_name=1, last_name="")
        """,
        'incompatible type "int"; expected "str"',
    ),
    "a column that was not asked for": (
        """
        @backfill.transform("users")
        def mistake(user: User) -> Name:
            return Name(first_name=user.fullname, last_name="")
        """,
        '"User" has no attribute "fullname"',
    ),
    "a batch for a row": (
        """
        @backfill.transform("users")
        def mistake(users: list[User]) -> Name:
            return split(users[0])
        """,
        'Value of type variable "Row"',
    ),
    "a dictionary for a row": (
        """
        @backfill.transform("users")
        def mistake(user: dict[str, Any]) -> Name:
            return Name(**user)
        """,
        'Value of type variable "Row"',
    ),
    "a number from columns": (
        """
        @backfill.transform("users")
        def mistake(users: Rows) -> int:
            return 0
        """,
        'cannot be "int"',
    ),
    "a set from columns": (
        """
        @backfill.transform("users")
        def mistake(users: Rows) -> set[str]:
            return {"email"}
        """,
        'cannot be "set[str]"',
    ),
    "one answer for a list of rows": (
        """
        @backfill.transform("users", group_by="full_name")
        def mistake(users: list[User]) -> Delete:
            return Delete()
        """,
        'Value of type variable "Row"',
    ),
    "the wrong parent in a link": (
        """
        class Member(BaseModel):
            name_id: Insert[Name]

        Member(name_id=Insert("users", User(full_name="")))
        """,
        'Argument 2 to "Insert" has incompatible type "User"; expected "Name',
    ),
    "text for a link": (
        """
        class Member(BaseModel):
            name_id: Insert[Name]

        Member(name_id="Ada")
        """,
        'incompatible type "str"; expected "Insert[Name]"',
    ),
    "a model for an insert's table": (
        'Insert(Name, Name(first_name="", last_name=""))',
        'Argument 1 to "Insert" has incompatible type "type[Name]"; expected "str"',
    ),
    "a model for an update's table": (
        'Update(Name(first_name="", last_name=""), {}, id=1)',
        'Argument 1 to "Update" has incompatible type "Name"; expected "str"',
    ),
    "a seed of models": (
        """
        @backfill.seed()
        def mistake() -> list[Name]:
            return [split(User(full_name=""))]
        """,
        'incompatible type "Callable[[], list[Name]]"; expected "Callable[[], Iterable[Change]]"',
    ),
    "a seed of a table": (
        """
        @backfill.seed("users")
        def mistake() -> list[Change]:
            return []
        """,
        'Too many positional arguments for "seed"',
    ),
    "a step that returns changes": (
        """
        @backfill.step("users")
        def mistake(user: User, connection: Connection) -> list[Change]:
            return [Delete()]
        """,
        'Value of type variable "Result"',
    ),
    "a column for a look-up": (
        """
        @backfill.transform("users", lookups={"email": column("email")})
        def mistake(user: User) -> Name:
            return split(user)
        """,
        'expected "str": "SelectBase"',
    ),
    "a number for groups": (
        """
        @backfill.transform("users", group_by=1)
        def mistake(users: list[User]) -> list[Name]:
            return []
        """,
        'Argument "group_by" to "transform" has incompatible type "int"',
    ),
    "a test without the connection": (
        """
        @backfill.transform("users")
        def looks(user: User, *, connection: Connection) -> Name:
            return split(user)

        looks(User(full_name=""))
        """,
        'Missing named argument "connection"',
    ),
    "a test of a list with one row": (
        """
        @backfill.transform("users")
        def listed(users: list[User]) -> list[Name]:
            return []

        listed(User(full_name=""))
        """,
        'incompatible type "User"; expected "list[User]"',
    ),
    "no type": (
        """
        @backfill.transform("users")
        def mistake(user) -> Name:
            return Name(first_name="", last_name="")
        """,
        "Function is missing a type annotation",
    ),
    "text for a condition": (
        """
        @backfill.transform("users", where="first_name IS NULL")
        def mistake(user: User) -> None:
            return None
        """,
        'Argument "where" to "transform" has incompatible type "str"',
    ),
    "Python's own comparison for a condition": (
        """
        @backfill.transform("users", where=column("a") is None)
        def mistake(user: User) -> Name:
            return split(user)
        """,
        'Argument "where" to "transform" has incompatible type "bool"',
    ),
    "an option misspelt": (
        """
        @backfill.transform("users", wheer=is_missing("first_name"))
        def mistake(user: User) -> Name:
            return split(user)
        """,
        'Unexpected keyword argument "wheer" for "transform"; did you mean "where"?',
    ),
    "a model for a table": (
        """
        @backfill.transform(User)
        def mistake(user: User) -> Name:
            return split(user)
        """,
        'Argument 1 to "transform" has incompatible type "type[User]"; expected "str"',
    ),
    "no parentheses": (
        """
        @backfill.transform
        def mistake(user: User) -> Name:
            return split(user)
        """,
        'Argument 1 to "transform" has incompatible type',
    ),
    "a forgotten return": (
        """
        @backfill.transform("users")
        def mistake(user: User) -> Name:
            Name(first_name=user.full_name, last_name="")
        """,
        "Missing return statement",
    ),
    "a column's number": ("is_missing(1)", 'Argument 1 to "is_missing" has incompatible type "int"; expected "str"'),
    "a test without its row": ("split()", 'Missing positional argument "user"|Too few arguments'),
    "a test with another row": (
        'split(Name(first_name="", last_name=""))',
        'has incompatible type "Name"; expected "User"',
    ),
    "a test with more": ('split(User(full_name=""), 1)', "Too many arguments"),
    "a test that expects too much": (
        'split(User(full_name="")).email',
        '"Name" has no attribute "email"',
    ),
}
