"""Error paths that begin in the project's own functions and models."""

from __future__ import annotations

from tests.quiet.modules import at_fault, in_batches, rowwise, seeding, stepwise, with_changes
from tests.quiet.stage import ErrorPath

READS = """
class Reads(BaseModel):
    id: int
    {field}

    {validator}
"""


def reading(field: str, validator: str = "", extra: str = "") -> str:
    """A transform whose input model refuses rows."""
    model = READS.format(field=field, validator=validator.replace("\n", "\n    "))
    body = 'return Nickname(nickname=f"u{person.id}")'
    return rowwise(body, extra=f"{extra}\n\n{model}", reads="Reads")


def raising(name: str, statement: str, told: str) -> ErrorPath:
    """A function that raises at row 4."""
    return ErrorPath(name, f"people row 4: {told}", rowwise(at_fault(statement)))


RAISED = [
    raising("a value error", "raise ValueError(person.name)", "ValueError at transforms/fill.py, line"),
    raising("a key error", "{}[person.name]", "KeyError at"),
    raising("an attribute of a text", "getattr('', person.name)", "AttributeError at"),
    raising("an attribute of a model", "getattr(person, person.name)", "AttributeError at"),
    raising("a type error", "raise TypeError(person.hostile)", "TypeError at"),
    raising("a name error", "raise NameError(person.hostile, name=person.name)", "NameError at"),
    raising("an import error", "raise ImportError(person.hostile, name=person.name)", "ImportError at"),
    raising("an assertion", "assert not person.name, person.name", "AssertionError at"),
    raising("an exit", "raise SystemExit(person.name)", "SystemExit at"),
    raising("endless recursion", "loop = lambda x: loop(x + person.name); loop('')", "RecursionError at"),
    raising("an operating system's error", "raise OSError(2, person.name, person.email)", "OSError|FileNotFoundError"),
    raising("an undecodable text", "(b'\\xff' + person.photo).decode()", "UnicodeDecodeError at"),
    raising("a broken document", "json.loads(person.name)", "JSONDecodeError at"),
    raising("no number", "int(person.name)", "ValueError at"),
    raising(
        "a chain of errors",
        """
        try:
            int(person.name)
        except ValueError as error:
            raise RuntimeError(person.email) from error
        """,
        "RuntimeError at",
    ),
    raising("several errors", "raise ExceptionGroup(person.name, [ValueError(person.email)])", "ExceptionGroup at"),
    raising("a note", "error = ValueError(); error.add_note(person.name); raise error", "ValueError at"),
    raising("an error of validation", "Small(small=person.name)", "Small.small: Input should be a valid integer"),
    raising("a text for an answer", "return person.name", "the function returned str"),
    raising("a dictionary for an answer", "return {'nickname': person.name}", "the function returned dict"),
    raising("another model", "return Small.model_construct(small=person.name)", "the function returned Small"),
    raising("an unfinished model", "return Nickname.model_construct(name=person.name)", "the Nickname has no nickname"),
    raising("a rejection", "raise Rejected('no space in it')", "no space in it"),
]

READ = [
    ErrorPath("too long for the model", "Reads.name: String should have", reading("name: str = Field(max_length=3)")),
    ErrorPath("not the pattern", "Reads.name: String should match", reading("name: str = Field(pattern='^a$')")),
    ErrorPath("not one of the choices", "Reads.name: Input should be 'a'", reading("name: Literal['a']")),
    ErrorPath("no number for the model", "Reads.name: Input should be a valid integer", reading("name: int")),
    ErrorPath("no date for the model", "Reads.name: Input should be a valid date", reading("name: date")),
    ErrorPath("no uuid for the model", "Reads.name: Input should be a valid UUID", reading("name: UUID")),
    ErrorPath("no decimal for the model", "Reads.name: ", reading("name: Decimal")),
    ErrorPath("out of the model's range", "Reads.score: Input should be less", reading("score: int = Field(lt=5)")),
    ErrorPath("a key of the document", "Reads.document: ", reading("document: dict[str, int]")),
    ErrorPath(
        "a tag of the document",
        "Reads.document: union_tag",
        reading(
            "document: Annotated[Cat | Dog, Discriminator('kind')]",
            extra="class Cat(BaseModel):\n    kind: Literal['cat']\n\n\n"
            "class Dog(BaseModel):\n    kind: Literal['dog']",
        ),
    ),
    ErrorPath(
        "a validator's own words",
        "Reads.name: value_error",
        reading(
            "name: str",
            '@field_validator("name")\n@classmethod\ndef refuse(cls, value: str) -> str:\n    raise ValueError(value)',
        ),
    ),
    ErrorPath(
        "a validator's own kind of error",
        "Reads.name: too_canary",
        reading(
            "name: str",
            '@field_validator("name")\n@classmethod\ndef refuse(cls, value: str) -> str:\n'
            '    raise PydanticCustomError("too_canary", "not {it}", {"it": value})',
        ),
    ),
    ErrorPath(
        "a validator of the whole row",
        "Reads.it: assertion_error",
        reading(
            "name: str",
            '@model_validator(mode="after")\ndef refuse(self) -> "Reads":\n    assert not self.name, self.name',
        ),
    ),
]

