"""The model's types, looked at once: what a value must be, in the words of a message."""

from __future__ import annotations

from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct, structs

if TYPE_CHECKING:
    from dify_gitops.input.formats import Check

TEXT = "text"
BOOL = "bool"
INT = "int"
CHOICE = "choice"

_WHAT = {TEXT: "text", BOOL: "true or false", INT: "a whole number"}
_KINDS = {str: TEXT, bool: BOOL, int: INT}


class Spec(Struct, frozen=True):
    """What a value must be: ``what`` completes «expected …», ``optional`` values may be null."""

    what: str
    optional: bool = False


class Leaf(Spec, frozen=True, kw_only=True):
    """One scalar. msgspec validates it against ``type``; the rest says why it did not fit, and what would."""

    kind: str
    type: Any
    hint: str = ""
    check: Check | None = None
    pattern: str | None = None
    ge: int | None = None
    le: int | None = None
    min_length: int | None = None
    choices: tuple[str | int, ...] = ()
    hidden: bool = False  # a wrong value is not shown


class ListOf(Spec, frozen=True, kw_only=True):
    """A list of equal items."""

    item: Spec


class MapOf(Spec, frozen=True, kw_only=True):
    """A mapping with keys of the user's choice."""

    key: Leaf
    item: Spec


class Keys(Spec, frozen=True, kw_only=True):
    """A mapping with known keys, by their name in the file."""

    model: type[Struct]
    fields: dict[str, Field]

    def defaults(self) -> dict[str, Any]:
        """Defaults by attribute name; without the required keys, which have none."""
        return {field.name: field.default for field in self.fields.values() if not field.required}


class Field(Struct, frozen=True):
    """One known key. ``name`` is the attribute's; ``default`` means nothing where ``required``."""

    name: str
    required: bool
    default: Any
    spec: Spec
    description: str


@cache
def keys(model: type[Struct]) -> Keys:
    """The keys of a struct, with theirs, all the way down."""
    fields = {}
    for field in structs.fields(model):
        default = field.default
        if default is msgspec.NODEFAULT and field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        about = " ".join(meta.description or "" for meta in _metas(field.type)).strip()
        fields[field.encode_name] = Field(field.name, field.required, default, _spec(field.type), about)
    return Keys("keys with values", model=model, fields=fields)


def _metas(kind: Any) -> list[Meta]:
    return [meta for meta in getattr(kind, "__metadata__", ()) if isinstance(meta, Meta)]


def _spec(kind: Any) -> Spec:
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    origin = get_origin(bare)
    if origin in (Union, UnionType):
        (inner,) = (part for part in get_args(bare) if part is not NoneType)
        return structs.replace(_spec(inner), optional=True)
    if isinstance(bare, type) and issubclass(bare, Struct):
        return keys(bare)
    if origin is tuple:
        return ListOf("a list", item=_spec(get_args(bare)[0]))
    if origin is dict:
        key, value = (_spec(part) for part in get_args(bare))
        if isinstance(key, Leaf):
            return MapOf("keys with values", key=key, item=value)
    if origin is Literal:
        choices = get_args(bare)
        return Leaf(one_of(choices), kind=CHOICE, type=bare, choices=choices)
    if bare in _KINDS:
        return _leaf(_KINDS[bare], kind, _metas(kind))
    raise TypeError(f"the loader knows no type {kind}")


def _leaf(kind: str, annotated: Any, metas: list[Meta]) -> Leaf:
    found: dict[str, Any] = {"what": _WHAT[kind]}
    for meta in metas:
        bounds = {name: getattr(meta, name) for name in ("pattern", "ge", "le", "min_length")}
        found |= {name: value for name, value in bounds.items() if value is not None}
        found |= {name: value for name, value in (meta.extra or {}).items() if value}
    return Leaf(kind=kind, type=annotated, **found)


def one_of(words: tuple[str | int, ...]) -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    *most, last = [str(word) for word in words]
    return f"{', '.join(most)} or {last}" if most else last
