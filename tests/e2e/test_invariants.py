# SPDX-License-Identifier: Apache-2.0
"""The invariants of the architecture, on whole programs; each test bears the name of its invariant."""

import contextlib
import pathlib
import re
import socket
import ssl
import struct

import pytest

import wire
from cluster import APP_PASSWORD
from daemon import eventually, run
from forge import Forged, ForgedServer, evidence_of
from house import CLIENT_MRTD, SERVER_MRTD, direct_dsn, flags, psql
from wire import Wire, client_context


def leaf_of(port):
    with Wire(("127.0.0.1", port)) as peer:
        return peer.request_tls().socket.getpeercert(binary_form=True)


def refusal(sidecar, certificate=None, key=None):
    """What a client inside TLS is told after its StartupMessage, up to the end."""
    with Wire(("127.0.0.1", sidecar.port())) as peer:
        peer.request_tls(client_context(certificate, key))
        peer.send(wire.startup() + wire.query("select 1"))
        kind, body = peer.message()
        rest = peer.rest()
    assert kind == b"E" and rest == b""
    return wire.error_fields(body)


# ---- 1 -----------------------------------------------------------------------------------------------

def test_no_bytes_before_verdict_of_a_client(house, sidecar, folder):
    """A refused client reaches no Postgres: its log shows no connection at all."""
    plain = Forged(folder, "plain")
    mark = house.cluster.server.mark()
    assert refusal(sidecar)["C"] == "28000"
    assert refusal(sidecar, plain.certificate, plain.key)["C"] == "28000"
    assert house.cluster.untouched_since(mark)


def test_no_bytes_before_verdict_of_a_client_with_another_policy(house, io, folder):
    files = house.client_files(folder)
    with house.sidecar(io=io, policy=house.other_policy) as strict:
        mark = house.cluster.server.mark()
        fields = refusal(strict, files["sslcert"], files["sslkey"])
        assert fields["C"] == "28000" and re.search(r"TQ-4\d{3}", fields["M"] + fields.get("D", ""))
        # The peer learns the code and one sentence; what differs is for the operator.
        assert CLIENT_MRTD[:16] not in str(fields) and "ee" * 8 not in str(fields)
        strict.wait_for("refused.*MRTD")
    assert house.cluster.untouched_since(mark)


def test_no_bytes_before_verdict_of_a_server(house, io, folder):
    """A forwarder says nothing inside TLS to a server that it refuses."""
    plain = Forged(folder, "plain")
    server = ForgedServer(plain.certificate, plain.key)
    try:
        with house.forwarder(server.port, io=io, lazy="yes") as forwarder:
            said = psql(forwarder.dsn(), "select 1", status=2).stderr
            assert "TQ-1001" in said and "upstream cert has no TDX attestation extension" in said
        assert server.handshakes >= 1 and server.heard == b""
    finally:
        server.close()


# ---- 2 -----------------------------------------------------------------------------------------------

def test_quote_names_this_key_of_a_server(house, io, sidecar, folder):
    """Genuine evidence under another key: refused, and nothing is said to it."""
    stolen = Forged(folder, "stolen", evidence_of(leaf_of(sidecar.port())))
    server = ForgedServer(stolen.certificate, stolen.key)
    try:
        report = house.verify(f"127.0.0.1:{server.port}", status=5)
        failed = [c["id"] for c in report["checks"] if c["status"] == "fail"]
        assert failed == ["binding.key"], failed
        with house.forwarder(server.port, io=io, lazy="yes") as forwarder:
            said = psql(forwarder.dsn(), "select 1", status=2).stderr
            assert re.search(r"TQ-2\d{3}", said)
        assert server.heard == b""
    finally:
        server.close()


def test_quote_names_this_key_of_a_client(house, sidecar, folder):
    files = house.client_files(folder)
    leaf = ssl.PEM_cert_to_DER_cert(re.search(r"-----BEGIN.*?END CERTIFICATE-----",
                                              files["sslcert"].read_text(), re.S)[0])
    stolen = Forged(folder, "stolen", evidence_of(leaf))
    fields = refusal(sidecar, stolen.certificate, stolen.key)
    assert fields["C"] == "28000" and re.search(r"TQ-2\d{3}", fields["M"] + fields.get("D", ""))


# ---- 3 -----------------------------------------------------------------------------------------------

@pytest.fixture(scope="session")
def stranger(house):
    """A machine of another vendor: same measurements, everything signed, another root."""
    return house.td("stranger", seed="5d" * 32, mrtd=SERVER_MRTD)


