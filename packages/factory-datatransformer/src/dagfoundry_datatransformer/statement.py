"""What counts as one SELECT statement, so that a row can hold SQL and nothing worse.

A transformer's SQL runs as a sub-query of ours. Without a semicolon and without a
parenthesis that closes ours, a database takes nothing but a SELECT in that place.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator

from dagfoundry import refusal

_TOKEN: Final = re.compile(
    r"""
      (?<![\w$])[eE]'(?:[^'\\]|\\.|'')*'                       # PostgreSQL: E'it\'s'
    | '(?:[^']|'')*'
    | "(?:[^"]|"")*"
    | (?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$    # PostgreSQL: $tag$it's$tag$
    | --[^\r\n]*
    | /\*(?:(?!/\*|\*/).)*\*/
    | (?P<open>(?<![\w$])[eE]'|'|"|/\*)
    | (?P<mark>[();])
    | (?P<word>\w+)
    """,
    re.VERBOSE | re.DOTALL,
)
_FIRST_WORDS: Final = ("select", "with")
_REMEDY: Final = "Write one SELECT statement; it may begin with a WITH clause."
_UNCLOSED: Final = {
    "'": "a string that is not closed",
    '"': "a quoted name that is not closed",
    "/*": "a comment that is not closed, or holds another comment",
}


def one_select(sql: str) -> str:
    """Return the statement without a final semicolon.

    Args:
        sql: What the model's author wrote, on SQLite or PostgreSQL.

    Raises:
        PydanticCustomError: It is not exactly one SELECT statement; a ``ValueError``.
    """
    text = sql.strip().removesuffix(";").rstrip()
    first = ""
    depth = 0
    for token in _TOKEN.finditer(text):
        _refuse_unclosed(token["open"])
        first = first or (token["word"] or "").lower()
        depth += {"(": 1, ")": -1}.get(token["mark"], 0)
        if token["mark"] == ";" or depth < 0:
            problem = f"is not one statement: {token['mark']!r} at {token.start()} ends it"
            raise refusal(problem, remedy=_REMEDY)
    if first not in _FIRST_WORDS or "\0" in text:
        raise refusal("is no SELECT statement", remedy=_REMEDY)
    if depth:
        raise refusal(f"leaves {depth} ( open", remedy=_REMEDY)
    return text


def _refuse_unclosed(opening: str | None) -> None:
    if opening:
        raise refusal(f"has {_UNCLOSED[opening.lstrip('eE')]}", remedy=_REMEDY)


SelectStatement = Annotated[str, AfterValidator(one_select)]
"""One SELECT statement; a final semicolon is dropped."""
