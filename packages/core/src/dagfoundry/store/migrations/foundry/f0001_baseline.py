"""A foundry's tables as ``store/ring1.py`` first made them, or a reference deployment did."""

from __future__ import annotations

revision = "f0001"
down_revision = None


def upgrade() -> None:
    """Do nothing: ring 1 creates tables, migrations change them."""
