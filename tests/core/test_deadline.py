"""Code that is not ours is given a limited time, and Airflow's own limit goes on."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import suppress

import pytest

from dagfoundry.deadline import deadline


def sleep_stubbornly(seconds: float) -> None:
    """Sleep, whatever ordinary error is raised meanwhile."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(Exception):
            time.sleep(0.01)


def test_what_takes_too_long_is_ended_with_its_line() -> None:
    """Code that catches every Exception is ended as well, and named."""
    with (
        pytest.raises(TimeoutError, match=rf"not done after 0.05 s at {__file__}:\d+"),
        deadline(0.05),
    ):
        sleep_stubbornly(10)


def test_what_is_quick_goes_on_and_leaves_no_timer() -> None:
    """After the block there is neither a timer nor a handler of ours."""
    before = signal.getsignal(signal.SIGALRM)
    with deadline(30):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_an_error_of_the_block_comes_through() -> None:
    """A limit changes nothing of what the code raises itself."""
    with pytest.raises(KeyError, match="mine"), deadline(30):
        raise KeyError("mine")


def test_a_timer_of_somebody_else_still_rings() -> None:
    """Airflow limits a parse with the same signal: a block inside does not lift that."""
    rung: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _frame: rung.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with deadline(30):
            time.sleep(0.05)
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        assert 0 < left < 0.2
        time.sleep(0.3)
        assert rung == [signal.SIGALRM]
    finally:
        signal.signal(signal.SIGALRM, before)


def test_another_thread_has_no_limit() -> None:
    """Python hands signals to the main thread only, so the block just runs."""
    done: list[bool] = []

    def work() -> None:
        with deadline(0.01):
            time.sleep(0.05)
        done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
