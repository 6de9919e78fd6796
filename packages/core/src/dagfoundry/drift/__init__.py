"""Drift: where model, tables and Airflow differ from what the store has recorded."""

from dagfoundry.drift.differences import Difference, hand_edit_differences, model_differences
from dagfoundry.drift.edits import HandEdit, HandEdits, find_hand_edits
from dagfoundry.drift.record import Recording, record_hand_edits
from dagfoundry.drift.served import ServedView, served_views

__all__ = [
    "Difference",
    "HandEdit",
    "HandEdits",
    "Recording",
    "ServedView",
    "find_hand_edits",
    "hand_edit_differences",
    "model_differences",
    "record_hand_edits",
    "served_views",
]
