"""``bootstrap/<env>/``: the steps from an empty project to an Argo CD that reconciles, as a script and as text."""

from __future__ import annotations

from typing import NamedTuple


class Command(NamedTuple):
    """A command and the question that tells whether it is needed: ``unless`` succeeds where it was done before."""

    words: tuple[str, ...]
    unless: tuple[str, ...] = ()


class Step(NamedTuple):
    """Commands with one purpose."""

    title: str
    commands: list[Command]
