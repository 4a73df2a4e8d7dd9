# SPDX-License-Identifier: Apache-2.0
"""Intel Trust Authority as its clients see it, on loopback: real TLS, real tokens, under keys of our own.

Written from the description of the service alone. `Service` is API and portal in one; a test changes what it
answers: `faults[path]` in place of a good answer (a list: in place of the first ones), `claims`, `header` and `signer` of its tokens.
"""

import base64
import datetime
import hashlib
import hmac
import http.server
import json
import ssl
import struct
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

API_KEY = "djE6dGVzdC1hdHRlc3RhdGlvbi1rZXk="
NONCE, ATTEST, KEYS = "/appraisal/v2/nonce", "/appraisal/v2/attest", "/certs"
ROOT_CRL, CA_CRL = "/root.crl", "/ca.crl"
DAY = datetime.timedelta(days=1)

# A TD report within a quote of version 4: name, offset, size.
REPORT = [("tdx_tee_tcb_svn", 0, 16), ("tdx_mrseam", 16, 48), ("tdx_mrsignerseam", 64, 48),
          ("tdx_td_attributes", 120, 8), ("tdx_xfam", 128, 8), ("tdx_mrtd", 136, 48), ("tdx_mrconfigid", 184, 48),
          ("tdx_mrowner", 232, 48), ("tdx_mrownerconfig", 280, 48), ("tdx_rtmr0", 328, 48), ("tdx_rtmr1", 376, 48),
          ("tdx_rtmr2", 424, 48), ("tdx_rtmr3", 472, 48), ("tdx_report_data", 520, 64)]
MEASUREMENTS = {claim: size for claim, _, size in REPORT}


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def read_event_log(data):
    """The registers of a confidential-computing event log (TCG PFP, crypto-agile) by number, and its events."""
    index, kind, digest, size = struct.unpack_from("<II20sI", data)
    assert (index, kind, digest) == (1, 3, bytes(20))
    spec, platform, minor, major, errata, width, algorithms, alg, alg_size, vendor = struct.unpack_from(
        "<16sIBBBBIHHB", data, 32)
    assert spec == b"Spec ID Event03\0" and (major, minor, algorithms, alg, alg_size) == (2, 0, 1, 12, 48)
    at, registers, events = 32 + size, {}, []
    assert struct.calcsize("<16sIBBBBIHHB") + vendor == size
    while at < len(data):
        index, kind, digests, alg, digest, size = struct.unpack_from("<IIIH48sI", data, at)
        assert 1 <= index <= 4 and (digests, alg) == (1, 12)
        at += 66
        content, at = data[at:at + size], at + size
        assert len(content) == size
        events.append((index - 1, kind, digest, content))
        registers[index - 1] = hashlib.sha384(registers.get(index - 1, bytes(48)) + digest).digest()
    return registers, events


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


class Pki:
    """The keys of the service; made once, since RSA keys take their time."""

    def __init__(self, folder):
        self.root, self.ca, self.leaf, self.other = (rsa.generate_private_key(65537, 3072) for _ in range(4))
        self.tls_ca, self.tls = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.ca_file = folder / "ita-ca.pem"
        authority = self._certificate("test https CA", self.tls_ca, "test https CA", self.tls_ca, True)
        self.ca_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
        server = self._certificate("localhost", self.tls, "test https CA", self.tls_ca, False,
                                   x509.SubjectAlternativeName([x509.DNSName("localhost")]))
        self.server_file = folder / "ita-server.pem"
        self.server_file.write_bytes(server.public_bytes(serialization.Encoding.PEM) + self.tls.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))

    @staticmethod
    def _certificate(subject, key, issuer, signer, ca, *extensions):
        builder = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now() - DAY).not_valid_after(now() + 30 * DAY)
                   .add_extension(x509.BasicConstraints(ca, None), True))
        for extension in extensions:
            builder = builder.add_extension(extension, False)
        return builder.sign(signer, hashes.SHA384())

    @staticmethod
    def _points(url):
        return x509.CRLDistributionPoints([x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)])

    def chain(self, base):
        """Leaf, CA and root, whose revocation lists are below this address."""
        self.leaf_certificate = self._certificate("token signer", self.leaf, "signing CA", self.ca, False,
                                                  self._points(base + CA_CRL))
        ca = self._certificate("signing CA", self.ca, "root CA", self.root, True, self._points(base + ROOT_CRL))
        return [self.leaf_certificate, ca, self._certificate("root CA", self.root, "root CA", self.root, True)]

    @staticmethod
    def crl(issuer, key, revoked=(), days=7):
        builder = (x509.CertificateRevocationListBuilder().issuer_name(name(issuer)).last_update(now() - DAY)
                   .next_update(now() + days * DAY))
        for serial in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now() - DAY).build())
        return builder.sign(key, hashes.SHA384()).public_bytes(serialization.Encoding.DER)


