# SPDX-License-Identifier: Apache-2.0
"""What an attacker can make of genuine evidence: another key under it, another root beside it."""

import datetime
import socket
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from daemon import PATIENCE

ATTESTATION = x509.ObjectIdentifier("1.3.6.1.4.1.62397.1.8")


def evidence_of(leaf_der):
    """The value of the attestation extension of a genuine certificate."""
    certificate = x509.load_der_x509_certificate(leaf_der)
    return certificate.extensions.get_extension_for_oid(ATTESTATION).value.value


class Forged:
    """A self-signed certificate of a key of our own, with an attestation extension if one is given;
    `certificate` and `key` are PEM files in a folder."""

    def __init__(self, folder, name, evidence=None, append=()):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.datetime.utcnow()
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=30)))
        if evidence is not None:
            builder = builder.add_extension(x509.UnrecognizedExtension(ATTESTATION, evidence), critical=False)
        leaf = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        self.certificate, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        self.certificate.write_bytes(leaf + b"".join(append))
        self.key.write_bytes(key.private_bytes(serialization.Encoding.PEM,
                                               serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))
        self.key.chmod(0o600)


class ForgedServer:
    """A TLS server with such a certificate. `heard` is what clients said inside TLS."""

    def __init__(self, certificate, key):
        self.heard, self.handshakes = b"", 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            plain.settimeout(PATIENCE)
            try:
                with self._context.wrap_socket(plain, server_side=True) as peer:
                    self.handshakes += 1
                    while data := peer.recv(65536):
                        self.heard += data
            except OSError:
                pass  # a client that goes away is what this server is for

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE)
