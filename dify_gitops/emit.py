"""The only YAML writer: plain Python values to the YAML that people review and Kubernetes reads.

Why not a library: none quotes safely for Kubernetes. Its reader follows YAML 1.1 and 1.2 at once, so that `y`, `08`,
`1e3` and the commit id `12e45` change their type. Here every text that any of these readers could take for
something else is quoted.
"""

from __future__ import annotations

import json
import math
import re
import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Note(NamedTuple):
    """A value with a comment: behind it if it is short, above it otherwise."""

    value: Any
    text: str


def plain(value: Any) -> Any:
    """A value without the comments in it, at any depth."""
    if isinstance(value, Note):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


class Flow(list[Any]):
    """A list of short scalars that reads better on one line: ``[ALL]``."""


_WIDTH = 110

# Plain where it begins with a letter, digit, '/', '.', '_' or like a flag, and holds nothing that YAML could read
# as syntax.
_PLAIN = re.compile(r"(?:[A-Za-z0-9_/.]|--?(?=[a-z]))(?:[A-Za-z0-9_/.,@%+=~()$*?!;&<>|^ -]|:(?! ))*(?<![ :])", re.ASCII)
_PLAIN_IN_FLOW = re.compile(r"(?:[A-Za-z0-9_/.]|--?(?=[a-z]))[A-Za-z0-9_/.@%+=-]*", re.ASCII)

# What YAML 1.1, YAML 1.2 or go-yaml takes for a boolean, null, number or time, where it could be plain otherwise.
# Underscores do not count: go-yaml drops them before it looks. A leading sign is never plain.
_TYPED = re.compile(
    r"""(?ix: y|n|yes|no|on|off|true|false|null|
    \.(?:inf|nan)|
    0[box][0-9a-f]*|
    (?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[-+]?[0-9]+)?|
    [0-9]+(?::[0-9]{1,2})+(?:\.[0-9]*)?|
    [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*|
    \.\.\.(?:\ .*)?)"""  # the last one ends a document
)

# Readable only as an escape inside double quotes: tab, carriage return, YAML 1.1's extra line breaks, the BOM.
_ESCAPED = {"\u2028": "\\L", "\u2029": "\\P", "\ufeff": "\\uFEFF"}
_NEEDS_ESCAPE = re.compile("[\t\r\u2028\u2029\ufeff]")
# YAML could carry U+0085 as an escape, but kustomize writes it bare and so makes it a blank.
_REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LONGEST_KEY = 1000  # YAML ends a simple key after 1024 characters
_MERGE = "<<"  # as a key kustomize takes it for a merge even in quotes, and drops it

# Text → scalar, because most text of a repository occurs in many files. Only what is short, on one line and fit
# to be a key: a hit needs no further look, wherever it goes.
_cache: dict[str, str] = {}
_CACHED_TEXTS = 4096
_CACHED_LENGTH = 200


def scalar(text: str) -> str:
    """Text as a YAML scalar on one line. Raises ValueError for control characters and lone surrogates."""
    known = _cache.get(text)
    if known is None:
        known = _scalar(text)
        if len(text) <= _CACHED_LENGTH and "\n" not in text and text != _MERGE:
            if len(_cache) >= _CACHED_TEXTS:
                _cache.clear()
            _cache[text] = known
    return known


def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text) and not _TYPED.fullmatch(text.replace("_", "")):
        return text
    _refuse(text)
    if "\n" in text or _NEEDS_ESCAPE.search(text):
        quoted = json.dumps(text, ensure_ascii=False)
        for character, escape in _ESCAPED.items():
            quoted = quoted.replace(character, escape)
        return quoted
    return _single_quoted(text)


def _single_quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _refuse(text: str) -> None:
    if refused := _REFUSED.search(text):
        raise ValueError(f"control character U+{ord(refused[0]):04X} cannot be written to YAML: {text[:40]!r}")


