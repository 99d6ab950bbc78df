"""The only place that starts a process."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dify_gitops.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

TAIL_LINES = 20


class ToolError(UserError):
    """An external program is missing, failed or took too long; the text is meant for the user."""


@dataclass(frozen=True, slots=True)
class Completed:
    """What a finished process left behind, decoded as UTF-8."""

    stdout: str
    stderr: str
    code: int


def run(
    args: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    input: str | None = None,  # noqa: A002 - the name `subprocess` uses
    timeout: float = 120,
    env: Mapping[str, str] | None = None,
    accept: Collection[int] = (0,),
) -> Completed:
    """Run `args` (no shell) to its end and return what it printed.

    `timeout` is in seconds; `env` is laid over the current environment; `accept` holds the exit
    statuses that count as success (kubeconform, for one, says 1 for «found something»).
    Raises ToolError with the shell-quoted command for a missing program, a time-out, another exit status.
    """
    argv = [os.fspath(arg) for arg in args]
    command = shlex.join(argv)
    try:
        # A process group of its own: compilers start children that hold the pipes open after their parent.
        child = subprocess.Popen(  # noqa: S603 - no shell; callers pass fixed programs
            argv,
            cwd=cwd,
            env={**os.environ, **env} if env else None,
            stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        place = f" in {cwd}" if cwd else ""
        raise ToolError(f"cannot run{place}: {command}\n{error.strerror}: {error.filename}") from error
    try:
        stdout, stderr = child.communicate(input, timeout)
    except BaseException as error:
        _kill(child)
        if isinstance(error, subprocess.TimeoutExpired):
            raise ToolError(f"no end after {timeout:g} s: {command}") from error
        raise
    if child.returncode not in accept:
        raise ToolError(f"exit status {child.returncode}: {command}\n{_tail(stderr or stdout)}".rstrip())
    return Completed(stdout, stderr, child.returncode)


def _kill(child: subprocess.Popen[str]) -> None:
    """End the whole process group, so that an interrupted run leaves nothing behind."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.communicate()


def _tail(text: str) -> str:
    """Return the last lines: a compiler's or validator's reason stands at the end."""
    lines = text.splitlines()
    return "\n".join(lines if len(lines) <= TAIL_LINES else ["…", *lines[-TAIL_LINES:]])
