"""Catalog: the transforms package, where a transform's name is its file's name."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from backfill.blame import place_of
from backfill.declaration.conditions import suggest
from backfill.declaration.decorator import Transform
from backfill.declaration.literal import from_document
from backfill.errors import BackfillError, DeclarationError, TransformNotFound

SUFFIXES = (".py", ".json")


class Catalog:
    """The transforms of one package; each is loaded only when it is asked for by name."""

    def __init__(self, package: str, roots: Sequence[Path] | None = None) -> None:
        self.package = package
        self._roots = roots or [Path.cwd()]

    def find(self, name: str) -> Transform[..., Any]:
        """Load `name` from its file, NAME.py or NAME.json.

        Raises:
            TransformNotFound: there is no such file, or it does not declare a transform of that name.
            DeclarationError: the file cannot be imported, or its definition contradicts itself.
        """
        folder = self.folder()
        files = [folder / f"{name}{suffix}" for suffix in SUFFIXES] if name.isidentifier() else []
        match [file for file in files if file.is_file()]:
            case [file]:
                return self._import(name) if file.suffix == ".py" else from_document(name, file.read_bytes())
            case [_, _]:
                raise DeclarationError(
                    f"{self.package}/ has {name}.py and {name}.json; a name is one file: delete one", code="two-files"
                )
        raise TransformNotFound(
            f"there is no transform {name!r} in {self.package}/.{suggest(name, self.names())} "
            f"See them with: backfill list. Make it with: backfill new {name} --table TABLE --column COLUMN"
        )

    def names(self) -> Iterator[str]:
        """The names of all transforms, by their files alone; nothing is imported."""
        for file in sorted(self.folder().iterdir()):
            if file.suffix in SUFFIXES and not file.stem.startswith("_"):
                yield file.stem

    def folder(self) -> Path:
        """Where the package's files are; raises TransformNotFound when there is no such package."""
        self._make_importable()
        importlib.invalidate_caches()
        try:
            spec = importlib.util.find_spec(self.package)
        except ModuleNotFoundError:
            spec = None
        if spec is None or not spec.submodule_search_locations:
            raise TransformNotFound(
                f"there is no package {self.package!r} here. Make one with: backfill init; "
                'or name yours in pyproject.toml: [tool.backfill] transforms = "myapp.transforms"',
                code="package-not-found",
            )
        return Path(next(iter(spec.submodule_search_locations)))

    def _make_importable(self) -> None:
        """Transforms are the project's code: importable here as in its tests."""
        first = self.package.partition(".")[0]
        root = next((root for root in self._roots if (root / first).is_dir()), None)
        if root is not None and str(root) not in sys.path:
            sys.path.insert(0, str(root))

    def _import(self, name: str) -> Transform[..., Any]:
        try:
            module = importlib.import_module(f"{self.package}.{name}")
        except BackfillError:
            raise
        except (Exception, SystemExit) as error:  # exit() in a file must not look like success
            raise DeclarationError(
                f"{self.package}/{name}.py cannot be imported: {place_of(error)}", code="not-importable"
            ) from None
        found = getattr(module, name, None)
        if not isinstance(found, Transform):
            raise TransformNotFound(
                f"{self.package}/{name}.py does not declare a transform called {name}: "
                f"the file, the function and the name are one word",
                code="not-declared",
            )
        return found
