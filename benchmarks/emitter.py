"""The emitter against PyYAML's dumper in C, on every object of the generated repository."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import yaml
from measure import Row, ratio
from objects import generated_objects

from dify_gitops import emit as emitter

if TYPE_CHECKING:
    from pathlib import Path

REPEATS = 4
PAIRS = 9


def _emit(objects: list[Any]) -> float:
    start = time.perf_counter()
    for _ in range(REPEATS):
        emitter._cache.clear()  # noqa: SLF001 - as in a new process: what it remembers must be earned first
        for one in objects:
            emitter.emit(one)
    return time.perf_counter() - start


def _pyyaml(objects: list[Any]) -> float:
    start = time.perf_counter()
    for _ in range(REPEATS):
        for one in objects:
            yaml.dump(one, Dumper=yaml.CSafeDumper, sort_keys=False)
    return time.perf_counter() - start


def rows(_folder: Path) -> list[Row]:
    """Measures; both must write what reads back as the same object."""
    objects = [one for file in generated_objects() for one in file]
    for one in objects:
        if yaml.load(emitter.emit(one), yaml.CSafeLoader) != one:
            raise AssertionError(f"the emitter changed {one['kind']} {one['metadata']['name']}")
    speed = ratio(lambda: _pyyaml(objects), lambda: _emit(objects), PAIRS)
    return [Row("emitter: times as fast as PyYAML's C dumper, same objects", speed, 5, at_least=True)]
