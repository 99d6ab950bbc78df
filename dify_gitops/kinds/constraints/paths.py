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


def values(data: Any, path: str) -> list[tuple[str, Any]]:
    """``[(field, value)]`` of everything that stands under ``path``; items of lists by their number."""
    found = [("", data)]
    for key, listed in _steps(path):
        below: list[tuple[str, Any]] = []
        for field, value in found:
            if not isinstance(value, dict) or key not in value:
                continue
            here, there = f"{field}.{key}" if field else key, value[key]
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
