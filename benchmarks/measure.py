"""How all benchmarks measure: wall time, in turns A B B A …, and the median of the ratios of neighbours.

A busy machine slows neighbours down alike, so that ratios stay where seconds do not.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dify_gitops.process import ToolError
from dify_gitops.repository import PER_ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[1]
GENERATE = [sys.executable, str(ROOT / "gen.py")]
BARE_PYTHON = [sys.executable, "-c", "pass"]


class Row(NamedTuple):
    """One line of the table; ``measured`` is None where something is missing, and ``note`` says what."""

    what: str
    measured: float | None
    limit: float
    at_least: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.measured is None:
            return f"not measured: {self.note}"
        within = self.measured >= self.limit if self.at_least else self.measured <= self.limit
        return "ok" if within else "over"

    def __str__(self) -> str:
        value = "-" if self.measured is None else f"{self.measured:.2f}".rstrip("0").rstrip(".")
        return f"| {self.what} | {value} | {'≥' if self.at_least else '≤'} {self.limit:g} | {self.verdict} |"


def ratio(first: Callable[[], float], second: Callable[[], float], pairs: int) -> float:
    """Median of ``first() / second()``, both in seconds; who begins changes from pair to pair."""
    ratios = []
    for number in range(pairs):
        if number % 2:
            below = second()
            above = first()
        else:
            above = first()
            below = second()
        ratios.append(above / below)
    return statistics.median(ratios)


def seconds(
    argv: Sequence[str | Path], folder: Path, out: str | Path = os.devnull, env: Mapping[str, str] | None = None
) -> float:
    """Wall time of a program that runs in ``folder``, from start to end; its output goes to the file ``out``.

    ``env`` is laid over the current environment. Raises ToolError where it fails. Not by ``subprocess``, whose own
    work is a tenth of a bare Python's start.
    """
    args = [os.fspath(arg) for arg in argv]
    to_file = (os.POSIX_SPAWN_OPEN, 1, os.fspath(out), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    with contextlib.chdir(folder):
        start = time.perf_counter()
        child = os.posix_spawnp(args[0], args, {**os.environ, **(env or {})}, file_actions=[to_file])
        _, status = os.waitpid(child, 0)
        end = time.perf_counter()
    if status:
        raise ToolError(f"exit status {os.waitstatus_to_exitcode(status)}: {' '.join(args)} (in {folder})")
    return end - start


def copy_input(folder: Path) -> None:
    """Puts this repository's own input into ``folder``."""
    shutil.copy(ROOT / "platform.yaml", folder)
    shutil.copytree(ROOT / "environments", folder / "environments")


def generate_fresh(folder: Path) -> float:
    """Seconds of ``gen.py`` where nothing is written yet."""
    for name in ("base", *PER_ENVIRONMENT):
        shutil.rmtree(folder / name, ignore_errors=True)
    return seconds(GENERATE, folder)


def generate_again(folder: Path) -> float:
    """Seconds of ``gen.py`` where everything is current."""
    return seconds(GENERATE, folder)
