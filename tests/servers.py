"""What the tests with real servers share: finding programs, free ports, waiting, ending what was started."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from e2e.processes import listens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

TEMPLATES = Path(__file__).parents[1] / "dify_gitops" / "templates"
DEADLINE = 20.0  # seconds; generous for a loaded machine, never waited for when all is well


def program(name: str) -> str:
    """Path of a server program, or a visible skip: these tests run wherever the program is in PATH."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not in PATH: its configuration is not tested here")
    return found


def replace_once(text: str, changes: Mapping[str, str]) -> str:
    """Replace each key by its value; a key that does not occur exactly once fails the test.

    Ports, paths and host names of a shipped file differ on a test machine; everything else stays as shipped.
    """
    for old, new in changes.items():
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times, expected once"
        text = text.replace(old, new)
    return text


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Return when `condition()` is true; fail the test, naming `what`, when it does not become true."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"gave up waiting for {what}"
        time.sleep(0.02)


@contextmanager
def running(
    args: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server with its output in `log`; kill it at the end of the block."""
    with log.open("wb") as output:
        server = subprocess.Popen(
            [os.fspath(arg) for arg in args],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **env} if env else None,
        )
    try:
        yield server
    finally:
        server.kill()
        server.wait()


def wait_until_up(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return when the server accepts connections on `port`; fail with its output when it ends before."""

    def up() -> bool:
        assert server.poll() is None, f"the server ended: {log.read_text(errors='replace')}"
        return listens(port)

    wait_for(up, f"port {port}")
