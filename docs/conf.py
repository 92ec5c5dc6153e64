"""How Sphinx builds the site: `sphinx-build -W -n docs build/docs`."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "backfill"
author = "The backfill authors"
version = release = version_of("backfill")
html_title = "backfill"
html_theme = "furo"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click", "listings"]
exclude_patterns = ["_ext"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

default_role = "code"  # docstrings quote code as Markdown does
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = True

# Other projects' objects are not looked up, so that the site can be built without a net.
nitpick_ignore_regex = [
    (r"py:.*", r"(?!backfill\.).*"),
    (r"py:.*", r"backfill\.(?!alembic\.|testing\.|errors\.).*"),
    (r"py:class", r"backfill\.testing\.law\.Law"),
]
