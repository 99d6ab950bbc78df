"""docs/promotion.md shows what a promotion really changes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from repo import generate
from scratch import git, repository, shell

from dify_gitops.catalogue.releases import RELEASES
from dify_gitops.toolchain import ROOT

PAGE = "docs/promotion.md"
BEGIN, END = "<!-- promotion: the real diff -->\n", "<!-- end of promotion -->"


def promoted(root: Path) -> str:
    """The committed example with one changed line: statistics and diff, without the ids of contents."""
    repository(root)
    for path in ("platform.yaml", "environments"):
        source = ROOT / path
        (shutil.copytree if source.is_dir() else shutil.copy)(source, root / path)
    generate(root)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "before")
    line = root / "environments/prod.yaml"
    before, after = RELEASES
    text = line.read_text(encoding="utf-8")
    assert f"\ndify: {before}" in text
    line.write_text(text.replace(f"\ndify: {before}", f"\ndify: {after}"), encoding="utf-8")
    generate(root)
    assert not git(root, "ls-files", "--others", "--exclude-standard"), "no file comes or goes"
    diff = re.sub(r"^index .*\n", "", git(root, "diff"), flags=re.MULTILINE)
    return f"```diff\n{git(root, 'diff', '--stat=100')}\n{diff}```\n"


def test_the_page_shows_the_real_diff(tmp_path: Path) -> None:
    wanted = promoted(tmp_path)
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    shown = text.partition(BEGIN)[2].partition(END)[0].strip("\n") + "\n"
    assert shown == wanted, f"put this between the marks in {PAGE}:\n{wanted}"


def test_only_production_s_overlay_follows(tmp_path: Path) -> None:
    promoted(tmp_path)
    changed = git(tmp_path, "diff", "--name-only").split()
    assert changed[0] == "environments/prod.yaml"
    assert all(path.startswith("overlays/prod/generated/") for path in changed[1:])
    (line,) = [
        line for line in git(tmp_path, "diff", "--unified=0", changed[0]).splitlines() if re.match(r"\+[^+]", line)
    ]
    assert line.startswith("+dify: 1.12.1")


def test_the_commands_by_hand_do_it(tmp_path: Path) -> None:
    (command,) = re.findall(r"^sed -i .*$", (ROOT / PAGE).read_text(encoding="utf-8"), re.MULTILINE)
    root = tmp_path / "work"
    shutil.copytree(ROOT / "environments", root / "environments")
    assert shell(root, command).returncode == 0
    assert "\ndify: 1.12.1 " in (root / "environments/prod.yaml").read_text(encoding="utf-8")
