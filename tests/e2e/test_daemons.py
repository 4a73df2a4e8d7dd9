# SPDX-License-Identifier: Apache-2.0
"""Starting, stopping and reloading: what an operator does with the sidecar and a user with `connect`."""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading

import psycopg
import pytest

import wire
from cluster import APP_PASSWORD, free_port
from daemon import CLEAN, PATIENCE, Daemon, Terminal, eventually, run
from house import CLIENT_MRTD, SERVER_MRTD, Forwarder, flags, psql
from wire import Wire

# ---- the sidecar ---------------------------------------------------------------------------------------


def test_sidecar_sigterm_drains(house, io):
    """No new session, the old one goes on to its end, exit status 0."""
    with house.sidecar(io=io, drain_timeout="60s") as sidecar, \
            house.forwarder(sidecar, io=io) as forwarder:
        connection = psycopg.connect(forwarder.dsn())
        sidecar.send_signal(signal.SIGTERM)
        sidecar.wait_for("drain")
        assert connection.execute("select 1").fetchone() == (1,)
        psql(forwarder.dsn(), "select 1", status=2)
        connection.close()
        assert sidecar.wait() == 0


def test_sidecar_drain_ends_in_time(house, io):
    """A session that does not end by itself is ended when the time is up."""
    with house.sidecar(io=io, drain_timeout="100ms") as sidecar, \
            house.forwarder(sidecar, io=io) as forwarder:
        connection = psycopg.connect(forwarder.dsn(), autocommit=True)
        sidecar.send_signal(signal.SIGTERM)
        assert sidecar.wait() == 0
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")


@pytest.mark.parametrize("who", ["sidecar", "forwarder"])
def test_drain_tells_sessions(house, io, who):
    """A session that is between two messages hears 57P01 at the end of the drain, whichever program ends."""
    with house.sidecar(io=io, drain_timeout="100ms") as sidecar, \
            house.forwarder(sidecar, io=io, drain_timeout="100ms") as forwarder, \
            Wire(("127.0.0.1", forwarder.port)) as idle, Wire(("127.0.0.1", forwarder.port)) as busy:
        for peer in (idle, busy):
            peer.send(wire.startup(user="guest", database="postgres"))
            messages = peer.until(b"Z")
        pid = int.from_bytes(dict(messages)[b"K"][:4], "big")
        busy.send(wire.query("select pg_sleep(600)"))
        asleep = f"select count(*) from pg_stat_activity where wait_event = 'PgSleep' and pid = {pid}"
        eventually(lambda: house.cluster.sql(asleep) == "1")
        (sidecar if who == "sidecar" else forwarder.daemon).send_signal(signal.SIGTERM)
        for peer in (idle, busy):
            kind, body = peer.until(b"E")[-1]
            fields = wire.error_fields(body)
            assert kind == b"E" and fields["C"] == "57P01" and fields["S"] == "FATAL"
            assert peer.rest() == b""
        house.cluster.sql(f"select pg_terminate_backend({pid})")  # it would sleep on


@pytest.mark.parametrize("who", ["sidecar", "forwarder"])
@pytest.mark.parametrize("last", [
    wire.message(b"D", b"\0\2" + b"x" * 90)[:20],  # in the middle of a row
    wire.message(b"D", b"\0" * 40)[:3],  # in the middle of a length
    b"D\0\0\1\0" + b"\0\2\0\0\0\4QUIZ\0\0\0\5I",  # two columns whose beginning looks like ReadyForQuery
], ids=["row", "length", "resemblance"])
def test_drain_breaks_no_message(house, io, who, last):
    """Where the server is in the middle of a message, nothing of ours is put into it: the session just ends."""
    begun = wire.message(b"R", bytes(4)) + wire.message(b"Z", b"I") + last
    with socket.create_server(("127.0.0.1", 0)) as server:
        backend = f"127.0.0.1:{server.getsockname()[1]}"
        with house.sidecar(io=io, drain_timeout="100ms", backend=backend) as sidecar, \
                house.forwarder(sidecar, io=io, drain_timeout="100ms") as forwarder, \
                Wire(("127.0.0.1", forwarder.port)) as driver:
            driver.send(wire.startup())
            upstream, _ = server.accept()
            with upstream:
                upstream.sendall(begun)
                assert driver.receive(len(begun)) == begun
                (sidecar if who == "sidecar" else forwarder.daemon).send_signal(signal.SIGTERM)
                assert driver.rest() == b""


