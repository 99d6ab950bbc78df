"""What judges and guards pull requests: workflows (their shell steps run for real), CODEOWNERS, Renovate, hooks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml
from repo import PLATFORM, contents, environment, generate, make, write_input
from scratch import asked, commit, git, head, repository, runnable, shell

from dify_gitops import cli
from dify_gitops.catalogue.releases import RELEASES
from dify_gitops.errors import UserError
from dify_gitops.input.load import load_repository
from dify_gitops.repository import PER_ENVIRONMENT
from dify_gitops.toolchain import ROOT

CHECK = ".github/workflows/check.yaml"
REGENERATE = ".github/workflows/regenerate.yaml"
WORKFLOWS = [CHECK, REGENERATE]
RENOVATE = ".github/renovate.json5"
HOOKS = ".pre-commit-config.yaml"

Steps = list[dict[str, Any]]


def read_text(root: Path, path: str) -> str:
    return (root / path).read_text(encoding="utf-8")


def workflow(root: Path, path: str) -> dict[str, Any]:
    """A workflow; its key ``on`` is a boolean to YAML 1.1."""
    return {"on" if key is True else key: value for key, value in yaml.safe_load(read_text(root, path)).items()}


def steps(root: Path, path: str, job: str) -> Steps:
    return list(workflow(root, path)["jobs"][job]["steps"])


def all_steps(root: Path) -> Iterator[dict[str, Any]]:
    for path in WORKFLOWS:
        for job in workflow(root, path)["jobs"].values():
            yield from job.get("steps", [])


class TestWorkflows:
    def test_actions_are_pinned_by_commit_with_their_version(self, tree: Path) -> None:
        pins: dict[str, set[str]] = {}
        for path in WORKFLOWS:
            for line in re.findall(r"^.*\buses: *(.*)$", read_text(tree, path), re.MULTILINE):
                if line.startswith("./"):
                    continue
                found = re.fullmatch(r"(actions/[a-z-]+)@([0-9a-f]{40}) # v[0-9]+\.[0-9]+\.[0-9]+", line)
                assert found, line
                pins.setdefault(found[1], set()).add(line)
        assert pins.keys() == {"actions/checkout", "actions/cache"}
        assert all(len(lines) == 1 for lines in pins.values()), "one version everywhere"

    def test_permissions_are_the_least(self, tree: Path) -> None:
        given = {
            (path, name): job["permissions"]
            for path in WORKFLOWS
            for name, job in workflow(tree, path)["jobs"].items()
            if "permissions" in job
        }
        assert all(workflow(tree, path)["permissions"] == {"contents": "read"} for path in WORKFLOWS)
        assert given == {(REGENERATE, "generate"): {"contents": "write"}, (REGENERATE, "report"): {"statuses": "write"}}

    def test_who_may_report_runs_nothing_of_the_repository(self, tree: Path) -> None:
        (step,) = steps(tree, REGENERATE, "report")
        assert step["run"].startswith("gh api ")

    def test_tokens_reach_only_the_steps_that_need_them(self, tree: Path) -> None:
        for step in all_steps(tree):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
            if re.search("^make ", step.get("run", ""), re.MULTILINE):
                assert "GH_TOKEN" not in step.get("env", {})

    def test_nothing_of_an_event_is_pasted_into_a_script(self, tree: Path) -> None:
        assert not [step["run"] for step in all_steps(tree) if "${{" in step.get("run", "")]

    @pytest.mark.parametrize("path", WORKFLOWS)
    def test_no_secret_no_stranger_no_run_without_end(self, tree: Path, path: str) -> None:
        text, parsed = read_text(tree, path), workflow(tree, path)
        assert "secrets." not in text
        assert "pull_request_target" not in text
        assert "concurrency" in parsed
        for job in parsed["jobs"].values():
            assert "uses" in job or job["timeout-minutes"] <= 30

    def test_check_is_called_what_is_reported(self, tree: Path) -> None:
        """Branch protection asks for one name: of the job in pull requests, of the status on generated commits."""
        (job,) = workflow(tree, CHECK)["jobs"]
        (step,) = steps(tree, REGENERATE, "report")
        assert f"context={job} " in step["run"]
        assert workflow(tree, REGENERATE)["jobs"]["check"]["uses"] == f"./{CHECK}"

    def test_they_follow_the_deployed_branch(self, tree: Path, tmp_path: Path) -> None:
        root = make(tmp_path, platform=f"{PLATFORM}branch: release/stable\n")
        assert workflow(root, CHECK)["on"]["push"] == {"branches": ["release/stable"]}
        assert workflow(tree, CHECK)["on"]["push"] == {"branches": ["main"]}
        assert "origin/release/stable" in read_text(root, CHECK)
        for path in (*WORKFLOWS, HOOKS, "cloudbuild.yaml"):
            assert not re.search(r"[A-Z]+_(BRANCH|FOLDERS)", read_text(root, path))


def test_cloud_build_runs_the_same_check(tree: Path) -> None:
    build = yaml.safe_load(read_text(tree, "cloudbuild.yaml"))
    (step,) = build.pop("steps")
    assert [step["entrypoint"], *step["args"]] == ["make", "check"]
    assert re.fullmatch(r"python:[0-9.]+-[a-z]+@sha256:[0-9a-f]{64}", step["name"])
    assert build == {"timeout": "1800s", "options": {"logging": "CLOUD_LOGGING_ONLY"}}


def run(root: Path, these: Steps, **variables: str) -> list[tuple[str, int, str]]:
    """Runs the shell steps of a job as GitHub does: (name, status, output); after a failure only those that say so."""
    done: list[tuple[str, int, str]] = []
    for step in these:
        if "run" in step and (all(status == 0 for _, status, _ in done) or "!cancelled()" in step.get("if", "")):
            literal = {key: value for key, value in step.get("env", {}).items() if "${{" not in value}
            result = shell(root, step["run"], **literal, **variables)
            done.append((step["name"], result.returncode, result.stdout + result.stderr))
    return done


@pytest.fixture
def branch(tmp_path: Path) -> Path:
    """A generated repository, pushed to `main`, on a new branch of Renovate's."""
    root = runnable(make(repository(tmp_path / "work")))
    commit(root, "main")
    git(root, "checkout", "--quiet", "-b", "renovate/dify-prod")
    return root


