"""Rebirth: a transform as a new process would import it, without what its module has remembered."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec
from typing import Any

from backfill.declaration.decorator import Transform


def reborn(transform: Transform[..., Any]) -> Transform[..., Any]:
    """The transform of its module executed afresh; itself where it does not stand in a module under its name.

    What other modules remember stays: of a project's code only the transform's own file is known.
    """
    module = sys.modules.get(getattr(transform, "__module__", ""))
    spec = getattr(module, "__spec__", None)
    if module is None or spec is None or spec.loader is None or getattr(module, transform.name, None) is not transform:
        return transform
    again = module_from_spec(spec)
    sys.modules[module.__name__] = again  # models look their types up there
    try:
        spec.loader.exec_module(again)
    finally:
        sys.modules[module.__name__] = module
    found = getattr(again, transform.name)
    assert isinstance(found, Transform), "the same file declares the same transform"
    return found
