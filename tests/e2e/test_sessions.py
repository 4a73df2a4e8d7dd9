# SPDX-License-Identifier: Apache-2.0
"""What a session must survive or end with: bulk data, cancel, half-close, death of the backend, crowds."""

import concurrent.futures
import contextlib
import functools
import hashlib
import random
import select
import signal
import socket
import threading

import psycopg
import pytest

import wire
from cluster import free_port
from daemon import PATIENCE, Daemon, eventually
from house import flags, psql
from weather import Weather
from wire import Wire, client_context

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


@contextlib.contextmanager
def mortal_sidecar(house, **options):
    """A sidecar that need not end well."""
    daemon = Daemon("sidecar", [house.bin_path("teesql-sidecar"), *flags(house.sidecar_options(**options))])
    try:
        yield daemon
    finally:
        daemon.kill()


def test_a_lost_server_is_told(house, io):
    """The attested connection ends without a goodbye: what the driver waits for will not come."""
    with mortal_sidecar(house, io=io) as sidecar, house.forwarder(sidecar, io=io) as forwarder, \
            Wire(("127.0.0.1", forwarder.port)) as peer:
        peer.send(wire.startup(user="guest", database="postgres"))
        peer.until(b"Z")
        sidecar.kill()
        assert told(peer)["C"] == "08006"
        forwarder.daemon.wait_for("closed: the server went away without a goodbye")


# ---- a client that is still sending ------------------------------------------------------------------------

READY = wire.message(b"R", bytes(4)) + wire.message(b"Z", b"I")


def begin(driver, server):
    """A session with a server that is played by hand; what the server has of it."""
    driver.send(wire.startup())
    upstream, _ = server.accept()
    assert upstream.recv(len(wire.startup()), socket.MSG_WAITALL) == wire.startup()
    upstream.sendall(READY)
    assert driver.receive(len(READY)) == READY
    return upstream


def fill(driver):
    """Send, to a server that does not read, until nobody on the way takes any more."""
    driver.socket.setblocking(False)
    while select.select([], [driver.socket], [], 0.5)[1]:
        with contextlib.suppress(BlockingIOError):
            driver.socket.send(wire.message(b"d", bytes(60000)))
    driver.socket.settimeout(PATIENCE)


def test_who_is_still_sending_hears_that_the_server_was_lost(house, io):
    """And then an orderly end: what he has sent meanwhile must not reset the connection below the message."""
    with socket.create_server(("127.0.0.1", 0)) as server, \
            mortal_sidecar(house, io=io, backend=f"127.0.0.1:{server.getsockname()[1]}") as sidecar, \
            house.forwarder(sidecar, io=io) as forwarder, Wire(("127.0.0.1", forwarder.port)) as driver, \
            begin(driver, server):
        fill(driver)
        sidecar.kill()
        kind, body = driver.message()
        assert kind == b"E" and wire.error_fields(body)["C"] == "08006"
        assert driver.receive(1) == b""  # a reset would be an error here


def test_who_is_still_sending_hears_the_servers_farewell(house, io):
    """The server says why, and closes on what it has not read."""
    farewell = wire.message(b"E", b"SFATAL\0C57P01\0Mterminating connection\0\0")
    with socket.create_server(("127.0.0.1", 0)) as server, \
            house.sidecar(io=io, backend=f"127.0.0.1:{server.getsockname()[1]}") as sidecar, \
            house.forwarder(sidecar, io=io) as forwarder, Wire(("127.0.0.1", forwarder.port)) as driver:
        with begin(driver, server) as upstream:
            fill(driver)
            upstream.sendall(farewell)
        assert driver.rest() == farewell


def test_a_server_that_hears_no_more_is_not_a_client_that_has_ended(house, io, folder):
    """What cannot be passed on is dropped, and no more than that: a client that is slow to read gets all that the
    server says, and our own last words behind it, whatever he sends meanwhile."""
    rows = wire.message(b"D", b"\0\1\0\0\xff\xf0" + bytes(0xfff0)) * 6  # more than there is room for at his end
    files = house.client_files(folder / "files")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / ".s.PGSQL.5432"))
        server.listen()
        with house.sidecar(io=io, backend=f"{folder}:5432", drain_timeout="100ms") as sidecar, \
                Wire(("127.0.0.1", sidecar.port())) as driver:
            driver.request_tls(client_context(files["sslcert"], files["sslkey"]))
            with begin(driver, server) as upstream:
                upstream.shutdown(socket.SHUT_RD)
                driver.send(wire.query("select 1"))
                upstream.sendall(rows)
                assert driver.receive(1) == b"D"
                driver.send(wire.query("select 2") * 20000)
                sidecar.send_signal(signal.SIGTERM)
                assert sidecar.wait() == 0
                assert driver.receive(len(rows) - 1) == rows[1:]
                assert told(driver)["C"] == "57P01"


