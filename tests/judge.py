"""Lets the real kubeconform judge documents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from dify_gitops.process import run
from dify_gitops.toolchain import tool

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

VALID, INVALID, ERROR = "statusValid", "statusInvalid", "statusError"


class Verdict(NamedTuple):
    name: str
    kind: str
    status: str
    message: str


def judge_text(text: str, locations: Sequence[str]) -> list[Verdict]:
    """Judge a YAML stream; in no particular order, as kubeconform works in parallel."""
    options = [option for location in locations for option in ("-schema-location", location)]
    command: list[str | Path] = [tool("kubeconform"), "-strict", "-output", "json", "-verbose", *options, "-"]
    report = json.loads(run(command, input=text, accept=(0, 1)).stdout)
    return [Verdict(r["name"], r["kind"], r["status"], r["msg"]) for r in report["resources"]]


def judge_all(documents: Iterable[dict[str, Any]], locations: Sequence[str]) -> list[Verdict]:
    return judge_text("\n---\n".join(json.dumps(document) for document in documents), locations)


def judge(document: dict[str, Any], locations: Sequence[str]) -> Verdict:
    (verdict,) = judge_all([document], locations)
    return verdict
