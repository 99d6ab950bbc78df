"""Label selectors as Kubernetes evaluates them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops.rules.access import labels, mapping, maps, text, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OPERATORS: dict[str, Callable[[str | None, list[str]], bool]] = {
    "In": lambda value, allowed: value in allowed,
    "NotIn": lambda value, refused: value not in refused,
    "Exists": lambda value, _: value is not None,
    "DoesNotExist": lambda value, _: value is None,
}


def matches(selector: Any, subject: Mapping[str, str]) -> bool:
    """Whether ``subject`` carries what a LabelSelector asks for.

    The empty selector matches everything, none at all (None) nothing, an unknown operator nothing.
    """
    if not isinstance(selector, dict):
        return False
    for key, value in mapping(selector, "matchLabels").items():  # no generator: this is asked most of all
        if subject.get(key) != value:
            return False
    return "matchExpressions" not in selector or all(
        _satisfied(expression, subject) for expression in maps(selector, "matchExpressions")
    )


def _satisfied(expression: dict[str, Any], subject: Mapping[str, str]) -> bool:
    operator = _OPERATORS.get(text(expression, "operator"))
    return operator is not None and operator(subject.get(text(expression, "key")), texts(expression, "values"))


def of_labels(data: Any, *path: str) -> dict[str, Any] | None:
    """The plain label map under ``path`` (as in a Service) as LabelSelector; None where it is empty."""
    wanted = labels(data, *path)
    return {"matchLabels": wanted} if wanted else None


def spell(selector: Any) -> str:
    """A selector on one line, for a message."""
    parts = [f"{key}={value}" for key, value in mapping(selector, "matchLabels").items()]
    for expression in maps(selector, "matchExpressions"):
        values = ",".join(texts(expression, "values"))
        words = (text(expression, "key"), text(expression, "operator"), f"({values})" if values else "")
        parts.append(" ".join(word for word in words if word))
    return ",".join(parts) or "everything"
