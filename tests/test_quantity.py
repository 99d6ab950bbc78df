"""Quantities mean what Kubernetes takes them for, and are written as it writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dify_gitops.quantity import bytes_of, canonical, cpu_millis


@pytest.mark.parametrize(
    ("text", "millis"),
    [("1", 1000), ("250m", 250), ("0.5", 500), ("1.25", 1250), ("0.001", 1), ("2000m", 2000), ("0", 0)],
)
def test_cpu_is_counted_in_thousandths_of_a_core(text: str, millis: int) -> None:
    assert cpu_millis(text) == millis


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1Ki", 1024), ("512Mi", 512 * 1024**2), ("1G", 10**9), ("1.5Gi", 3 * 2**29), ("100k", 100_000), ("7", 7)],
)
def test_memory_is_counted_in_bytes(text: str, amount: int) -> None:
    assert bytes_of(text) == amount


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        ("1.5", "1500m"),
        ("2.0", "2"),
        ("2500m", "2500m"),
        ("1000", "1k"),
        ("0", "0"),
        ("3072Mi", "3Gi"),
        ("1024Mi", "1Gi"),
        ("1536Mi", "1536Mi"),
        ("1.5Gi", "1536Mi"),
        ("1024Ki", "1Mi"),
        ("1000Mi", "1000Mi"),
        ("1000M", "1G"),
        ("1500M", "1500M"),
        ("1024M", "1024M"),
        ("1024Pi", "1Ei"),
        ("0.5Ki", "512"),
    ],
)
def test_the_api_servers_spelling_is_kept(text: str, kept: str) -> None:
    """https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/."""
    assert canonical(text) == kept


@pytest.mark.parametrize("text", ["", "m", "1.", ".5", "-1", "1mi", "1gi", "1 Gi", "1e3", "0.0001", "0.1m", "1\n"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"quantity|thousandth"):
        canonical(text)


def test_a_part_of_a_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="whole number of bytes"):
        bytes_of("500m")


@given(number=st.integers(0, 10**9), suffix=st.sampled_from(["m", "", "k", "M", "G", "Ki", "Mi", "Gi", "Ti"]))
def test_the_spelling_changes_nothing_else(number: int, suffix: str) -> None:
    kept = canonical(f"{number}{suffix}")
    assert cpu_millis(kept) == cpu_millis(f"{number}{suffix}")
    assert canonical(kept) == kept
