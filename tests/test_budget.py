"""The connection budget: every process at its maximum, against the server's limit."""

from __future__ import annotations

import msgspec
import pytest

from dify_gitops.input.budget import budget
from dify_gitops.input.model import Environment
from dify_gitops.input.profiles import PROFILES


def environment(profile: str, **sections: object) -> Environment:
    required = {"project": "acme-dify", "region": "asia-northeast1", "domain": "dify.acme.example"}
    return msgspec.convert({**PROFILES[profile], **required, **sections}, Environment)


def test_production_uses_at_most_179_of_200_connections() -> None:
    whole = budget(environment("prod"))
    assert (whole.total, whole.limit) == (179, 200)
    assert str(whole) == (
        "api 4 × 15 = 60, worker interactive 6 × 8 = 48, worker batch 4 × 8 = 32,"
        " beat 4, plugin daemon 20, migration 5, reserve 10; together 179"
    )


def test_the_trial_size_fits_as_well() -> None:
    whole = budget(environment("dev"))
    assert (whole.total, whole.limit) == (93, 100)


@pytest.mark.parametrize(
    ("sections", "total"),
    [
        ({"api": {"max": 5}}, 179 + 15),
        ({"worker": {"pools": {"interactive": {"max": 6}, "batch": {"max": 4, "concurrency": 8}}}}, 179 + 4 * 8),
        ({"worker": {"pools": {"interactive": {"max": 6}, "batch": {"max": 4}, "more": {"max": 2}}}}, 179 + 2 * 8),
    ],
    ids=["replica of the api", "concurrency", "pool"],
)
def test_more_of_anything_takes_more(sections: dict[str, object], total: int) -> None:
    assert budget(environment("prod", **sections)).total == total
