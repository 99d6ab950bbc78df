"""What an unknown key was probably meant to be: a neighbour's name, or a key of another level."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from dify_gitops.input import specs
from dify_gitops.input.words import dotted, nearest, squeezed

if TYPE_CHECKING:
    import msgspec

    from dify_gitops.input.nodes import Path
    from dify_gitops.input.specs import Field, Keys

_MOST_PLACES: Final = 2  # a key that lies in more places than that is no help
_MOST_KEYS: Final = 8
_MOST_QUESTIONS: Final = 50  # comparing words is slow, and nobody reads more


class Suggestions:
    """Proposals for one document whose root is ``root``."""

    def __init__(self, root: type[msgspec.Struct]) -> None:
        self._root = root
        self._asked = 0

    def unknown(self, key: str, known: dict[str, Field]) -> tuple[str, str]:
        """Message and hint for ``key``, where the keys ``known`` may stand."""
        self._asked += 1
        if self._asked > _MOST_QUESTIONS:
            return "unknown key", ""
        if near := nearest(key, known):
            spec, what = known[near].spec, ""
            if isinstance(spec, specs.Leaf) and spec.hidden:  # who writes `password` would put the password there
                what = f", the name (not the value) of a secret in Secret Manager, {spec.hint}"
            return "unknown key", f"did you mean {near}{what}?"
        places = _places(self._root).get(squeezed(key), ())
        if places and len(places) <= _MOST_PLACES:
            return (
                "unknown key here",
                f"did you mean {specs.one_of(tuple(dotted(place) for place in places))}?",
            )
        few = len(known) <= _MOST_KEYS
        return "unknown key", f"known here: {', '.join(known)}" if few else "the README lists all keys"


@cache
def _places(root: type[msgspec.Struct]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}

    def visit(spec: Keys, path: Path) -> None:
        for key, field in spec.fields.items():
            found.setdefault(squeezed(key), []).append((*path, key))
            if isinstance(field.spec, specs.Keys):
                visit(field.spec, (*path, key))

    visit(specs.keys(root), ())
    return found
