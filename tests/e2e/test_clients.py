# SPDX-License-Identifier: Apache-2.0
"""Real clients of PostgreSQL through forwarder and sidecar, none of which knows of attestation."""

import asyncio
import filecmp

import asyncpg
import psycopg
import pytest

from cluster import APP_PASSWORD, BIN
from daemon import run
from house import psql

PASSWORD = {"PGPASSWORD": APP_PASSWORD}


def target(forwarder, database="app"):
    """The options by which PostgreSQL's own programs find the forwarder."""
    return ["-h", "127.0.0.1", "-p", forwarder.port, "-U", "app", *(["-d", database] if database else [])]


def test_psql(forwarder):
    create = "create temp table t (n int, s text)"
    insert = "insert into t select n, repeat('x', n) from generate_series(1, 1000) n"
    assert psql(forwarder.dsn(), create, insert, "select count(*), sum(length(s)) from t") == "1000|500500"


def test_psql_shows_the_servers_own_error(forwarder):
    said = psql(forwarder.dsn(), "select 1 / 0", status=1).stderr
    assert "division by zero" in said


def test_psql_with_a_wrong_password(forwarder):
    said = psql(forwarder.dsn(password="wrong"), "select 1", status=2).stderr
    assert 'password authentication failed for user "app"' in said


@pytest.mark.parametrize("arguments", [["-M", "simple"], ["-M", "extended"], ["-M", "prepared", "-j", "2"],
                                       ["-C"]], ids=lambda a: "".join(a))
def test_pgbench(house, forwarder, arguments):
    if not house.cluster.sql("select to_regclass('pgbench_accounts')", "app"):
        run([BIN / "pgbench", "-i", "-q", "-s", "1", "-h", "127.0.0.1", "-p", forwarder.port, "-U", "app",
             "app"], PASSWORD)
    transactions = 20 if "-C" in arguments else 200
    done = run([BIN / "pgbench", "-n", "-S", "-c", "4", "-t", transactions, *arguments, "-h", "127.0.0.1",
                "-p", forwarder.port, "-U", "app", "app"], PASSWORD)
    assert f"transactions actually processed: {4 * transactions}/{4 * transactions}" in done.stdout
    assert "number of failed transactions: 0" in done.stdout


def test_pg_dump_and_restore(house, forwarder, folder):
    house.cluster.sql("drop database if exists copy")
    house.cluster.sql("create database copy owner app")
    setup = ["drop table if exists item", "create table item (id int primary key, body bytea)",
             "insert into item select n, decode(repeat(md5(n::text), 40), 'hex') from generate_series(1, 5000) n"]
    psql(forwarder.dsn(), *setup)
    run([BIN / "pg_dump", "-Fd", "-j", "2", "-t", "item", "-f", folder / "dump", *target(forwarder)], PASSWORD)
    run([BIN / "pg_restore", "-j", "2", *target(forwarder, "copy"), folder / "dump"], PASSWORD)
    checksum = "select md5(string_agg(id || encode(body, 'hex'), ',' order by id)) from item"
    assert house.cluster.sql(checksum, "copy") == house.cluster.sql(checksum, "app")


def test_pg_isready(forwarder):
    done = run([BIN / "pg_isready", *target(forwarder)])
    assert "accepting connections" in done.stdout


def test_pg_basebackup_streams_through(house, forwarder, folder):
    """Replication: another startup, CopyBoth, a second connection for the log."""
    house.cluster.sql("alter role app replication")
    try:
        run([BIN / "pg_basebackup", "-D", folder / "base", "-X", "stream", "-c", "fast", "--no-sync",
             *target(forwarder, None)], PASSWORD)
    finally:
        house.cluster.sql("alter role app noreplication")
    assert filecmp.cmp(folder / "base" / "PG_VERSION", house.cluster.folder / "data" / "PG_VERSION")


def test_psycopg(forwarder):
    with psycopg.connect(forwarder.dsn()) as connection:
        with connection.pipeline():
            rows = [connection.execute("select %s::int + 1", [n]) for n in range(100)]
        assert [r.fetchone()[0] for r in rows] == list(range(1, 101))
        big = "x" * (1 << 20)
        assert connection.execute("select %s::text", [big]).fetchone()[0] == big


def test_psycopg_notifications(forwarder):
    with psycopg.connect(forwarder.dsn(), autocommit=True) as listener, \
            psycopg.connect(forwarder.dsn(), autocommit=True) as speaker:
        listener.execute("listen news")
        speaker.execute("notify news, 'hello'")
        assert next(listener.notifies()).payload == "hello"


@pytest.mark.parametrize("mode", ["disable", "prefer"])
def test_asyncpg(forwarder, mode):
    async def session():
        connection = await asyncpg.connect(host="127.0.0.1", port=forwarder.port, user="app",
                                           password=APP_PASSWORD, database="app", ssl=mode)
        try:
            assert await connection.fetchval("select $1::int + 1", 41) == 42
            rows = [(n, f"row {n}") for n in range(1000)]
            await connection.execute("create temp table t (n int, s text)")
            await connection.copy_records_to_table("t", records=rows)
            assert [tuple(r) for r in await connection.fetch("select * from t order by n")] == rows
        finally:
            await connection.close()
    asyncio.run(session())


def test_asyncpg_cancels_by_timeout(forwarder):
    """asyncpg ends a query that takes too long with a CancelRequest of its own."""
    async def session():
        connection = await asyncpg.connect(host="127.0.0.1", port=forwarder.port, user="app",
                                           password=APP_PASSWORD, database="app", ssl="disable")
        try:
            with pytest.raises(asyncio.TimeoutError):
                await connection.execute("select pg_sleep(60)", timeout=1)
            assert await connection.fetchval("select 7") == 7
        finally:
            await connection.close()
    asyncio.run(session())
