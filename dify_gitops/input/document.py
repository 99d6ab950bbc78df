"""One input file: its nodes, and every problem with the line that it stands on."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final

import yaml

from dify_gitops.catalogue.given_away import unspeakable
from dify_gitops.catalogue.secrets import is_secret
from dify_gitops.errors import InputError, Problem
from dify_gitops.input.nodes import LIST, MAPPING, Node, Path, Refusal, compose
from dify_gitops.input.syntax import explain

if TYPE_CHECKING:
    from collections.abc import Iterator

# What stands here is typed by people: more is a mistake, or an attack on a build server.
MAX_BYTES: Final = 256 * 1024

_LONG_LINE: Final = 200  # not worth a copy for each of its problems

# What may stand in a YAML 1.2 file (https://yaml.org/spec/1.2.2/#51-character-set), less the byte order mark.
_PRINTABLE: Final = "\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff"
_BREAK: Final = "\r\n|[\n\r\x85\u2028\u2029]"  # as libyaml counts lines
_KEY: Final = re.compile(r"([A-Za-z][\w-]*)[\"']?\s*:\s*(?=[^\s#])")


class Document:
    """``file`` is the name below the repository, with ``/``; ``problems`` grows while the file is judged."""

    def __init__(self, file: str, data: bytes) -> None:
        """Raise InputError where ``data`` is not one YAML document."""
        self.file = file
        self.problems: list[Problem] = []
        self.text = ""
        try:
            self._read(data)
            self.root  # noqa: B018 - here is where a file that is no YAML is refused
        except Refusal as refusal:
            problem = self._problem(refusal.line, refusal.column, "", refusal.message, refusal.hint)
            raise InputError([*self.problems, problem]) from None
        except yaml.MarkedYAMLError as error:
            line, column, message, hint = explain(error, self._lines)
            raise InputError([*self.problems, self._problem(line, column, "", message, hint)]) from None

    def problem(self, node: Node, key: str, message: str, hint: str = "", *, secret: bool = False) -> None:
        """Add a problem at the place of ``node``; a ``secret`` one does not show what stands there.

        What looks like a secret is one, whatever else is wrong with it.
        """
        if not secret and (kind := unspeakable(node.text) or unspeakable(message)):
            message, hint, secret = f"looks like {kind}", "remove it: secrets come from Secret Manager", True
        key = "" if unspeakable(key) else key
        problem = self._problem(node.line, node.column, key, message, hint, secret=secret)
        if not secret or problem not in self.problems:
            self.problems.append(problem)

    def blames(self, node: Node) -> bool:
        """Whether something is wrong at the place of ``node`` already."""
        return any((one.line, one.column) == (node.line, node.column) for one in self.problems)

    def place(self, path: Path, *, about_key: bool = False) -> Node:
        """The node at ``path``, or at the longest part of it that the file holds.

        A scalar stands for itself, unless ``about_key``; a block is found at its key, where a reader looks.
        """
        while path and path not in self._nodes:
            path = path[:-1]
        key, value = self._nodes[path]
        return value if value.is_scalar and value.text and not about_key else key

    def holds(self, path: Path) -> bool:
        """Whether something stands at exactly this path."""
        return path in self._nodes

    def forget(self) -> None:
        """Free the nodes, most of what a document takes; they come back when asked for, and so do complaints."""
        for name in ("root", "_nodes", "_lines"):
            self.__dict__.pop(name, None)

    @cached_property
    def root(self) -> Node:
        """The whole document."""
        return compose(self.text, lambda node, message, hint: self.problem(node, "", message, hint))

    @cached_property
    def _nodes(self) -> dict[Path, tuple[Node, Node]]:
        """Key and value by path, the first of several; an item of a list is its own key."""
        found: dict[Path, tuple[Node, Node]] = {(): (self.root, self.root)}
        waiting: list[tuple[Path, Node]] = [((), self.root)]
        while waiting:
            path, node = waiting.pop()
            steps: list[tuple[str | int, Node, Node]] = [(key.text, key, value) for key, value in node.pairs()]
            if node.kind == LIST:
                steps = [(index, item, item) for index, item in enumerate(node.items)]
            for step, key, value in steps:
                inner = (*path, step)
                if inner not in found:
                    found[inner] = (key, value)
                    waiting.append((inner, value))
        return found

    @cached_property
    def _lines(self) -> list[str]:
        return re.split(_BREAK, self.text)

    def scalars(self) -> Iterator[tuple[Path, Node]]:
        """Every key and every scalar value, each with the path of the value."""
        waiting: list[tuple[Path, Node]] = [((), self.root)]
        while waiting:
            path, node = waiting.pop()
            if node.kind == LIST:
                waiting += (((*path, index), item) for index, item in enumerate(node.items))
            elif node.kind == MAPPING:
                for key, value in node.pairs():
                    yield (*path, key.text), key
                    waiting.append(((*path, key.text), value))
            else:
                yield path, node

    def _problem(self, line: int, column: int, key: str, message: str, hint: str, *, secret: bool = False) -> Problem:
        source = self._lines[line - 1] if line <= len(self._lines) else ""
        end = column - 1 if secret else _value_of_secret(source)
        if end < len(source):  # a caret beyond it would point at nothing
            source = f"{source[:end]}…" if column - 1 <= end < _LONG_LINE else ""
        if unspeakable(source):  # something else on the same line
            source = ""
        return Problem(self.file, line, column, key, message, hint, source)

    def _read(self, data: bytes) -> None:
        if len(data) > MAX_BYTES:
            raise Refusal(1, 1, f"the file is larger than {MAX_BYTES // 1024} KiB", "is it an input file?")
        try:
            self.text = data.decode()
        except UnicodeDecodeError as error:
            self.text = data.decode(errors="replace")
            message = f"byte 0x{data[error.start]:02x} is not UTF-8"
            raise Refusal(*_end(data[: error.start].decode()), message, "save the file as UTF-8") from None
        if self.text.startswith("\ufeff"):
            self.text = self.text[1:]
            raise Refusal(1, 1, "a byte order mark begins the file", "save it as UTF-8 without BOM")
        if self.text.replace("\n", "").isprintable():
            return  # as nearly every file is: compiling the expression takes longer than all of this
        if unprintable := re.search(f"[^{_PRINTABLE}]", self.text):
            message = f"control character U+{ord(unprintable[0]):04X}"
            raise Refusal(*_end(self.text[: unprintable.start()]), message, "remove it")


def _value_of_secret(line: str) -> int:
    """Where the value begins of the first key that is called like a secret, known here or not; the end without any."""
    for found in _KEY.finditer(line):
        if is_secret(re.sub(r"(?<=[a-z0-9])(?=[A-Z])|-", "_", found[1])):
            return found.end()
    return len(line)


def _end(text: str) -> tuple[int, int]:
    """Line and column after ``text``, from 1."""
    *before, last = re.split(_BREAK, text)
    return len(before) + 1, len(last) + 1
