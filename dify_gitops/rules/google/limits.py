"""Rules that compare single objects with what `dify_gitops/kinds/constraints` knows about their kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops.kinds.constraints import KINDS
from dify_gitops.kinds.constraints import model as m
from dify_gitops.rules.google.estate import service
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dify_gitops.rules.google.estate import Estate


def _of(kinds: tuple[type[m.Constraint], ...], constraints: tuple[m.Constraint, ...]) -> list[m.Constraint]:
    return [one for one in constraints if isinstance(m.plain(one), kinds)]


def _check(*kinds: type[m.Constraint]) -> Callable[[Estate], Iterator[Flaw]]:
    """A check of all constraints of the given types."""
    chosen = {key: _of(kinds, kind.constraints) for key, kind in KINDS.items()}
    own = {key: _of(kinds, kind.own) for key, kind in KINDS.items()}

    def check(estate: Estate) -> Iterator[Flaw]:
        for item in estate.resources:
            key = service(item), item.kind
            for constraint in (*chosen.get(key, ()), *(own.get(key, ()) if estate.ours(item) else ())):
                for complaint in constraint.complaints(item.data):
                    yield Flaw(item, complaint.field, complaint.message, complaint.hint)

    return check


google_value = rule(
    "google-value",
    why="the schema takes any text here; Google takes a few words, and refuses the rest long after the merge",
    remedy="use one of the values that the message names",
)(_check(m.OneOf))

google_range = rule(
    "google-range",
    why="Google takes numbers and lists only within limits that no schema knows",
    remedy="stay within the limits",
)(_check(m.Range, m.Length, m.Ordered))

google_format = rule(
    "google-format",
    why="the schema takes any text here; Google wants it in one form",
    remedy="write it as the message says",
)(_check(m.Format))

google_name = rule(
    "google-name",
    why="Google Cloud refuses other names, and Kubernetes does not tell",
    remedy="rename it, or give spec.resourceID; a new name is a new resource",
)(_check(m.Name))

google_exclusive = rule(
    "google-exclusive",
    why="these fields exclude each other: one is ignored, or all are refused",
    remedy="keep one of them",
)(_check(m.ExactlyOne, m.AtMostOne, m.Excludes))

google_together = rule(
    "google-together",
    why="this field means nothing, or is refused, without the other",
    remedy="set what the message names, or remove what needs it",
)(_check(m.Needs))

google_required = rule(
    "google-required",
    why="where it is left out, Google or Config Connector fills in what this repository does not want",
    remedy="write it out",
)(_check(m.Mandatory, m.AtLeastOne, m.Contains))

google_unique = rule(
    "google-unique",
    why="Google refuses two entries of one name, priority or range",
    remedy="change or remove one of them",
)(_check(m.Unique))

google_refused = rule(
    "google-refused",
    why="this field or value breaks the resource, or what this repository promises about it",
    remedy="remove it, or say it in another way",
)(_check(m.Refused))

google_sense = rule(
    "google-sense",
    why="each value may stand there alone; together they do harm, or Google refuses them",
    remedy="change them as the message says",
)(_check(m.Sense))
