"""Files that are not YAML: configuration of proxies and scripts, written to the repository as they are."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def template(name: str) -> str:
    """Text of one file of this folder."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
