"""What kustomize prints, read as Kubernetes reads it.

PyYAML alone follows YAML 1.1: it would take the text `12:30` for 750, and break at `0x_`. kustomize quotes only what
is no text for Kubernetes, so only the scalars of JSON may become anything else here.
"""

from __future__ import annotations

import math
import re
from typing import Any

import yaml


class _Loader(yaml.CSafeLoader):
    """PyYAML's safe loader in C, with other rules for plain scalars."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's interface


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"-?(0|[1-9][0-9]*)", "-0123456789"),
    ("float", r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", "-0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), list(_first))


def _float(_loader: _Loader, node: yaml.ScalarNode) -> float | str:
    """A number too large for Go stays text."""
    value = float(node.value)
    return value if math.isfinite(value) else str(node.value)


_Loader.add_constructor("tag:yaml.org,2002:float", _float)


Unreadable = yaml.YAMLError


def read(text: str) -> list[dict[str, Any]]:
    """Every object of a stream of documents; empty documents are left out. Raises Unreadable for what is no YAML."""
    return [one for one in yaml.load_all(text, Loader=_Loader) if one]
