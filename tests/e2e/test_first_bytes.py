# SPDX-License-Identifier: Apache-2.0
"""What the sidecar's port and the forwarder's port do with the first bytes of a connection."""

import ssl

import pytest

import wire
from wire import Wire, client_context

HUGE = (100 << 20).to_bytes(4, "big") + (196608).to_bytes(4, "big")

# name, what is sent; the port closes, with no word or with a complaint about the protocol
CLOSED = [
    ("unknown bytes", b"\xde\xad\xbe\xef" * 4),
    ("SSH", b"SSH-2.0-OpenSSH_9.2\r\n"),
    ("a startup packet of 100 MiB", HUGE),
    ("a startup packet shorter than itself", b"\0\0\0\4\0\0\0\0"),
    ("protocol 2.0", b"\0\0\0\x08\0\2\0\0"),
]
each_of = pytest.mark.parametrize("sent", [row[1] for row in CLOSED], ids=[row[0] for row in CLOSED])


def no_word_or_complaint(answer):
    return answer == b"" or wire.error_fields(answer[5:])["C"] in ("08P01", "28000")


@each_of
def test_sidecar_closes(house, sidecar, sent):
    before = house.cluster.server.mark()
    with Wire(("127.0.0.1", sidecar.port())) as peer:
        peer.send(sent)
        assert no_word_or_complaint(peer.rest())
    assert house.cluster.untouched_since(before)


@each_of
def test_forwarder_closes(house, forwarder, sent):
    before = house.cluster.server.mark()
    with Wire(("127.0.0.1", forwarder.port)) as peer:
        peer.send(sent)
        assert no_word_or_complaint(peer.rest())
    assert house.cluster.untouched_since(before)


def test_sidecar_drops_a_cancel_in_clear(house, sidecar):
    before = house.cluster.server.mark()
    with Wire(("127.0.0.1", sidecar.port())) as peer:
        peer.send(wire.cancel_request())
        assert peer.rest() == b""
    assert house.cluster.untouched_since(before)


def test_sidecar_refuses_plaintext_with_a_reason(sidecar):
    with Wire(("127.0.0.1", sidecar.port())) as peer:
        peer.send(wire.startup())
        kind, body = peer.message()
        assert kind == b"E"
        fields = wire.error_fields(body)
        assert fields["C"] == "28000" and "TLS" in fields["M"] and fields["H"]
        assert peer.rest() == b""


def test_sidecar_answers_http_with_one_line(sidecar):
    with Wire(("127.0.0.1", sidecar.port())) as peer:
        peer.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = peer.rest()
    assert answer.startswith(b"HTTP/1.1 400 ") and b"HTTP is not served, here or on port 8080" in answer


def test_sidecar_declines_gssenc_and_goes_on(sidecar):
    with Wire(("127.0.0.1", sidecar.port())) as peer:
        peer.send(wire.GSSENC_REQUEST)
        assert peer.receive(1) == b"N"
        peer.request_tls()
        assert peer.socket.version()


@pytest.mark.parametrize("how", ["starttls", "direct"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("alpn", [None, "postgresql"])
def test_sidecar_speaks(sidecar, how, version, alpn):
    context = client_context(alpn=alpn, version=version)
    with Wire(("127.0.0.1", sidecar.port())) as peer:
        if how == "direct":
            peer.start_tls(context)
        else:
            peer.request_tls(context)
        assert peer.socket.selected_alpn_protocol() == alpn


@pytest.mark.parametrize("how", ["starttls", "direct"])
def test_sidecar_refuses_another_alpn(sidecar, how):
    with Wire(("127.0.0.1", sidecar.port())) as peer, pytest.raises(ssl.SSLError):
        if how == "direct":
            peer.start_tls(client_context(alpn="h2"))
        else:
            peer.request_tls(client_context(alpn="h2"))
        peer.receive(1)


def test_forwarder_declines_encryption_and_goes_on(forwarder):
    with Wire(("127.0.0.1", forwarder.port)) as peer:
        for request in (wire.GSSENC_REQUEST, wire.SSL_REQUEST):
            peer.send(request)
            assert peer.receive(1) == b"N"
        peer.send(wire.startup())
        kind, _ = peer.message()
        assert kind == b"R"  # Postgres's own authentication request
