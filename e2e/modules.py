"""Files of the Go modules that our programs are built from: manifests, definitions, Stages."""

from __future__ import annotations

import json
from pathlib import Path

from dify_gitops.process import run
from dify_gitops.toolchain import BUILD_ENV, ROOT, TOOLS, find_go


def module(name: str) -> Path:
    """Return the folder of the module of the program `name`; read-only, in Go's own cache. Raises ToolError."""
    wanted = TOOLS[name]
    go, _ = find_go(ROOT / ".tools", wanted)
    command: list[str | Path] = [go, "mod", "download", "-json", wanted.module]
    return Path(json.loads(run(command, cwd=wanted.source, env=BUILD_ENV, timeout=600).stdout)["Dir"])
