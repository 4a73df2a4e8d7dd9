# SPDX-License-Identifier: Apache-2.0
"""What a session must survive or end with: bulk data, cancel, half-close, death of the backend, crowds."""

import concurrent.futures
import hashlib
import random
import socket
import threading

import psycopg
import pytest

import wire
from cluster import free_port
from daemon import Daemon, eventually
from house import flags, psql
from wire import Wire

MEGABYTES = 100


def lines(megabytes):
    """This much COPY text, the same each time, in parts of 1 MB."""
    noise = random.Random(7)
    for _ in range(megabytes):
        part = noise.randbytes(499_968).hex()  # 8 x 62,496 bytes in, hex twice as long
        yield "".join(part[i:i + 124_992] + "\n" for i in range(0, len(part), 124_992)).encode()


def test_copy_100_mb_each_way_byte_for_byte(forwarder):
    sent, received, size = hashlib.sha256(), hashlib.sha256(), 0
    with psycopg.connect(forwarder.dsn()) as connection, connection.cursor() as cursor:
        cursor.execute("create temp table big (line text)")
        with cursor.copy("copy big from stdin") as copy:
            for part in lines(MEGABYTES):
                sent.update(part)
                size += len(part)
                copy.write(part)
        with cursor.copy("copy big to stdout") as copy:
            for part in copy:
                received.update(part)
                size -= len(part)
    assert size == 0 and received.digest() == sent.digest()


def test_copy_waits_for_a_slow_reader(forwarder):
    """Backpressure: what one side does not read stays with the other, and all of it arrives."""
    with psycopg.connect(forwarder.dsn()) as connection, connection.cursor() as cursor:
        total = 0
        with cursor.copy("copy (select repeat('x', 1000) from generate_series(1, 20000)) to stdout") as copy:
            with psycopg.connect(forwarder.dsn()) as other:  # does not wait for the first
                assert other.execute("select 1").fetchone() == (1,)
            for part in copy:
                total += len(part)
    assert total == 20000 * 1001


def when_asleep(observer, pid, action):
    """Do it once Postgres executes pg_sleep in this backend."""
    asleep = "select count(*) from pg_stat_activity where pid = %s and wait_event = 'PgSleep'"
    eventually(lambda: observer.execute(asleep, [pid]).fetchone()[0])
    action()


def cancelled_sleep(dsn):
    """Run pg_sleep(60) and cancel it from another thread; the SQLSTATE that it ends with."""
    with psycopg.connect(dsn) as connection, psycopg.connect(dsn, autocommit=True) as other:
        canceller = threading.Thread(target=when_asleep, args=(
            other, connection.info.backend_pid, connection.cancel))
        canceller.start()
        with pytest.raises(psycopg.errors.QueryCanceled) as caught:
            connection.execute("select pg_sleep(60)")
        canceller.join()
        connection.rollback()
        assert connection.execute("select 1").fetchone() == (1,)
        return caught.value.sqlstate


def test_cancel_through_the_forwarder(forwarder):
    assert cancelled_sleep(forwarder.dsn()) == "57014"


def test_cancel_through_the_unix_socket(forwarder):
    assert cancelled_sleep(forwarder.socket_dsn()) == "57014"


def authenticated(address):
    """A session by hand, as a role that needs no password, up to ReadyForQuery."""
    peer = Wire(address)
    peer.send(wire.startup(user="guest", database="postgres"))
    assert peer.until(b"Z")[-1][0] == b"Z"
    return peer


def test_half_close_still_brings_the_answer(forwarder):
    """A client that sends its query, closes its sending side and reads gets all of the answer."""
    with authenticated(("127.0.0.1", forwarder.port)) as peer:
        peer.send(wire.query("select repeat('x', 1000) from generate_series(1, 5000)"))
        peer.send(wire.message(b"X"))
        peer.socket.shutdown(socket.SHUT_WR)
        answer = peer.rest()
    assert answer.count(b"x" * 1000) == 5000 and b"SELECT 5000" in answer


def test_terminate_ends_the_backend(house, forwarder):
    with authenticated(("127.0.0.1", forwarder.port)) as peer:
        mark = house.cluster.server.mark()
        peer.send(wire.message(b"X"))
        assert peer.rest() == b""
    house.cluster.server.wait_for("disconnection:.*user=guest", after=mark)


