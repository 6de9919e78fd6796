"""The factory type keeps DAG Foundry's rules, and does what it is for."""

import pytest

from dagfoundry.errors import ModelInvalidError
from dagfoundry.plugins import load_plugins
from dagfoundry.testing import conformance_suite, rows_of_model
from dagfoundry_hello import say

TestHello = conformance_suite("hello")


def test_the_job_says_the_message(capsys: pytest.CaptureFixture[str]) -> None:
    """What the model tells it stands in the task's log."""
    assert say({"message": "Hello, world!"}).rows_total == 1
    assert capsys.readouterr().out == "Hello, world!\n"


def test_two_that_say_the_same_are_refused() -> None:
    """The second one is named, with its place in the model."""
    model = """
        greetings:
          - {name: One, message: Hello}
          - {name: Two, message: Hello}
    """
    with pytest.raises(ModelInvalidError, match=r"greetings\[1\].message: the message 'Hello'"):
        rows_of_model(model, load_plugins())