def regenerate(root: Path, **keys: str) -> tuple[list[tuple[str, int, str]], str, str]:
    """Pushes a change of prod's input alone, runs `regenerate`: its steps, the pushed commit, the reported one."""
    write_input(root, prod=environment(**keys))
    pushed = commit(root, "renovate/dify-prod")
    output = root.with_name("output")
    output.touch()
    job = steps(root, REGENERATE, "generate")
    done = run(root, job, GITHUB_OUTPUT=str(output), GITHUB_REF="refs/heads/renovate/dify-prod")
    return done, pushed, output.read_text(encoding="utf-8")


class TestRegenerate:
    def test_it_commits_exactly_what_follows(self, branch: Path, tmp_path: Path) -> None:
        before = contents(branch, "overlays") | contents(branch, "base")
        done, pushed, output = regenerate(branch, dify="1.12.1")
        assert [status for _, status, _ in done] == [0, 0], done
        git(branch, "fetch", "--quiet")
        new = head(branch, "origin/renovate/dify-prod")
        assert output == f"commit={new}\n"
        assert head(branch, f"{new}^") == pushed
        changed = git(branch, "diff", "--name-only", pushed, new).split()
        wanted = contents(make(tmp_path / "wanted", prod=environment(dify="1.12.1"), dev=environment("dev")))
        assert sorted(changed) == sorted(path for path, data in before.items() if wanted[path] != data)
        assert git(branch, "status", "--porcelain") == ""
        assert {path: data for path, data in contents(branch).items() if path in wanted} == wanted

    def test_its_commits_are_those_that_renovate_ignores(self, branch: Path) -> None:
        regenerate(branch, dify="1.12.1")
        author = git(branch, "log", "-1", "--format=%ae").strip()
        assert settings(branch)["gitIgnoredAuthors"] == [author]

    def test_with_nothing_to_do_it_commits_nothing(self, branch: Path) -> None:
        done, pushed, output = regenerate(branch)
        assert [status for _, status, _ in done] == [0, 0]
        assert (head(branch), output) == (pushed, "")

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ({"nodes": "{machine: n2-standard-8}"}, "[google-immutable]"),
            ({"dify": "1.13.0"}, "dify: expected 1.11.4 or 1.12.1, got '1.13.0'"),
        ],
    )
    def test_where_gen_py_refuses_nothing_is_committed(self, branch: Path, keys: dict[str, str], said: str) -> None:
        done, pushed, output = regenerate(branch, **keys)
        ((name, status, text),) = done
        assert (name, status) == ("Generate", 2), "status of make, whatever gen.py's was"
        assert said in text
        git(branch, "fetch", "--quiet")
        assert (head(branch), head(branch, "origin/renovate/dify-prod"), output) == (pushed, pushed, "")

    @pytest.mark.parametrize("state", ["success", "failure"])
    def test_it_reports_for_the_new_commit(self, branch: Path, state: str) -> None:
        server = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/x", "GITHUB_RUN_ID": "7"}
        ((_, status, _),) = run(branch, steps(branch, REGENERATE, "report"), COMMIT="abc", STATE=state, **server)
        assert status == 0
        (call,) = asked(branch)
        assert call.startswith(f"api --method POST repos/acme/x/statuses/abc --raw-field state={state} ")
        assert call.endswith("target_url=https://github.com/acme/x/actions/runs/7")

    def test_only_success_is_reported_as_success(self, tree: Path) -> None:
        (step,) = steps(tree, REGENERATE, "report")
        assert step["env"]["STATE"] == "${{ needs.check.result == 'success' && 'success' || 'failure' }}"