def test_sidecar_second_sigterm_stops_now(house, io):
    with house.sidecar(io=io, drain_timeout="1h") as sidecar, \
            house.forwarder(sidecar, io=io) as forwarder:
        with psycopg.connect(forwarder.dsn()):
            sidecar.send_signal(signal.SIGTERM)
            sidecar.wait_for("drain")
            sidecar.send_signal(signal.SIGTERM)
            sidecar.wait()


def test_sidecar_sighup_reloads_the_policy(house, io, folder):
    """A bad file changes nothing, a good one is in force for the next session, and the old session lives."""
    policy = folder / "policy"
    accepting = house.client_policy.read_text()
    policy.write_text(accepting)
    with house.sidecar(io=io, policy=policy) as sidecar, house.forwarder(sidecar, io=io) as forwarder, \
            psycopg.connect(forwarder.dsn()) as old:
        for text, line, status in [("{ not json", "reload failed, nothing was changed", 0),
                                   (accepting.replace(CLIENT_MRTD, "ee" * 48), "reloaded", 2),
                                   (accepting, "reloaded", 0)]:
            policy.write_text(text)
            mark = sidecar.mark()
            sidecar.send_signal(signal.SIGHUP)
            sidecar.wait_for(line, after=mark)
            psql(forwarder.dsn(), "select 1", status=status)
            assert old.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize("options, word", [
    ({"policy": "/nonexistent"}, "/nonexistent"),
    ({"listen": "here"}, "here"),
    ({"listen": "127.0.0.1:70000"}, "70000"),
    ({"backend": "192.0.2.1:5432"}, "insecure-remote-backend"),
    ({"agent": "/nonexistent/dstack.sock"}, "/nonexistent/dstack.sock"),
    ({"agent": "http://192.0.2.1:8090"}, "insecure-remote-agent"),
    ({"agent": "http://localhost@192.0.2.1:8090"}, "insecure-remote-agent"),
    ({"agent": "http://127.0.0.1.example.org"}, "insecure-remote-agent"),
    ({"no_such_option": "1"}, "no-such-option"),
    ({"io": "kqueue"}, "kqueue"),
])
def test_sidecar_refuses_to_start_with(house, options, word):
    argv = [house.bin_path("teesql-sidecar"), *flags(house.sidecar_options(**options))]
    done = run(argv, status=None)
    assert done.returncode != 0 and word in done.stderr


@pytest.mark.parametrize("argv", [["teesql-sidecar"], ["teesql", "connect", "localhost"]])
def test_a_simulator_is_not_for_production(bin_path, argv):
    done = run([bin_path(argv[0]), *argv[1:], "--production"], {"DSTACK_SIMULATOR_ENDPOINT": "/nonexistent"}, status=2)
    assert "DSTACK_SIMULATOR_ENDPOINT" in done.stderr


def test_sidecar_asks_a_guest_agent_over_http(house, folder):
    """On this machine as it is; at an address that is not known to be here only with the option that says so."""
    here = house.td("over-http", mrtd=SERVER_MRTD, http="127.0.0.1:0").agent
    with house.sidecar(agent=here):
        pass
    elsewhere = here.replace("127.0.0.1", "0.0.0.0")
    with house.sidecar(agent=elsewhere, insecure_remote_agent="yes") as sidecar:
        sidecar.wait_for("INSECURE: --insecure-remote-agent")
    for name in ("DSTACK_SIMULATOR_ENDPOINT", "TEESQL_AGENT"):
        done = run([house.bin_path("teesql-sidecar"), *flags(house.sidecar_options(agent=None))], {name: elsewhere},
                   status=2)
        assert "insecure-remote-agent" in done.stderr
        done = run([house.bin_path("teesql"), "client-cert", "--out", folder / "c"], {name: elsewhere}, status=2)
        assert "insecure-remote-agent" in done.stderr and not (folder / "c").exists()


@pytest.mark.parametrize("program", ["teesql-sidecar", "teesql-simulator", "teesql"])
def test_help_and_version(bin_path, program):
    assert "0.1.0" in run([bin_path(program), "--version"]).stdout
    assert program in run([bin_path(program), "--help"]).stdout


