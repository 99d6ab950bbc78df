"""Ends a run's servers and removes its folder, whatever ends the run.

A process of its own, `python reaper.py FOLDER`: standard input is a pipe from the run, on which the run writes the
process group of each server, one number per line, and its negative when that has ended: numbers of processes come back.
The pipe closes when the run ends, also where it is killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path


def main(folder: str) -> None:
    """Read process groups until the run is gone, then clean up."""
    groups: list[int] = []
    for line in sys.stdin:
        group = int(line)
        groups.append(group) if group > 0 else groups.remove(-group)
    for group in reversed(groups):
        try:
            os.killpg(group, signal.SIGKILL)  # their data is thrown away: nothing is worth waiting for
        except ProcessLookupError:
            pass
    for _ in range(20):  # a dying server may still write
        shutil.rmtree(folder, ignore_errors=True)
        if not Path(folder).exists():
            break


if __name__ == "__main__":
    main(sys.argv[1])
