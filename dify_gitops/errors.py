"""What can go wrong, as values: problems in the input, findings in the result, and their exceptions."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import msgspec


class Exit(IntEnum):
    """Exit status of every verb."""

    OK = 0
    FINDINGS = 1
    WRONG_INPUT = 2
    BUG = 3
    INTERRUPTED = 130
    UNREAD = 141  # as a shell reports a program that SIGPIPE has ended


class Problem(msgspec.Struct, frozen=True, order=True):
    """One thing that is wrong in an input file. Lines and columns count from 1; sorting is by place."""

    file: str
    line: int
    column: int
    key: str
    message: str
    hint: str = ""
    source: str = ""

    def __str__(self) -> str:
        """Two lines of context follow the message: the line of the file and a caret under the column."""
        key = f"{self.key}: " if self.key else ""
        hint = f" (hint: {self.hint})" if self.hint else ""
        head = f"{self.file}:{self.line}:{self.column}: {key}{self.message}{hint}"
        if not self.source:
            return head
        source, before = _excerpt(self.source, self.column - 1)
        number = str(self.line)
        return f"{head}\n {number} | {source}\n {' ' * len(number)} | {before}^"


_WIDEST: Final = 100


def _excerpt(line: str, offset: int) -> tuple[str, str]:
    """The part of a long line round ``offset``, and what fills the space below it up to the caret.

    Tabs stay tabs in the filling and wide characters (CJK, emoji) count twice, as a terminal shows them. What
    a terminal would obey is replaced.
    """
    start = max(0, min(offset - _WIDEST // 2, len(line) - _WIDEST))
    end = start + _WIDEST
    shown = "".join(
        char if char.isprintable() or char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in line[start:end]
    )
    before = "".join(_blank(char) for char in shown[: offset - start])
    if start:
        shown, before = f"…{shown}", f" {before}"
    return (f"{shown}…" if end < len(line) else shown), before


def _blank(char: str) -> str:
    if char == "\t":
        return char
    if char.isascii():
        return " "
    import unicodedata  # where text is only ASCII nobody waits for its tables

    if unicodedata.combining(char):
        return ""
    return "  " if unicodedata.east_asian_width(char) in "WF" else " "


class Finding(msgspec.Struct, frozen=True, order=True):
    """One thing that is wrong in the written or rendered repository.

    ``where`` is a file or a kustomization folder, ``object`` reads ``Kind namespace/name`` and may be empty,
    ``field`` is a path such as ``spec.template.spec.containers[api].image`` and may be empty.
    """

    where: str
    object: str
    field: str
    rule: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = ": ".join(part for part in (self.where, self.object, self.field) if part)
        hint = f" (hint: {self.hint})" if self.hint else ""
        return f"{place}: {self.message} [{self.rule}]{hint}"


class InputError(Exception):
    """The input is wrong; nothing was written. Exit status 2."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} problems in the input")
        self.problems = sorted(problems)


class UserError(Exception):
    """Something outside of the input stops us, and the user can mend it. Exit status 2.

    ``hint`` says what to do; the message says what happened and what state the files are in.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
