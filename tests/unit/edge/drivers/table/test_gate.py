"""The gate in front of databases: SELECTs that only read pass, nothing else does.

What must not pass is from the manuals of SQLite, PostgreSQL, MySQL, Oracle and SQL Server.
"""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.drivers.table.database import DIALECTS, question
from edge.drivers.table.gate import StatementError, check_statement

GOOD = [
    "SELECT id, taken_at, pot, volts, temp FROM pot_log",
    "select * from PotData.dbo.[Pot Log] where Volts > 0",
    "SELECT id, CAST(v AS NUMERIC(10, 3)) AS volts FROM `pot log`",
    "SELECT max(id) AS id, max(weighed_at) AS at, sum(net_kg) AS net_kg FROM w WHERE ok = 1",
    "WITH t AS (SELECT id, COALESCE(a, b) AS a FROM x) SELECT * FROM t UNION ALL SELECT 1, 2",
    "SELECT a.id, 'it''s; -- no' AS remark FROM a JOIN b USING (id) WHERE b.kind IN ('x', 'y')",
    "SELECT 槽号, 电压 FROM 槽日报 WHERE 电压 IS NOT NULL",
    "SELECT id, CASE WHEN (a > 1) THEN 1 ELSE 0 END AS s FROM t WHERE name LIKE 'Al%' ORDER BY id",
    'SELECT "update", "drop table" FROM "delete"',
    "SELECT id, row_number() OVER (PARTITION BY pot ORDER BY id) AS n FROM t",
    "SELECT id\r\n\t, a % 2 AS odd FROM t",
]


@pytest.mark.parametrize("text", GOOD)
def test_a_select_that_only_reads_passes(text: str) -> None:
    assert check_statement(f"  {text}\n").text == text


BAD = [
    # not a SELECT
    "", "  ", "(SELECT 1)", "VALUES (1)", "TABLE t", "DELETE FROM t", "PRAGMA journal_mode",
    "ATTACH 'x' AS y", "EXPLAIN SELECT 1", "SHOW TABLES", "EXEC sp_who", "BEGIN", "WITH x",
    "UPDATE t SET a = 1", "REPLACE INTO t VALUES (1)", "CREATE TABLE t (a)", "COPY t TO '/tmp/x'",
    # more than one
    "SELECT 1; DELETE FROM t", "SELECT 1;", "SELECT 1) a; DROP TABLE t; SELECT * FROM (SELECT 1",
    "SELECT 1) s UNION SELECT * FROM (SELECT 2", "SELECT (1", "SELECT 1 FROM t GO DROP TABLE t",
    # a SELECT that does something
    "SELECT * INTO copy FROM t", "SELECT a FROM t INTO OUTFILE '/tmp/x'", "SELECT 1 FOR UPDATE",
    "SELECT a FROM t FOR SHARE", "SELECT a FROM t LOCK IN SHARE MODE",
    "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",
    "WITH d AS (INSERT INTO t VALUES (1) RETURNING a) SELECT a FROM d",
    "SELECT s.nextval FROM dual", "SELECT NEXT VALUE FOR s", "SELECT 1 PROCEDURE ANALYSE()",
    "SELECT a FROM t WITH (TABLOCKX)", "SELECT a FROM t (TABLOCKX)", "SELECT a FROM t x (UPDLOCK)",
    # functions with effects, or unknown ones
    "SELECT load_extension('x')", "SELECT writefile('a', 'b')", "SELECT pg_sleep(10)",
    "SELECT pg_catalog.setval('s', 1)", "SELECT setval('s', 1)", "SELECT lo_export(1, 'x')",
    "SELECT dblink_exec('x')", "SELECT sleep(9)", "SELECT benchmark(9, 1)",
    "SELECT get_lock('a', 9)",
    "SELECT xp_cmdshell('dir')", "SELECT * FROM OPENROWSET('a', 'b')", "SELECT my_function(1)",
    "SELECT dbo.count(1)", 'SELECT "pg_sleep"(10)', "SELECT [pg_sleep] (10)", "SELECT `sleep`(1)",
    "SELECT * FROM pragma_table_info('t')", "SELECT utl_http.request('http://x')",
    "SELECT pg_sleep\n(10)", "SELECT a[(SELECT pg_sleep(10))] FROM t", "SELECT load_file('/x')",
    # what readers split differently
    "SELECT 1 -- x", "SELECT 1 /* x */", "SELECT 1 # x", "SELECT 1 /*! INTO OUTFILE 'x' */",
    r"SELECT 'a\' ; DROP TABLE t'", "SELECT $$a$$", "SELECT E'a'", "SELECT q'[a' b]'",
    "SELECT N'a'",
    "SELECT @x := 1", "SELECT :key", "SELECT ? FROM t", "SELECT $1", "SELECT a::int",
    "SELECT 'open",
    'SELECT "open', "SELECT ''' FROM t", "SELECT 1\0", "SELECT\u00a01",
    "SELECT a FROM t WHERE b & 1",
    "SELECT {fn now()}", 'SELECT U&"d\\0061t"', "SELECT ```a```",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_all_else_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(StatementError) as caught:
        check_statement(text)
    assert str(caught.value)


_TEXT = """SELECT select * FROM t WHERE ( ) ' '' " ; -- /* */ , a 1 . = INTO DELETE x( sum(
pg_sleep(
\\ [ ] ` $ WITH AS UNION 'a' "b" ATTACH PRAGMA"""
PIECES = st.sampled_from(_TEXT.split())


@given(st.lists(PIECES, max_size=14), st.sampled_from(["", " "]))
def test_what_passes_is_one_statement_to_sqlite_that_changes_nothing(
    pieces: list[str], between: str
) -> None:
    """SQLite's own reader is the judge: an authorizer would see anything but reading."""
    try:
        select = check_statement(between.join(["SELECT ", *pieces]))
    except StatementError:
        return
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE t (a, b)")
    seen: set[int] = set()
    several = False
    db.set_authorizer(lambda action, *_: (seen.add(action), sqlite3.SQLITE_OK)[1])
    try:
        db.execute(f"SELECT * FROM ({select.text}) AS source_rows")  # noqa: S608 - the point
    except (sqlite3.Error, sqlite3.Warning) as error:
        several = "one statement" in str(error)
    assert not several
    reading = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION}
    assert seen <= reading | {sqlite3.SQLITE_RECURSIVE}
    db.close()


def test_the_questions_that_are_asked() -> None:
    select = check_statement("SELECT id FROM t WHERE n LIKE 'a%'")
    mysql, oracle = DIALECTS["mysql+ro"], DIALECTS["oracle+ro"]
    sql_server = DIALECTS["mssql+ro"]
    assert question(select, "id", mysql, is_first=True) == (
        "SELECT * FROM (SELECT id FROM t WHERE n LIKE 'a%') AS source_rows ORDER BY id LIMIT 1000"
    )
    assert question(select, "id", mysql, is_first=False) == (
        "SELECT * FROM (SELECT id FROM t WHERE n LIKE 'a%%') AS source_rows WHERE id > %s "
        "ORDER BY id LIMIT 1000"
    )
    assert question(select, "id", oracle, is_first=False) == (
        "SELECT * FROM (SELECT id FROM t WHERE n LIKE 'a%') source_rows WHERE id > :1 "
        "ORDER BY id FETCH FIRST 1000 ROWS ONLY"
    )
    assert question(select, "id", sql_server, is_first=True) == (
        "SELECT TOP (1000) * FROM (SELECT id FROM t WHERE n LIKE 'a%') AS source_rows ORDER BY id"
    )