@contextlib.contextmanager
def activated(name, listeners, argv, ready=r"^ready\b"):
    """A program that is started with sockets that listen already, as systemd does it: by whoever becomes it."""
    become = """import fcntl, os, sys
high = [fcntl.fcntl(int(fd), fcntl.F_DUPFD_CLOEXEC, 100) for fd in sys.argv[1].split(",")]
for at, fd in enumerate(high):
    os.dup2(fd, 3 + at)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(high))}
os.execv(sys.argv[2], sys.argv[2:])"""
    fds = [listener.fileno() for listener in listeners]
    daemon = Daemon(name, ["/usr/bin/python3", "-c", become, ",".join(map(str, fds)), *argv], pass_fds=fds, ready=ready)
    try:
        yield daemon
    finally:
        daemon.kill()


def test_socket_activation(house, io, folder):
    """Sockets that the programs are started with take the place of --listen, and connections may wait in them."""
    local = str(folder / "s")
    sidecar_argv = [house.bin_path("teesql-sidecar"), *flags(house.sidecar_options(io=io))]
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two, \
            socket.socket(socket.AF_UNIX) as path, Wire(("127.0.0.1", one.getsockname()[1])) as early:
        path.bind(local)
        path.listen()
        early.send(wire.SSL_REQUEST)
        with activated("activated sidecar", [one], sidecar_argv) as sidecar:
            assert sidecar.port() == one.getsockname()[1] and "listen2" not in sidecar.ready
            assert early.receive(1) == b"S"
            early.socket.close()
            argv = house.forwarder_argv(sidecar, io=io)
            with activated("activated forwarder", [two, path], argv) as forwarder:
                assert forwarder.port() == two.getsockname()[1] and forwarder.ready["socket"]
                assert psql(Forwarder(forwarder).dsn(), "select 'served'") == "served"
                with Wire(local) as driver:
                    driver.send(wire.startup(user="guest", database="postgres"))
                    assert driver.until(b"Z")[-1][0] == b"Z"
                forwarder.stop()
            sidecar.stop()
    assert os.path.exists(local)  # whose it is takes it away


def test_connect_refuses_activation_for_others_machines(house, sidecar):
    with socket.create_server(("0.0.0.0", 0)) as everywhere:
        with activated("refused forwarder", [everywhere], house.forwarder_argv(sidecar), ready=None) as refused:
            assert refused.wait() == 2 and "insecure-remote-clients" in refused.log


def test_check_config_prints_what_is_in_force(house):
    argv = [house.bin_path("teesql-sidecar"), "--check-config", *flags(house.sidecar_options())]
    said = run(argv).stdout
    assert "require-client-attestation" in said.replace("_", "-") and str(house.client_policy) in said


@pytest.mark.parametrize("line", ["listen = foo", "mrtd = 12", "threads = 257", "policy = /nonexistent",
                                  "insecure-trust-root = /nonexistent", "log-level = loud", "backend = foo",
                                  "max-appraisals = 0", "client-cert = /nonexistent", "ca-file = /nonexistent/x",
                                  "verifier = none", "accept-tcb = Fine", "handshake-timeout = soon"])
@pytest.mark.parametrize("argv", [["teesql-sidecar"], ["teesql", "connect", "localhost:1"]])
def test_check_config_refuses_what_a_start_refuses(bin_path, folder, argv, line):
    path = folder / "x.conf"
    path.write_text(f"[{argv[0]}]\n{line}\n" if argv[1:] == [] else f"\n{line}\n")
    command = [bin_path(argv[0]), *argv[1:], "--config", path]
    assert f"{path}:2: " in run([*command, "--check-config"], status=2, timeout=20).stderr
    assert f"{line.split()[0]}" in run(command, status=2, timeout=20).stderr


def test_check_config_reads_our_certificate(house, bin_path, folder):
    """--client-cert DIR: what a start would find missing or broken there."""
    house.client_files(folder)
    command = [bin_path("teesql"), "connect", "localhost:1", "--client-cert", folder]
    run([*command, "--check-config"])
    for name in ("client-cert.pem", "client-key.pem"):
        good = (folder / name).read_text()
        (folder / name).write_text("nonsense")
        for more in (["--check-config"], []):
            said = run([*command, *more], status=2).stderr
            assert "TQ-8004" in said and f'--client-cert: "{folder}"' in said
        (folder / name).unlink()
        for more in (["--check-config"], []):
            said = run([*command, *more], status=2).stderr
            assert "TQ-8004" in said and f"{folder / name}" in said
        (folder / name).write_text(good)


