"""Nodes → the typed model, along the model's own types. Every problem is reported, none hides another.

Scalars follow YAML 1.2's core schema, and less: only ``true`` and ``false`` are booleans, only decimal digits
are numbers. ``NO``, ``010``, ``12:30``, ``1e3``, ``0x1f`` and dates stay the text that they look like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from msgspec import structs

from dify_gitops.input import specs, words
from dify_gitops.input.nodes import LIST, MAPPING, PLAIN, REFUSED
from dify_gitops.input.suggest import Suggestions

if TYPE_CHECKING:
    from dify_gitops.input.document import Document
    from dify_gitops.input.nodes import Node, Path
    from dify_gitops.input.specs import Keys, Leaf, ListOf, MapOf, Spec

M = TypeVar("M", bound=msgspec.Struct)

# Python refuses to read numbers of thousands of digits; so long, only the size matters.
_MANY_DIGITS: Final = 100

BAD: Final = object()
"""Stands for a value that was complained about."""


def scalar(node: Node) -> str | int | float | bool | None:
    """What a scalar means. A float means only «a number»: no key of ours takes one."""
    text = node.text
    if node.kind != PLAIN:
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    whole, dot, fraction = text.removeprefix("-").partition(".")
    if _digits(whole) and _digits(fraction):
        return float(text)
    if _digits(whole) and not dot and (whole == "0" or whole[0] != "0"):
        return int(text[:_MANY_DIGITS])
    return text


def _digits(text: str) -> bool:
    return text.isdigit() and text.isascii()


class Decoder:
    """Reads one document. ``bad`` holds the paths whose values the result lacks."""

    def __init__(self, document: Document, root: type[msgspec.Struct]) -> None:
        self._document = document
        self._suggestions = Suggestions(root)
        self.bad: list[Path] = []

    def root(self, base: M) -> M:
        """The whole document over ``base``, whose values of required keys stand in where those are bad."""
        spec = specs.keys(type(base))
        stand_in = structs.asdict(base)
        optional = spec.defaults()
        below = {name: value for name, value in stand_in.items() if name in optional}
        given = self._fields(self._document.root, spec, (), below)
        return type(base)(**{**stand_in, **given})

    def _keys(self, node: Node, spec: Keys, path: Path, base: Any) -> Any:
        below = spec.defaults() if base is None else structs.asdict(base)
        values = {**below, **self._fields(node, spec, path, below)}
        return spec.model(**values) if len(values) == len(spec.fields) else BAD

    def _fields(self, node: Node, spec: Keys, path: Path, below: dict[str, Any]) -> dict[str, Any]:
        """What ``node`` gives, by attribute name. ``below`` holds what may be left out."""
        given: dict[str, Any] = {}
        if node.kind != MAPPING:
            self._wrong_type(node, spec, path)
            return given
        pairs = self._pairs(node, path)
        for key, key_node, value_node in pairs:
            if (field := spec.fields.get(key)) is None:
                message, hint = self._suggestions.unknown(key, spec.fields)
                self._complain(key_node, (*path, key), message, hint)
                continue
            value = self._value(value_node, field.spec, (*path, key), below.get(field.name))
            if value is not BAD:
                given[field.name] = value
        seen = {key for key, _, _ in pairs}
        for key, field in spec.fields.items():
            if key not in seen and field.name not in below:
                hint = field.spec.what
                if isinstance(field.spec, specs.Leaf) and field.spec.hint:
                    hint += f", {field.spec.hint}"
                self._bad(self._document.place(path), (*path, key), "is missing", hint)
        return given

    def _value(self, node: Node, spec: Spec, path: Path, base: Any) -> Any:
        if spec.optional and node.kind == PLAIN and scalar(node) is None:
            return None
        if isinstance(spec, specs.Keys):
            return self._keys(node, spec, path, base)
        if isinstance(spec, specs.MapOf):
            return self._map(node, spec, path, base or {})
        if isinstance(spec, specs.ListOf):
            return self._list(node, spec, path)
        if not isinstance(spec, specs.Leaf):
            raise TypeError(f"no way to read {spec}")
        return self._leaf(node, spec, path)

    def _map(self, node: Node, spec: MapOf, path: Path, base: dict[str, Any]) -> Any:
        if node.kind != MAPPING:
            return self._wrong_type(node, spec, path)
        result = dict(base)
        for key, key_node, value_node in self._pairs(node, path):
            if message := words.misfit(spec.key, key):
                self._bad(key_node, (*path, key), message, spec.key.hint)
                continue
            value = self._value(value_node, spec.item, (*path, key), base.get(key))
            if value is not BAD:
                result[key] = value
        return result

    def _list(self, node: Node, spec: ListOf, path: Path) -> Any:
        if node.kind != LIST:
            return self._wrong_type(node, spec, path)
        values = [self._value(item, spec.item, (*path, index), None) for index, item in enumerate(node.items)]
        return BAD if BAD in values else tuple(values)

    def _leaf(self, node: Node, spec: Leaf, path: Path) -> Any:
        value = scalar(node) if node.is_scalar else None
        complaint = ""
        try:
            value = msgspec.convert(value, spec.type)
        except msgspec.ValidationError as error:
            if not words.has_type(spec, value):
                return self._wrong_type(node, spec, path)
            complaint = str(error)  # for a bound that has no words of ours
        message = words.misfit(spec, value) or complaint
        return self._bad(node, path, message, words.hint(spec, value), secret=spec.hidden) if message else value

    def _pairs(self, node: Node, path: Path) -> list[tuple[str, Node, Node]]:
        """Keys that are text, with key and value node; the first of several equal ones."""
        lines: dict[str, int] = {}
        pairs = []
        for key, value in node.pairs():
            if key.kind == REFUSED:
                continue
            if not key.is_scalar or not isinstance(scalar(key), str):
                got = words.got(key, scalar(key) if key.is_scalar else None)
                hint = f"put it in quotes: '{key.text[:_MANY_DIGITS]}'" if key.is_scalar else ""
                self._complain(key, path, f"a key must be text, this is {got}", hint)
            elif key.text == "<<" and key.kind == PLAIN:
                self._complain(key, path, "merge keys (<<) are not supported", "write the keys out")
            elif key.text in lines:
                message = f"stands here twice, first on line {lines[key.text]}"
                self._complain(key, (*path, key.text), message, "keep one of them")
            else:
                lines[key.text] = key.line
                pairs.append((key.text, key, value))
        return pairs

    def _wrong_type(self, node: Node, spec: Spec, path: Path) -> Any:
        if node.kind == REFUSED:
            self.bad.append(path)
            return BAD
        value = scalar(node) if node.is_scalar else None
        message = f"expected {spec.what}, got {words.got(node, value)}"
        return self._bad(node, path, message, words.type_hint(spec, node, value))

    def _bad(self, node: Node, path: Path, message: str, hint: str = "", *, secret: bool = False) -> Any:
        self.bad.append(path)
        self._complain(node, path, message, hint, secret=secret)
        return BAD

    def _complain(self, node: Node, path: Path, message: str, hint: str = "", *, secret: bool = False) -> None:
        self._document.problem(node, words.dotted(path), message, hint, secret=secret)
