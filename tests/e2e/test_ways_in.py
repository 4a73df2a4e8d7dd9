# SPDX-License-Identifier: Apache-2.0
"""The ways in and their sslmode: each row with its success and each of its failures."""

import re
import subprocess

import pytest

from daemon import run
from forge import Forged
from house import direct_dsn, psql

HELLO = "select 'hello'"


# ---- the forwarder: plain Postgres on loopback -------------------------------------------------------

@pytest.mark.parametrize("sslmode", ["disable", "allow", "prefer"])
def test_forwarder_serves_drivers_without_tls(forwarder, sslmode):
    assert psql(forwarder.dsn(sslmode=sslmode), HELLO) == "hello"


@pytest.mark.parametrize("sslmode", ["disable", "prefer"])
def test_forwarder_serves_its_unix_socket(forwarder, sslmode):
    assert psql(forwarder.socket_dsn(sslmode=sslmode), HELLO) == "hello"


def test_forwarder_serves_ipv6(forwarder):
    assert psql(forwarder.dsn(host="::1"), HELLO) == "hello"


@pytest.mark.parametrize("sslmode", ["require", "verify-ca", "verify-full"])
def test_forwarder_declines_tls_with_the_drivers_own_words(forwarder, folder, sslmode):
    roots = Forged(folder, "any").certificate
    said = psql(forwarder.dsn(sslmode=sslmode, sslrootcert=roots), HELLO, status=2).stderr
    assert "server does not support SSL, but SSL was required" in said


# ---- libpq straight to the sidecar ---------------------------------------------------------------------

@pytest.fixture(scope="session")
def files(house, tmp_path_factory):
    return house.client_files(tmp_path_factory.mktemp("client-cert"))


def test_client_cert_keeps_its_key_private(files):
    assert files["sslkey"].stat().st_mode & 0o777 == 0o600


def test_libpq_verify_full(sidecar, files):
    used_tls = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"
    # Postgres itself sees the sidecar on loopback: TLS ended before it.
    assert psql(direct_dsn(sidecar, files), HELLO, used_tls) == "hello\nf"


def test_libpq_refuses_a_wrong_root(sidecar, files, folder):
    other = files | {"sslrootcert": Forged(folder, "other-root").certificate}
    said = psql(direct_dsn(sidecar, other), HELLO, status=2).stderr
    assert "certificate verify failed" in said


def test_libpq_refuses_a_wrong_host_name(sidecar, files):
    said = psql(direct_dsn(sidecar, files, host="db.example.org"), HELLO, status=2).stderr
    assert 'does not match host name "db.example.org"' in said


def test_sidecar_refuses_a_client_without_certificate(sidecar, files):
    without = {"sslrootcert": files["sslrootcert"]}
    said = psql(direct_dsn(sidecar, without), HELLO, status=2).stderr
    assert "TQ-7004" in said


def test_sidecar_refuses_a_certificate_without_evidence(sidecar, files, folder):
    plain = Forged(folder, "plain")
    said = psql(direct_dsn(sidecar, files | {"sslcert": plain.certificate, "sslkey": plain.key}), HELLO,
                status=2).stderr
    assert "TQ-1001" in said
    sidecar.wait_for("refused.*: cert has no TDX")


LIBPQ17 = """
import sys, psycopg
print(psycopg.pq.version(), file=sys.stderr)
assert psycopg.pq.version() >= 170000
with psycopg.connect(sys.argv[1], sslnegotiation=sys.argv[2]) as c:
    print(c.execute("select 'hello'").fetchone()[0])
"""


def libpq17_connect(libpq17, dsn, negotiation):
    return subprocess.run(["/usr/bin/python3", "-c", LIBPQ17, dsn, negotiation], text=True,
                          capture_output=True, env={"PYTHONPATH": str(libpq17), "HOME": "/nonexistent"})


@pytest.mark.parametrize("negotiation", ["postgres", "direct"])
def test_libpq17(libpq17, sidecar, files, negotiation):
    done = libpq17_connect(libpq17, direct_dsn(sidecar, files), negotiation)
    assert done.stdout == "hello\n", done.stderr


def test_libpq17_direct_shows_why_it_was_refused(libpq17, sidecar, files):
    done = libpq17_connect(libpq17, direct_dsn(sidecar, {"sslrootcert": files["sslrootcert"]}), "direct")
    assert "TQ-7004" in done.stderr and done.returncode != 0


def test_s_client_shows_the_attestation_extension(sidecar):
    done = run(["openssl", "s_client", "-connect", f"127.0.0.1:{sidecar.port()}", "-starttls", "postgres",
                "-showcerts"], status=None)
    certificates = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", done.stdout, re.S)
    text = run(["openssl", "x509", "-noout", "-text"], input=certificates[0]).stdout
    assert "1.3.6.1.4.1.62397.1.8" in text
    assert len(certificates) >= 2


# ---- local development with the simulator ------------------------------------------------------------------

@pytest.fixture(scope="module")
def local_sidecar(house, io):
    """As a developer starts it: everything from the simulator's environment, nothing said of clients."""
    settings = {"agent": None, "require_client_attestation": None, "policy": None, "pccs": None,
                "insecure_trust_root": None}
    with house.sidecar(env=house.server_td.environment, io=io, **settings) as started:
        yield started


def test_simulator_require_needs_no_client_certificate(local_sidecar):
    assert psql(direct_dsn(local_sidecar, {}, sslmode="require"), HELLO) == "hello"


def test_simulator_fails_verify_full(local_sidecar):
    said = psql(direct_dsn(local_sidecar, {}), HELLO, status=2).stderr
    assert "root certificate file" in said and "does not exist" in said


def test_simulator_is_named_in_the_log(local_sidecar):
    local_sidecar.wait_for("insecure-trust-root")
    local_sidecar.wait_for("client attestation is not required")
