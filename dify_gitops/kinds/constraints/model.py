"""The words in which the constraints of a kind are written. Each can judge one object by itself.

Paths are those of paths.py; ``under`` is the path of what ``keys`` stand in, each time that it is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, get_args

import msgspec

from dify_gitops.input.words import nearest, show
from dify_gitops.kinds.constraints.paths import has, holds, under, values


class Complaint(NamedTuple):
    """What is wrong at which field; ``hint`` may say what was probably meant."""

    field: str
    message: str
    hint: str = ""


Complaints = Iterator[Complaint]


class Constraint(msgspec.Struct, frozen=True):
    """One thing that the schema does not say."""

    def complaints(self, data: dict[str, Any]) -> Complaints:
        """What is wrong with an object."""
        raise NotImplementedError


class OneOf(Constraint, frozen=True):
    """The value is one of a few, because of ``why`` if there is more to it. Numbers are compared as such."""

    path: str
    allowed: tuple[Any, ...]
    why: str = ""

    def complaints(self, data: dict[str, Any]) -> Complaints:
        for field, value in values(data, self.path):
            if value not in self.allowed and not isinstance(value, (dict, list)):
                words = [_yaml(word) for word in self.allowed]
                near = nearest(str(value), words) if isinstance(value, str) else None
                wanted = f"none of {', '.join(words)}" if len(words) > 1 else f"not {words[0]}"
                message = f"{show(value) if isinstance(value, str) else _yaml(value)} is {wanted}"
                message += f": {self.why}" if self.why else ""
                yield Complaint(field, message, f"did you mean {near}?" if near else "")


class Range(Constraint, frozen=True):
    """A number lies between two others, both included."""

    path: str
    low: float
    high: float

    def complaints(self, data: dict[str, Any]) -> Complaints:
        for field, value in values(data, self.path):
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if number and not self.low <= value <= self.high:
                yield Complaint(field, f"{value} is not between {self.low:.10g} and {self.high:.10g}")


class Format(Constraint, frozen=True):
    """A text looks like ``pattern`` (whole), which is called ``what``; ``check`` says what a pattern cannot see.

    ``check`` takes the text and returns what is wrong with it, or None; ``hint`` says how to write what ``what`` only
    names.
    """

    path: str
    pattern: str
    what: str
    check: Callable[[str], str | None] | None = None
    hint: str = ""

    def complaints(self, data: dict[str, Any]) -> Complaints:
        for field, value in values(data, self.path):
            if not isinstance(value, str):
                continue
            if not re.fullmatch(self.pattern, value):
                yield Complaint(field, f"{show(value)} is not {self.what}", self.hint)
            elif self.check and (wrong := self.check(value)):
                yield Complaint(field, f"{show(value)} {wrong}")


class Name(Constraint, frozen=True):
    """The name in Google Cloud (``spec.resourceID``, else ``metadata.name``) looks like ``pattern`` (whole)."""

    pattern: str
    what: str
    hint: str = ""

    def complaints(self, data: dict[str, Any]) -> Complaints:
        for path in ("spec.resourceID", "metadata.name"):
            for field, value in values(data, path):
                if isinstance(value, str) and not re.fullmatch(self.pattern, value):
                    yield Complaint(field, f"{show(value)} is not {self.what}", self.hint)
                return


class AtMostOne(Constraint, frozen=True):
    """Below each ``under`` not more than one of ``keys`` is set."""

    under: str
    keys: tuple[str, ...]

    def complaints(self, data: dict[str, Any]) -> Complaints:
        for field, value in values(data, self.under):
            found = [key for key in self.keys if has(value, key)]
            if len(found) > 1:
                yield Complaint(field, f"has {' and '.join(found)}, which exclude each other")


class ExactlyOne(AtMostOne, frozen=True):
    """Below each ``under`` exactly one of ``keys`` is set."""

    def complaints(self, data: dict[str, Any]) -> Complaints:
        yield from super().complaints(data)
        for field, value in values(data, self.under):
            if not any(has(value, key) for key in self.keys):
                yield Complaint(field, f"needs one of {', '.join(self.keys)}", "set one of them")


class AtLeastOne(Constraint, frozen=True):
    """Below each ``under`` one or more of ``keys`` are set, although the schema would take none: ``why``."""

    under: str
    keys: tuple[str, ...]
    why: str

    def complaints(self, data: dict[str, Any]) -> Complaints:
        for field, item in values(data, self.under):
            if not any(has(item, key) for key in self.keys):
                keys = " or ".join(key.removesuffix("[]") for key in self.keys)  # with it, an empty list will not do
                yield Complaint(field, f"has no {keys}: {self.why}")


class Needs(Constraint, frozen=True):
    """Below each ``under``: where ``key`` is set (to ``value``, if one is given), all of ``needed`` are too.

    ``value_needed`` is the value that each of them must have then, or a tuple of such, if any will not do.
    """

    under: str
    key: str
    needed: tuple[str, ...]
    value: Any = None
    value_needed: Any = None

    def complaints(self, data: dict[str, Any]) -> Complaints:
        for field, item in values(data, self.under):
            if not holds(item, self.key, self.value):
                continue
            key = self.key.removesuffix("[]")
            said = key if self.value is None else f"{key}: {_yaml(self.value)}"
            for need in self.needed:
                if not holds(item, need, self.value_needed):
                    wanted = "" if self.value_needed is None else f": {_yaml(self.value_needed)}"
                    missing = need.removesuffix("[]")  # with it, an empty list will not do
                    place = under(field, key if "[]" in missing else missing)  # no item of a list lacks it
                    yield Complaint(place, f"{said} needs {missing}{wanted}", f"set {missing}{wanted}")


class Excludes(Constraint, frozen=True):
    """Below each ``under``: where ``key`` is set (to ``value``, if one is given), none of ``excluded`` is."""

    under: str
    key: str
    excluded: tuple[str, ...]
    value: Any = None

    def complaints(self, data: dict[str, Any]) -> Complaints:
        for field, item in values(data, self.under):
            if not holds(item, self.key, self.value):
                continue
            said = self.key if self.value is None else f"{self.key}: {_yaml(self.value)}"
            for other in self.excluded:
                for place, _ in values(item, other):
                    yield Complaint(under(field, place), f"does not go with {said}")


class Mandatory(Constraint, frozen=True):
    """Below each ``under`` all of ``keys`` are set, although the schema would take less: ``why``."""

    under: str
    keys: tuple[str, ...]
    why: str

    def complaints(self, data: dict[str, Any]) -> Complaints:
        for field, item in values(data, self.under):
            for key in self.keys:
                if not has(item, key):  # with [] behind it, an empty list will not do
                    yield Complaint(under(field, key.removesuffix("[]")), f"is not set: {self.why}")


class Unique(Constraint, frozen=True):
    """No two values under ``path`` are the same; ``per`` is the path of the list's owner, if there are several."""

    path: str
    per: str = ""

    def complaints(self, data: dict[str, Any]) -> Complaints:
        for start, owner in values(data, self.per):
            seen: set[str] = set()
            for field, value in values(owner, self.path):
                if repr(value) in seen:
                    yield Complaint(under(start, field), f"{show(value)} stands there twice")
                seen.add(repr(value))