class Service:
    def __init__(self, pki):
        self.pki = pki
        self.requests = []  # (path, headers)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki.server_file)
        # A client that does not believe us is a test's business: the handshake is the connection's thread's.
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://localhost:{self._server.server_port}"
        self.chain = pki.chain(self.url)
        self.reset()
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def reset(self):
        self.faults, self.kid, self.alg, self.nested = {}, "key-1", "PS384", True
        self.signer, self.published = self.pki.leaf, self.pki.leaf
        self.claims, self.header = {}, {}  # what differs from a good one; None leaves it out
        self.revoked = []
        self.requests.clear()
        self.questions = []  # about quotes

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # ---- what is answered

    def nonce(self):
        return {"val": base64.b64encode(bytes(32)).decode(), "iat": base64.b64encode(str(now()).encode()).decode(),
                "signature": base64.b64encode(b"s" * 64).decode()}

    def key_set(self):
        numbers = self.published.public_key().public_numbers()
        return {"keys": [{"kty": "RSA", "alg": "PS384" if self.alg not in ("PS384", "RS256") else self.alg,
                          "kid": self.kid, "n": b64url(numbers.n.to_bytes(384, "big")),
                          "e": b64url(numbers.e.to_bytes(3, "big")),
                          "x5c": [base64.b64encode(c.public_bytes(serialization.Encoding.DER)).decode()
                                  for c in self.chain]}]}

    def good_claims(self, question):
        quote = base64.b64decode(question["quote"], validate=True)
        report = quote[48:]
        own = {"iss": "Intel Trust Authority", "iat": int(time.time()), "nbf": int(time.time()),
               "exp": int(time.time()) + 1800, "jti": "1", "ver": "2.0.0"}
        about = {"attester_type": "TDX", "attester_tcb_status": "UpToDate", "dbgstat": "disabled",
                 "attester_tcb_date": "2025-05-14T00:00:00Z", "verifier_nonce": question.get("verifier_nonce"),
                 "tdx_is_debuggable": False, "tdx_td_attributes_debug": False}
        about |= {claim: report[at:at + size].hex() for claim, at, size in REPORT}
        for changed in self.claims:
            target = own if changed in own else about
            target[changed] = self.claims[changed]
        own, about = ({k: v for k, v in part.items() if v is not None} for part in (own, about))
        return own | {"tdx": about} if self.nested else own | about

    def sign(self, text):
        if self.alg == "none":
            return b""
        if self.alg == "HS256":  # with the public key as the secret
            return hmac.digest(self.published.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo), text, hashlib.sha256)
        if self.alg == "RS256":
            return self.signer.sign(text, padding.PKCS1v15(), hashes.SHA256())
        return self.signer.sign(text, padding.PSS(padding.MGF1(hashes.SHA384()), 48), hashes.SHA384())

    def token(self, question):
        header = {"alg": self.alg, "typ": "JWT", "kid": self.kid, "jku": self.url + KEYS} | self.header
        text = ".".join(b64url(json.dumps(part).encode()) for part in (header, self.good_claims(question)))
        return f"{text}.{b64url(self.sign(text.encode()))}"

    def answer(self, path, headers, body):
        """Status, headers and body of a good answer."""
        if path in (NONCE, ATTEST) and headers.get("x-api-key") != API_KEY:
            return 401, {"trace-id": "t-1"}, b'{"error":"Unauthorized"}'
        if path == NONCE:
            return 200, {}, json.dumps(self.nonce()).encode()
        if path == ATTEST:
            assert len(body) <= 500000
            question = json.loads(body)
            self.questions.append(question["tdx"])
            assert set(question) == {"tdx", "token_signing_alg"} and question["token_signing_alg"] == "PS384"
            return 200, {}, json.dumps({"token": self.token(question["tdx"])}).encode()
        if path == KEYS:
            return 200, {}, json.dumps(self.key_set()).encode()
        if path == ROOT_CRL:
            return 200, {"Content-Type": "application/pkix-crl"}, self.pki.crl("root CA", self.pki.root)
        if path == CA_CRL:
            return 200, {"Content-Type": "application/pkix-crl"}, self.pki.crl("signing CA", self.pki.ca, self.revoked)
        return 404, {}, b"{}"

    def _handler(self):
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except OSError:  # of TLS too
                    self.close_connection = True

            def reply(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                service.requests.append((self.path, dict(self.headers)))
                fault = service.faults.get(self.path)
                if isinstance(fault, list):
                    fault = fault.pop(0) if fault else None
                if callable(fault):
                    return fault(self)
                status, headers, answer = fault or service.answer(self.path, self.headers, body)
                self.send_response(status)
                for key, value in ({"Content-Type": "application/json", "Content-Length": len(answer)} | headers).items():
                    self.send_header(key, str(value))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = reply

            def log_message(self, *_):
                pass
        return Handler

    def asked(self, path):
        return sum(1 for asked, _ in self.requests if asked == path)
