"""A whole run of gen.py, from start to end of the process, against a bare Python and against cdk8s.

cdk8s is handed the finished objects as JSON and only has to wrap and write them; gen.py also reads, checks and builds.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from measure import BARE_PYTHON, Row, copy_input, generate_again, generate_fresh, ratio, seconds
from objects import generated_objects

from dify_gitops.process import ToolError, run

CDK8S = Path(__file__).resolve().parent / "cdk8s"
PAIRS = 15


def rows(folder: Path) -> list[Row]:
    """Measures both environments of this repository."""
    copy_input(folder)

    def bare() -> float:
        return seconds(BARE_PYTHON, folder)

    return [
        Row("gen.py, nothing written yet / `python -c pass`", ratio(lambda: generate_fresh(folder), bare, PAIRS), 16),
        Row("gen.py, everything current / `python -c pass`", ratio(lambda: generate_again(folder), bare, PAIRS), 16),
        _cdk8s(folder),
    ]


def _cdk8s(folder: Path) -> Row:
    files = generated_objects()
    what = f"gen.py, nothing written yet / cdk8s with the same {sum(map(len, files))} objects"
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        return Row(what, None, 1, note="needs node and npm")
    try:
        _install()
    except ToolError as error:
        return Row(what, None, 1, note=f"npm ci failed: {' '.join(str(error).split())}")
    wanted = folder / "objects.json"
    wanted.write_text(json.dumps(files), encoding="utf-8")
    out = folder / "cdk8s"

    def cdk8s() -> float:
        shutil.rmtree(out, ignore_errors=True)
        return seconds([node, CDK8S / "main.js", wanted, out], folder)

    measured = ratio(lambda: generate_fresh(folder), cdk8s, PAIRS)
    written = sum(file.read_text(encoding="utf-8").count("\nkind: ") for file in out.iterdir())
    if written != sum(map(len, files)):
        raise AssertionError(f"cdk8s wrote {written} objects")
    return Row(what, measured, 1)


def _install() -> None:
    """What the lock file names, from the user's own npm registry, once."""
    lock = (CDK8S / "package-lock.json").read_text(encoding="utf-8")
    stamp = CDK8S / "node_modules" / ".installed"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != lock:
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=CDK8S, timeout=600)
        stamp.write_text(lock, encoding="utf-8")