class Length(Constraint, frozen=True):
    """The list at ``path`` has between ``low`` and ``high`` items."""

    path: str
    low: int
    high: int

    def complaints(self, data: dict[str, Any]) -> Complaints:
        for field, value in values(data, self.path):
            if isinstance(value, list) and not self.low <= len(value) <= self.high:
                yield Complaint(field, f"has {len(value)} items, not {self.low} to {self.high}")


class Refused(Constraint, frozen=True):
    """``path`` may not be set at all (to ``value``, if one is given): ``why``."""

    path: str
    why: str
    value: Any = None

    def complaints(self, data: dict[str, Any]) -> Complaints:
        for field, value in values(data, self.path):
            if self.value is None or value == self.value:
                yield Complaint(field, f"{self.why}")


class Sense(Constraint, frozen=True):
    """Values below each ``under`` make sense together. ``check`` takes an object and yields (key, what is wrong)."""

    under: str
    check: Callable[[dict[str, Any]], Iterator[tuple[str, str]]]

    def complaints(self, data: dict[str, Any]) -> Complaints:
        for field, item in values(data, self.under):
            if isinstance(item, dict):
                for key, message in self.check(item):
                    yield Complaint(under(field, key), message)


class Contains(Constraint, frozen=True):
    """Among the values under ``path`` is ``value``, because of ``why``."""

    path: str
    value: Any
    why: str

    def complaints(self, data: dict[str, Any]) -> Complaints:
        if not holds(data, self.path, self.value):
            owner, _, key = self.path.rpartition("[]")
            said = f"{key.removeprefix('.')}: {_yaml(self.value)}" if key else _yaml(self.value)
            yield Complaint(owner, f"has no {said}; {self.why}")


