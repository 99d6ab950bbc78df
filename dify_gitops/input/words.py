"""The words of a message about one value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from dify_gitops.input.nodes import LIST, MAPPING
from dify_gitops.input.specs import BOOL, CHOICE, INT, TEXT, Keys, Leaf, ListOf, MapOf

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dify_gitops.input.nodes import Node, Path
    from dify_gitops.input.specs import Spec

_LONGEST: Final = 60
_TELLING: Final = 3  # letters that are enough to guess a word from its beginning
# Not compiled: most runs have nothing to say.
_BARE_KEY: Final = r"[A-Za-z0-9_-]+"
_WORD: Final = r"[A-Za-z0-9._-]{1,60}"
_DIGITS: Final = r"-?(0|[1-9][0-9]{0,17})"
_SWITCHES: Final = {
    **dict.fromkeys(("true", "yes", "on", "y", "1"), "true"),
    **dict.fromkeys(("false", "no", "off", "n", "0"), "false"),
}


def show(value: object) -> str:
    """A value as it may stand in a message: text in quotes, on one line and not longer than it."""
    if not isinstance(value, str):
        return str(value)[:_LONGEST]
    return repr(value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…")


def dotted(path: Path) -> str:
    """``worker.pools.batch.queues[0]``; keys with other characters in quotes."""
    result = ""
    for step in path:
        if isinstance(step, int):
            result += f"[{step}]"
        else:
            result += ("." if result else "") + (step if re.fullmatch(_BARE_KEY, step) else show(step))
    return result


def got(node: Node, value: object) -> str:
    """What stands there, for «expected …, got …»."""
    if node.kind == LIST:
        return "a list"
    if node.kind == MAPPING:
        return "keys with values"
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"the text {show(value)}"
    return f"the {'boolean' if isinstance(value, bool) else 'number'} {node.text[:_LONGEST]}"


def has_type(spec: Leaf, value: object) -> bool:
    """Whether only the value is wrong, not its type."""
    if spec.kind == CHOICE:
        return type(value) is type(spec.choices[0])
    return type(value) is {TEXT: str, INT: int, BOOL: bool}[spec.kind]


def misfit(spec: Leaf, value: Any) -> str | None:
    """What is wrong with a value of the right type, None if nothing is."""
    wrong = None
    if spec.kind == CHOICE and value not in spec.choices:
        wrong = f"expected {spec.what}, got {show(value)}"
    elif spec.kind == INT and spec.ge is not None and value < spec.ge:
        wrong = f"must be at least {spec.ge}, got {show(value)}"
    elif spec.kind == INT and spec.le is not None and value > spec.le:
        wrong = f"must be at most {spec.le}, got {show(value)}"
    elif spec.kind == TEXT and spec.min_length and len(value) < spec.min_length:
        wrong = "must not be empty"
    # `$` also matches before a line break at the end, which no format allows.
    elif spec.pattern and (value.endswith("\n") or not re.search(spec.pattern, value)):
        wrong = f"expected {spec.what}, got {'something else' if spec.hidden else show(value)}"
    elif spec.check and (complaint := spec.check(value)):
        wrong = complaint if spec.hidden else f"{show(value)} {complaint}"
    return wrong


def hint(spec: Leaf, value: object) -> str:
    """What to do about a value of the right type."""
    if spec.kind != CHOICE:
        return spec.hint
    near = nearest(str(value), [str(choice) for choice in spec.choices])
    return f"did you mean {near}?" if near else ""


def type_hint(  # noqa: PLR0911 - a list of cases
    spec: Spec, node: Node, value: object
) -> str:
    """What to do about a value of the wrong type."""
    if node.is_scalar and value is None:
        keys = isinstance(spec, Keys | MapOf)
        return "indent its keys below it, or remove it" if keys else "write a value, or remove the key"
    if isinstance(spec, ListOf):
        item = node.text if re.fullmatch(_WORD, node.text) else "…"
        return f"write [{item}]" if node.is_scalar else ""
    if not isinstance(spec, Leaf):
        return ""
    if not node.is_scalar:
        return spec.hint
    if spec.kind == BOOL:
        word = _SWITCHES.get(node.text.lower())
        return f"write {word}" if word else ""
    if spec.kind == TEXT or (spec.kind == CHOICE and isinstance(spec.choices[0], str)):
        fits = not misfit(spec, node.text)
        return f"put it in quotes: '{node.text[:_LONGEST]}'" if fits else hint(spec, node.text)
    return f"remove the quotes: {node.text}" if re.fullmatch(_DIGITS, node.text) else "decimal digits only"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one of ``known`` that was probably meant: other case or separators, few typos, or a longer form."""
    from difflib import get_close_matches

    plain = {squeezed(name): name for name in known}
    asked = squeezed(word[:_LONGEST])
    if asked in plain:
        return plain[asked]
    if matches := get_close_matches(asked, plain, n=1, cutoff=0.7):
        return plain[matches[0]]
    longer = [name for short, name in plain.items() if _begins(short, asked)]
    return longer[0] if len(longer) == 1 else None


def _begins(one: str, other: str) -> bool:
    """Whether one is the other's beginning: ``production`` for ``prod``."""
    return min(len(one), len(other)) >= _TELLING and (one.startswith(other) or other.startswith(one))


def squeezed(word: str) -> str:
    """A word without what people mix up: case, ``_`` and ``-``."""
    return word.lower().replace("_", "").replace("-", "")