@pytest.mark.parametrize("argv", [["teesql-sidecar"], ["teesql", "connect", "localhost:1"]])
def test_check_config_refuses_an_agent_elsewhere(bin_path, argv):
    command = [bin_path(argv[0]), *argv[1:], "--agent", "http://192.0.2.1:80"]
    for more in (["--check-config"], []):
        assert "insecure-remote-agent" in run([*command, *more], status=2, timeout=20).stderr


def test_words_of_others_cannot_steer_a_terminal(bin_path, folder):
    """What an agent says, and what a file or an option is called."""
    command = [bin_path("teesql-sidecar"), "--listen", "127.0.0.1:0"]
    for more in (["--policy", folder / "\033[31m"], ["--\033[31m"], ["\033[31m"], ["--agent", folder / "\033[31m"]):
        done = run([*command, *more], status=None)
        assert done.returncode in (2, 3) and "\033" not in done.stderr and "?[31m" in done.stderr


# ---- teesql connect ------------------------------------------------------------------------------------

def test_connect_prints_a_dsn_that_can_be_pasted(house, io, sidecar):
    with house.forwarder(sidecar, io=io) as forwarder:
        said = forwarder.daemon.stdout + forwarder.daemon.log
        assert f"127.0.0.1:{forwarder.port}" in said and "sslmode=disable" in said


def printed(forwarder, end=""):
    eventually(lambda: forwarder.daemon.stdout and forwarder.daemon.stdout.endswith(end))
    return forwarder.daemon.stdout


@pytest.mark.parametrize("listen, host", [("127.0.0.5:0", "127.0.0.5"), ("[::1]:0", "[::1]"), ("127.0.0.1:0", "127.0.0.1")])
def test_connect_announces_what_it_listens_on(house, sidecar, listen, host):
    with house.forwarder(sidecar, listen=listen) as forwarder:
        dsn = printed(forwarder).strip()
        assert dsn == f"postgresql://{host}:{forwarder.port}/?sslmode=disable"
        with psycopg.connect(dsn, user="app", password=APP_PASSWORD, dbname="app") as session:
            assert session.execute("select 1").fetchone() == (1,)
    argv = [*house.forwarder_argv(sidecar, listen=listen), "--", "sh", "-c", 'echo "$PGHOST|$DATABASE_URL"']
    pghost, url = run(argv).stdout.strip().split("|")
    assert pghost == host.strip("[]") and f"//{host}:" in url


def test_connect_prints_how_to_connect_as_json(house, sidecar):
    with house.forwarder(sidecar, json="yes") as forwarder:
        said = json.loads(printed(forwarder, "}"))
    assert said["schema"] == "teesql.connect/1" and said["port"] == str(forwarder.port)
    assert said["dsn"] == f"postgresql://127.0.0.1:{forwarder.port}/?sslmode=disable"


def test_connect_quiet_and_verbose(house, sidecar):
    with house.forwarder(sidecar, quiet="yes") as forwarder:
        psql(forwarder.dsn(), "select 1")
        assert " info " not in forwarder.daemon.log and "psql" not in forwarder.daemon.log and printed(forwarder)
    with house.forwarder(sidecar, verbose="yes") as forwarder:
        assert f"mrtd {SERVER_MRTD}" in forwarder.daemon.log
    with house.forwarder(sidecar) as forwarder:
        assert f"mrtd {SERVER_MRTD[:16]}..." in forwarder.daemon.log
        assert "nothing was compared" not in forwarder.daemon.log


def test_no_log_level_hides_what_is_insecure(house):
    with house.sidecar(log_level="error", require_client_attestation="no") as sidecar:
        assert "warning" in sidecar.wait_for("INSECURE: --insecure-trust-root weakens a check")
        assert "warning" in sidecar.wait_for("client attestation is not required")


def test_what_compares_nothing_says_so(house):
    with house.sidecar(policy=None) as sidecar:
        sidecar.wait_for("warning .*any TDX machine passes")
        for options in ({}, {"lazy": "yes"}):
            with house.forwarder(sidecar, policy=None, **options) as forwarder:
                assert "nothing was compared" in forwarder.daemon.log