# ---- a CancelRequest is never answered ---------------------------------------------------------------------

@contextlib.contextmanager
def silent_server():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("why, sqlstate", [("unreachable", "57P03"), ("silent", "57P03"), ("refused", "08004")])
def test_a_cancel_that_cannot_be_sent_is_not_answered(house, io, sidecar, why, sqlstate):
    """Where a session is told why it cannot be, whoever cancels hears nothing."""
    options = {"policy": house.other_policy} if why == "refused" else {"handshake_timeout": "300ms"}
    with silent_server() as silent:
        upstream = {"unreachable": free_port(), "silent": silent, "refused": sidecar}[why]
        with house.forwarder(upstream, io=io, lazy="yes", **options) as forwarder:
            answers = []
            for first in (wire.startup(), wire.cancel_request()):
                with Wire(("127.0.0.1", forwarder.port)) as peer:
                    peer.send(first)
                    answers.append(peer.rest())
    assert wire.error_fields(answers[0][5:])["C"] == sqlstate and answers[1] == b""


@pytest.mark.parametrize("why, sqlstate", [("unreachable", "57P03"), ("refused", "28000")])
def test_a_cancel_that_a_sidecar_cannot_pass_on_is_not_answered(house, io, folder, why, sqlstate):
    files = house.client_files(folder)
    options = {"policy": house.other_policy} if why == "refused" else {"backend": f"127.0.0.1:{free_port()}"}
    with house.sidecar(io=io, **options) as sidecar:
        answers = []
        for first in (wire.startup(), wire.cancel_request()):
            with Wire(("127.0.0.1", sidecar.port())) as peer:
                peer.request_tls(client_context(files["sslcert"], files["sslkey"]))
                peer.send(first)
                answers.append(peer.rest())
    assert wire.error_fields(answers[0][5:])["C"] == sqlstate and answers[1] == b""


@pytest.mark.parametrize("who, event, sqlstate", [
    ("sidecar", "drain", "57P01"), ("sidecar", "idle", "57P05"), ("sidecar", "lifetime", "57P01"),
    ("forwarder", "drain", "57P01"), ("forwarder", "idle", "57P05"), ("forwarder", "lost", "08006")])
def test_a_cancel_that_was_passed_on_hears_no_farewell(house, io, who, event, sqlstate):
    """Where a session is told why it ends, whoever cancels hears nothing."""
    mine = {"drain": {"drain_timeout": "100ms"}, "idle": {"idle_timeout": "200ms"},
            "lifetime": {"session_lifetime": "1s"}, "lost": {}}[event]
    start = functools.partial(mortal_sidecar, house) if event == "lost" else house.sidecar
    with socket.create_server(("127.0.0.1", 0)) as server, contextlib.ExitStack() as stack:
        sidecar = stack.enter_context(start(
            io=io, backend=f"127.0.0.1:{server.getsockname()[1]}", **(mine if who == "sidecar" else {})))
        forwarder = stack.enter_context(house.forwarder(sidecar, io=io, **(mine if who == "forwarder" else {})))
        peers = []
        for first in (wire.startup(), wire.cancel_request()):
            peers.append(stack.enter_context(Wire(("127.0.0.1", forwarder.port))))
            peers[-1].send(first)
            upstream = stack.enter_context(server.accept()[0])
            assert upstream.recv(len(first), socket.MSG_WAITALL) == first
        if event == "drain":
            (sidecar if who == "sidecar" else forwarder.daemon).send_signal(signal.SIGTERM)
        elif event == "lost":
            sidecar.kill()
        assert told(peers[0])["C"] == sqlstate and peers[1].rest() == b""

def test_a_cancel_arrives_though_its_sender_has_left(house, io):
    """It is sent and left, as nothing comes back: also while the verdict about the server is still to come."""
    with socket.create_server(("127.0.0.1", 0)) as server, Weather(house.client_td.pccs) as weather, \
            house.sidecar(io=io, backend=f"127.0.0.1:{server.getsockname()[1]}") as sidecar, \
            house.forwarder(sidecar, io=io, lazy="yes", pccs=weather.url) as forwarder:
        weather.gate.clear()
        with Wire(("127.0.0.1", forwarder.port)) as peer:
            peer.send(wire.cancel_request())
        eventually(lambda: weather.requests)
        weather.gate.set()
        with server.accept()[0] as upstream:
            assert upstream.recv(16, socket.MSG_WAITALL) == wire.cancel_request()


# ---- crowds ---------------------------------------------------------------------------------------------------

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
