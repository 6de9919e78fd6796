"""The numbers survive the processes that count them, and Prometheus can read them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from dagfoundry import metrics
from dagfoundry.errors import SettingInvalidError
from dagfoundry.settings import METRICS_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COUNT_ONCE = """
from dagfoundry import metrics
metrics.dags_created("platform", 2)
metrics.dags_built("platform", "ok", [0.004])
"""
FOUR_AT_A_TIME = f"""
import os
from dagfoundry import metrics
def child():
    if os.fork() == 0:
        exec({COUNT_ONCE!r})
        os._exit(0)
for number in range(50):
    if number >= 4:
        assert os.wait()[1] == 0
    child()
for _ in range(4):
    assert os.wait()[1] == 0
"""
COUNT_AND_WAIT = """
import sys, time
from dagfoundry import metrics
metrics.dags_created("platform", 5)
print("counted", flush=True)
time.sleep(600)
"""
COUNT_WITHOUT_END = """
from dagfoundry import metrics
while True:
    metrics.dags_created("platform")
    print(".", end="", flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A metrics folder of this test, named in the environment."""
    path = tmp_path / "metrics"
    monkeypatch.setenv(METRICS_VARIABLE, str(path))
    return path


def start(code: str) -> subprocess.Popen[str]:
    """Start a process that counts."""
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


@pytest.fixture
def waiting(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has counted 5 and holds its slot."""
    assert not folder.exists()
    with start(COUNT_AND_WAIT) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    """Return the samples of a scrape by name and label values."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def created(folder: Path) -> float:
    """Return the sum that a scrape shows."""
    return samples(metrics.render(folder))["dagfoundry_dags_created_total", "platform"]


def test_concurrent_processes_add_up_in_bounded_files(folder: Path) -> None:
    """Fifty short processes, four at a time: the sum is exact, the slots are at most four."""
    subprocess.run([sys.executable, "-c", FOUR_AT_A_TIME], check=True)
    shown = samples(metrics.render(folder))
    assert shown["dagfoundry_dags_created_total", "platform"] == 100
    assert shown["dagfoundry_dag_builds_total", "platform", "ok"] == 50
    assert shown["dagfoundry_dag_build_seconds_count", "platform"] == 50
    assert shown["dagfoundry_dag_build_seconds_sum", "platform"] == pytest.approx(0.2)
    assert shown["dagfoundry_dag_build_seconds_bucket", "platform", "0.0025"] == 0
    assert shown["dagfoundry_dag_build_seconds_bucket", "platform", "0.005"] == 50
    assert len(list(folder.glob("slot_*.lock"))) <= 4
    assert len(list(folder.glob("counter_*.db"))) <= 4


def test_killed_process_leaves_its_numbers_and_its_slot(
    folder: Path, waiting: subprocess.Popen[str]
) -> None:
    """After kill -9 the next process takes the same slot and continues the same numbers."""
    waiting.kill()
    waiting.wait()
    subprocess.run([sys.executable, "-c", COUNT_ONCE], check=True)
    assert created(folder) == 7
    assert [f.name for f in folder.glob("counter_*.db")] == ["counter_0.db"]


def test_process_killed_while_counting_corrupts_nothing(folder: Path) -> None:
    """Each number that a process had counted when it was killed is there."""
    counted = 0
    for _ in range(5):
        with start(COUNT_WITHOUT_END) as process:
            assert process.stdout is not None
            process.stdout.read(200)
            process.send_signal(signal.SIGKILL)
            counted += 200 + len(process.stdout.read())
    assert counted <= created(folder) <= counted + 5


def test_simultaneous_process_takes_another_slot(
    folder: Path, waiting: subprocess.Popen[str]
) -> None:
    """Two processes that live at once never share a file."""
    assert waiting.poll() is None
    subprocess.run([sys.executable, "-c", COUNT_ONCE], check=True)
    assert sorted(f.name for f in folder.glob("counter_*.db")) == ["counter_0.db", "counter_1.db"]
    assert created(folder) == 7


def test_forked_child_takes_a_slot_of_its_own(folder: Path) -> None:
    """Parent and forked child count at the same time, and the parent keeps its slot."""
    metrics.dags_created("platform")
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            for _ in range(100):
                metrics.dags_created("platform")
            os._exit(0)
        children.append(child)
    for _ in range(100):
        metrics.dags_created("platform")
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    assert created(folder) == 401
    assert len(list(folder.glob("counter_*.db"))) <= 4


def test_child_keeps_no_slot_of_its_parent(folder: Path) -> None:
    """A forked child that outlives its parent does not block the parent's slot."""
    code = (
        "import os, time\n" + COUNT_ONCE + "child = os.fork()\n"
        "if child == 0:\n    os.close(1); os.close(2); time.sleep(600)\n"
        "print(child)"
    )
    child = int(
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    )
    try:
        subprocess.run([sys.executable, "-c", COUNT_ONCE], check=True)
        assert len(list(folder.glob("slot_*.lock"))) == 1
    finally:
        os.kill(child, signal.SIGKILL)


def test_newest_gauge_of_all_slots_is_shown(folder: Path, waiting: subprocess.Popen[str]) -> None:
    """A gauge shows what was set last, also when that is less than before."""
    assert waiting.poll() is None
    code = "from dagfoundry import metrics; metrics.revision_served('Quickstart', {})"
    metrics.revision_served("Quickstart", 7)
    subprocess.run([sys.executable, "-c", code.format(5)], check=True)
    assert samples(metrics.render(folder))["dagfoundry_served_revision", "Quickstart"] == 5


def test_damaged_file_is_set_aside(folder: Path) -> None:
    """A file that cannot be read is kept under another name and counting goes on."""
    folder.mkdir()
    (folder / "counter_0.db").write_bytes(b"\xff" * 4096)
    subprocess.run([sys.executable, "-c", COUNT_ONCE], check=True)
    assert created(folder) == 2
    assert (folder / "counter_0.damaged").exists()


def test_folder_that_cannot_be_written_fails_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work goes on when its metrics have no place; they stay in the process."""
    (tmp_path / "file").touch()
    monkeypatch.setenv(METRICS_VARIABLE, str(tmp_path / "file" / "metrics"))
    metrics.dags_created("in_a_file")
    assert (
        REGISTRY.get_sample_value("dagfoundry_dags_created_total", {"factory_type": "in_a_file"})
        == 1
    )


def test_metrics_stay_in_the_process_without_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable they are in prometheus_client's default registry."""
    monkeypatch.delenv(METRICS_VARIABLE, raising=False)
    metrics.dags_created("hello", 3)
    metrics.dags_built("hello", "failed", [0.2])
    metrics.store_failed("Quickstart")
    metrics.refreshed("Quickstart", 0.01)
    metrics.head_seen("Quickstart", 4)
    labels = {"factory_type": "hello"}
    assert REGISTRY.get_sample_value("dagfoundry_dags_created_total", labels) == 3
    assert REGISTRY.get_sample_value("dagfoundry_dag_build_seconds_sum", labels) == 0.2


def test_the_builds_of_a_file_are_counted_one_by_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call for all of them; each in its own limit, two in one."""
    taken = [0.002, 0.004, 0.004, 7.0]
    metrics.dags_built("platform", "ok", taken)
    shown = samples(metrics.render(folder))
    limits = {"0.001": 0, "0.0025": 1, "0.005": 3, "5.0": 3, "+Inf": 4}
    name = "dagfoundry_dag_build_seconds"
    assert {limit: shown[f"{name}_bucket", "platform", limit] for limit in limits} == limits
    assert shown[f"{name}_count", "platform"] == 4
    assert shown[f"{name}_sum", "platform"] == pytest.approx(sum(taken))
    assert shown["dagfoundry_dag_builds_total", "platform", "ok"] == 4
    monkeypatch.delenv(METRICS_VARIABLE)
    metrics.dags_built("at_once", "ok", taken)
    labels = {"factory_type": "at_once"}
    assert REGISTRY.get_sample_value(f"{name}_count", labels) == 4
    assert REGISTRY.get_sample_value(f"{name}_bucket", {**labels, "le": "0.005"}) == 3


def test_import_touches_nothing(folder: Path) -> None:
    """Importing the metrics opens no file; the first number does."""
    subprocess.run([sys.executable, "-c", "import dagfoundry.metrics"], check=True)
    assert not folder.exists()


def test_scrape_over_http(folder: Path) -> None:
    """A scrape shows what was counted after the endpoint was started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = f"from dagfoundry import metrics; metrics.serve({port}, '127.0.0.1', {str(folder)!r})"
    with start(code) as server:
        try:
            scrape(port)
            metrics.dags_created("platform", 4)
            shown = samples(scrape(port))
            assert shown["dagfoundry_dags_created_total", "platform"] == 4
        finally:
            server.kill()


def scrape(port: int) -> bytes:
    """Return one scrape; wait until the endpoint is up."""
    deadline = time.monotonic() + 30
    while not is_listening(port) and time.monotonic() < deadline:
        time.sleep(0.05)
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return bytes(answer.read())


def is_listening(port: int) -> bool:
    """Tell whether the port accepts a connection."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_taken_port_is_one_clear_error(folder: Path) -> None:
    """The address and what to do are named."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingInvalidError, match=f"cannot listen on 127.0.0.1:{port}"):
            metrics.serve(port, "127.0.0.1", folder)
