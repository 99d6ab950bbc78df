"""Every queue of every Dify version has exactly one pool."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from dify_gitops.catalogue.releases import POLLED_QUEUES, RELEASES
from dify_gitops.input.model import Environment
from dify_gitops.input.queues import pool_queues


def environment(dify: str, pools: dict[str, object]) -> Environment:
    given = {"project": "acme-dify", "region": "asia-northeast1", "domain": "dify.acme.example", "dify": dify}
    return msgspec.convert({**given, "worker": {"pools": pools}}, Environment)


DEFAULT: dict[str, object] = {"interactive": {}, "batch": {"queues": ["rest"]}}


@pytest.mark.parametrize("dify", sorted(RELEASES))
@pytest.mark.parametrize(
    "pools",
    [
        DEFAULT,
        {**DEFAULT, "indexing": {"queues": ["dataset", "priority_dataset"]}},
        {**DEFAULT, "mailing": {"queues": ["mail"]}},
        {"interactive": {"queues": ["rest"]}, "batch": {"queues": ["dataset"]}},
        {"interactive": {"queues": ["workflow"]}, "batch": {"queues": ["rest"]}},
    ],
    ids=["default", "one more", "takes from interactive", "interactive takes the rest", "interactive names"],
)
def test_every_queue_has_exactly_one_pool(dify: str, pools: dict[str, object]) -> None:
    taken = pool_queues(environment(dify, pools))
    assert Counter(queue for queues in taken.values() for queue in queues) == Counter(RELEASES[dify].queues)
    assert list(taken) == list(pools)
    assert all(list(queues) == sorted(queues) for queues in taken.values())


def test_interactive_takes_what_someone_waits_for() -> None:
    taken = pool_queues(environment("1.11.4", DEFAULT))
    assert taken["interactive"] == (
        "mail",
        "schedule_executor",
        "schedule_poller",
        "trigger_refresh_executor",
        "trigger_refresh_publisher",
        "triggered_workflow_dispatcher",
        "workflow",
    )
    assert set(POLLED_QUEUES) <= set(taken["interactive"])


def test_interactive_gives_way_to_a_pool_that_names_a_queue() -> None:
    taken = pool_queues(environment("1.11.4", {**DEFAULT, "mailing": {"queues": ["mail"]}}))
    assert taken["mailing"] == ("mail",)
    assert "mail" not in taken["interactive"]
