"""Rules over typed input, one small function each. They yield complaints; `crosscheck` places them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from dify_gitops.input.nodes import Path


class Complaint(msgspec.Struct, frozen=True):
    """What is wrong at ``path`` and what to do. ``also`` names other keys that the rule looked at, ``*`` any.

    A complaint is dropped where one of these keys has a problem of its own: what follows is no news.
    """

    path: Path
    message: str
    hint: str = ""
    also: tuple[Path, ...] = ()
    about_key: bool = False  # the caret points at the key, not at its value
    secret: bool = False  # the value is not repeated


Complaints = Iterator[Complaint]
