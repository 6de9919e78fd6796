"""What a conversion says: what cannot be carried over, and what became different."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What there is to say about a conversion.

    Attributes:
        refused: What cannot be carried over; nothing may be written then.
        notes: What was carried over in another form, or left out without effect.
    """

    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def refuse(self, where: str, what: str, remedy: str) -> None:
        """Say that something cannot be carried over, and what to do."""
        self.refused.append(f"{where}: {what}\n  {remedy}")

    def note(self, where: str, what: str) -> None:
        """Say that something is carried over in another form, once."""
        if (line := f"{where}: {what}") not in self.notes:
            self.notes.append(line)