def test_connect_passes_on_what_session_is_wanted(house, sidecar):
    url = f"postgresql://localhost:{sidecar.port()}/?target_session_attrs="
    argv = house.forwarder_argv(sidecar)
    show = ["--", "sh", "-c", 'echo "$PGTARGETSESSIONATTRS|$DATABASE_URL"']
    argv[2] = url + "read-write"
    session, dsn = run([*argv, *show]).stdout.strip().split("|")
    assert session == "read-write" and "target_session_attrs=read-write" in dsn
    argv[2] = f"postgresql://localhost:{sidecar.port()},localhost:1/?target_session_attrs=read-write"
    assert "target_session_attrs" in run([*argv, *show], status=2).stderr
    argv[2] = f"postgresql://localhost:{sidecar.port()},localhost:1/?target_session_attrs=any"
    run([*argv, *show])


def test_connect_verifies_before_it_listens(house, sidecar):
    """Fail fast: a refused server is a verdict on standard error, not a port."""
    done = run(house.forwarder_argv(sidecar, policy=house.other_policy), status=1)
    assert "mrtd" in (done.stderr + done.stdout).lower() and "TQ-4" in done.stderr + done.stdout


def test_connect_unreachable(house):
    done = run(house.forwarder_argv(free_port()), status=3)
    assert "TQ-7002" in done.stderr + done.stdout


def test_connect_lazy_tells_the_driver(house, io, sidecar):
    """57P03 while the server cannot be reached, 08004 when our policy refuses it; pg_isready agrees."""
    from cluster import BIN
    with house.forwarder(free_port(), io=io, lazy="yes") as forwarder:
        said = psql(forwarder.dsn(options="-c log_min_messages=error"), "\\echo", "select 1", status=2).stderr
        assert "TQ-7002" in said and "teesql doctor" in said
        connection = re.search(r"DETAIL:  This is connection (\d+) in the log of the forwarder", said)[1]
        assert 'peer="127.0.0.1:' in forwarder.daemon.wait_for(f"conn={connection} .*accepted")
        ready = run([BIN / "pg_isready", "-h", "127.0.0.1", "-p", forwarder.port], status=1)
        assert "rejecting connections" in ready.stdout
    with house.forwarder(sidecar, io=io, lazy="yes", policy=house.other_policy) as forwarder:
        with pytest.raises(psycopg.OperationalError) as caught:
            psycopg.connect(forwarder.dsn())
        said = str(caught.value)
        assert "TQ-4" in said and "DETAIL" in said and f'"teesql verify localhost:{sidecar.port()}"' in said


def test_connect_to_a_hostaddr(house, io, sidecar):
    argv = [house.bin_path("teesql"), "connect", f"host=no.such.host hostaddr=127.0.0.1 port={sidecar.port()}",
            *flags({"listen": "127.0.0.1:0", "io": io} | house.appraisal_options())]
    daemon = Daemon("forwarder to an address", argv)
    try:
        assert psql(Forwarder(daemon).dsn(), "select 1") == "1"
    finally:
        daemon.stop()


def test_connect_calls_a_hostaddr_by_its_host(house, io):
    """In TLS, where a gateway decides by the name."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        target = f"host=no.such.host hostaddr=127.0.0.1 port={server.getsockname()[1]}"
        argv = [house.bin_path("teesql"), "connect", "--lazy", target,
                *flags({"listen": "127.0.0.1:0", "io": io} | house.appraisal_options())]
        daemon = Daemon("forwarder to an address", argv)
        try:
            with Wire(("127.0.0.1", daemon.port())) as driver:
                driver.send(wire.startup())
                with server.accept()[0] as upstream:
                    assert b"no.such.host" in upstream.recv(4096)
        finally:
            daemon.stop()


def test_connect_tells_that_the_server_refused_us(house, io):
    """The sidecar's ErrorResponse reaches the driver, with our own measurement nowhere in it."""
    with house.sidecar(io=io, policy=house.other_policy) as sidecar:
        with house.forwarder(sidecar, io=io) as forwarder:
            said = psql(forwarder.dsn(), "select 1", status=2).stderr
    assert "TQ-4" in said


