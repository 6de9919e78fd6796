"""How values of a row become what Airflow takes. Airflow is imported only inside."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dagfoundry_dagfactory.arguments import ASSETS, DURATIONS, MOMENTS
from dagfoundry_dagfactory.schedule import AND
from dagfoundry_dagfactory.times import moment_of, seconds_of


def argument(name: str, value: Any, zone: str, *, durations: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 - any argument
    """Return an argument of an operator as Airflow takes it.

    Args:
        name: Name of the argument.
        value: Its value in the row.
        zone: Time zone of the DAG.
        durations: The operator's own arguments that are durations.
    """
    if name in DURATIONS or name in durations:
        return timedelta(seconds=seconds_of(value))
    if name in MOMENTS:
        return moment(moment_of(value), zone)
    if name in ASSETS:
        return [_asset(uri) for uri in ([value] if isinstance(value, str) else value)]
    return value


def condition(schedule: Any) -> Any:  # noqa: ANN401 - cron text, assets or None
    """Return a schedule as Airflow takes it."""
    if isinstance(schedule, list):
        return [_asset(uri) for uri in schedule]
    return _joined(schedule) if isinstance(schedule, dict) else schedule


def moment(text: str | None, zone: str) -> Any:  # noqa: ANN401 - pendulum's class, which Airflow stores on every version
    """Return a moment in a time zone."""
    import pendulum

    return None if text is None else pendulum.parse(text, tz=zone)


def _joined(condition: Any) -> Any:  # noqa: ANN401 - an asset or a condition of assets
    from airflow.providers.common.compat.sdk import AssetAll, AssetAny

    if isinstance(condition, str):
        return _asset(condition)
    ((operator, members),) = condition.items()
    kind = AssetAll if operator == AND else AssetAny
    return kind(*map(_joined, members))


def _asset(uri: str) -> Any:  # noqa: ANN401 - an asset, a dataset in Airflow 2
    from airflow.providers.common.compat.sdk import Asset

    return Asset(uri=uri)