class TestCheck:
    def run(self, root: Path) -> dict[str, tuple[int, str]]:
        commit(root, "renovate/dify-prod")
        return {name: (status, text) for name, status, text in run(root, steps(root, CHECK, "check"))}

    def test_what_is_whole_passes(self, branch: Path) -> None:
        write_input(branch, prod=environment(dify="1.12.1"))
        generate(branch)
        assert {name: status for name, (status, _) in self.run(branch).items()} == {"Check": 0, GOOGLE: 0}

    def test_the_input_alone_does_not(self, branch: Path) -> None:
        write_input(branch, prod=environment(dify="1.12.1"))
        status, text = self.run(branch)["Check"]
        assert status != 0
        assert "overlays/prod/generated/kustomization.yaml: is not what the input gives" in text

    def test_a_refused_change_is_told_though_its_files_are_committed(
        self, branch: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write_input(branch, prod=environment(nodes="{machine: n2-standard-8}"))
        assert cli.generate(branch) == 1
        assert cli.generate(branch) == 0, "a person runs it twice and commits"
        capsys.readouterr()
        done = self.run(branch)
        assert done["Check"][0] == 0
        assert done[GOOGLE][0] != 0
        assert "e2-standard-4 cannot become n2-standard-8" in done[GOOGLE][1]

    def test_a_branch_that_is_behind_answers_for_itself_only(self, branch: Path) -> None:
        generate(write_input(branch, prod=environment(edge="{allow: [203.0.113.0/24]}")))
        commit(branch, "renovate/dify-prod")
        git(branch, "checkout", "--quiet", "main")
        write_input(branch, prod=environment(nodes="{machine: n2-standard-8}"))
        assert cli.generate(branch) == 1, "an administrator merged it all the same"
        commit(branch, "main")
        git(branch, "checkout", "--quiet", "renovate/dify-prod")
        assert self.run(branch)[GOOGLE][0] == 0

    def test_a_new_environment_changes_nothing_in_place(self, branch: Path) -> None:
        generate(write_input(branch, staging=environment("staging")))
        assert self.run(branch)[GOOGLE][0] == 0

    def test_the_first_pull_request_of_all_passes(self, tmp_path: Path) -> None:
        """The deployed branch has no folder of the generator yet."""
        root = repository(tmp_path / "work")
        commit(root, "main")
        assert self.run(runnable(make(root)))[GOOGLE][0] == 0


GOOGLE = "Would Google Cloud refuse a change in place?"


def owners_of(text: str, path: str) -> list[str]:
    """Who is asked for a path: the last matching line, by the rules of GitHub that our lines use."""
    found: list[str] = []
    for line in text.splitlines():
        pattern, *names = line.split() if line and not line.startswith("#") else ["#"]
        folder = pattern.endswith("/") and f"/{path}".startswith(pattern)
        if pattern == "*" or folder or fnmatchcase(f"/{path}", pattern):
            found = names
    return found


@pytest.fixture
def text() -> str:
    """The committed CODEOWNERS."""
    return read_text(ROOT, ".github/CODEOWNERS")


class TestOwners:
    def test_every_committed_path_but_those_of_dev_is_owned(self, text: str) -> None:
        own = [f"{above}/dev/" for above in PER_ENVIRONMENT]
        for path in git(ROOT, "ls-files").splitlines():
            of_dev = path == "environments/dev.yaml" or path.startswith(tuple(own))
            assert owners_of(text, path) == ([] if of_dev else ["@acme/ai-platform"]), path

    @pytest.mark.parametrize(
        "path", ["environments/prod.yaml", *(f"{above}/prod/generated/new.yaml" for above in PER_ENVIRONMENT)]
    )
    def test_production_has_the_last_word(self, text: str, path: str) -> None:
        """Also where somebody frees a folder in a line above."""
        freed = text.replace("# Production.", "/overlays/\n/environments/\n/config-connector/\n# Production.")
        assert owners_of(freed, path) == ["@acme/ai-platform"]

    @pytest.mark.parametrize("path", ["environments/staging.yaml", "overlays/devil/x.yaml", "new/file", "gen.py"])
    def test_a_path_that_nobody_named_is_owned(self, text: str, path: str) -> None:
        assert owners_of(text, path)

    @pytest.mark.parametrize(
        ("owners", "wanted"),
        [
            ("['@acme/ai', '@ann', ann@acme.example]", ["@acme/ai", "@ann", "ann@acme.example"]),
            ("[data platform, '@acme/ai']", ["@acme/ai"]),
            ("[data platform]", ["platform@acme.example"]),
            ("['@acme/ai @eve', \"@acme/ai\\n* @eve\", '@acme/', 'a b@acme.example']", ["platform@acme.example"]),
        ],
    )
    def test_only_whom_github_can_ask_is_named(self, tmp_path: Path, owners: str, wanted: list[str]) -> None:
        root = make(tmp_path, platform=f"{PLATFORM}owners: {owners}\n")
        text = read_text(root, ".github/CODEOWNERS")
        assert owners_of(text, "environments/prod.yaml") == owners_of(text, "gen.py") == wanted
        assert "@eve" not in text


def settings(root: Path) -> dict[str, Any]:
    """Renovate's settings: JSON with comments on lines of their own."""
    lines = read_text(root, RENOVATE).splitlines()
    return dict(json.loads("\n".join(line for line in lines if not line.lstrip().startswith("//"))))


class TestRenovate:
    def matches(self, path: str, text: str) -> list[str]:
        """Versions that Renovate finds in a file."""
        (manager,) = settings(ROOT)["customManagers"]
        (files,), (pattern,) = manager["managerFilePatterns"], manager["matchStrings"]
        if not re.search(files.strip("/"), path):
            return []
        return [found["currentValue"] for found in re.finditer(pattern.replace("(?<", "(?P<"), text)]

    def test_it_finds_the_version_of_each_environment_and_nothing_else(self) -> None:
        found = {
            path: versions
            for path in git(ROOT, "ls-files").splitlines()
            if (ROOT / path).is_file() and (versions := self.matches(path, read_text(ROOT, path)))
        }
        assert found == {"environments/dev.yaml": ["1.11.4"], "environments/prod.yaml": ["1.11.4"]}

    @pytest.mark.parametrize(
        ("text", "versions"),
        [
            ("dify: 1.11.4\n", ["1.11.4"]),
            ("region: x\ndify:  '1.11.4'  # why\n", ["1.11.4"]),
            ('dify: "1.11.4"', ["1.11.4"]),
            ("# dify: 1.11.4\n", []),
            ("images:\n  dify: 1.11.4\nnotdify: 1.11.4\n", []),
            ("variables: {dify: {A: '1.2.3'}}\ndify-x: 1.2.3\n", []),
        ],
    )
    def test_the_line_may_be_written_in_each_way_that_the_input_allows(self, text: str, versions: list[str]) -> None:
        assert self.matches("environments/prod.yaml", text) == versions

    def rules(self, root: Path, file: str) -> dict[str, Any]:
        """What the rules add up to for Dify in one file; later ones win."""
        merged: dict[str, Any] = {}
        for rule in settings(root)["packageRules"]:
            if rule["matchManagers"] == ["custom.regex"] and file in rule.get("matchFileNames", [file]):
                merged |= rule
        return merged

    def test_dev_merges_by_itself_and_prod_never(self) -> None:
        dev, prod = (self.rules(ROOT, f"environments/{name}.yaml") for name in ("dev", "prod"))
        assert (dev["automerge"], prod["automerge"]) == (True, False)
        assert dev["groupName"] != prod["groupName"], "a branch for each"
        assert prod["labels"] == ["dify", "prod"]

    def test_each_environment_has_its_rule_by_its_profile(self, tmp_path: Path) -> None:
        texts = {"blue": environment("blue"), "sandbox": environment("sandbox", profile="dev")}
        root = make(tmp_path, **texts)
        merge = {name: self.rules(root, f"environments/{name}.yaml")["automerge"] for name in texts}
        assert merge == {"blue": False, "sandbox": True}

    def test_it_offers_what_the_catalogue_knows(self) -> None:
        pattern = self.rules(ROOT, "environments/prod.yaml")["allowedVersions"].strip("/")
        offered = [one for one in (*RELEASES, "1.13.0", "1x11x4", "1.11.40", "11.11.4") if re.search(pattern, one)]
        assert offered == list(RELEASES)

    def test_what_it_changes_in_a_template_it_changes_in_its_file(self) -> None:
        """Both match the same manager, so both move together and `make check` stays green."""
        workflows = r"(^|/)(workflow-templates|\.(?:github|gitea|forgejo)/(?:workflows|actions))/.+\.ya?ml$"
        for path, pattern in (
            (CHECK, workflows),
            (REGENERATE, workflows),
            ("cloudbuild.yaml", r"(^|/)cloudbuild\.ya?ml"),
        ):
            assert re.search(pattern, path)
            assert re.search(pattern, f"dify_gitops/templates/{path}")

    def test_it_may_read_the_lock_files(self) -> None:
        (pattern,) = settings(ROOT)["pip_requirements"]["managerFilePatterns"]
        locks = [path for path in git(ROOT, "ls-files").splitlines() if re.search(pattern.strip("/"), path)]
        assert locks == ["requirements-go.lock", "requirements-test.lock", "requirements.lock"]


class TestHooks:
    def hook(self, root: Path, name: str) -> dict[str, Any]:
        (local,) = yaml.safe_load(read_text(root, HOOKS))["repos"]
        assert local["repo"] == "local"
        return dict(next(one for one in local["hooks"] if one["id"] == name))

    def test_all_are_those_of_the_makefile(self, branch: Path) -> None:
        write_input(branch, prod=environment(dify="1.12.1"))
        assert shell(branch, self.hook(branch, "generate")["entry"]).returncode == 0
        assert "overlays/prod/generated/kustomization.yaml" in git(branch, "diff", "--name-only")
        assert self.hook(branch, "check")["entry"] == "make check"

    @pytest.mark.parametrize(
        ("path", "runs"), [("platform.yaml", True), ("environments/eu.yaml", True), ("docs/operations.md", False)]
    )
    def test_generating_is_for_the_input(self, tree: Path, path: str, *, runs: bool) -> None:
        assert bool(re.search(self.hook(tree, "generate")["files"], path)) is runs

    def test_a_file_that_was_left_out_is_named(self, branch: Path) -> None:
        entry = self.hook(branch, "untracked")["entry"]
        (branch / "notes.txt").write_text("mine", encoding="utf-8")
        assert shell(branch, entry).returncode == 0
        generate(write_input(branch, staging=environment("staging")))
        done = shell(branch, entry)
        assert done.returncode == 1
        assert "overlays/staging/kustomization.yaml" in done.stdout
        git(branch, "add", "--all")
        assert shell(branch, entry).returncode == 0


class TestWriting:
    def test_files_beside_ours_are_the_user_s(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        root = make(tmp_path)
        mine = root / ".github/workflows/mine.yaml"
        mine.write_text("on: push\n", encoding="utf-8")
        generate(root)
        assert mine.exists()
        assert capsys.readouterr().err == ""

    @pytest.mark.parametrize("path", [*WORKFLOWS, RENOVATE, HOOKS, ".github/CODEOWNERS", "cloudbuild.yaml"])
    def test_each_is_ours_by_its_first_line(self, tree: Path, tmp_path: Path, path: str) -> None:
        first, *_ = read_text(tree, path).splitlines()
        assert re.match(r"(#|//) Generated by gen\.py; change .* instead\.$", first)
        root = make(tmp_path)
        (root / path).write_text(read_text(root, path) + "# edited by hand\n", encoding="utf-8")
        generate(root)
        assert read_text(root, path) == read_text(tree, path)
        (root / path).write_text("# mine\n", encoding="utf-8")
        with pytest.raises(UserError, match=re.escape(path)):
            generate(root)

    def test_the_committed_ones_are_what_the_input_gives(self) -> None:
        from dify_gitops.tree import pull_requests

        committed = load_repository(ROOT)
        part = pull_requests(committed.platform, committed.environments, PER_ENVIRONMENT)
        assert {path: read_text(ROOT, path) for path in part.tree} == part.tree
