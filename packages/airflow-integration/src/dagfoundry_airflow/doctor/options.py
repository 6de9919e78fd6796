"""Airflow's options: their value here, and how another one is set."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.doctor import Setting
from dagfoundry.errors import SettingInvalidError

if TYPE_CHECKING:
    from collections.abc import Callable

AIRFLOW_2_VERSIONS: Final = ("2.10", "2.11")
AIRFLOW_3_VERSIONS: Final = ("3.0", "3.1", "3.2", "3.3")
EVERY_AIRFLOW: Final = (*AIRFLOW_2_VERSIONS, *AIRFLOW_3_VERSIONS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """An option of Airflow's configuration."""

    section: str
    name: str

    def __str__(self) -> str:
        """Return the option as a configuration file has it."""
        return f"[{self.section}] {self.name}"

    def to(self, value: object) -> Setting:
        """Return how to set the option to a value."""
        variable = f"AIRFLOW__{self.section.upper()}__{self.name.upper()}"
        return Setting(variable=variable, value=str(value), option=f"[{self.section}] {self.name}")

    def number(self) -> float:
        """Return the option's number.

        Raises:
            SettingInvalidError: It is none.
        """
        return float(self._read(_conf().getfloat))

    def flag(self) -> bool:
        """Return whether the option is on.

        Raises:
            SettingInvalidError: It is neither on nor off.
        """
        return bool(self._read(_conf().getboolean))

    def text(self) -> str:
        """Return the option's text; empty when it has none."""
        return str(self._read(partial(_conf().get, fallback="")) or "")

    def _read(self, read: Callable[..., Any]) -> Any:  # noqa: ANN401 - as the reader returns it
        from airflow.exceptions import AirflowConfigException

        try:
            return read(self.section, self.name)
        except AirflowConfigException as error:
            reason = " ".join(str(error).split())
            remedy = f"Correct it; {self.to('...').variable} sets it."
            raise SettingInvalidError(f"{self}: {reason}", remedy=remedy) from None


def parsing(name: str) -> Option:
    """Return an option of the DAG processor; its section depends on Airflow's version."""
    from dagfoundry_airflow._compat import parsing_section

    return Option(section=parsing_section(name), name=name)


def _conf() -> Any:  # noqa: ANN401 - its class differs by version
    from airflow.configuration import conf

    return conf
