"""Rules over Google Cloud never stop at a value of the wrong type: kubeconform tells that, and the rest is still read."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from google_fixtures import good_objects, prod

from dify_gitops.rules import examine_google

if TYPE_CHECKING:
    from collections.abc import Iterator

WRONG = ("wrong", 7, ["wrong", ["wrong"], None, {}], None, {})
ROUNDS, AT_ONCE = 100, 60


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """(owner, key or index) of everything below a node."""
    for key, child in list(node.items() if isinstance(node, dict) else enumerate(node)):
        yield node, key
        if isinstance(child, (dict, list)):
            yield from places(child)


def test_a_value_of_the_wrong_type_stops_no_rule() -> None:
    """Many at once, as each round costs the same: a sample whose seed never changes."""
    dice = random.Random(155)
    for _ in range(ROUNDS):
        objects = good_objects()
        # What an object is called is read before any rule is asked.
        chosen = [place for item in objects for place in places({key: item[key] for key in item if key == "spec"})]
        chosen += [
            place for item in objects for place in places(item["metadata"]) if place[1] not in ("name", "namespace")
        ]
        for owner, key in dice.sample(chosen, AT_ONCE):
            owner[key] = dice.choice(WRONG)
        examine_google(objects, "google", prod())
