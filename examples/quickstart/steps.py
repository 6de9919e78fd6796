"""The demo's steps 2 to 7, between an installed environment and the two tables."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.request import urlopen

import figures
from airflow_client import AirflowError
from airflow_environment import free_port
from changes import ADDED_DAG, REMOVED_DAG, RESCHEDULED_DAG, changed_model
from prometheus_client.parser import text_string_to_metric_families
from report import ChangeReport, DagReport
from source import Figures, csv_figures, load_source
from sqlalchemy import create_engine
from watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from airflow_processes import AirflowProcesses
    from progress import Progress
    from sqlalchemy.engine import Connection
    from surroundings import Command, Databases
    from watch import Run

RESCHEDULED: Final = "0 * * * *"
"""The schedule that the changed model gives to the stream Reference."""

_JOBS: Final = {"platform": "snapshot_merge_job", "datatransformer": "output_ingestion_job"}
"""Factory type to the task whose result says how many rows were written."""

_ON_ASSETS: Final = "Asset"
"""How Airflow shows the schedule of a DAG that waits for data."""

_LAYERS: Final = {"platform": "stream", "datatransformer": "transformer"}
_TRANSFORMER_FACTORY: Final = "yellowlive_datatransformer_factory"


class Demo:
    """One demo.

    Args:
        progress: Its voice.
        command: The ``dagfoundry`` command.
        urls: The databases.
        model: The copy of the quickstart's model, which is merged and then changed.
        airflow: The processes of Airflow, not started.
    """

    def __init__(
        self,
        *,
        progress: Progress,
        command: Command,
        urls: Databases,
        model: Path,
        airflow: AirflowProcesses,
    ) -> None:
        self._progress = progress
        self._command = command
        self._urls = urls
        self._model = model
        self._airflow = airflow
        self._watch = Watch(airflow, progress)
        self._pool = ThreadPoolExecutor(1)

    @cached_property
    def _csv(self) -> Future[dict[str, Figures]]:
        return self._pool.submit(csv_figures)

    # --- 2: the source database -------------------------------------------------

    def load(self) -> None:
        """Load the source database from the package's files."""
        loaded: dict[str, int] = {}

        def tell(dataset: str, rows: int) -> None:
            loaded[dataset] = rows
            self._progress.working(f"loading {dataset}: {rows:,} rows")

        load_source(self._urls.source, progress=tell)
        for dataset, rows in loaded.items():
            self._progress.say(f"{dataset}: {rows:,} rows")

    # --- 3: the model -------------------------------------------------------------

    def merge(self) -> None:
        """Create the store's tables and merge the model."""
        for plugin in self._command.json("plugins")["types"]:
            origin = f"{plugin['distribution']} {plugin['version']}"
            self._progress.say(f"factory type {plugin['factory_type']}, of {origin}")
        tables = self._command.json("bootstrap", "--ring", "1", str(self._model))["created"]
        self._progress.say(f"dagfoundry bootstrap --ring 1: {len(tables)} tables")
        self._merge("The quickstart")

    def _merge(self, message: str) -> None:
        for line in self._command.run("merge", str(self._model), "-m", message).splitlines():
            self._progress.say(line.rstrip())

    def _rows(self) -> dict[str, dict[str, Any]]:
        return {row["dag_id"]: row for row in self._command.json("list", "--all")}

    def _active(self) -> set[str]:
        return {dag_id for dag_id, row in self._rows().items() if row["status"] == "active"}

    # --- 4: Airflow ---------------------------------------------------------------

    def start(self) -> None:
        """Start Airflow and wait until all DAGs are there."""
        _ = self._csv  # is added up meanwhile
        self._progress.working("making Airflow's database")
        self._airflow.start()
        self._progress.say(f"api-server, scheduler and dag-processor start at {self._airflow.url}")
        self._watch.until("a healthy Airflow", self._is_healthy, timeout=180, log="api-server")
        self._progress.say("Airflow is healthy")
        expected = self._active()
        self._watch.until(
            f"{len(expected)} DAGs",
            lambda: expected <= self._watch.dag_ids(),
            timeout=120,
            log="dag-processor",
        )
        for dag_id in sorted(expected):
            self._progress.say(f"Airflow lists {dag_id}")
        self._check_list(expected)

    def _is_healthy(self) -> bool:
        try:
            self._airflow.wait_healthy(timeout=1)
        except AirflowError:
            return False
        return True

    def _check_list(self, expected: set[str]) -> None:
        listed = self._watch.dag_ids()
        self._progress.check(
            f"Airflow lists the {len(expected)} DAGs of the store and no other",
            held=listed == expected,
        )
        errors = self._watch.import_errors()
        self._progress.check("Airflow has no import error", held=not errors)
        for error in errors:
            self._progress.say(error)
        files = list((self._airflow.home / "dags").iterdir())
        self._progress.check("the DAG folder is empty", held=not files)

    # --- 5: the runs ----------------------------------------------------------------

    def run(self) -> None:
        """Let everything run until all succeed, compare the rows, and run the streams again."""
        layers: dict[str, list[str]] = defaultdict(list)
        for dag_id, row in self._rows().items():
            layers[_layer(row)].append(dag_id)
        streams, transformers = layers["stream"], layers["transformer"]
        others = layers["infrastructure"] + layers["factory"]
        self._start_idle([*streams, *others])
        self._watch.until_over([*streams, *others], number=1, timeout=240)
        self._progress.check("streams, factories and infrastructure ran with success", held=True)
        early = self._run_on_full_inputs(transformers)
        self._watch.until_over(transformers, number=1, timeout=120, without=early)
        self._check_figures()
        for dag_id in streams:
            self._watch.trigger(dag_id)
        runs = self._watch.until_over(streams, number=2, timeout=120)
        for dag_id in streams:
            last = [run for run in runs if run.dag_id == dag_id][-1]
            rows = self._written(last, "platform")
            self._progress.check(f"{dag_id}: the second run wrote {rows} rows", held=rows == 0)
        self._check_batches()

    def _start_idle(self, dag_ids: Iterable[str]) -> None:
        """Start a run of each DAG that its schedule has not started yet."""
        begun = {run.dag_id for run in self._watch.runs()}
        for dag_id in dag_ids:
            if dag_id not in begun:
                self._watch.trigger(dag_id)

    def _run_on_full_inputs(self, dag_ids: Iterable[str]) -> list[Run]:
        """Start the transformers that a cron starts, now that their inputs are loaded.

        Returns:
            Their runs before this one, if any: those came too early to count.
        """
        on_cron = [d for d in dag_ids if self._watch.schedule(d) != _ON_ASSETS]
        early = [run for run in self._watch.runs() if run.dag_id in on_cron]
        for run in early:
            self._progress.say(f"{run.dag_id}: its cron came before the first rows of its inputs")
        for dag_id in on_cron:
            self._watch.trigger(dag_id)
        return early

    def _check_figures(self) -> None:
        expected = self._csv.result()
        engine = create_engine(self._urls.merge, future=True)
        with engine.connect() as connection:
            for dataset, table in figures.TABLES.items():
                found = figures.read_figures(connection, table, expected[dataset])
                self._check_same(dataset, table, expected[dataset], found)
            self._check_transformers(connection, expected["flights"])
        engine.dispose()

    def _check_same(self, dataset: str, table: str, expected: Figures, found: Figures) -> None:
        counts, sums = len(expected.counts), len(expected.sums)
        self._check_none(
            f"{table} equals the CSV file of {dataset}:"
            f" {found.rows:,} rows, {counts} columns' counts, {sums} columns' sums",
            figures.differences(expected, found),
        )

    def _check_transformers(self, connection: Connection, flights: Figures) -> None:
        delays = figures.carrier_delays(flights)
        like = Figures(rows=0, counts={}, sums=delays)
        found = figures.read_figures(connection, figures.CARRIER_DELAYS, like)
        self._check_none(
            f"{figures.CARRIER_DELAYS}: {found.rows} rows, whose {len(delays)} sums are those"
            " of the flights",
            figures.sum_differences(delays, found.sums),
        )
        like = Figures(rows=0, counts={}, sums={"flights": 0})
        found = figures.read_figures(connection, figures.WEATHER_IMPACT, like)
        few = found.sums["flights"] < flights.rows / 2
        self._check_none(
            f"{figures.WEATHER_IMPACT}: {found.rows} rows over"
            f" {found.sums['flights']:,.0f} flights whose weather is known",
            ["less than half of the flights"] if few else [],
        )

    def _check_none(self, what: str, differences: Iterable[str]) -> None:
        differing = list(differences)
        self._progress.check(what, held=not differing)
        for difference in differing:
            self._progress.say(difference)

    def _check_batches(self) -> None:
        engine = create_engine(self._urls.merge, future=True)
        with engine.connect() as connection:
            written = figures.read_batches(connection)
        engine.dispose()
        expected = figures.expected_batches(self._csv.result())
        found = {key: written.get(key) for key in expected}
        self._progress.check(
            "batch_metrics counts every row as inserted once, none as updated or deleted",
            held=found == expected,
        )

    def _written(self, run: Run, factory_type: str) -> int:
        result = self._watch.result(run, _JOBS[factory_type])
        return sum(result[f"rows_{what}"] for what in ("inserted", "updated", "deleted"))

    # --- 6: the change ----------------------------------------------------------------

    def change(self) -> list[ChangeReport]:
        """Change the model, merge it, and return how each change arrived in Airflow."""
        changed_model(self._model)
        self._merge("A stream more, a schedule changed, a transformer less")
        merged = time.monotonic()
        looks: dict[str, tuple[str, Callable[[], bool]]] = {
            f"added stream {ADDED_DAG}": ("listed", lambda: ADDED_DAG in self._watch.dag_ids()),
            f"changed schedule of {RESCHEDULED_DAG}": (RESCHEDULED, self._is_rescheduled),
            f"removed transformer {REMOVED_DAG}": ("retired, gone from the list", self._is_gone),
        }
        self._watch.trigger(_TRANSFORMER_FACTORY)
        reports = [
            ChangeReport(change=change, seen=seen, seconds=seconds - merged)
            for change, seen, seconds in self._arrivals(looks)
        ]
        self._start_idle([ADDED_DAG])
        self._watch.until_over([ADDED_DAG], number=1, timeout=120)
        self._check_list(self._active())
        return reports

    def _arrivals(
        self, looks: dict[str, tuple[str, Callable[[], bool]]]
    ) -> Iterator[tuple[str, str, float]]:
        waiting = dict(looks)

        def look() -> str | None:
            self._watch.runs()
            return next((change for change in waiting if waiting[change][1]()), None)

        while waiting:
            what = " and ".join(waiting)
            change = self._watch.until(what, look, timeout=240, log="dag-processor")
            seen, _ = waiting.pop(change)
            self._progress.say(f"{change}: {seen}", "green")
            yield change, seen, time.monotonic()

    def _is_rescheduled(self) -> bool:
        return self._watch.schedule(RESCHEDULED_DAG) == RESCHEDULED

    def _is_gone(self) -> bool:
        if REMOVED_DAG in self._watch.dag_ids():
            return False
        return bool(self._rows()[REMOVED_DAG]["status"] == "retired")

    # --- 7: the metrics -----------------------------------------------------------------

    def scrape(self) -> None:
        """Scrape the metrics endpoint and show the creations of each factory type."""
        port = free_port()
        with self._command.running("metrics", "serve", "--port", str(port)):
            url = f"http://127.0.0.1:{port}/metrics"
            text = self._watch.until("the metrics endpoint", lambda: _scrape(url), timeout=30)
        samples = {
            sample.labels["factory_type"]: int(sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "dagfoundry_dags_created_total"
        }
        for factory_type, created in samples.items():
            line = f'dagfoundry_dags_created_total{{factory_type="{factory_type}"}} {created}'
            self._progress.say(line)
        expected = Counter(
            row["factory_type"] if row["kind"] == "entry" else row["kind"]
            for row in self._rows().values()
        )
        self._progress.check(
            "the metrics count each DAG's creation once", held=samples == dict(expected)
        )

    # --- 8: the report --------------------------------------------------------------------

    def report(self) -> list[DagReport]:
        """Return what each DAG did."""
        runs = self._watch.runs()
        return [
            self._report_of(row, [run for run in runs if run.dag_id == dag_id])
            for dag_id, row in self._rows().items()
        ]

    def _report_of(self, row: dict[str, Any], runs: list[Run]) -> DagReport:
        good = [run for run in runs if run.state == "success"]
        moves_rows = row["kind"] == "entry"
        return DagReport(
            dag_id=row["dag_id"],
            layer=_layer(row),
            rows=[self._written(run, row["factory_type"]) for run in good] if moves_rows else [],
            seconds=[run.seconds or 0.0 for run in good],
            failed=sum(run.state == "failed" for run in runs),
        )

    def close(self) -> None:
        """End the thread that adds up the files."""
        self._pool.shutdown(cancel_futures=True)


def _layer(row: dict[str, Any]) -> str:
    return _LAYERS[row["factory_type"]] if row["kind"] == "entry" else str(row["kind"])


def _scrape(url: str) -> str | None:
    try:
        with urlopen(url, timeout=5) as answer:  # noqa: S310 - an http address of our own
            return str(answer.read().decode())
    except OSError:
        return None
