"""Bounded waiting that says what it waits for."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from dify_gitops.process import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSE = 0.5  # seconds between two looks, each of which starts a program or two
TELL = 5.0  # seconds between two lines of progress


class TooLong(ToolError):  # noqa: N818 - as TimeoutError has a meaning of its own
    """What was waited for did not come."""


def say(text: str) -> None:
    """Print a line of progress, past any capture by pytest."""
    print(f"    {text}", file=sys.__stderr__, flush=True)


def wait(what: str, missing: Callable[[], object], seconds: float) -> None:
    """Return once `missing()` gives nothing; what it gives is told as progress, and in the error.

    Raises TooLong after `seconds`. An exception of `missing` ends the waiting.
    """
    begun = time.monotonic()
    told = begun
    while lacks := missing():
        now = time.monotonic()
        if now - begun > seconds:
            raise TooLong(f"{what}: not after {seconds:g} s; still missing: {lacks}")
        if now - told > TELL:
            say(f"{what}: {now - begun:.0f} s, waits for {lacks}")
            told = now
        time.sleep(PAUSE)
    say(f"{what}: {time.monotonic() - begun:.1f} s")