class Ordered(Constraint, frozen=True):
    """Below each ``under`` the number ``low`` is less than the number ``high``, where both are set."""

    under: str
    low: str
    high: str

    def complaints(self, data: dict[str, Any]) -> Complaints:
        for field, item in values(data, self.under):
            less, more = ([value for _, value in values(item, key)] for key in (self.low, self.high))
            if less and more and isinstance(less[0], int) and isinstance(more[0], int) and less[0] >= more[0]:
                yield Complaint(under(field, self.low), f"{less[0]} is not less than {self.high}, {more[0]}")


class When(Constraint, frozen=True):
    """``then`` holds below each ``under`` whose ``key`` is one of ``among``; None among them is «not set».

    Paths in ``then`` begin at ``under``. Findings of ``then`` belong to its own rule: see ``plain``.
    """

    under: str
    key: str
    among: tuple[Any, ...]
    then: Constraint

    def complaints(self, data: dict[str, Any]) -> Complaints:
        for field, item in values(data, self.under):
            found = [value for _, value in values(item, self.key)] or [None]
            if any(value in self.among for value in found):
                for complaint in self.then.complaints(item):
                    yield complaint._replace(field=under(field, complaint.field) if complaint.field else field)


def plain(constraint: Constraint) -> Constraint:
    """A constraint without its condition."""
    return constraint.then if isinstance(constraint, When) else constraint


def on(*paths: str, why: str = "") -> tuple[OneOf, ...]:
    """Switches that have to be on, where they are set at all."""
    return tuple(OneOf(path, (True,), why) for path in paths)


def off(*paths: str, why: str = "") -> tuple[OneOf, ...]:
    """Switches that have to be off, where they are set at all."""
    return tuple(OneOf(path, (False,), why) for path in paths)


def written(kind: Any) -> tuple[str, str, Callable[[str], str | None] | None, str]:
    """What `Format` needs to know, from a type of dify_gitops/input/formats.py."""
    meta = get_args(kind)[1]
    return meta.pattern, meta.extra["what"], meta.extra["check"], meta.extra["hint"]


def named(kind: Any) -> tuple[str, str, str]:
    """The same for `Name`."""
    pattern, what, _, hint = written(kind)
    return pattern, what, hint


def _yaml(value: Any) -> str:
    """A value as it stands in YAML."""
    if isinstance(value, tuple):
        return " or ".join(map(_yaml, value))
    return str(value).lower() if isinstance(value, bool) else str(value) or "''"


class Kind(msgspec.Struct, frozen=True):
    """A kind of Config Connector: its constraints, and the fields that cannot change once they are set.

    ``immutable`` holds paths below ``spec``; ``resourceID`` and ``location`` are immutable in every kind that has
    them, and so are two annotations. ``rising`` ones may become more: a later version, a range around the old one.
    ``kept`` are lists with the name of their items: these neither change nor go. ``own`` are constraints of what is
    made for Dify only: a second instance or bucket of somebody may do without.
    """

    group: str  # without .cnrm.cloud.google.com
    kind: str
    immutable: tuple[str, ...] = ()
    rising: tuple[str, ...] = ()
    kept: tuple[tuple[str, str], ...] = ()
    constraints: tuple[Constraint, ...] = ()
    own: tuple[Constraint, ...] = ()
