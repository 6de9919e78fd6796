"""The environment variables, and what is said of impossible values."""

from __future__ import annotations

import pytest

from dagfoundry.errors import SettingInvalidError
from dagfoundry.settings import read_settings


def test_nothing_set_gives_the_defaults() -> None:
    """An empty variable counts as none."""
    settings = read_settings({"DAGFOUNDRY_MAX_DROP": "", "DAGFOUNDRY_ALLOW_DROP": ""})
    assert settings.max_drop == 0.25
    assert settings.allow_drop == frozenset()
    assert settings.max_snapshot_age == 3600


def test_the_limit_of_lost_dags_is_read() -> None:
    """A share, and several allowances with commas."""
    settings = read_settings(
        {"DAGFOUNDRY_MAX_DROP": "0.5", "DAGFOUNDRY_ALLOW_DROP": "My-Foundry@5, Other@12"}
    )
    assert settings.max_drop == 0.5
    assert settings.allow_drop == {"My-Foundry@5", "Other@12"}


@pytest.mark.parametrize("text", ["much", "25", "-0.1", "nan"])
def test_a_share_is_a_number_from_0_to_1(text: str) -> None:
    """The error names the variable and an example."""
    with pytest.raises(SettingInvalidError, match=r"(?s)DAGFOUNDRY_MAX_DROP is .* such as 0\.25"):
        read_settings({"DAGFOUNDRY_MAX_DROP": text})


@pytest.mark.parametrize(
    "text", ["Quickstart", "Quickstart@", "Quickstart@five", "Quickstart@5;A@6"]
)
def test_an_allowance_names_foundry_and_revision(text: str) -> None:
    """Else it would silently allow nothing."""
    with pytest.raises(SettingInvalidError, match="such as Quickstart@5"):
        read_settings({"DAGFOUNDRY_ALLOW_DROP": text})


@pytest.mark.parametrize("text", ["long", "0", "-5", "inf", "nan"])
def test_an_age_is_a_number_of_seconds(text: str) -> None:
    """The error names the variable and an example."""
    with pytest.raises(SettingInvalidError, match=r"(?s)MAX_SNAPSHOT_AGE is .* such as 3600"):
        read_settings({"DAGFOUNDRY_MAX_SNAPSHOT_AGE": text})
