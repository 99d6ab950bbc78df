"""Simulated nodes: which pods a pool takes, and what is left of its machines for them."""

from __future__ import annotations

from typing import Any

import pytest
from repo import build

from dify_gitops.process import ToolError
from dify_gitops.toolchain import ROOT
from e2e.kubectl import Kubectl
from e2e.nodes import RUNTIME_CLASS, NodePool, resources

SANDBOXED = {key: RUNTIME_CLASS["scheduling"][key] for key in ("nodeSelector", "tolerations")}  # type: ignore[index]
ANYWHERE = {"tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists"}]}


def pool(**config: Any) -> NodePool:
    objects = build(ROOT, "config-connector/dev")
    (cluster,) = (one for one in objects if one["kind"] == "ContainerCluster")
    (one,) = (one for one in objects if one["kind"] == "ContainerNodePool")
    one["spec"]["nodeConfig"] |= config
    return NodePool(Kubectl(ROOT, "nobody"), one, cluster)


@pytest.mark.parametrize(
    ("config", "pod", "takes"),
    [
        ({}, ANYWHERE, True),
        ({}, SANDBOXED, False),
        ({"sandboxConfig": {"sandboxType": "gvisor"}}, ANYWHERE, False),
        ({"sandboxConfig": {"sandboxType": "gvisor"}}, SANDBOXED, True),
        ({"taint": [{"key": "mine", "value": "yes", "effect": "NO_SCHEDULE"}]}, ANYWHERE, False),
        ({"labels": {"disk": "fast"}}, {"nodeSelector": {"disk": "fast"}}, True),
        ({"labels": {"disk": "fast"}}, {"nodeSelector": {"disk": "slow"}}, False),
    ],
)
def test_a_pool_takes_what_its_nodes_can_run(config: Any, pod: Any, takes: object) -> None:
    assert pool(**config).takes({"spec": pod}) is takes


def test_a_machine_whose_size_is_not_known_is_told() -> None:
    with pytest.raises(ToolError, match="does not know the size of e2-medium"):
        resources("e2-medium", 100)
