# SPDX-License-Identifier: Apache-2.0
"""--verifier ita and dcap+ita against a service of our own: what it says, and every way in which it fails."""

import base64
import concurrent.futures
import contextlib
import hashlib
import json
import socket
import time

import pytest

from daemon import PATIENCE, Daemon, run
from house import SEED, direct_dsn, flags, psql
from ita_service import API_KEY, ATTEST, CA_CRL, KEYS, MEASUREMENTS, NONCE, ROOT_CRL, Pki, Service, read_event_log

ITEMS = [NONCE, ATTEST, KEYS, ROOT_CRL, CA_CRL]


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def the_service(pki):
    service = Service(pki)
    yield service
    service.close()


@pytest.fixture
def service(the_service):
    the_service.reset()
    return the_service


@pytest.fixture(scope="module")
def machine(bin_path, tmp_path_factory):
    """A simulated machine, and a certificate of its guest agent in a file."""
    folder = tmp_path_factory.mktemp("machine")
    daemon = Daemon("simulator", [bin_path("teesql-simulator"), "--dir", folder, "--seed", SEED])
    daemon.wait_for("TEESQL_INSECURE_TRUST_ROOT=", stdout=True)
    said = dict(line.removeprefix("export ").split("=", 1) for line in daemon.stdout.splitlines() if "=" in line)
    run([bin_path("teesql"), "client-cert", "--out", folder / "certs", "--agent", said["DSTACK_SIMULATOR_ENDPOINT"]])
    yield folder / "certs" / "client-cert.pem", said
    daemon.stop()


@pytest.fixture
def teesql(bin_path, machine, service, pki):
    """teesql verify of that certificate through the service; its JSON."""
    certificate, said = machine

    def call(*options, status=0, verifier="ita", env=None, target=certificate, **more):
        settings = {"verifier": verifier, "ita_url": service.url, "insecure_ita_host": "yes", "ca_file": pki.ca_file,
                    "pccs": said["TEESQL_PCCS"], "insecure_trust_root": said["TEESQL_INSECURE_TRUST_ROOT"], "client_cert": "none"} | more
        done = run([bin_path("teesql"), "verify", target, "--json", *flags(settings), *options],
                   {"INTEL_TRUST_AUTHORITY_API_KEY": API_KEY} if env is None else env, status=status)
        assert API_KEY not in done.stdout and API_KEY not in done.stderr
        return json.loads(done.stdout)
    return call


def check(report, rule):
    return next(c for c in report["checks"] if c["id"] == rule)


# ---- what is good -----------------------------------------------------------------------------------------------

def test_a_token_is_accepted_in_every_form(teesql, service):
    for alg in ("PS384", "RS256"):
        for nested in (True, False):
            service.reset()
            service.alg, service.nested = alg, nested
            report = teesql()
            assert report["verdict"] == "accept" and report["verifier"] == "ita"
            assert report["tcb"]["status"] == "UpToDate" and report["trust_root"] == "development"
            assert report["ita"]["key"] == "key-1" and report["ita"]["nonce"] is True
            assert [service.asked(item) for item in ITEMS] == [1] * 5


def test_the_policy_is_the_same(teesql, service):
    service.claims = {"attester_tcb_status": "OutOfDate", "attester_advisory_ids": ["INTEL-SA-01"]}
    report = teesql(status=6)
    assert report["code"] == "TQ-3005" and report["tcb"]["advisories"] == ["INTEL-SA-01"]
    teesql("--accept-tcb", "OutOfDate")
    assert teesql("--accept-tcb", "OutOfDate", "--mrtd", "ee" * 48, status=1)["code"] == "TQ-4202"
    service.claims = {"attester_tcb_status": "Revoked"}
    assert teesql(status=6)["code"] == "TQ-3004"


def test_without_a_nonce_only_where_it_is_insecure(teesql, service):
    service.faults[NONCE] = (400, {}, b'{"error":"no nonces here"}')
    assert teesql(status=7)["code"] == "TQ-5124"
    report = teesql("--insecure-ita-without-nonce")
    assert check(report, "ita.token.nonce")["status"] == "skipped" and report["ita"]["nonce"] is False


RUNTIME = 0x08000001