def _float(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be written to YAML for Kubernetes: JSON has no such number")
    text = repr(value)
    return text if "." in text else text.replace("e", ".0e")  # YAML 1.1 takes 1e+22 for text


def _flow(values: Flow) -> str:
    return f"[{', '.join(map(_flow_item, values))}]"


def _flow_item(value: Any) -> str:
    text = _inline(value)
    if not text:
        raise TypeError(f"{value.__class__.__name__} cannot be written to YAML inside of a Flow list")
    plain = value.__class__ is str and text[0] not in "'\""
    return _single_quoted(text) if plain and not _PLAIN_IN_FLOW.fullmatch(text) else text


_INLINE: dict[type, Callable[[Any], str]] = {
    str: scalar,
    bool: lambda value: "true" if value else "false",
    int: str,
    float: _float,
    type(None): lambda _: "null",
    Flow: _flow,
    dict: lambda value: "" if value else "{}",
    list: lambda value: "" if value else "[]",
}


def _inline(value: Any) -> str:
    """A value that fits behind its key, or an empty string where it needs lines of its own."""
    write = _INLINE.get(value.__class__)
    if write is None:
        raise TypeError(f"{value.__class__.__name__} cannot be written to YAML")
    return write(value)


def _block(text: str, pad: str) -> str | None:
    """Multi-line text as a literal block, or None where a block would not give it back unchanged."""
    first, last = text[0], text.rstrip("\n")
    if first in " \t\n" or last.endswith((" ", "\t")) or len(text) - len(last) > 1:
        return None
    if _NEEDS_ESCAPE.search(text) or _REFUSED.search(text):
        return None
    lines = [f"{pad}{line}" if line else "" for line in last.split("\n")]
    return "\n".join(("|" if text.endswith("\n") else "|-", *lines))


def _comment(text: str, pad: str, out: list[str]) -> None:
    width = _WIDTH - len(pad) - 2
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    out += [f"{pad}# {line}" for line in lines]


def _mapping(mapping: dict[str, Any], pad: str, out: list[str]) -> None:
    known = _cache.get
    deeper = pad + "  "
    for key, value in mapping.items():
        name = known(key) or _key(key)
        kind = value.__class__
        # The three shapes that nearly every line has come first: this loop is the whole cost of writing.
        if kind is str and (text := known(value)):
            out.append(f"{pad}{name}: {text}")
        elif kind is dict and value:
            out.append(f"{pad}{name}:")
            _mapping(value, deeper, out)
        elif kind is list and value:
            out.append(f"{pad}{name}:")
            _sequence(value, pad, out)
        else:
            _entry(f"{pad}{name}:", value, pad, out)


def _key(key: str) -> str:
    if key == _MERGE:
        raise ValueError(f"{_MERGE!r} cannot be a key: kustomize would drop it")
    name = scalar(key)
    if len(name) > _LONGEST_KEY:
        raise ValueError(f"key too long for YAML: {key[:40]!r}…")
    return name


def _entry(head: str, value: Any, pad: str, out: list[str]) -> None:
    """One ``key: value`` or ``- value``, with its comment."""
    note = ""
    if value.__class__ is Note:
        value, note = value[0], _one_line(value[1])
    if value.__class__ is str and "\n" in value and (block := _block(value, pad + "  ")):
        inline = block
    else:
        inline = _inline(value)
    if note:
        if inline and "\n" not in inline and len(head) + len(inline) + len(note) + 5 <= _WIDTH:
            inline = f"{inline}  # {note}"
        else:
            _comment(note, pad, out)
    if inline:
        out.append(f"{head} {inline}")
    elif value.__class__ is dict:
        out.append(head)
        _mapping(value, pad + "  ", out)
    else:
        out.append(head)
        _sequence(value, pad, out)


def _one_line(note: str) -> str:
    """A comment's text without any line break, of which YAML 1.1 knows more than ASCII's."""
    _refuse(note)
    return " ".join(note.split())


def _sequence(items: list[Any], pad: str, out: list[str]) -> None:
    for item in items:
        value, note = (item[0], _one_line(item[1])) if item.__class__ is Note else (item, "")
        nested = value.__class__ is dict or value.__class__ is list
        if not (nested and value):
            _entry(f"{pad}-", item, pad, out)
            continue
        if note:
            _comment(note, pad, out)
        start = len(out)
        if value.__class__ is dict:
            _mapping(value, pad + "  ", out)
        else:
            _sequence(value, pad + "  ", out)
        # A comment above the first key goes to the dash's column: further in it could end up in a block above.
        while out[start].lstrip().startswith("#"):
            out[start] = f"{pad}{out[start].lstrip()}"
            start += 1
        out[start] = f"{pad}- {out[start][len(pad) + 2 :]}"


def emit(value: Any) -> str:
    """One YAML document, without a ``---`` line, ending in a newline.

    ``value`` is made of dict (text keys, order kept), list, str, int, float, bool, None, Note and Flow.
    Raises ValueError for text that YAML cannot carry and TypeError for other types.
    """
    out: list[str] = []
    if value.__class__ is dict and value:
        _mapping(value, "", out)
    elif value.__class__ is list and value:
        _sequence(value, "", out)
    else:
        out.append(_inline(value))
    return "\n".join(out) + "\n"
