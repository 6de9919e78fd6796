"""Looks whether an installation can serve its fleet, and says what to set.

Other distributions offer checks under the entry-point group ``dagfoundry.doctor``; core
itself looks at the store and the plugins and never imports Airflow.
"""

from __future__ import annotations

from dagfoundry.doctor.examination import CHECKS, DOCTOR_GROUP, Examined, examine
from dagfoundry.doctor.records import (
    Check,
    Diagnosis,
    Fleet,
    Setting,
    Subject,
    Verdict,
    advice,
    good,
    problem,
)
from dagfoundry.doctor.subject import look_at

__all__ = [
    "CHECKS",
    "DOCTOR_GROUP",
    "Check",
    "Diagnosis",
    "Examined",
    "Fleet",
    "Setting",
    "Subject",
    "Verdict",
    "advice",
    "examine",
    "good",
    "look_at",
    "problem",
]
