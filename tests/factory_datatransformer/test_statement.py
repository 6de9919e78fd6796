"""What counts as one SELECT statement."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagfoundry_datatransformer.statement import one_select

# fmt: off
PIECES = st.sampled_from([
    "'", '"', "--", "/*", "*/", "(", ")", ";", "$$", "$a$", "\n", " ", "E'", "\\", "''",
    "a", "1", "SELECT 1", "DROP TABLE t", ",", "$", "x'",
])
# fmt: on


WRAPPED = "SELECT * FROM (...\n) AS q"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "select ')', ';', '--', 'it''s' from t",
        'SELECT "a;b", "c""d" FROM t',
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "-- first; a comment )\nSELECT 1 /* and ; another ) */ -- one more",
        "(SELECT 1) UNION (SELECT 2)",
        "SELECT $$it's; (text$$, $a$ $$;$$ $a$, E'it\\'s;', DATE'2013-01-01'",
        "SELECT a$b$c, 1 FROM t WHERE d = '$b$'",
    ],
)
def test_accepts_one_select(sql: str) -> None:
    """Punctuation in texts, names and comments ends nothing."""
    assert one_select(sql) == sql


@pytest.mark.parametrize("sql", ["SELECT 1;", " SELECT 1 ; \n", "SELECT 1"])
def test_drops_a_final_semicolon(sql: str) -> None:
    """A statement may end with a semicolon, as in a console."""
    assert one_select(sql) == "SELECT 1"


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("", "is no SELECT"),
        ("-- SELECT 1", "is no SELECT"),
        ("UPDATE t SET a = 1", "is no SELECT"),
        ("SELECT 1; SELECT 2", "';' at 8"),
        ("SELECT 1) AS x, (SELECT 2", "')' at 8"),
        ("SELECT (1", "leaves 1 ( open"),
        ("SELECT 'a", "a string that is not closed"),
        ("SELECT 'a\\'; DROP TABLE t; --'", "';' at 11"),
        ("SELECT E'a\\'", "a string that is not closed"),
        ('SELECT "a', "a quoted name that is not closed"),
        ("SELECT 1 /* a", "a comment that is not closed"),
        ("SELECT 1 /* /* */ ; */", "holds another comment"),
        ("SELECT $a$ $b$; DROP TABLE t", "';' at 14"),
        ("SELECT 1 -- a\r; DROP TABLE t", "';' at 14"),
        ("SELECT '\0'", "is no SELECT"),
    ],
)
def test_refuses_anything_else(sql: str, said: str) -> None:
    """More than one statement, other statements and what is left open are refused."""
    with pytest.raises(ValueError, match=r"is no|has a|leaves") as refused:
        one_select(sql)
    assert said in str(refused.value)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_what_is_accepted_stays_inside_its_parentheses(tail: str) -> None:
    """SQLite never finds a second statement, or our parenthesis closed, in what is accepted."""
    try:
        sql = one_select(f"SELECT 1 {tail}")
    except ValueError:
        return
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE t (a)")
        with contextlib.suppress(sqlite3.Error):
            database.executescript(WRAPPED.replace("...", sql))
        assert database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone() == (1,)
