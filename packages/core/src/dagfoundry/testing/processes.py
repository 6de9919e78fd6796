"""Asking a fresh Python process: both sides of one question and one answer, each JSON.

The child reads the question from its standard input and writes the answer to the file that
its argument names; what a plugin prints goes where the parent sees it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.errors import CheckImpossibleError, FoundryError

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_OUTPUT: Final = 2000


def ask_process(module: str, question: Any, *, task: str, hash_seed: int = 0) -> Any:  # noqa: ANN401 - JSON values
    """Run a module in a fresh process with the same plugins, and return its answer.

    Args:
        module: What to run; it calls :func:`answer_parent`.
        question: JSON values.
        task: What the process does, for the error of one that fails.
        hash_seed: PYTHONHASHSEED of the process.

    Raises:
        CheckImpossibleError: The process failed, or answered with an error.
    """
    with tempfile.TemporaryDirectory(prefix="dagfoundry-") as folder:
        answer = Path(folder, "answer.json")
        done = subprocess.run(
            [sys.executable, "-m", module, str(answer)],
            input=json.dumps(question),
            env=os.environ | {"PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": _python_path()},
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode or not answer.exists():
            msg = f"the process that {task} failed:\n{done.stdout[-_LONGEST_OUTPUT:]}"
            raise CheckImpossibleError(msg, remedy="Mend what its output says.")
        return _value(json.loads(answer.read_text(encoding="utf-8")))


def _python_path() -> str:
    """Return this process's module path, so that the other one finds the same plugins."""
    return os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)


def _value(answer: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON values
    if "what" in answer:
        raise CheckImpossibleError(answer["what"], remedy=answer["remedy"])
    return answer["value"]


def answer_parent(answer: Callable[[Any], Any]) -> None:
    """Answer the one question of :func:`ask_process`; a FoundryError is an answer, too."""
    question = json.load(sys.stdin)
    try:
        said = {"value": answer(question)}
    except FoundryError as error:
        said = {"what": error.what, "remedy": error.remedy}
    Path(sys.argv[1]).write_text(json.dumps(said), encoding="utf-8")
