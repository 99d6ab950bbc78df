"""What gives a secret away: by its form alone, whatever it is called and wherever it stands."""

from __future__ import annotations

import math
import re
from collections import Counter

from dify_gitops.catalogue.secrets import PUBLISHED_ANYWHERE

# What gives a secret away wherever it stands, after a piece of text without which there is none: most texts have none
# of these.
_PATTERNS = {
    "a private key": ("PRIVATE KEY", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    "a password in a URL": ("://", re.compile(r"[a-z][a-z0-9+.-]*://[^\s/:@\"']*:(?![${<%])[^\s/@\"'{}$<>]+@")),
    "a Google API key": ("AIza", re.compile(r"\bAIza[\w-]{35}\b")),
    "a Google access token": ("ya29.", re.compile(r"\bya29\.[\w-]{20,}")),
    "an AWS access key": ("IA", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    "a GitHub token": ("_", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,})")),
    "a GitLab token": ("gl", re.compile(r"\bgl(?:pat|dt|ptt|cbt|soat)-[\w-]{20,}")),
    "a Google OAuth client's secret": ("GOCSPX-", re.compile(r"\bGOCSPX-[\w-]{20,}")),
    "a Slack token": ("xox", re.compile(r"\bxox[abprs]-[\w-]{10,}")),
    # At the beginning of a word, and with a digit: names have such a part, too.
    "an API key": ("sk-", re.compile(r"(?<![\w-])sk-(?=[\w-]*[0-9])[A-Za-z0-9_-]{20,}")),
    "a JSON web token": ("eyJ", re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+")),
    "a published sample value of Dify": ("", re.compile("|".join(map(re.escape, PUBLISHED_ANYWHERE)))),
}
_SHORTEST = min(map(len, PUBLISHED_ANYWHERE))  # characters; all others are longer
# Generated passwords and keys: one word, long, of mixed characters. Digests are hexadecimal, names have dots or
# no capitals, words of a language repeat letters.
_WORD = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_HEXADECIMAL = re.compile(r"[0-9a-f-]+", re.IGNORECASE)
_BITS_PER_CHARACTER = 4.0
_OF_EACH_KIND = 3


def given_away(value: str) -> str:
    """What kind of secret a text holds, whatever it is called; empty for none."""
    if len(value) < _SHORTEST:
        return ""
    for kind, (piece, pattern) in _PATTERNS.items():
        if piece in value and pattern.search(value):
            return kind
    return ""


def unspeakable(value: str) -> str:
    """As `given_away`, less the sample values, which everybody knows: no message may repeat it."""
    for sample in PUBLISHED_ANYWHERE:
        value = value.replace(sample, "")
    return given_away(value)


def random_looking(value: str) -> bool:
    """Whether a text looks like a generated password or key."""
    if not _WORD.fullmatch(value) or _HEXADECIMAL.fullmatch(value):
        return False
    kinds = (sum(map(test, value)) for test in (str.isupper, str.islower, str.isdigit))
    total = len(value)
    bits = -sum(count / total * math.log2(count / total) for count in Counter(value).values())
    return all(count >= _OF_EACH_KIND for count in kinds) and bits >= _BITS_PER_CHARACTER
