"""Rules over Google Cloud never stop at a value of the wrong type: kubeconform tells that, they read the rest."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from google_fixtures import good_objects, prod

from dify_gitops.rules import examine_google

if TYPE_CHECKING:
    from collections.abc import Iterator

WRONG: tuple[Any, ...] = ("wrong", 7, ["wrong", ["wrong"], None, {}], None, {})
ROUNDS, AT_ONCE = 40, 200


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """(owner, key or index) of everything below a node."""
    for key, child in list(node.items() if isinstance(node, dict) else enumerate(node)):
        yield node, key
        if isinstance(child, (dict, list)):
            yield from places(child)


def is_name(item: dict[str, Any], owner: Any, key: str | int) -> bool:
    """Whether it belongs to what an object is called, which is read before any rule is asked."""
    return (owner is item and key != "spec") or (owner is item["metadata"] and key in ("name", "namespace"))


def test_a_value_of_the_wrong_type_stops_no_rule() -> None:
    """Many at once, as each round costs the same: a sample whose seed never changes."""
    dice = random.Random(155)  # noqa: S311 - no secret
    for _ in range(ROUNDS):
        objects = good_objects()
        chosen = [place for item in objects for place in places(item) if not is_name(item, *place)]
        for owner, key in dice.sample(chosen, AT_ONCE):
            owner[key] = dice.choice(WRONG)
        examine_google(objects, "google", prod())