def test_trust_is_configured_by_the_client(house, stranger, io):
    """A server that presents its own root, in TLS and inside the quote, gains nothing."""
    with house.sidecar(td=stranger, io=io, policy=None) as other:
        report = house.verify(f"127.0.0.1:{other.port()}", status=5)
        assert report["verdict"] == "reject"
        # Not even with that vendor's own collateral service.
        house.verify(f"127.0.0.1:{other.port()}", status=5, pccs=stranger.pccs)


def test_trust_is_configured_by_the_server(house, stranger, sidecar, folder):
    files = house.client_files(folder, stranger)
    fields = refusal(sidecar, files["sslcert"], files["sslkey"])
    assert fields["C"] == "28000" and re.search(r"TQ-2\d{3}", fields["M"] + fields.get("D", ""))


def test_trust_is_configured_for_tls_chains(house, stranger, sidecar, folder):
    """Genuine evidence of another vendor's machine, with all roots of it appended to the chain in TLS: what a
    peer brings along becomes nobody's trust, not even for the moment."""
    files = house.client_files(folder, stranger)
    with open(files["sslcert"], "a") as chain:
        for root in (stranger.kms_root, stranger.root):
            chain.write(pathlib.Path(root).read_text())
    for _ in range(2):
        fields = refusal(sidecar, files["sslcert"], files["sslkey"])
        assert fields["C"] == "28000" and "TQ-2102" in fields["M"], fields


def test_trust_is_configured_not_the_development_root(house, sidecar):
    """Without the switch that names it, the simulator's root is nobody's."""
    report = house.verify(f"127.0.0.1:{sidecar.port()}", status=5, insecure_trust_root=None)
    assert report["trust_root"] == "intel"


# ---- 4 -----------------------------------------------------------------------------------------------

def test_no_silent_downgrade_to_plaintext(house, io, folder):
    """A server that declines TLS gets nothing more, and the driver hears why."""
    with socket.create_server(("127.0.0.1", 0)) as plain:
        port = plain.getsockname()[1]
        with house.forwarder(port, io=io, lazy="yes", starttls="yes") as forwarder, \
                Wire(("127.0.0.1", forwarder.port)) as driver:
            driver.send(wire.startup())
            upstream, _ = plain.accept()
            with upstream:
                assert upstream.recv(8) == wire.SSL_REQUEST
                upstream.sendall(b"N")
                kind, body = driver.message()
                assert kind == b"E" and wire.error_fields(body)["C"] == "57P03"
                assert upstream.recv(1) == b""


def test_no_silent_downgrade_in_the_log(house):
    """Every switch that weakens a check is named at each start."""
    with house.sidecar(require_client_attestation="no") as weak:
        weak.wait_for("insecure-trust-root")
        weak.wait_for("client attestation is not required")


def test_no_silent_downgrade_in_production(house):
    argv = [house.bin_path("teesql-sidecar"), "--production", *flags(house.sidecar_options())]
    done = run(argv, status=2)
    assert "insecure-trust-root" in done.stderr


# ---- 5 -----------------------------------------------------------------------------------------------

def test_nothing_after_sslrequest(house, sidecar):
    """CVE-2021-23214: what is already buffered behind SSLRequest would be taken for encrypted."""
    mark = house.cluster.server.mark()
    with Wire(("127.0.0.1", sidecar.port())) as peer:
        peer.send(wire.SSL_REQUEST + wire.startup())
        assert b"S" not in peer.rest()[:1]
    assert house.cluster.untouched_since(mark)


def test_nothing_after_sslrequest_from_a_server(house, io):
    """CVE-2021-23222, the other direction: bytes behind the server's S."""
    with socket.create_server(("127.0.0.1", 0)) as plain:
        with house.forwarder(plain.getsockname()[1], io=io, lazy="yes", starttls="yes") as forwarder, \
                Wire(("127.0.0.1", forwarder.port)) as driver:
            driver.send(wire.startup())
            upstream, _ = plain.accept()
            with upstream:
                assert upstream.recv(8) == wire.SSL_REQUEST
                upstream.sendall(b"S" + wire.message(b"E", b"CXXXXX\0Mforged\0\0"))
                kind, body = driver.message()
                assert kind == b"E" and "unencrypted bytes behind" in wire.error_fields(body)["M"]


# ---- 7 -----------------------------------------------------------------------------------------------

