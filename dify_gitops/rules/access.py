"""Reading parsed YAML of any shape: what is missing or of another type reads as absent.

The rules run beside the schema check, not after it: a malformed object is its finding and must not stop us.
"""

from __future__ import annotations

from typing import Any


def get(data: Any, *path: str) -> Any:
    """The value under ``path``; None where any step is missing or is no mapping."""
    for key in path:
        if data.__class__ is not dict:  # parsers make no other mappings, and this is asked most of all
            return None
        data = data.get(key)
    return data


def mapping(data: Any, *path: str) -> dict[str, Any]:
    """The mapping under ``path``, or an empty one."""
    value = get(data, *path)
    return value if isinstance(value, dict) else {}


def maps(data: Any, *path: str) -> list[dict[str, Any]]:
    """The mappings of the list under ``path``."""
    value = get(data, *path)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(data: Any, *path: str) -> list[str]:
    """The strings of the list under ``path``."""
    value = get(data, *path)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def text(data: Any, *path: str) -> str:
    """The string under ``path``, or an empty one."""
    value = get(data, *path)
    return value if isinstance(value, str) else ""


def integer(data: Any, *path: str) -> int | None:
    """The integer under ``path``; YAML's booleans are none."""
    value = get(data, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def labels(data: Any, *path: str) -> dict[str, str]:
    """The mapping of strings to strings under ``path``; other pairs are left out."""
    return {key: value for key, value in mapping(data, *path).items() if isinstance(value, str)}
