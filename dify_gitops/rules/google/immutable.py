"""What cannot change: two versions of one object compared by what `dify_gitops/kinds/constraints` knows of its kind."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.errors import Finding
from dify_gitops.kinds.constraints import KINDS
from dify_gitops.kinds.constraints.model import Kind
from dify_gitops.kinds.constraints.paths import values
from dify_gitops.rules.access import text
from dify_gitops.rules.cluster import Cluster
from dify_gitops.rules.google.estate import real_name, service
from dify_gitops.rules.rule import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dify_gitops.rules.cluster import Object

RULE = "google-immutable"
_LOCATION = "spec.location"  # in every kind that has it
_ANNOTATIONS = (names.PROJECT_ID, names.STATE_INTO_SPEC)
_UNKNOWN = Kind("", "")
_HINT = "it needs a new name, and so a new resource: docs/operations.md"


def immutable_changes(before: Iterable[dict[str, Any]], after: Iterable[dict[str, Any]], where: str) -> list[Finding]:
    """A finding for each fixed field that differs between two versions of an object; ``where`` is their file.

    Config Connector refuses most of these changes when they are applied; some it accepts, and does nothing or makes a
    second resource (SQLInstance, StorageBucket).
    """
    old = {(item.group, item.kind, item.namespace, item.name): item for item in Cluster(before, "").objects}
    found = []
    for item in Cluster(after, "").objects:
        previous = old.get((item.group, item.kind, item.namespace, item.name))
        if previous and service(item):
            found += [
                Finding(where, str(item), field, RULE, message, _HINT) for field, message in _fixed(previous, item)
            ]
    return sorted(found)


def _fixed(before: Object, after: Object) -> Iterator[tuple[str, str]]:
    if real_name(before) != real_name(after):
        yield "spec.resourceID", f"{real_name(before)} cannot become {real_name(after)}"
    known = KINDS.get((service(after), after.kind), _UNKNOWN)
    for path in (_LOCATION, *known.immutable, *known.rising):
        old, new = ([value for _, value in values(item.data, path)] for item in (before, after))
        if old != new and not (path in known.rising and all(map(_rises, old, new))):
            yield path, f"{_show(old)} cannot become {_show(new)}"
    for path, key in known.kept:
        old_items, new_items = (_by_name(item, path, key) for item in (before, after))
        for name, value in old_items.items():
            if new_items.get(name) != value:
                yield path.removesuffix("[]"), f"{_show([value])} cannot become {_show(_one(new_items.get(name)))}"
    for key in _ANNOTATIONS:
        if before.annotations.get(key) != after.annotations.get(key):
            old, new = (_one(item.annotations.get(key)) for item in (before, after))
            yield f"metadata.annotations[{key}]", f"{_show(old)} cannot become {_show(new)}"


def _by_name(item: Object, path: str, key: str) -> dict[Any, Any]:
    return {text(value, key): value for _, value in values(item.data, path)}


def _rises(old: Any, new: Any) -> bool:
    """Whether a version is later than another one, or a range holds another one."""
    if "/" in str(old):
        try:
            return ip_network(str(old)).subnet_of(ip_network(str(new)))  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return False
    return _version(new) > _version(old)


def _version(value: Any) -> list[int]:
    return [int(number) for number in re.findall(r"[0-9]+", str(value))]


def _one(value: Any) -> list[Any]:
    return [] if value is None else [value]


def _show(found: list[Any]) -> str:
    return ", ".join(map(shown, found)) or "nothing"


def not_compared(where: str) -> Finding:
    """Nobody knows what changed in a file of which the former text is lost."""
    message = "what stood there cannot be read, so nothing was compared"
    return Finding(where, "", "", RULE, message, "compare with the last revision by eye")
