"""The report of an end-to-end run: what waits, what is told when nothing answers, what a run proved."""

from types import SimpleNamespace
from typing import Any

import pytest

from dify_gitops.process import ToolError
from e2e import report
from e2e.report import Proof, table, tell, waves

MESSAGE = "waiting for healthy state of sql.cnrm.cloud.google.com/SQLInstance/dify-postgres-a"
APPLICATION: dict[str, Any] = {
    "metadata": {"name": "infra"},
    "status": {
        "sync": {"status": "OutOfSync"},
        "health": {"status": "Progressing"},
        "operationState": {"phase": "Running", "message": MESSAGE, "syncResult": {"resources": []}},
        "resources": [
            {
                "kind": "DNSRecordSet",
                "namespace": "dify-infra",
                "name": "dify",
                "version": "v1beta1",
                "status": "OutOfSync",
            },
            {"kind": "Namespace", "name": "dify-infra", "version": "v1", "status": "Synced", "syncWave": -11},
            {"kind": "Job", "namespace": "dify", "name": "migration", "version": "v1", "hook": True, "syncWave": -1},
            {"kind": "SQLUser", "namespace": "dify-infra", "name": "dify", "version": "v1beta1", "status": "OutOfSync"}
            | {"syncWave": -2},
            {"kind": "SQLUser", "namespace": "dify-infra", "name": "old", "version": "v1beta1", "status": "OutOfSync"}
            | {"requiresPruning": True},
        ],
    },
}


class Kubectl:
    """Answers with Applications; like a server in trouble, it has nothing else to say."""

    def __init__(self, *applications: dict[str, Any]) -> None:
        self.applications = applications

    def stored(self, _: object) -> list[dict[str, Any]]:
        return []

    def list(self, kinds: str, *_: str) -> tuple[dict[str, Any], ...]:
        if kinds != "applications.argoproj.io":
            raise ToolError(f"{kinds}: the server is shutting down")
        return self.applications


def cluster(*applications: dict[str, Any]) -> Any:
    return SimpleNamespace(
        kubectl=Kubectl(*applications),
        plane=SimpleNamespace(servers=[SimpleNamespace(log="/logs/dev-etcd.log", check=lambda: None)]),
        argocd=SimpleNamespace(servers={}),
    )


def test_waves_hold_what_is_not_synced_in_the_order_of_the_sync() -> None:
    assert waves(APPLICATION) == {-2: ["SQLUser dify-infra/dify"], 0: ["DNSRecordSet dify-infra/dify"]}
    assert list(waves(APPLICATION)) == [-2, 0]


def test_an_application_that_was_never_looked_at_has_no_waves() -> None:
    assert waves({"metadata": {"name": "dify"}}) == {}


def test_what_can_be_told_is_told_beside_what_cannot() -> None:
    told = tell(cluster(APPLICATION)).splitlines()
    assert f"  infra: OutOfSync, Progressing, Running, {MESSAGE}" in told
    assert "    wave -2 waits (1): SQLUser dify-infra/dify" in told
    assert "  cannot be told: pods: the server is shutting down" in told
    assert "  /logs/dev-etcd.log" in told


def test_an_application_that_is_well_is_left_out() -> None:
    said = {"sync": {"status": "Synced"}, "health": {"status": "Healthy"}, "operationState": {"phase": "Succeeded"}}
    assert "infra" not in tell(cluster({"metadata": {"name": "infra"}, "status": said}))


def test_the_report_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "LINES", 2)
    long = {"type": "ComparisonError", "message": "x" * 1000}
    status = {**APPLICATION["status"], "conditions": [long] * 5}
    told = tell(cluster({"metadata": {"name": "infra"}, "status": status})).splitlines()
    assert max(map(len, told)) <= report.WIDTH + len("  ")
    assert "  and 6 more" in told


def test_the_table_names_each_level_once() -> None:
    proofs = [
        Proof("Level 1: a server", "objects are taken, dev", "passed", 12.34),
        Proof("Level 1: a server", "objects are taken, prod", "failed", 5),
    ]
    assert list(table(proofs)) == [
        "Level 1: a server",
        "  passed     12.3 s  objects are taken, dev",
        "  failed      5.0 s  objects are taken, prod",
    ]


def test_a_proof_adds_the_phases_of_a_test_and_keeps_its_failure() -> None:
    item: Any = SimpleNamespace(name="test_all_is_well[dev]", module=SimpleNamespace(__doc__="Level 9: x.\n\nMore."))
    proof = None
    for outcome, duration in (("passed", 1.0), ("failed", 2.0), ("passed", 3.0)):
        phase: Any = SimpleNamespace(outcome=outcome, duration=duration)
        proof = Proof.of(item, phase, proof)
    assert proof == Proof("Level 9: x.", "all is well, dev", "failed", 6.0)
