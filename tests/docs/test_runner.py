"""What follows the pages sees it when one is wrong."""

from pathlib import Path

import pytest

from tests.docs.page import Page
from tests.docs.scratch import Differs, Scratch

RIGHT = """
# A page

```python
# hello.py
print("hello 1")
print("hello 2")
```

```console
$ python hello.py
hello …
…
$ export NAME=Ada
$ echo "$NAME"; exit_with() { return 3; }; exit_with
Ada
$ echo $?
3
```

```diff
+++ hello.py
-print("hello 1")
+print("bye 1")
 print("hello 2")
```

```python
# hello.py, at its end
print("the end")
```

```console
$ python hello.py
bye 1
…
the end
```

```python
from hello import __file__
```

```{code-block} json
:caption: data/hello.json

{"a": 1}
```

```console
$ cat data/hello.json
{"a": 1}
```
"""


def follow(text: str, folder: Path) -> None:
    """Follow a page in an empty folder."""
    Scratch(folder / "project").follow(Page("page.md", text))


def test_a_right_page(tmp_path: Path) -> None:
    """It is followed to its end."""
    follow(RIGHT, tmp_path)


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("hello …\n…\n", "hallo …\n…\n", "page.md, line 11: `python hello.py` prints something else"),
        ("hello …\n…\n", "hello …\n", "prints something else"),
        ("hello …\n…\n", "", "prints something else"),
        ('print("hello 1")\nprint("hello 2")', 'raise SystemExit("no")', "`python hello.py` ended with 1:\nno"),
        ("$ echo $?\n3\n", "$ echo $?\n0\n", "`echo $?` prints something else"),
        ("$ echo $?\n3\n", "", "ended with 3"),
        ('-print("hello 1")', '-print("hello 3")', "hello.py holds what is changed 0 times"),
        ("from hello import __file__", "from hello import nothing", "ended with 1"),
        (":caption: data/hello.json\n\n", "", "line 44: a block of json names no file, so nobody runs it"),
        ("$ export NAME=Ada\n", "", "prints something else"),
    ],
)
def test_a_wrong_page(right: str, wrong: str, told: str, tmp_path: Path) -> None:
    """It is told where it is wrong, and what happens instead."""
    assert right in RIGHT
    with pytest.raises(Differs) as error:
        follow(RIGHT.replace(right, wrong, 1), tmp_path)
    assert told in str(error.value)


def test_what_is_installed_exists(tmp_path: Path) -> None:
    """A name that no package has is seen without asking an index."""
    follow("```console\n$ pip install -q alembic 'sqlalchemy[asyncio]>=2'\n```\n", tmp_path)
    with pytest.raises(ModuleNotFoundError):
        follow("```console\n$ pip install alembic-that-nobody-made\n```\n", tmp_path)
