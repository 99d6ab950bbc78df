"""No secret comes in by the input; what looks like one, or stands where its name belongs, is not repeated either."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from repo import PLATFORM, contents, environment, write_input

from dify_gitops import cli

# What is planted, and the part of it that nobody may see again.
PLANTED = {
    "private key": ('"-----BEGIN RSA PRIVATE KEY-----\\nMIIEvQIBADANBgkq\\n"', "MIIEvQIBADANBgkq"),
    "private key in one line": ("'-----BEGIN PRIVATE KEY----- MIIEvQIBADANBgkq'", "MIIEvQIBADANBgkq"),
    "GitHub token": ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "ghp_0123456789abcdefghijABCDEFGHIJ012345"),
    "GitLab token": ("glpat-hunter2horse0123456789", "hunter2horse"),
    "client's secret": ("GOCSPX-hunter2horse0123456789abcdef", "hunter2horse"),
    "API key": ("sk-proj0123456789abcdefghij", "sk-proj0123456789abcdefghij"),
    "password in a URL": ("postgresql://dify:hunter2horse@10.3.0.5/dify", "hunter2horse"),
}
SMTP = "{{server: smtp.acme.example, username: {}, sender: dify@acme.example, passwordSecret: acme-smtp}}"
# Where: (more of platform.yaml, key of environments/prod.yaml, its value)
PLACES = {
    "variable": ("", "variables", "{{dify: {{ACME_NOTE: {}}}}}"),
    "variable of web": ("", "variables", "{{web: {{ACME_NOTE: {}, OTHER: ''}}}}"),
    "beside something wrong": ("", "variables", "{{dify: {{ACME_NOTE: {}}}, wbe: {{}}}}"),
    "account": ("", "smtp", SMTP),
    "region": ("", "region", "{}"),
    "variable that is a secret by its name": ("", "variables", "{{web: {{GITHUB_TOKEN: {}}}}}"),
    "name of a secret": ("", "argocd", "{{repositoryToken: {}}}"),
    "name of a variable's secret": ("", "variables", "{{secrets: {{OTLP_API_KEY: {}}}}}"),
    "name of a message's secret": ("", "argocd", "{{slack: {{channel: a, token: {}}}}}"),
    "label": ("labels: {{note: {}}}\n", "", ""),
    "owner": ("owners: [{}]\n", "", ""),
    "reason": ("waivers: [{{rule: x, object: y, reason: {}}}]\n", "", ""),
    "unknown key": ("{}: x\n", "", ""),
}


Generate = Callable[[Path], tuple[set[int], str]]


@pytest.fixture
def generate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Generate:
    """Exit status and all output of `gen.py` in a folder, as text and as JSON."""

    def both(root: Path) -> tuple[set[int], str]:
        monkeypatch.chdir(root)
        codes = {cli.main(form) for form in ([], ["--format", "json"])}
        printed = capsys.readouterr()
        return codes, printed.out + printed.err

    return both


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("planted", PLANTED)
def test_a_secret_in_the_input_is_refused_and_never_repeated(
    planted: str, place: str, tmp_path: Path, generate: Generate
) -> None:
    written, core = PLANTED[planted]
    platform, key, value = PLACES[place]
    keys = {key: value.format(written)} if key else {}
    root = write_input(tmp_path, PLATFORM + platform.format(written), prod=environment(**keys))
    before = contents(root)
    codes, said = generate(root)
    assert codes == {2}
    assert core not in said
    assert contents(root) == before


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("variables", "{dify: {SMTP_PASSWORD: hunter2-correct-horse}}"),
        ("argocd", "{slack: {channel: alerts, token: 'xoxb hunter2-correct-horse'}}"),
    ],
)
def test_what_only_its_place_makes_a_secret(key: str, value: str, tmp_path: Path, generate: Generate) -> None:
    root = write_input(tmp_path, prod=environment(**{key: value}))
    before = contents(root)
    codes, said = generate(root)
    assert codes == {2}
    assert "hunter2" not in said
    assert contents(root) == before


@pytest.mark.parametrize("planted", ["GitHub token", "API key"])
def test_a_secret_in_the_address_of_the_repository(planted: str, tmp_path: Path, generate: Generate) -> None:
    written, core = PLANTED[planted]
    platform = PLATFORM.replace("https://", f"https://x:{written}@")
    codes, said = generate(write_input(tmp_path, platform, prod=environment()))
    assert codes == {2}
    assert core not in said


@pytest.mark.parametrize(
    "value",
    ["sk-telecom-platform-engineering", "task-20261125-nightly-rebuild", "https://mirror.acme.example:8443/simple"],
)
def test_what_only_looks_alike_is_taken(value: str, tmp_path: Path, generate: Generate) -> None:
    root = write_input(tmp_path, prod=environment(variables=f"{{dify: {{ACME_NOTE: '{value}'}}}}"))
    assert generate(root)[0] == {0}
