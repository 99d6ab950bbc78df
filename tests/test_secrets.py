"""The inventory of secrets is the only way to refer to one, and no variable of the input may hold one."""

from __future__ import annotations

import pytest

from dify_gitops.catalogue.secrets import INVENTORY, SecretKey, is_secret, ref


@pytest.mark.parametrize("entry", INVENTORY, ids=lambda entry: f"{entry.namespace}/{entry.secret}/{entry.key}")
def test_what_is_in_the_inventory_can_be_referred_to(entry: SecretKey) -> None:
    reference = {"name": entry.secret, "key": entry.key, **({"optional": True} if entry.optional else {})}
    assert ref(entry.secret, entry.key) == {"secretKeyRef": reference}


@pytest.mark.parametrize(("secret", "key"), [("dify-app", "password"), ("dify-mail", "password"), ("", "")])
def test_what_is_not_cannot(secret: str, key: str) -> None:
    with pytest.raises(KeyError, match="no key"):
        ref(secret, key)


def test_no_key_stands_in_the_inventory_twice() -> None:
    places = [(entry.namespace, entry.secret, entry.key) for entry in INVENTORY]
    assert len(places) == len(set(places))


@pytest.mark.parametrize(
    "name",
    ["SECRET_KEY", "DB_PASSWORD", "secret_key", "ACME_API_KEY", "GITHUB_TOKEN", "TOKEN", "SENTRY_DSN", "MY_SECRET"],
)
def test_names_of_secrets_are_known(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "ACCESS_TOKEN_EXPIRE_MINUTES",
        "ADMIN_API_KEY_ENABLE",
        "AMPLITUDE_API_KEY",
        "INDEXING_MAX_SEGMENTATION_TOKENS_LENGTH",
        "PLUGIN_BASED_TOKEN_COUNTING_ENABLED",
        "MONKEY",
        "LOG_LEVEL",
    ],
)
def test_harmless_names_are_not_taken_for_secrets(name: str) -> None:
    assert not is_secret(name)
