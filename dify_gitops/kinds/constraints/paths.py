"""Paths into parsed YAML, written as in a finding: ``spec.rule[].action``, with ``[]`` for every item of a list.

What is missing on the way, or of another type, is not there: the schema judges that.
"""

from __future__ import annotations

import functools
from typing import Any


@functools.cache
def _steps(path: str) -> tuple[tuple[str, bool], ...]:
    """``spec.rule[].action`` → ((spec, False), (rule, True), (action, False)): keys, and whether items follow."""
    return tuple((part.removesuffix("[]"), part.endswith("[]")) for part in path.split(".")) if path else ()


@functools.cache
def _keys(path: str) -> tuple[str, ...] | None:
    """Keys of a path that leads through no list, None for others."""
    return None if "[]" in path else tuple(key for key, _ in _steps(path))


def values(data: Any, path: str) -> list[tuple[str, Any]]:
    """``[(field, value)]`` of everything that stands under ``path``; items of lists by their number."""
    keys = _keys(path)
    if keys is None:
        return _through_lists(data, path)
    for key in keys:  # most paths, thousands of times
        if data.__class__ is not dict or key not in data:
            return []
        data = data[key]
    return [(path, data)]


def _through_lists(data: Any, path: str) -> list[tuple[str, Any]]:
    found = [("", data)]
    for key, listed in _steps(path):
        below: list[tuple[str, Any]] = []
        for field, value in found:
            if not isinstance(value, dict) or key not in value:
                continue
            here, there = under(field, key), value[key]
            if not listed:
                below.append((here, there))
            elif isinstance(there, list):
                below += [(f"{here}[{number}]", item) for number, item in enumerate(there)]
        found = below
    return found


def has(data: Any, path: str) -> bool:
    """Whether anything stands under ``path``."""
    return bool(values(data, path))


def holds(data: Any, path: str, wanted: Any) -> bool:
    """Whether ``path`` is there, with the value ``wanted`` (or one of a tuple) unless that is None."""
    found = values(data, path)
    good = wanted if isinstance(wanted, tuple) else (wanted,)
    return bool(found) if wanted is None else any(value in good for _, value in found)


def under(field: str, key: str) -> str:
    """The path of a key below a field, which is empty for the object itself."""
    return f"{field}.{key}" if field else key
