# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL's protocol by hand, for the peers that no driver plays: rude, forged or half-closed ones."""

import socket
import ssl
import struct

from daemon import PATIENCE

PROTOCOL_3 = 196608
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
GSSENC_REQUEST = struct.pack("!ii", 8, 80877104)


def startup(**parameters):
    parameters = {"user": "app", "database": "app"} | parameters
    body = b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in parameters.items()) + b"\0"
    return struct.pack("!ii", 8 + len(body), PROTOCOL_3) + body


def cancel_request(pid=1, key=2):
    return struct.pack("!iiii", 16, 80877102, pid, key)


def message(kind, body=b""):
    return kind + struct.pack("!i", 4 + len(body)) + body


def query(sql):
    return message(b"Q", sql.encode() + b"\0")


def error_fields(body):
    """The fields of an ErrorResponse: {"C": "28000", "M": "...", ...}."""
    return {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}


class Wire:
    """A connection to one of our ports, plain until it is asked for TLS."""

    def __init__(self, address, source=None):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.settimeout(PATIENCE)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect(address)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def receive(self, size):
        """Exactly this many bytes, or what came before the end."""
        data = b""
        while len(data) < size and (part := self.socket.recv(size - len(data))):
            data += part
        return data

    def rest(self):
        """Everything until the peer closes, whether it does so with FIN or RST."""
        data = b""
        try:
            while part := self.socket.recv(65536):
                data += part
        except (ConnectionResetError, ssl.SSLError):
            pass
        return data

    def message(self):
        """The next message as (kind, body); (b"", b"") at the end."""
        head = self.receive(5)
        if len(head) < 5:
            return b"", b""
        return head[:1], self.receive(struct.unpack("!i", head[1:])[0] - 4)

    def until(self, kind):
        """The messages up to the first of this kind, or up to the end."""
        seen = []
        while True:
            got, body = self.message()
            seen.append((got, body))
            if got in (kind, b""):
                return seen

    def start_tls(self, context=None, name="localhost"):
        self.socket = (context or client_context()).wrap_socket(self.socket, server_hostname=name)
        return self

    def request_tls(self, context=None, name="localhost"):
        self.send(SSL_REQUEST)
        assert self.receive(1) == b"S"
        return self.start_tls(context, name)


def client_context(certificate=None, key=None, alpn=None, version=None):
    """TLS that believes anybody: who is under test is the other side."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(certificate, key)
    if alpn:
        context.set_alpn_protocols([alpn])
    if version:
        context.minimum_version = context.maximum_version = version
    return context
