"""YAML text → nodes that know their place. Nothing is made of them here: `decode` gives them meaning.

libyaml reports events; they are stacked into a tree here, so that no depth, alias or tag gets past us.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import yaml

from dify_gitops.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PLAIN: Final = "plain"
QUOTED: Final = "quoted"
LIST: Final = "list"
MAPPING: Final = "mapping"
REFUSED: Final = "refused"  # already complained about: nobody looks into it

MAX_DEPTH: Final = 20  # our keys need six

Path = tuple[str | int, ...]
"""Where something stands, in keys of the file: ``("worker", "pools", "batch", "queues", 0)``."""


class Node(msgspec.Struct):
    """A scalar with its text, a list with its items, or a mapping with its keys and values in turns."""

    line: int
    column: int
    kind: str
    text: str = ""
    items: list[Node] = []

    @property
    def is_scalar(self) -> bool:
        """Whether it has a text."""
        return self.kind in (PLAIN, QUOTED)

    def pairs(self) -> Iterator[tuple[Node, Node]]:
        """Keys with their values, duplicates included; nothing unless it is a mapping."""
        items = self.items if self.kind == MAPPING else []
        return zip(items[::2], items[1::2], strict=True)


class Refusal(Exception):  # noqa: N818 - it is what ends the reading, not an error of ours
    """The text cannot be read any further."""

    def __init__(self, line: int, column: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.line, self.column, self.message, self.hint = line, column, message, hint


def compose(text: str, complain: Callable[[Node, str, str], None]) -> Node:
    """The one document of ``text``.

    Raises Refusal for what ends the reading and yaml.MarkedYAMLError for what is no YAML. What can be skipped
    (aliases, tags) goes to ``complain`` with message and hint, and stays in the tree as REFUSED.
    """
    if not hasattr(yaml, "CSafeLoader"):
        raise UserError("PyYAML was installed without its C part", "install it from a wheel, as `make` does")
    top = Node(1, 1, LIST)
    parents = [top]
    for event in yaml.parse(text, yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionEndEvent):
            parents.pop()
        elif isinstance(event, yaml.NodeEvent):
            node = _node(event, complain)
            parents[-1].items.append(node)
            if isinstance(event, yaml.CollectionStartEvent):
                parents.append(node)
                if len(parents) > MAX_DEPTH:
                    raise Refusal(node.line, node.column, f"more than {MAX_DEPTH} levels deep", "no key is")
        elif isinstance(event, yaml.DocumentStartEvent) and top.items:
            raise Refusal(*_place(event), "a second document begins", "one file holds one; remove '---'")
    if not top.items or (top.items[0].kind == PLAIN and not top.items[0].text):
        raise Refusal(1, 1, "the file is empty", "the README lists all keys")
    return top.items[0]


def _node(event: yaml.NodeEvent, complain: Callable[[Node, str, str], None]) -> Node:
    line, column = _place(event)
    if isinstance(event, yaml.AliasEvent):
        node = Node(line, column, REFUSED)
        complain(node, f"alias *{event.anchor}", "aliases are not supported: write the value out")
        return node
    if isinstance(event, yaml.ScalarEvent):
        node = Node(line, column, PLAIN if event.implicit[0] else QUOTED, event.value)
    else:
        node = Node(line, column, MAPPING if isinstance(event, yaml.MappingStartEvent) else LIST)
    tag = event.tag if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) else None
    if tag is not None:
        node.kind = REFUSED
        hint = "tags are not supported: put text in quotes, write anything else as it is"
        complain(node, f"tag {tag.replace('tag:yaml.org,2002:', '!!')}", hint)
    return node


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)
