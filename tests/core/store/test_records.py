"""How history writes a row's state."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from dagfoundry.store.records import state_text

texts = st.text(st.characters(codec="utf-8"))


@given(status=st.none() | texts, config_json=texts)
def test_a_states_text_is_that_of_json(status: str | None, config_json: str) -> None:
    """Byte for byte, whatever a person wrote into the columns."""
    value = {"status": status, "config_json": config_json}
    assert state_text(status, config_json) == json.dumps(value)
