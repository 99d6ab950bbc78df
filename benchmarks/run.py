"""`make bench`: prints one Markdown table of ratios, each with its limit; exit status 1 unless every line is ok.

Only ratios of programs that run in turns on the same machine: seconds would say more about the machine than about us.
Byte code is compiled first, as `make generate` does on installation: also where the caller's environment forbids
Python to write it (PYTHONDONTWRITEBYTECODE), and the first line would otherwise measure the compiler.
Files are written to memory where the system offers enough of it as a folder: disks differ more than programs, and
on one ext4 the ten-thousandth file took ten times as long as the first.
"""

from __future__ import annotations

import compileall
import shutil
import sys
import tempfile
from pathlib import Path

import emitter
import kustomize_overlay
import many_environments
import rules
import whole_run
from measure import ROOT

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
NEEDED_BYTES = 500_000_000
# The one with many files comes last: memory that it leaves behind slowed what came after it, unevenly.
BENCHMARKS = (emitter, rules, whole_run, kustomize_overlay, many_environments)


def main() -> int:
    """Runs all benchmarks; lines appear as they are measured."""
    compileall.compile_dir(ROOT / "dify_gitops", quiet=1)
    print("| what | measured | limit | |\n|---|--:|--:|---|", flush=True)
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= NEEDED_BYTES
    fine = True
    for benchmark in BENCHMARKS:
        with tempfile.TemporaryDirectory(prefix="bench-", dir=MEMORY if in_memory else None) as folder:
            for row in benchmark.rows(Path(folder)):
                print(row, flush=True)
                fine = fine and row.verdict == "ok"
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
