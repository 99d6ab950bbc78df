"""A rule over the differences that Argo CD ignores: with RespectIgnoreDifferences it does not apply them either."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dify_gitops.rendered import Unreadable, read
from dify_gitops.rules.access import labels, mapping, maps, text, texts
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.argocd.delivery import Delivery

_CUSTOMIZATIONS = "resource.customizations"
_EACH = f"{_CUSTOMIZATIONS}.ignoreDifferences."
_REPORTED = (["status"], ["operation"])  # by Kubernetes and by Argo CD: nobody's wish
_OURS = "argocd-controller"  # who applies what Git says, in the API server's book


@rule(
    "argocd-ignored",
    why="what is ignored is not applied either: Git says one thing for ever, and the cluster does another",
    remedy="name one kind, and the one field that somebody else writes, with a comment who",
)
def argocd_ignored(delivery: Delivery) -> Iterator[Flaw]:
    """Differences are ignored in single fields of single kinds."""
    for application in delivery.applications:
        for number, entry in enumerate(maps(application.data, "spec", "ignoreDifferences")):
            field = f"spec.ignoreDifferences[{number}]"
            kinds = f"{text(entry, 'group')}/{text(entry, 'kind')}"
            yield from (Flaw(application, field, found) for found in _wide(kinds, entry))
    for settings in delivery.own.every("ConfigMap"):
        for key, written in labels(settings.data, "data").items():
            if key.startswith(_EACH):
                kinds = key.removeprefix(_EACH)
                found = _wide("*" if kinds == "all" else kinds, parsed(written))
                yield from (Flaw(settings, f"data[{key}]", one) for one in found)
            elif key == _CUSTOMIZATIONS:
                for kinds, custom in mapping({"": parsed(written)}, "").items():
                    found = _wide(kinds, parsed(text(custom, "ignoreDifferences")))
                    yield from (Flaw(settings, f"data[{key}]", one) for one in found)


def parsed(written: str) -> Any:
    """The YAML inside of a setting; None where it cannot be read."""
    try:
        documents = read(written)
    except Unreadable:
        return None
    return documents[0] if documents else None


def _wide(kinds: str, entry: Any) -> Iterator[str]:
    """What is too wide about one entry."""
    pointers, queries = texts(entry, "jsonPointers"), texts(entry, "jqPathExpressions")
    fields = {one: [step for step in one.split("/") if step] for one in pointers}
    fields |= {one: re.findall(r"[\w-]+", one) for one in queries}
    fields = {one: steps for one, steps in fields.items() if steps[:1] not in _REPORTED}
    managers = texts(entry, "managedFieldsManagers")
    if "*" in kinds and (fields or managers):
        yield f"{kinds} is more than one kind"
    for one, steps in fields.items():
        if len(steps) < 2:  # noqa: PLR2004 - /spec, /data, .spec, or nothing: all that Git says
            yield f"{one!r} is all that Git says"
    if {_OURS, "*"}.intersection(managers):
        yield f"what {_OURS} writes is all that Git says"