def test_secrets_leave_no_trace(house, io, folder):
    """Neither passwords, nor keys, nor cancel keys, nor SQL are in any log, at the loudest level."""
    files = house.client_files(folder)
    secret_sql = "select 'sesame-9f3a'"
    with house.sidecar(io=io, log_level="debug") as sidecar, \
            house.forwarder(sidecar, io=io, log_level="debug") as forwarder:
        assert psql(forwarder.dsn(), secret_sql) == "sesame-9f3a"
        psql(forwarder.dsn(password="wrong-sesame"), "select 1", status=2)
        assert psql(direct_dsn(sidecar, files), secret_sql) == "sesame-9f3a"
        with Wire(("127.0.0.1", forwarder.port)) as driver:
            driver.send(wire.startup(user="postgres"))
            driver.message()
        with Wire(("127.0.0.1", forwarder.port)) as driver:
            driver.send(wire.startup(user="guest", database="postgres"))
            backend = next(body for kind, body in driver.until(b"Z") if kind == b"K")
            with Wire(("127.0.0.1", forwarder.port)) as canceller:
                canceller.send(wire.cancel_request(*struct.unpack("!ii", backend)))
                assert canceller.rest() == b""
    logs = sidecar.log + forwarder.daemon.log + house.server_td.daemon.log + house.client_td.daemon.log
    key = "".join(files["sslkey"].read_text().split("\n")[1:-2])
    cancel_key = backend[4:]
    for secret in (APP_PASSWORD, "sesame", "wrong-sesame", key[:40], "PRIVATE KEY", cancel_key.hex(),
                   *(str(number) for number in struct.unpack("!i", cancel_key) + struct.unpack("!I", cancel_key))):
        assert secret not in logs.lower() and secret not in logs


# ---- 8 -----------------------------------------------------------------------------------------------

def test_bounded_by_configuration_handshake_time(house, io):
    """A peer that begins and does not go on is closed, at each step before the verdict."""
    begun = [b"", b"\0\0", wire.SSL_REQUEST, wire.GSSENC_REQUEST, b"\x16\x03\x01\x02\x00"]
    with house.sidecar(io=io, handshake_timeout="300ms") as sidecar:
        peers = [Wire(("127.0.0.1", sidecar.port())) for _ in begun]
        for peer, first in zip(peers, begun):
            peer.send(first)
        for peer in peers:
            with peer:
                assert peer.rest() in (b"", b"S", b"N")


def test_bounded_by_configuration_connections(house, io, folder):
    """Above the limit a peer is told 53300, and those below it do not notice."""
    files = house.client_files(folder)
    with house.sidecar(io=io, max_connections="2") as sidecar:
        held = [Wire(("127.0.0.1", sidecar.port())).request_tls(client_context(*files_of(files)))
                for _ in range(2)]
        for peer in held:
            peer.send(wire.startup(user="guest", database="postgres"))
            assert peer.until(b"Z")[-1][0] == b"Z"
        assert refusal(sidecar, *files_of(files))["C"] == "53300"
        for peer in held:
            with peer:
                peer.send(wire.query("select 'still here'"))
                assert any(b"still here" in body for _, body in peer.until(b"Z"))


def test_bounded_by_configuration_connections_of_one_peer(house, io, folder):
    """Who is above the limit of one address is told so; another address is served, and who leaves gives place."""
    files = files_of(house.client_files(folder))
    with house.sidecar(io=io, max_connections_per_peer="2") as sidecar, contextlib.ExitStack() as stack:
        def session(address):
            peer = stack.enter_context(Wire(("127.0.0.1", sidecar.port()), source=address))
            peer.request_tls(client_context(*files))
            peer.send(wire.startup(user="guest", database="postgres"))
            return peer

        def is_served(peer):
            return peer.until(b"Z")[-1][0] == b"Z"
        held = [session("127.0.0.2") for _ in range(2)]
        assert all(is_served(peer) for peer in held)
        kind, body = session("127.0.0.2").message()
        fields = wire.error_fields(body)
        assert kind == b"E" and fields["C"] == "53300" and "from this address" in fields["M"]
        assert is_served(session("127.0.0.3"))
        held[0].socket.close()
        eventually(lambda: is_served(session("127.0.0.2")))