GIVEN = [
    ErrorPath(
        "a look-up by connection that fails",
        "a table or column is not there",
        rowwise(
            'connection.execute(text("SELECT 1 FROM nowhere WHERE name = :name"), {"name": person.name})',
            given=", *, connection: Connection",
        ),
    ),
    ErrorPath(
        "a write by connection",
        "a transform returns its changes; connection only reads",
        rowwise(
            "connection.exec_driver_sql(f\"UPDATE people SET nickname = '{person.name}'\")",
            given=", *, connection: Connection",
        ),
    ),
    ErrorPath(
        "a wrong number of answers",
        "4 rows were given, 1 results came back",
        in_batches("return [Nickname(nickname=people[0].name)]"),
    ),
    ErrorPath(
        "a state that has grown",
        "the state of fill has grown to",
        in_batches(
            "state.seen += [person.name for person in people] * 2_000\nreturn [None for _ in people]",
            extra="class State(BaseModel):\n    seen: list[str] = []",
            given=", *, state: State",
        ),
    ),
    ErrorPath(
        "a state of another type",
        "the function of fill left a value in its state",
        in_batches(
            "state.count = people[-1].name\nreturn [None for _ in people]",
            extra="class State(BaseModel):\n    count: int = 0",
            given=", *, state: State",
        ),
    ),
    ErrorPath(
        "a document of another type than its model says",
        "completed",
        rowwise(
            "return Papers(document=Paper.model_construct(title=5, pages=person.name))",
            extra="class Paper(BaseModel):\n    title: str\n    pages: int\n\n\n"
            "class Papers(BaseModel):\n    document: Paper",
            writes="Papers",
        ),
    ),
    ErrorPath(
        "a document that cannot be written down",
        "the database refuses what is written for it",
        rowwise(
            "return Papers(document={person.name: Strange(person.name)})",
            extra="class Strange:\n    def __init__(self, name: str) -> None:\n        self.name = name\n\n"
            "    def __repr__(self) -> str:\n        return self.name\n\n\n"
            "class Papers(BaseModel):\n    document: dict[str, Any]",
            writes="Papers",
        ),
    ),
    ErrorPath(
        "a look-up that finds two rows",
        "the lookup other finds",
        rowwise(
            "return Nickname(nickname=person.other)",
            extra="class Seeing(BaseModel):\n    id: int\n    other: str | None\n\n\n"
            'alias = table("people", column("id"), column("name")).alias("others")',
            reads="Seeing",
            options=', lookups={"other": select(alias.c.name).where(alias.c.id != people.c.id)}',
        ),
    ),
    ErrorPath(
        "rows that are walked again",
        "a row was inserted between those that are still to be walked",
        with_changes(
            'return [Insert("people", {"id": 100 + person.id, "name": person.name[:-1] + "3x", "email": person.email, '
            '"hostile": person.hostile, "score": 1, "amount": 1, "born": date(1990, 1, 1), '
            '"seen": datetime(1990, 1, 1), "document": {}, "photo": b""})] if person.id > 4 else []',
            options=', order_by=column("name").desc()',
        ),
        settings={"BATCH_SIZE": "2"},
    ),
    ErrorPath(
        "a match that is none of the columns",
        "matches or updates score",
        with_changes('return [Insert("people", {"name": person.name}, match="score")]'),
    ),
    ErrorPath(
        "an insert that is there already",
        "the database refuses",
        with_changes(
            'return [Insert("twins", {"id": 1, "name": person.name})]',
        ),
        schema=["CREATE TABLE twins (id INTEGER PRIMARY KEY, name VARCHAR(200))"],
    ),
]

UNITS = [
    ErrorPath(
        "a step that raises",
        "fill: ValueError at",
        stepwise("raise ValueError(connection.execute(select(people.c.name)).scalar())"),
    ),
    ErrorPath(
        "a step that commits", "commit", stepwise("connection.execute(select(people.c.name))\nconnection.commit()")
    ),
    ErrorPath(
        "a step that changes the schema",
        "ALTER is for a revision",
        stepwise('connection.exec_driver_sql("ALTER TABLE people ADD COLUMN kanarie INTEGER")'),
    ),
    ErrorPath(
        "a step that returns a value",
        "the step returned str",
        stepwise("return connection.execute(select(people.c.name)).scalar()", returns="int"),
    ),
    ErrorPath(
        "a step whose statement fails",
        "a table or column is not there",
        stepwise(
            "name = connection.execute(select(people.c.name)).scalar()\n"
            "connection.execute(text(\"INSERT INTO nowhere VALUES (:name)\"), {'name': name})"
        ),
    ),
    ErrorPath(
        "a session that rolls back",
        "rollback",
        stepwise("session.execute(select(people.c.name))\nsession.rollback()", given="session: Session"),
    ),
    ErrorPath("a seed that raises", "fill: ZeroDivisionError at", seeding("1 / 0")),
    ErrorPath(
        "a seed that is there already",
        "the database refuses a row",
        seeding('return [Insert("twins", {"id": 1, "name": "kanarieSeed"})]'),
        schema=["CREATE TABLE twins (id INTEGER PRIMARY KEY, name VARCHAR(200))", "INSERT INTO twins VALUES (1, 'x')"],
    ),
]

FUNCTIONS = [*RAISED, *READ, *GIVEN, *UNITS]