def test_client_that_vanishes_ends_the_backend(house, forwarder):
    peer = authenticated(("127.0.0.1", forwarder.port))
    mark = house.cluster.server.mark()
    # An RST in place of a farewell.
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    peer.socket.close()
    house.cluster.server.wait_for("disconnection:.*user=guest", after=mark)


def test_backend_that_dies_mid_query_is_told(forwarder):
    """Postgres's own farewell reaches the driver whole."""
    with psycopg.connect(forwarder.dsn()) as connection, \
            psycopg.connect(forwarder.dsn(), autocommit=True) as other:
        pid = connection.info.backend_pid
        killer = threading.Thread(target=when_asleep, args=(
            other, pid, lambda: other.execute("select pg_terminate_backend(%s)", [pid])))
        killer.start()
        with pytest.raises(psycopg.OperationalError, match="terminating connection due to administrator"):
            connection.execute("select pg_sleep(60)")
        killer.join()
        connection.close()
        assert other.execute("select 1").fetchone() == (1,)


def test_backend_that_cannot_be_reached_is_said_so(house, io):
    with house.sidecar(io=io, backend=f"127.0.0.1:{free_port()}") as sidecar, \
            house.forwarder(sidecar, io=io) as forwarder:
        done = psql(forwarder.dsn(), "select 1", status=2)
        assert "TQ-" in done.stderr or "could not" in done.stderr


def told(peer):
    kind, body = peer.until(b"E")[-1]
    assert kind == b"E" and peer.rest() == b""
    return wire.error_fields(body)


@pytest.mark.parametrize("option, sqlstate, why", [
    ("idle_timeout", "57P05", "idle for too long"), ("session_lifetime", "57P01", "open for too long")])
@pytest.mark.parametrize("who", ["sidecar", "forwarder"])
def test_a_session_beyond_its_time_is_told(house, io, who, option, sqlstate, why):
    mine = {option: "200ms"}
    with house.sidecar(io=io, **(mine if who == "sidecar" else {})) as sidecar, \
            house.forwarder(sidecar, io=io, **(mine if who == "forwarder" else {})) as forwarder, \
            Wire(("127.0.0.1", forwarder.port)) as peer:
        peer.send(wire.startup(user="guest", database="postgres"))
        assert told(peer)["C"] == sqlstate
        (sidecar if who == "sidecar" else forwarder.daemon).wait_for(f"closed: {why}")


def test_a_lost_server_is_told(house, io):
    """The attested connection ends without a goodbye: what the driver waits for will not come."""
    sidecar = Daemon("sidecar", [house.bin_path("teesql-sidecar"), *flags(house.sidecar_options(io=io))])
    with house.forwarder(sidecar, io=io) as forwarder, Wire(("127.0.0.1", forwarder.port)) as peer:
        peer.send(wire.startup(user="guest", database="postgres"))
        peer.until(b"Z")
        sidecar.kill()
        assert told(peer)["C"] == "08006"
        forwarder.daemon.wait_for("closed: the server went away without a goodbye")


def test_200_concurrent_sessions(house, forwarder):
    everyone_is_in = threading.Barrier(200)

    def session(number):
        with psycopg.connect(forwarder.dsn()) as connection:
            everyone_is_in.wait(120)
            return connection.execute("select %s::int", [number]).fetchone()[0]
    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        assert list(pool.map(session, range(200))) == list(range(200))


@pytest.mark.parametrize("where", ["tcp", "unix"])
def test_sidecar_with_threads(house, io, where):
    """Several loops on one port: every session is served, whichever loop has it."""
    backend = f"127.0.0.1:{house.cluster.port}" if where == "tcp" else \
        f"{house.cluster.folder}:{house.cluster.port}"
    with house.sidecar(io=io, threads=4, backend=backend) as sidecar, \
            house.forwarder(sidecar, io=io, threads=2) as forwarder:
        def session(number):
            with psycopg.connect(forwarder.dsn()) as connection:
                return sum(connection.execute("select %s::int", [number]).fetchone()[0] for _ in range(20))
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            assert list(pool.map(session, range(64))) == [20 * n for n in range(64)]
