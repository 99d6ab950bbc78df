"""What is derived for editors and readers: JSON Schemas, the README's table of the input, the list of rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dify_gitops.errors import UserError
from dify_gitops.input.schema import input_tables, schemas
from dify_gitops.rules import rules_table

if TYPE_CHECKING:
    from pathlib import Path

_RULES = """\
# Rules

`make check` judges what kustomize renders for each environment, so your own component is judged too. A rule may be
waived in `platform.yaml` with a reason; a waiver that waives nothing is itself a finding.

"""


def derived(root: Path) -> dict[str, str]:
    """``{path: text}``. The README keeps its text outside of the markers; UserError where they are missing."""
    readme = (root / "README.md").read_text(encoding="utf-8")
    begin, end = "<!-- input: written by `python gen.py schema` -->\n", "<!-- end of input -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(readme):
        message = "README.md has lost the markers around the table of the input"
        raise UserError(message, f"put back {begin.strip()} and {end}")
    tables = f"{begin}\n{input_tables()}\n{end}"
    return {
        **schemas(),
        "README.md": pattern.sub(lambda _: tables, readme),
        "docs/rules.md": _RULES + rules_table(),
    }
