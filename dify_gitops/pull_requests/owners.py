"""CODEOWNERS: who must agree before a path changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dify_gitops.input.load import ENVIRONMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dify_gitops.input.model import Environment, Platform

# https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
_OWNER = re.compile(r"@[A-Za-z0-9-]+(/[A-Za-z0-9._-]+)?|[^@\s#<>]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def owners(platform: Platform) -> list[str]:
    """Those owners whom GitHub can ask: ``@org/team``, ``@user``, e-mail address; without any, the contact."""
    return [owner for owner in platform.owners if _OWNER.fullmatch(owner)] or [platform.contact]


def codeowners(platform: Platform, environments: Mapping[str, Environment], folders: Iterable[str]) -> str:
    """Text of ``.github/CODEOWNERS``; ``folders`` hold one folder for each environment.

    Everything has owners but the trial environments, so that a path that nobody thought of is guarded. Production
    is named once more at the end, where no other line can take it away.
    """
    asked = " ".join(owners(platform))
    trial = [name for name, environment in environments.items() if environment.profile == "dev"]
    production = [name for name in environments if name not in trial]
    lines = [
        "# The last line that matches decides who is asked: GitHub users and teams of `owners`, or else the contact.",
        "",
        "# What all environments share, what writes it, what judges it, and every path without a line of its own.",
        f"* {asked}",
    ]
    if trial:
        lines += ["", "# Trial environments: nobody after the path, so nobody is asked and Renovate may merge."]
        lines += [path for name in trial for path in _paths(name, folders)]
    if production:
        lines += ["", "# Production."]
        lines += [f"{path} {asked}" for name in production for path in _paths(name, folders)]
    return "\n".join(lines) + "\n"


def _paths(name: str, folders: Iterable[str]) -> Iterator[str]:
    yield f"/{ENVIRONMENTS}/{name}.yaml"
    for above in folders:
        yield f"/{above}/{name}/"
