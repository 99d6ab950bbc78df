"""One line of the report, and the report as text."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Status = Literal["ok", "missing", "wrong", "unknown"]

_GENERAL: Final = "this machine and its repository"


class Line(msgspec.Struct, frozen=True):
    """What one check found. ``environment`` is empty where it is about the machine or the repository.

    ``unknown`` means that it could not be told from here: offline, not logged in, no permission to look.
    """

    environment: str
    check: str
    status: Status
    found: str
    why: str
    fix: str = ""


class Check(NamedTuple):
    """What is checked and why it matters; its methods make the line."""

    name: str
    why: str
    environment: str = ""

    def ok(self, found: str) -> Line:
        """As it should be."""
        return Line(self.environment, self.name, "ok", found, self.why)

    def missing(self, found: str, fix: str) -> Line:
        """Not there."""
        return Line(self.environment, self.name, "missing", found, self.why, fix)

    def wrong(self, found: str, fix: str) -> Line:
        """There, but not as it should be."""
        return Line(self.environment, self.name, "wrong", found, self.why, fix)

    def unknown(self, found: str, fix: str = "") -> Line:
        """Cannot be told from here."""
        return Line(self.environment, self.name, "unknown", found, self.why, fix)


def flawed(lines: Sequence[Line]) -> bool:
    """Whether anything must be mended first."""
    return any(line.status in ("missing", "wrong") for line in lines)


def text(lines: Sequence[Line]) -> Iterator[str]:
    """Lines in columns below the name of what they are about. Reason and remedy follow what is not in order."""
    checks = max(len(line.check) for line in lines)
    about = None
    for line in lines:
        if line.environment != about:
            about = line.environment
            yield about or _GENERAL
        yield f"  {line.status:7}  {line.check:{checks}}  {line.found}"
        if line.status != "ok":
            space = " " * (checks + 13)
            yield f"{space}why: {line.why}"
            if line.fix:
                yield f"{space}fix: {line.fix}"
    yield summary(lines)


def summary(lines: Sequence[Line]) -> str:
    """How many lines have which status, the worst first."""
    count = Counter(line.status for line in lines)
    bad = [f"{count[status]} {status}" for status in ("missing", "wrong") if count[status]]
    doubt = [f"{count['unknown']} could not be told"] if count["unknown"] else []
    return ", ".join([*(bad or ["nothing is missing or wrong"]), *doubt, f"{count['ok']} ok"])