def test_bounded_by_configuration_handshakes(house, io, folder):
    """Who opens connections and says nothing takes no place from another address; sessions count no longer."""
    files = files_of(house.client_files(folder))
    with house.sidecar(io=io, max_handshakes="4") as sidecar, contextlib.ExitStack() as stack:
        def connect(address):
            return stack.enter_context(Wire(("127.0.0.1", sidecar.port()), source=address))

        def session(address):
            peer = connect(address)
            peer.request_tls(client_context(*files))
            peer.send(wire.startup(user="guest", database="postgres"))
            return peer.message()
        for _ in range(2):
            connect("127.0.0.2")
        kind, body = session("127.0.0.2")
        fields = wire.error_fields(body)
        assert kind == b"E" and fields["C"] == "53300" and "are being set up" in fields["M"]
        for _ in range(5):
            assert session("127.0.0.3")[0] == b"R"


def test_drivers_of_a_forwarder_are_not_one_stranger(house, io, sidecar):
    """They all come from this host, where half of the places would be half of everybody's."""
    with house.forwarder(sidecar, io=io, max_handshakes="4") as forwarder, contextlib.ExitStack() as stack:
        peers = [stack.enter_context(Wire(("127.0.0.1", forwarder.port))) for _ in range(4)]
        peers[3].send(wire.startup(user="guest", database="postgres"))
        assert peers[3].message()[0] == b"R"


def files_of(files):
    return files["sslcert"], files["sslkey"]


@pytest.mark.parametrize("length", [10001, 0xffffff])
def test_bounded_by_configuration_startup_packet(sidecar, folder, house, length):
    """A StartupMessage beyond its maximum is refused inside attested TLS as well, before the rest of it comes."""
    files = house.client_files(folder)
    with Wire(("127.0.0.1", sidecar.port())) as peer:
        peer.request_tls(client_context(*files_of(files)))
        peer.send(length.to_bytes(4, "big") + wire.PROTOCOL_3.to_bytes(4, "big"))
        kind, body = peer.message()
        assert kind == b"E" and wire.error_fields(body)["C"] == "08P01" and peer.rest() == b""


# ---- 11 ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("damage", ["format", "body", "trailing"])
def test_unknown_is_no(house, sidecar, folder, damage):
    """Evidence of a shape that no specification defines refuses; it is not skipped."""
    genuine = evidence_of(leaf_of(sidecar.port()))
    octets = {"format": bytes([genuine[0], *genuine[1:5], genuine[5] ^ 0x7f, *genuine[6:]]),
              "body": genuine[:len(genuine) // 2],
              "trailing": genuine + b"\0"}[damage]
    odd = Forged(folder, damage, octets)
    fields = refusal(sidecar, odd.certificate, odd.key)
    assert fields["C"] == "28000" and re.search(r"TQ-1\d{3}", fields["M"] + fields.get("D", ""))


@pytest.mark.parametrize("status", ["Revoked", "OutOfDate"])
def test_unknown_is_no_of_tcb_status(house, status):
    """A TCB status that nobody said to accept refuses, with an exit code of its own."""
    td = house.td(f"status-{status}", mrtd=SERVER_MRTD, tcb_status=status)
    with house.sidecar(td=td) as sidecar:
        report = house.verify(f"127.0.0.1:{sidecar.port()}", status=6, pccs=td.pccs)
        assert report["class"] == "tcb" and report["tcb"]["status"] == status


# ---- 12 ----------------------------------------------------------------------------------------------

def test_cancel_is_attested(house, sidecar, folder):
    """The right key of a running query cancels nothing unless an attested peer sends it."""
    files = house.client_files(folder)
    with Wire(("127.0.0.1", sidecar.port())) as session:
        session.request_tls(client_context(*files_of(files)))
        session.send(wire.startup(user="guest", database="postgres"))
        key = next(body for kind, body in session.until(b"Z") if kind == b"K")
        cancel = wire.cancel_request(*struct.unpack("!ii", key))
        session.send(wire.query("select pg_sleep(60)"))
        pid = struct.unpack("!ii", key)[0]
        asleep = f"select count(*) from pg_stat_activity where pid = {pid} and wait_event = 'PgSleep'"
        eventually(lambda: house.cluster.sql(asleep) == "1")
        mark = house.cluster.server.mark()
        for secure in (False, True):
            with Wire(("127.0.0.1", sidecar.port())) as peer:
                if secure:
                    peer.request_tls()
                peer.send(cancel)
                assert peer.rest() == b""
        assert house.cluster.untouched_since(mark) and house.cluster.sql(asleep) == "1"
        with Wire(("127.0.0.1", sidecar.port())) as peer:
            peer.request_tls(client_context(*files_of(files)))
            peer.send(cancel)
            assert peer.rest() == b""
        kind, body = session.until(b"E")[-1]
        assert kind == b"E" and wire.error_fields(body)["C"] == "57014"
