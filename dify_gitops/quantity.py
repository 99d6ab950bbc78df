"""Kubernetes quantities: how much they are, and the one spelling that the API server keeps.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_DECIMAL: Final = ("", "k", "M", "G", "T", "P", "E")
_BINARY: Final = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_FACTORS: Final = {
    "m": 1,
    **{suffix: 1000 * 1000**power for power, suffix in enumerate(_DECIMAL)},
    **{suffix: 1000 * 1024**power for power, suffix in enumerate(_BINARY, start=1)},
}
_QUANTITY: Final = re.compile(r"([0-9]+)(?:\.([0-9]{1,3}))?(m|[kMGTPE]|[KMGTPE]i)?")


def _thousandths(text: str) -> tuple[int, str]:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a quantity")
    whole, fraction, suffix = match[1], match[2] or "", match[3] or ""
    value = int(whole + fraction) * _FACTORS[suffix]
    scale = 10 ** len(fraction)
    if value % scale:
        raise ValueError(f"{text!r} is finer than a thousandth")
    return value // scale, suffix


def cpu_millis(text: str) -> int:
    """Thousandths of a core: ``1`` → 1000, ``250m`` → 250, ``0.5`` → 500. Raises ValueError for others."""
    return _thousandths(text)[0]


def bytes_of(text: str) -> int:
    """Bytes: ``512Mi`` → 536870912, ``1G`` → 1000000000. Raises ValueError for others."""
    thousandths, _ = _thousandths(text)
    if thousandths % 1000:
        raise ValueError(f"{text!r} is not a whole number of bytes")
    return thousandths // 1000


@lru_cache(maxsize=512)
def canonical(text: str) -> str:
    """Kubernetes' own spelling, so that a file and the cluster never differ in it only.

    No fraction, the largest suffix that loses nothing, decimal or binary as it was: ``1000m`` → ``1``,
    ``0.5`` → ``500m``, ``3072Mi`` → ``3Gi``, ``1500M`` → ``1500M``. Raises ValueError.
    """
    value, suffix = _thousandths(text)
    if value % 1000:
        return f"{value}m"
    family = _BINARY if suffix in _BINARY else _DECIMAL
    for candidate in reversed(family):
        if value and value % _FACTORS[candidate] == 0:
            return f"{value // _FACTORS[candidate]}{candidate}"
    return f"{value // 1000}"