def test_connect_sighup_reads_a_certificate_anew(house, io, folder):
    """The files of --client-cert DIR are those of the next session; bad ones change nothing; the old session lives."""
    files, server_files = folder / "c", folder / "s"
    house.client_files(files)
    house.client_files(server_files, house.server_td)
    with house.sidecar(io=io) as sidecar, house.forwarder(sidecar, io=io, client_cert=files) as forwarder, \
            psycopg.connect(forwarder.dsn(), autocommit=True) as old:
        def reload(line):
            mark = forwarder.daemon.mark()
            forwarder.daemon.send_signal(signal.SIGHUP)
            forwarder.daemon.wait_for(line, after=mark)
            assert old.execute("select 1").fetchone() == (1,)
        psql(forwarder.dsn(), "select 1")
        (files / "client-cert.pem").write_text("nonsense")
        reload("reload failed, nothing was changed")
        psql(forwarder.dsn(), "select 1")
        for name in ("client-cert.pem", "client-key.pem"):
            (files / name).write_text((server_files / name).read_text())
        reload("reloaded: the policy and our certificate")
        assert "TQ-4" in psql(forwarder.dsn(), "select 1", status=2).stderr  # the sidecar accepts clients' machines
        house.client_files(files)
        reload("reloaded: the policy and our certificate")
        psql(forwarder.dsn(), "select 1")


def test_sighup_asks_the_agent_for_a_certificate(house, io):
    with house.sidecar(io=io) as sidecar, house.forwarder(sidecar, io=io) as forwarder:
        for daemon in (sidecar, forwarder.daemon):
            mark = daemon.mark()
            daemon.send_signal(signal.SIGHUP)
            daemon.wait_for("reloaded: the policy; our certificate is asked for anew", after=mark)
            daemon.wait_for("our certificate was renewed", after=mark)
        psql(forwarder.dsn(), "select 1")


def test_connect_command_gets_its_environment(house, io, sidecar):
    argv = [*house.forwarder_argv(sidecar, io=io), "--", "sh", "-c",
            'echo "$PGHOST|$PGPORT|$PGSSLMODE|$DATABASE_URL"']
    host, port, sslmode, url = run(argv).stdout.strip().split("|")
    assert sslmode == "disable" and host and int(port) and url.startswith("postgresql://")


@pytest.mark.parametrize("script, status", [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143)])
def test_connect_command_status(house, io, sidecar, script, status):
    run([*house.forwarder_argv(sidecar, io=io), "--", "sh", "-c", script], status=status)


def test_connect_command_runs_psql(house, io, sidecar):
    from cluster import BIN
    argv = [*house.forwarder_argv(sidecar, io=io), "--", BIN / "psql", "-XqtA", "-U", "app", "-d", "app",
            "-c", "select 'through'"]
    assert run(argv, {"PGPASSWORD": APP_PASSWORD}).stdout.strip() == "through"


def test_connect_command_missing(house, sidecar):
    done = run([*house.forwarder_argv(sidecar), "--", "/nonexistent/psql\033[31m"], status=127)
    assert "/nonexistent/psql" in done.stderr and "\033" not in done.stderr


def test_an_address_that_is_taken_is_a_matter_of_configuration(house, bin_path, sidecar):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for argv in (house.forwarder_argv(sidecar, listen=address),
                     house.forwarder_argv(sidecar, socket_dir="/nonexistent/dir"),
                     [bin_path("teesql-sidecar"), *flags(house.sidecar_options(listen=address))]):
            said = run(argv, status=2).stderr
            assert "could not listen on" in said and "--listen" in said


def test_what_can_be_read_once_is_read_once(house, io, sidecar):
    """A policy on standard input, as a script has it from elsewhere."""
    argv = [*house.forwarder_argv(sidecar, io=io, policy="-"), "--", "true"]
    done = run(argv, input=house.server_policy.read_text())
    assert "verified" in done.stderr


def test_connect_ends_with_its_command_whatever_its_parent_ignores(house, io, sidecar):
    argv = [str(a) for a in [*house.forwarder_argv(sidecar, io=io), "--", "true"]]
    run(["/usr/bin/python3", "-c", "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); "
         "os.execv(sys.argv[1], sys.argv[1:])", *argv])