def attestation(machine):
    """The guest agent's answer to Attest."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(machine[1]["DSTACK_SIMULATOR_ENDPOINT"].removeprefix("unix:"))
        body = b'{"report_data":"01"}'
        s.sendall(b"POST /Attest HTTP/1.1\r\nHost: dstack\r\nContent-Type: application/json\r\n"
                  b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))
        answer = b"".join(iter(lambda: s.recv(65536), b""))
    return bytes.fromhex(json.loads(answer.partition(b"\r\n\r\n")[2])["attestation"])


def shown(service):
    """Quote, registers and events of the last question; no registers if it showed no log."""
    question = service.questions[-1]
    quote = base64.b64decode(question["quote"], validate=True)
    log = base64.b64decode(question["event_log"], validate=True) if "event_log" in question else None
    return [quote[48 + 328 + 48 * i:][:48] for i in range(4)], *(read_event_log(log) if log else ({}, []))


def test_the_event_log_is_shown_as_far_as_it_replays(teesql, service, machine, tmp_path):
    assert teesql()["verdict"] == "accept"
    rtmr, registers, events = shown(service)
    assert registers == {3: rtmr[3]}  # what a certificate carries of the others is not all that there was
    assert {hashlib.sha384(content).digest() == digest for _, kind, digest, content in events if kind == RUNTIME} == {True}
    assert [content for *_, content in events if b":app-id:" in content]
    # What the guest agent gives to those who ask is the whole log.
    whole = tmp_path / "attestation.bin"
    whole.write_bytes(attestation(machine))
    assert teesql(target=whole)["verdict"] == "accept"
    rtmr, registers, events = shown(service)
    assert registers == dict(enumerate(rtmr)) and len(events) > len(registers)
    # A bare quote has none.
    quote = tmp_path / "quote.bin"
    quote.write_bytes(base64.b64decode(service.questions[-1]["quote"]))
    assert teesql(target=quote)["verdict"] == "accept" and set(service.questions[-1]) == {"quote", "verifier_nonce"}


def test_a_service_that_refuses_the_event_log_is_asked_without(teesql, service):
    service.faults[ATTEST] = (400, {}, b'{"error":"event log is not wanted"}')
    report = teesql(status=7)
    assert report["code"] == "TQ-5124" and "--ita-event-log off" in json.dumps(report)
    service.faults.clear()
    key = {"INTEL_TRUST_AUTHORITY_API_KEY": API_KEY}
    for options, env in (["--ita-event-log", "off"], key), ([], key | {"TEESQL_ITA_EVENT_LOG": "off"}):
        report = teesql(*options, env=env)
        assert report["verdict"] == "accept" and check(report, "log.rtmr3")["status"] == "pass"
        assert set(service.questions[-1]) == {"quote", "verifier_nonce"}
    assert teesql("--ita-event-log", "on", env=key | {"TEESQL_ITA_EVENT_LOG": "off"})["verdict"] == "accept"
    assert "event_log" in service.questions[-1]
    assert teesql("--ita-event-log", "maybe", status=2)["code"] == "TQ-8001"


# ---- bad tokens -------------------------------------------------------------------------------------------------

BAD = [
    ("none", {"alg": "none"}, 5, 'algorithm "none"'),
    ("hs256", {"alg": "HS256"}, 5, "shared secret (HS256)"),
    ("es256", {"header": {"alg": "ES256"}}, 5, "signed with ES256"),
    ("ps256", {"header": {"alg": "PS256"}}, 5, "signed with PS256"),
    ("kid", {"header": {"kid": "key-7"}}, 5, 'no key "key-7"'),
    ("crit", {"header": {"crit": ["exp"]}}, 7, "header.crit"),
    ("issuer", {"claims": {"iss": "Somebody"}}, 5, 'issued by "Somebody"'),
    ("expired", {"claims": {"iat": 1700000000, "nbf": 1700000000, "exp": 1700001800}}, 7, "the token held until"),
    ("future", {"claims": {"nbf": 4000000000}}, 7, "the token begins to hold"),
    ("for ever", {"claims": {"exp": 4000000000}}, 7, "made to hold for"),
    ("no exp", {"claims": {"exp": None}}, 7, "claims.exp is missing"),
    ("nonce", {"claims": {"verifier_nonce": {"val": "AA==", "iat": "AA==", "signature": "AA=="}}}, 5, "another nonce"),
    ("no nonce", {"claims": {"verifier_nonce": None}}, 5, "carries no nonce"),
    ("sgx", {"claims": {"attester_type": "SGX"}}, 5, 'about "SGX"'),
    ("status", {"claims": {"attester_tcb_status": "Splendid"}}, 7, 'status "Splendid" is not one'),
    ("debug", {"claims": {"dbgstat": "enabled"}}, 5, "dbgstat of the token"),
    ("debuggable", {"claims": {"tdx_is_debuggable": True}}, 5, "tdx_is_debuggable of the token"),
]


@pytest.mark.parametrize("changes,status,says", [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_every_bad_token_is_refused(teesql, service, changes, status, says):
    for member, value in changes.items():
        setattr(service, member, value)
    report = teesql(status=status)
    assert report["verdict"] != "accept" and says in report["message"]


@pytest.mark.parametrize("claim", MEASUREMENTS)
def test_every_measurement_must_be_the_quotes(teesql, service, claim):
    for value in (None, 1, "00", "5e" * MEASUREMENTS[claim]):
        service.claims = {claim: value}
        report = teesql(status=5)
        assert report["code"] == "TQ-2810" and claim in report["message"]


def test_a_token_of_another_key_is_refused(teesql, service, pki):
    service.signer = pki.other
    assert teesql(status=5)["code"] == "TQ-2806"
    service.published = pki.other  # a key that its certificates do not vouch for
    report = teesql(status=5)
    assert report["code"] == "TQ-2803" and "another key than n and e" in report["message"]


def test_a_revoked_key_is_refused(teesql, service, pki):
    service.revoked = [service.chain[0].serial_number]
    report = teesql(status=5)
    assert report["code"] == "TQ-2805" and '"token signer" is revoked' in report["message"]
    service.faults[CA_CRL] = (200, {}, pki.crl("signing CA", pki.ca, days=-0.5))
    assert "CRL has expired" in teesql(status=7)["message"]
    service.faults[CA_CRL] = (200, {}, pki.crl("signing CA", pki.other))
    assert "CRL signature failure" in teesql(status=7)["message"]


def test_a_poisoned_jku_is_not_followed(teesql, service, pki):
    with contextlib.closing(Service(pki)) as evil:
        evil.published = service.signer = pki.other
        service.header = {"jku": evil.url + KEYS}
        report = teesql(status=5)
        assert report["code"] == "TQ-2802" and evil.url in report["message"]
        assert evil.requests == []


# ---- the network ------------------------------------------------------------------------------------------------

def cut(handler):
    handler.close_connection = True


def cut_within(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"')
    handler.close_connection = True


WAIT = {"Retry-After": "0"}
FAULTS = [
    ("401", (401, {}, b'{"error":"Unauthorized"}'), "TQ-5121", "HTTP status 401", 1),
    ("403", (403, {}, b""), "TQ-5121", "HTTP status 403", 1),
    ("429", (429, {"Retry-After": "17"}, b""), "TQ-5122", "HTTP status 429, retry after 17 s", 1),
    ("500", (500, WAIT, b""), "TQ-5123", "HTTP status 500", 3),
    ("502", (502, {}, b"<html>"), "TQ-5123", "HTTP status 502", 1),
    ("503", (503, WAIT | {"trace-id": "t-9"}, b""), "TQ-5123", "HTTP status 503, trace-id t-9", 3),
    ("400", (400, {}, b'{"message":"quote verification failed"}'), "TQ-5124", ": quote verification failed", 1),
    ("redirect", (302, {"Location": "https://localhost:1/"}, b""), "TQ-5124", "HTTP status 302", 1),
    ("cut", cut, "TQ-5120", "could not obtain the", 1),
    ("cut within", cut_within, "TQ-5120", "could not obtain the", 1),
    ("oversized", (200, {}, b" " * 400000), "TQ-5131", "larger than", 1),
]


@pytest.mark.parametrize("fault,code,says,tries", [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
@pytest.mark.parametrize("item", ITEMS)
def test_every_fault_at_every_item(teesql, service, item, fault, code, says, tries):
    service.faults[item] = fault
    report = teesql(status=7)
    # A list that cannot be had leaves open whether the key was revoked; why is in the sentence.
    assert report["code"] == ("TQ-5404" if item in (ROOT_CRL, CA_CRL) else code)
    assert report["verdict"] == "undetermined" and says in report["message"]
    assert service.asked(item) == tries


@pytest.mark.parametrize("item,code,says", [
    (NONCE, "TQ-5125", "answered with text/html"), (ATTEST, "TQ-5125", "answered with text/html"),
    (KEYS, "TQ-5127", "is not a JSON object"), (ROOT_CRL, "TQ-5404", "is no revocation list")])
def test_a_portal_on_the_way_is_told_as_such(teesql, service, item, code, says):
    service.faults[item] = (200, {"Content-Type": "text/html"}, b"<html>welcome to our hotel</html>")
    report = teesql(status=7)
    assert report["code"] == code and says in report["message"]


@pytest.mark.parametrize("item", [NONCE, ATTEST])
def test_what_is_no_answer_is_refused(teesql, service, item):
    for body in (b"", b"{}", b"[]", b"null", b'{"token":1}', b'{"token":"a","token":"b"}', b'{"val":"a"'):
        service.faults[item] = (200, {}, body)
        assert teesql(status=7)["code"] == "TQ-5126"


def test_a_service_that_says_nothing_ends_in_time(teesql, service):
    service.faults[NONCE] = lambda handler: time.sleep(PATIENCE / 4)
    report = teesql(status=7)
    assert report["code"] == "TQ-5130" and "nonce" in report["message"]


@pytest.mark.parametrize("item", ITEMS)
def test_two_failures_are_survived(teesql, service, item):
    service.faults[item] = [(500, WAIT, b""), (504, WAIT, b"")]
    assert teesql()["verdict"] == "accept"
    assert service.asked(item) == 3


def test_only_the_configured_authorities_are_believed(teesql, service, pki, tmp_path):
    report = teesql(ca_file=None, status=7)
    assert report["code"] == "TQ-5120" and "certificate" in report["message"] and service.requests == []
    report = teesql(ita_url=service.url.replace("localhost", "127.0.0.1"), status=7)
    assert report["code"] == "TQ-5120" and service.requests == []
    teesql(ca_file=tmp_path / "nothing.pem", status=2)


# ---- options ----------------------------------------------------------------------------------------------------

def test_options_are_refused_with_a_reason(teesql, tmp_path):
    assert teesql(status=2, env={})["code"] == "TQ-8020"
    assert teesql("--at", "2025-07-04T03:33:20Z", status=2)["code"] == "TQ-8001"
    for wrong in ({"ita_url": "http://localhost:1"}, {"ita_url": "moon"}, {"ita_portal": "http://localhost:1"},
                  {"verifier": "itb"}, {"verifier": "none"}):
        assert teesql(status=2, **wrong)["code"] == "TQ-8001"
    teesql(status=2, env={}, ita_api_key_file=tmp_path / "nothing")


@pytest.mark.parametrize("host", ["localhost:1", "api.trustauthority.intel.com.example.org", "trustauthority.intel.com.org",
                                  "api.trustauthority.intel.com:443@localhost", "api.trustauthority.intel.com@localhost:1",
                                  "nottrustauthority.intel.com", "localhost\\.trustauthority.intel.com",
                                  "localhost/.trustauthority.intel.com", "localhost?.trustauthority.intel.com",
                                  "localhost#.trustauthority.intel.com", "localhost:1.trustauthority.intel.com"])
def test_another_judge_needs_its_option(bin_path, teesql, service, host):
    for option in ({"ita_url": f"https://{host}"}, {"ita_url": "us", "ita_portal": f"https://{host}"}):
        report = teesql(status=2, **option, insecure_ita_host=None)
        assert report["code"] == "TQ-8001" and "--insecure-ita-host" in report["message"] and service.requests == []
        argv = [bin_path("teesql"), "connect", "localhost:1", "--verifier=ita", "--insecure-ita-host", *flags(option)]
        done = run([*argv, "--production"], {"INTEL_TRUST_AUTHORITY_API_KEY": API_KEY}, status=2)
        assert "insecure-ita-host" in done.stderr and "TQ-8002" in done.stderr


@pytest.mark.parametrize("url", ["us", "eu", "https://api.trustauthority.intel.com", "HTTPS://API.EU.TrustAuthority.Intel.com/",
                                 "https://other.trustauthority.intel.com:443"])
def test_a_judge_of_intels_needs_no_option(bin_path, url):
    done = run([bin_path("teesql"), "connect", "localhost:1", "--verifier=ita", "--ita-url", url, "--production", "--check-config"],
               {"INTEL_TRUST_AUTHORITY_API_KEY": API_KEY})
    assert url in done.stdout


def test_the_key_may_stand_in_a_file(teesql, tmp_path):
    path = tmp_path / "key"
    path.write_text(API_KEY + "\n")
    assert teesql(env={}, ita_api_key_file=path)["verdict"] == "accept"
    assert teesql(env={"INTEL_TRUST_AUTHORITY_API_KEY": "another"}, ita_api_key_file=path)["verdict"] == "accept"
    path.write_text("another\n")
    assert teesql(status=7, ita_api_key_file=path)["code"] == "TQ-5121"


def test_the_portal_may_be_elsewhere(teesql, service, pki):
    with contextlib.closing(Service(pki)) as portal:
        assert teesql(ita_portal=portal.url, status=5)["code"] == "TQ-2802"  # the token names the other one
        service.header = {"jku": portal.url + KEYS}
        assert teesql(ita_portal=portal.url)["verdict"] == "accept"
        assert portal.asked(KEYS) == 2 and portal.asked(NONCE) == 0 and service.asked(KEYS) == 0


def test_the_api_key_is_seen_by_the_service_alone(teesql, service):
    """Invariant secrets_leave_no_trace: what the program prints is looked at in every test of this file."""
    service.faults[ATTEST] = (401, {}, b'{"error":"no such key: ' + API_KEY.encode() + b'"}')
    assert "HTTP status 401" in teesql(status=7)["message"]
    service.faults.clear()
    teesql()
    for path, headers in service.requests:
        assert (API_KEY in headers.values()) == (path in (NONCE, ATTEST)), path


def test_doctor_probes_key_and_network(bin_path, service, pki):
    def doctor(status, key):
        done = run([bin_path("teesql"), "doctor", "--json", *flags(
            {"verifier": "ita", "ita_url": service.url, "insecure_ita_host": "yes", "ca_file": pki.ca_file,
             "client_cert": "none"})],
            {"INTEL_TRUST_AUTHORITY_API_KEY": key}, status=status)
        return next(p for p in json.loads(done.stdout)["probes"] if p["probe"] == "Intel TA")
    assert doctor(0, API_KEY)["status"] == "ok"
    probe = doctor(7, "wrong")
    assert probe["status"] == "failed" and "API key" in probe["detail"]


# ---- two verifiers ----------------------------------------------------------------------------------------------

def test_both_must_accept(teesql, service):
    report = teesql(verifier="dcap+ita")
    assert report["verdict"] == "accept" and report["verifier"] == "dcap+ita"
    assert check(report, "verifiers.agree")["status"] == "pass"
    service.claims = {"attester_tcb_status": "OutOfDate"}
    report = teesql(verifier="dcap+ita", status=6)
    assert report["code"] == "TQ-3008"
    assert "status is UpToDate, Intel Trust Authority says OutOfDate" in report["message"]
    service.claims = {"attester_tcb_status": "SWHardeningNeeded"}
    report = teesql(verifier="dcap+ita")
    assert check(report, "verifiers.agree")["status"] == "warn"
    service.claims = {"tdx_mrtd": "00" * 48}
    report = teesql(verifier="dcap+ita", status=5)
    assert report["code"] == "TQ-2810" and report["message"].endswith("; the verifiers disagree")
    service.claims = {}
    service.faults[NONCE] = (503, WAIT, b"")
    assert teesql(verifier="dcap+ita", status=7)["code"] == "TQ-5123"
    service.faults.clear()
    assert teesql(verifier="dcap+ita", pccs="http://127.0.0.1:9", status=7)["code"] == "TQ-5103"


# ---- the whole path ---------------------------------------------------------------------------------------------

def test_a_crowd_of_one_peer_is_asked_about_once(house, service, pki, tmp_path):
    files = house.client_files(tmp_path / "files")
    with house.sidecar(env={"INTEL_TRUST_AUTHORITY_API_KEY": API_KEY}, verifier="ita", ita_url=service.url,
                       insecure_ita_host="yes", ca_file=pki.ca_file) as sidecar, concurrent.futures.ThreadPoolExecutor(12) as crowd:
        assert list(crowd.map(lambda _: psql(direct_dsn(sidecar, files), "select 1"), range(12))) == ["1"] * 12
        assert service.asked(ATTEST) == 1


def test_sidecar_and_forwarder_ask_the_service(house, service, pki):
    options = {"ita_url": service.url, "insecure_ita_host": "yes", "ca_file": pki.ca_file}
    env = {"INTEL_TRUST_AUTHORITY_API_KEY": API_KEY}
    key = house.work / "ita-key"
    key.write_text(API_KEY)
    with house.sidecar(env=env, verifier="ita", **options) as sidecar:
        with house.forwarder(sidecar, verifier="dcap+ita", ita_api_key_file=key, **options) as forwarder:
            assert psql(forwarder.dsn(), "select 1") == "1"
            asked = service.asked(ATTEST)
            assert asked == 2  # the forwarder about the server, the sidecar about the client
            assert psql(forwarder.dsn(), "select 1") == "1"
            assert service.asked(ATTEST) == asked  # verdicts are kept
        service.faults[ATTEST] = (401, {}, b"{}")
        assert API_KEY not in sidecar.log
    with house.sidecar(env=env, verifier="ita", **options) as sidecar, house.forwarder(sidecar) as forwarder:
        done = psql(forwarder.dsn(), "select 1", status=None)
        assert done.returncode != 0 and "57P03" not in done.stdout
        sidecar.wait_for("TQ-5121")
        assert API_KEY not in sidecar.log
