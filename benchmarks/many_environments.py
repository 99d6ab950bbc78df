"""Ten times as many environments: time, memory, and what a second run writes."""

from __future__ import annotations

import re
import shutil
import statistics
import sys
from pathlib import Path

from measure import ROOT, Row, generate_again, generate_fresh, seconds

from dify_gitops.repository import PER_ENVIRONMENT

ROUNDS = 3
FEW, MANY = 50, 500
_MEMORY = "print(open('/proc/self/status').read())"
_GENERATE = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from dify_gitops.cli import main
assert main(["generate"]) == 0
"""

# inode and time of change; of folders too, so that a file written aside and removed again is seen
Snapshot = dict[Path, tuple[int, int]]


def _input(folder: Path, count: int) -> Path:
    """Input of ``count`` environments, profiles in turn, each with its own project and domain."""
    (folder / "environments").mkdir(parents=True)
    shutil.copy(ROOT / "platform.yaml", folder)
    for number in range(count):
        (folder / f"environments/env-{number}.yaml").write_text(
            f"profile: {'dev' if number % 2 else 'prod'}\n"
            f"project: acme-dify-{number}\n"
            "region: asia-northeast1\n"
            f"domain: dify-{number}.acme.example\n",
            encoding="utf-8",
        )
    return folder


def _snapshot(folder: Path) -> Snapshot:
    paths = [folder, *folder.rglob("*")]
    return {path: ((stat := path.stat()).st_ino, stat.st_mtime_ns) for path in paths}


def _written(before: Snapshot, after: Snapshot) -> list[Path]:
    return [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]


def _peak(folder: Path, program: str) -> float:
    """Peak memory of a Python program in MiB, as Linux counts it for the process itself.

    Not by ``wait4``: its number counts the memory that the child shared with this process before it became Python.
    """
    out = folder / "memory.txt"
    seconds([sys.executable, "-c", f"{program}\n{_MEMORY}"], folder, out)
    found = re.search(r"VmHWM:\s+(\d+) kB", out.read_text(encoding="utf-8"))
    out.unlink()
    return int(found[1]) / 1024 if found else float("nan")


def rows(folder: Path) -> list[Row]:
    """Measures."""
    few, many = _input(folder / "few", FEW), _input(folder / "many", MANY)
    fresh, again, second = [], [], []
    for _ in range(ROUNDS):
        first_run = generate_fresh(many)
        second_run = generate_again(many)
        fresh.append(first_run / generate_fresh(few))
        again.append(second_run / generate_again(few))
        second.append(second_run / first_run)
    return [
        Row(f"{MANY} environments / {FEW}, nothing written yet", statistics.median(fresh), 11),
        Row(f"{MANY} environments / {FEW}, everything current", statistics.median(again), 11),
        Row(f"{MANY} environments, second run / first", statistics.median(second), 1),
        *_writes(many),
        _memory(many),
    ]


def _writes(folder: Path) -> list[Row]:
    current = _snapshot(folder)
    generate_again(folder)
    unchanged = _snapshot(folder)
    changed = folder / "environments/env-250.yaml"
    changed.write_text(changed.read_text(encoding="utf-8") + "dify: 1.12.1\nweb: {max: 5}\n", encoding="utf-8")
    generate_again(folder)
    written = set(_written(unchanged, _snapshot(folder))) - {changed}
    others = {path for path in written if not path.is_relative_to(folder / "overlays/env-250")}
    if written == others:
        raise AssertionError("the changed environment was not written")
    return [
        Row(f"{MANY} environments, files written by an unchanged run", len(_written(current, unchanged)), 0),
        Row(f"{MANY} environments, one changed: files of others written", len(others), 0),
    ]


def _memory(folder: Path) -> Row:
    what = f"{MANY} environments, peak memory above `python -c pass` (MiB)"
    if not Path("/proc/self/status").exists():
        return Row(what, None, 40, note="needs Linux")
    for above in PER_ENVIRONMENT:
        shutil.rmtree(folder / above)
    return Row(what, _peak(folder, _GENERATE) - _peak(folder, "pass"), 40)
