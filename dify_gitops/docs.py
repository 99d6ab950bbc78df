"""What is derived for editors and readers: JSON Schemas, the README's table of the input, the list of rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dify_gitops.errors import UserError
from dify_gitops.gcp.summary import google_table
from dify_gitops.input.schema import input_tables, schemas
from dify_gitops.rules import rules_table

if TYPE_CHECKING:
    from pathlib import Path

_RULES = """\
# Rules

`make check` judges what kustomize renders for each environment, so your own component is judged too. A rule may be
waived in `platform.yaml` with a reason; a waiver that waives nothing is itself a finding.

What cannot be waived has no line here: files that are stale or do not build, invalid objects, patches that hit nothing,
and `google-immutable`, by which `make generate` tells that Google Cloud cannot change a resource in place.

"""


_WRITTEN = "written by `python gen.py schema`"


def derived(root: Path) -> dict[str, str]:
    """``{path: text}``. The README keeps its text outside of the markers; UserError where it or they are missing."""
    try:
        readme = (root / "README.md").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UserError("README.md is missing; it holds the tables of the input", "restore it from Git") from error
    for name, text in (("google", google_table()), ("input", input_tables())):
        readme = _filled(readme, name, text)
    return {
        **schemas(),
        "README.md": readme,
        "docs/rules.md": _RULES + rules_table(),
    }


def _filled(readme: str, name: str, text: str) -> str:
    """The README with ``text`` between the markers of one part."""
    begin, end = f"<!-- {name}: {_WRITTEN} -->\n", f"<!-- end of {name} -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(readme):
        message = f"README.md has lost the markers around the table of {name}"
        raise UserError(message, f"put back {begin.strip()} and {end}")
    return pattern.sub(lambda _: f"{begin}\n{text}\n{end}", readme)