@pytest.mark.parametrize("who", ["sidecar", "forwarder"])
def test_a_reload_to_a_policy_that_compares_nothing_is_said(house, sidecar, folder, who):
    policy, empty = folder / "some.policy", '{"schema": "teesql.policy/1"}'
    something = (house.client_policy if who == "sidecar" else house.server_policy).read_text()
    policy.write_text(something)
    with house.sidecar(policy=policy) if who == "sidecar" else house.forwarder(sidecar, policy=policy) as started:
        daemon = started if who == "sidecar" else started.daemon
        assert "compared" not in daemon.log
        for text, said in [(empty, True), (something, False), (empty, True)]:
            policy.write_text(text)
            mark = daemon.mark()
            daemon.send_signal(signal.SIGHUP)
            daemon.wait_for("reloaded", mark)
            assert bool(re.search(" warning .*nothing was compared", daemon.since(mark))) == said


def test_check_config_lets_pass_what_a_start_takes(house, sidecar):
    """The settings of these tests, which start."""
    for argv in ([house.bin_path("teesql-sidecar"), *flags(house.sidecar_options())], house.forwarder_argv(sidecar)):
        run([*argv, "--check-config"])


def test_check_config_writes_nothing(house, folder):
    cache = folder / "cache"
    run([house.bin_path("teesql-sidecar"), *flags(house.sidecar_options(cache_dir=cache)), "--check-config"])
    assert not cache.exists()


def test_connect_forwards_signals_to_its_command(house, io, sidecar):
    script = 'trap "kill %1; echo caught; exit 9" TERM; sleep 1000 & echo waiting >&2; wait'
    daemon = Daemon("connect --", [*house.forwarder_argv(sidecar, io=io), "--", "bash", "-c", script],
                    ready="waiting")
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait() == 9 and "caught" in daemon.stdout


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2"])
def test_connect_forwards_each_signal(house, sidecar, name):
    script = f"trap 'kill %1; exit 9' {name}; sleep 1000 & echo waiting >&2; wait"
    daemon = Daemon("connect --", [*house.forwarder_argv(sidecar), "--", "bash", "-c", script], ready="waiting")
    daemon.send_signal(getattr(signal, "SIG" + name))
    assert daemon.wait() == 9


@pytest.mark.parametrize("name, command", [
    ("INT", []), ("TERM", []), ("QUIT", []), ("INT", ["--", "touch"]), ("TERM", ["--", "touch"]), ("HUP", ["--", "touch"])])
def test_connect_waits_for_no_verdict_when_it_is_told_to_end(house, sidecar, folder, name, command):
    """The collateral service takes the question and says nothing; who asked has gone away."""
    made = [folder / "made"] if command else []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        daemon = Daemon("connect that waits", [*house.forwarder_argv(
            sidecar, pccs=f"http://127.0.0.1:{silent.getsockname()[1]}"), *command, *made], ready=None)
        question, _ = silent.accept()
        with question:
            daemon.send_signal(getattr(signal, "SIG" + name))
            assert daemon.wait() == 128 + getattr(signal, "SIG" + name)
    assert "refused" not in daemon.log and daemon.stdout in (None, "") and not (folder / "made").exists()


def test_what_is_ignored_ends_no_verification(house, sidecar):
    """nohup: the terminal may go, and the command is run."""
    with held_up(sidecar.port()) as (port, came, go):
        daemon = Daemon("nohup connect --", [*house.forwarder_argv(port), "--", "true"], ready=None,
                        ignored=[signal.SIGHUP])
        assert came.wait(PATIENCE)
        daemon.send_signal(signal.SIGHUP)
        go.set()
        assert daemon.wait() == 0


def test_connect_tells_its_command_that_the_terminal_was_hung_up(house, sidecar):
    """The kernel tells only whoever leads the session, which is not the command."""
    script = "trap 'kill %1; exit 9' HUP; sleep 1000 & echo waiting >&2; wait"
    with Terminal() as terminal:
        daemon = Daemon("connect --", [*house.forwarder_argv(sidecar), "--", "bash", "-c", script], ready="waiting",
                        terminal=terminal)
        terminal.hang_up()
        assert daemon.wait() == 9


