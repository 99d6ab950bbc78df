"""The catalogue of variables: nothing twice, and what the input may not set is exactly what we set."""

from __future__ import annotations

from pathlib import Path

import pytest
from nasty import TEXTS
from repo import Cluster, build, environment, make

from dify_gitops.catalogue.releases import RELEASES, Variable
from dify_gitops.catalogue.variables import Section
from dify_gitops.catalogue.variables.owned import PER_ENVIRONMENT, SECTIONS, owned_variables
from dify_gitops.env_file import env_file
from dify_gitops.rendered import read

MAIL = "{server: smtp.acme.example, username: dify, sender: dify@acme.example, passwordSecret: dify-smtp}"


def test_what_overlays_set_is_known(tmp_path: Path) -> None:
    """With everything switched on, and both ways in which plugins are stored."""
    root = make(
        tmp_path,
        local=environment("local", smtp=MAIL),
        cloud=environment("cloud", smtp=MAIL, images="{pluginDaemon: {tag: 0.6.0-local}}"),
    )
    written: dict[str, set[str]] = {"dify": set(), "plugin_daemon": set()}
    for name in ("local", "cloud"):
        cluster = Cluster(build(root, f"overlays/{name}"))
        for config in ("dify-environment", "worker-batch"):
            written["dify"] |= cluster.config(config).keys()
        written["plugin_daemon"] |= cluster.config("plugin-daemon-environment").keys()
    for target, names in written.items():
        assert names == set(PER_ENVIRONMENT[target])


CONSUMERS = {
    "dify": [("Deployment", "api"), ("Deployment", "worker-batch"), ("Deployment", "beat")],
    "web": [("Deployment", "web")],
    "plugin_daemon": [("Deployment", "plugin-daemon")],
    "sandbox": [("Deployment", "sandbox")],
}


@pytest.mark.parametrize(
    ("target", "key"),
    [("dify", "dify"), ("web", "web"), ("plugin_daemon", "pluginDaemon"), ("sandbox", "sandbox")],
)
def test_what_is_tunable_can_be_tuned_in_every_consumer(target: str, key: str, tmp_path: Path) -> None:
    tunable = [one.name for section in SECTIONS[target] for one in section.variables if one.tunable]
    assert tunable
    mine = ", ".join(f"{name}: '41'" for name in tunable)
    cluster = Cluster(build(make(tmp_path, prod=environment(variables=f"{{{key}: {{{mine}}}}}")), "overlays/prod"))
    for kind, name in CONSUMERS[target]:
        variables = cluster.environment(kind, name)
        assert {one: variables[one] for one in tunable if one in variables} == {
            one: "41" for one in tunable if one in variables
        }


def test_variables_of_releases_are_ours_unless_tunable() -> None:
    owned = owned_variables()
    for release in RELEASES.values():
        for variable in release.dify:
            assert (variable.name in owned["dify"]) is not variable.tunable


def test_a_name_that_stands_twice_is_our_bug() -> None:
    twice = Section("x", (Variable("A", "1"), Variable("A", "2")))
    with pytest.raises(ValueError, match="A stands twice"):
        env_file([twice])


def test_nasty_values_reach_the_pod_unchanged(tmp_path: Path) -> None:
    """From YAML through the model, the `.env` file and kustomize into the ConfigMap."""
    wanted = {f"NASTY_{index}": text for index, text in enumerate(TEXTS) if text and text.isprintable()}
    assert len(wanted) >= 150
    lines = "".join(f"    {name}: {quoted(text)}\n" for name, text in wanted.items())
    root = make(tmp_path, prod=environment() + f"variables:\n  dify:\n{lines}")
    config = Cluster(build(root, "overlays/prod")).config("dify-environment")
    assert {name: config[name] for name in wanted} == wanted


def test_what_kustomize_prints_is_read_as_kubernetes_reads_it() -> None:
    (one,) = read("a: 12:30\nb: 0x_\nc: 08\nd: on\ne: 1\nf: true\ng: ~\nh: 1.5\ni: 2001-01-01\nj: '1'\nk:\n")
    texts = {"a": "12:30", "b": "0x_", "c": "08", "d": "on", "i": "2001-01-01", "j": "1"}
    assert one == {**texts, "e": 1, "f": True, "g": None, "h": 1.5, "k": None}


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