def test_a_key_of_the_terminal_reaches_the_command_once(house, sidecar):
    """The terminal itself tells all who are in front of it."""
    command = """import signal, sys
heard, keys = {signal.SIGINT, signal.SIGUSR1}, 0
signal.pthread_sigmask(signal.SIG_BLOCK, heard)
print("waiting", file=sys.stderr, flush=True)
while signal.sigwait(heard) == signal.SIGINT:
    keys += 1
    print("key", keys, file=sys.stderr, flush=True)
print("keys:", keys)
sys.exit(9)"""
    with Terminal() as terminal:
        daemon = Daemon("connect --", [*house.forwarder_argv(sidecar), "--", "python3", "-c", command], ready="waiting",
                        terminal=terminal)
        status = pathlib.Path(f"/proc/{daemon.process.pid}/status")
        daemon.send_signal(signal.SIGSTOP)  # else two would be one, if they came together
        eventually(lambda: "State:\tT" in status.read_text())
        terminal.type(b"\x03")
        daemon.wait_for("key 1")
        daemon.send_signal(signal.SIGUSR1)  # is passed on, and behind whatever of the key is passed on
        daemon.send_signal(signal.SIGCONT)
        assert daemon.wait() == 9 and daemon.stdout == "keys: 1"


@contextlib.contextmanager
def held_up(port):
    """Another way to this port, for one connection: yields it, what is set once somebody has come, and what lets him on."""
    came, go = threading.Event(), threading.Event()

    def copy(source, target):
        with contextlib.suppress(OSError):
            while part := source.recv(65536):
                target.sendall(part)
            target.shutdown(socket.SHUT_WR)

    def serve(listener):
        with listener.accept()[0] as near:
            came.set()
            go.wait(PATIENCE)
            with socket.create_connection(("127.0.0.1", port)) as far:
                back = threading.Thread(target=copy, args=(far, near))
                back.start()
                copy(near, far)
                back.join()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        yield listener.getsockname()[1], came, go
        thread.join()


@pytest.mark.parametrize("key, status", [(b"\x03", 128 + signal.SIGINT), (b"\x1c", 128 + signal.SIGQUIT)], ids=["INT", "QUIT"])
def test_a_key_that_comes_before_the_command_is_not_lost(house, sidecar, folder, key, status):
    """Nobody but connect has heard it: there will be no command."""
    with held_up(sidecar.port()) as (port, came, go), Terminal() as terminal:
        daemon = Daemon("connect --", [*house.forwarder_argv(port), "--", "touch", folder / "ran"], ready=None,
                        terminal=terminal)
        assert came.wait(PATIENCE)
        terminal.type(key)
        go.set()
        assert daemon.wait() == status and not (folder / "ran").exists()


def test_signals_that_mean_nothing_end_nothing(house, sidecar):
    with house.forwarder(sidecar) as forwarder:
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            forwarder.daemon.send_signal(number)
        psql(forwarder.dsn(), "select 1")
        forwarder.daemon.send_signal(signal.SIGQUIT)
        assert forwarder.daemon.wait() == 0 and not os.path.exists(forwarder.socket)


def test_closed_standard_files_are_nobodys(house, sidecar):
    """A socket that took the place of standard error would be sent our log. The command tells, for it has the same ones."""
    look = ["readlink", "/proc/self/fd/0", "/proc/self/fd/2"]
    argv = [str(a) for a in [*house.forwarder_argv(sidecar), "--", *look]]
    done = subprocess.run(argv, stdout=subprocess.PIPE, env=CLEAN, text=True, check=True, timeout=PATIENCE,
                          preexec_fn=lambda: [os.close(fd) for fd in (0, 2)])
    assert done.stdout.splitlines() == ["/dev/null"] * 2


def test_connect_serves_though_nobody_reads(house, sidecar):
    """The connection string is lost, and said to be; drivers that know the way are served."""
    with open("/dev/full", "w") as full:
        process = subprocess.Popen([str(a) for a in house.forwarder_argv(sidecar)], stdout=full,
                                   stderr=subprocess.PIPE, env=CLEAN, text=True)
    with process:
        try:
            said = [process.stderr.readline()]
            while said[-1] and not said[-1].startswith("ready"):
                said.append(process.stderr.readline())
        finally:
            process.terminate()
    assert process.returncode == 0 and any("could not write" in line for line in said)


def test_connect_leaves_no_socket_behind(house, io, sidecar):
    with house.forwarder(sidecar, io=io) as forwarder:
        assert os.path.exists(forwarder.socket)
    assert not os.path.exists(forwarder.socket)
