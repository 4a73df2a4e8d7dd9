# SPDX-License-Identifier: Apache-2.0
"""The simulator on its wire: what dstack's clients depend on, spoken over plain sockets."""

import contextlib
import hashlib
import json
import pathlib
import re
import signal
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest

from daemon import Daemon, run

JSON_TYPE = {"Content-Type": "application/json"}


class Simulator:
    def __init__(self, program, *options):
        self.daemon = Daemon("simulator", [program, *options])
        self.daemon.wait_for("TEESQL_INSECURE_TRUST_ROOT=", stdout=True)
        said = dict(re.findall(r"^(\w+)=(\S+)$", self.daemon.stdout, re.M))
        self.endpoint, self.pccs = said["DSTACK_SIMULATOR_ENDPOINT"], said["TEESQL_PCCS"]
        self.root = pathlib.Path(said["TEESQL_INSECURE_TRUST_ROOT"])
        self.socket = self.daemon.ready["socket"]

    def exchange(self, request):
        """Bytes in, all bytes out until the server closes, on a new connection to the socket."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(self.socket)
            s.sendall(request)
            return b"".join(iter(lambda: s.recv(65536), b""))

    def call(self, method, status=200, **fields):
        """POST as the SDKs do; the answer as an object."""
        body = json.dumps(fields).encode()
        answer = self.exchange(b"POST /%s HTTP/1.1\r\nHost: dstack\r\nContent-Type: application/json\r\n"
                               b"Content-Length: %d\r\nConnection: close\r\n\r\n%s"
                               % (method.encode(), len(body), body))
        return Answer(answer).object(status)


class Answer:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        self.version, self.status = first.split(" ")[0], int(first.split(" ")[1])
        self.headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}

    def object(self, status=200):
        assert self.status == status, self.body
        return json.loads(self.body)


def request(method, path, headers=(), body=b""):
    lines = [f"{method} {path} HTTP/1.1", "Host: dstack", *(f"{k}: {v}" for k, v in dict(headers).items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def post(path, body, headers=(), close=True):
    more = {"Content-Length": len(body)} | ({"Connection": "close"} if close else {})
    return request("POST", path, JSON_TYPE | more | dict(headers), body)


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


@contextlib.contextmanager
def simulator(bin_path, *options):
    one = Simulator(bin_path("teesql-simulator"), *options)
    try:
        yield one
        one.daemon.stop()
    finally:
        one.daemon.kill()


@pytest.fixture(scope="module")
def sim(bin_path):
    with simulator(bin_path) as one:
        yield one


# ---- framing ---------------------------------------------------------------------------------------------

def test_connection_close_is_honoured(sim):
    answer = Answer(sim.exchange(post("/Version", b"{}")))
    assert answer.object()["version"]
    assert answer.headers["content-length"] == str(len(answer.body))
    assert "transfer-encoding" not in answer.headers
    assert answer.headers["content-type"] == "application/json"


def test_keep_alive_serves_one_request_after_another(sim):
    both = sim.exchange(post("/Version", b"{}", close=False) + post("/GetKey", b'{"path":"a"}'))
    assert both.count(b"HTTP/1.1 200") == 2 and both.count(b"Content-Length: ") == 2


def test_large_answers_are_not_chunked(sim):
    answer = Answer(sim.exchange(post("/GetQuote", b'{"report_data":"00"}')))
    assert len(answer.body) > 30000 and answer.headers["content-length"] == str(len(answer.body))


@pytest.mark.parametrize("type_", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_by_content_type(sim, type_):
    assert "version" in Answer(sim.exchange(post("/Version", b"{}", {"Content-Type": type_}))).object()


@pytest.mark.parametrize("query", ["?json", "?json=1", "?json=true"])
def test_json_by_query(sim, query):
    answer = sim.exchange(post("/GetKey" + query, b'{"path":"a"}', {"Content-Type": "text/plain"}))
    assert "key" in Answer(answer).object()


@pytest.mark.parametrize("headers", [{"Content-Type": "application/x-www-form-urlencoded"},
                                     {"Content-Type": "application/octet-stream"},
                                     {"Content-Type": "application/jsonp"}])
def test_a_post_without_json_type_is_refused_clearly(sim, headers):
    answer = Answer(sim.exchange(post("/Version", b"{}", headers)))
    assert "application/json" in answer.object(400)["error"]


def test_empty_body_is_all_defaults(sim):
    assert Answer(sim.exchange(post("/GetKey", b""))).object()["key"] == sim.call("GetKey", path="")["key"]


def test_bytes_after_the_declared_length_do_not_spoil_the_answer(sim):
    raw = sim.exchange(request("POST", "/Version", JSON_TYPE | {"Content-Length": 2}, b"{}}}\r\n\r\n"))
    assert raw.startswith(b"HTTP/1.1 200 ") and b'"version"' in raw


def test_a_length_in_characters_is_told_as_such(sim):
    """What dstack's JavaScript SDK sends over a Unix socket for a subject that is not ASCII."""
    text = '{"subject":"caf\u00e9"}'
    raw = sim.exchange(request("POST", "/GetTlsKey", JSON_TYPE | {"Content-Length": len(text)}, text.encode()))
    assert raw.startswith(b"HTTP/1.1 400 ") and b"Content-Length counts bytes" in raw


def test_an_absolute_uri_is_a_path_too(sim):
    """dstack's Rust SDK sends it over the Unix socket, where the host says nothing."""
    raw = sim.exchange(request("GET", "http://unix.socket/Version", {"Connection": "close"}))
    assert b" 200 " in raw.split(b"\r\n", 1)[0] and b'"version"' in raw
    assert b" 200 " in sim.exchange(post("http://unix.socket/GetKey?json", b"{}")).split(b"\r\n", 1)[0]
    assert b" 400 " in sim.exchange(post("http://unix.socket", b"{}")).split(b"\r\n", 1)[0]


def test_answers_are_ascii(sim):
    """A client that counts characters where there should be bytes then counts right."""
    raw = sim.exchange(post("/GetTlsKey", json.dumps({"alt_names": ["b\u00fccher"]}).encode()))
    assert b" 400 " in raw.split(b"\r\n", 1)[0] and raw.isascii() and b"invalid IA5String" in raw


@pytest.mark.parametrize("algorithm, size", [("sha256", 32), ("sha3-384", 48), ("sha512", 64), ("keccak256", 32),
                                             ("keccak384", 48), ("keccak512", 64)])
def test_older_quotes_hash_what_they_are_given(sim, algorithm, size):
    quote = bytes.fromhex(sim.call("prpc/Tappd.TdxQuote", report_data="616263", hash_algorithm=algorithm)["quote"])
    assert any(quote[568 + size - 16:568 + size]) and not any(quote[568 + size:632])


@pytest.mark.parametrize("body", [b"{", b"[]", b"nonsense", b'{"path":"a","path":"b"}', b'{"path":1}',
                                  b'{"path":"a"} trailing'])
def test_a_bad_body_is_400_with_an_error(sim, body):
    assert Answer(sim.exchange(post("/GetKey", body))).object(400)["error"]


def test_errors_are_dstacks(sim):
    assert sim.call("NoSuchMethod", 400)["error"] == "Service not found: NoSuchMethod"
    assert sim.call("GetQuote", 400, report_data="00" * 65)["error"] == "Report data is too long"
    assert sim.call("GetKey", 400, algorithm="rsa")["error"] == "Unsupported algorithm"
    assert sim.call("GetTlsKey", 400, not_before=2000000000, not_after=1900000000)["error"] \
        == "not_before must be earlier than not_after"
    raw = sim.exchange(post("/NoSuchMethod", b"{}"))
    assert raw.endswith(b'{\n  "error": "Service not found: NoSuchMethod"\n}')


def test_get_with_a_query(bin_path):
    with simulator(bin_path, "--http", "127.0.0.1:0") as sim:
        assert sim.endpoint.startswith("http://127.0.0.1:")
        assert json.loads(get(sim.endpoint + "/GetKey?path=a")[2])["key"] == sim.call("GetKey", path="a")["key"]
        query = urllib.parse.urlencode({"subject": "x", "usage_server_auth": "true", "alt_names[0]": "a.example",
                                        "alt_names[1]": "b.example"})
        chain = json.loads(get(f"{sim.endpoint}/GetTlsKey?{query}")[2])["certificate_chain"]
        text = x509_text(chain[0])
        assert "DNS:a.example, DNS:b.example" in text and "TLS Web Server Authentication" in text
        status, _, body = get(sim.endpoint + "/GetTlsKey?usage_server_auth=perhaps")
        assert status == 400 and b"usage_server_auth" in body


# ---- methods ---------------------------------------------------------------------------------------------

def x509_text(pem):
    return run(["openssl", "x509", "-noout", "-text"], input=pem).stdout


def test_hex_with_and_without_prefix_and_unknown_fields(sim):
    plain = sim.call("GetQuote", report_data="ABcd")
    prefixed = sim.call("GetQuote", report_data="0xabcd", unknown={"a": [1]})
    assert plain == prefixed
    assert plain["report_data"] == "abcd" + "00" * 62
    assert plain["quote"][2 * 568:2 * 632] == plain["report_data"]


def test_get_tls_key_is_fresh_and_chains_to_the_kms_root(sim, folder):
    one = sim.call("GetTlsKey", subject="db", alt_names=["db.example"], usage_ra_tls=True, usage_server_auth=True)
    other = sim.call("GetTlsKey", subject="db")
    assert one["key"].startswith("-----BEGIN PRIVATE KEY-----\n") and one["key"] != other["key"]
    chain = one["certificate_chain"]
    assert len(chain) == 3 and all(pem.endswith("-----END CERTIFICATE-----\n") for pem in chain)
    for name, pem in zip(("leaf", "ca"), chain):
        (folder / name).write_text(pem)
    run(["openssl", "verify", "-CAfile", sim.root.parent / "kms-root.pem", "-untrusted", folder / "ca",
         "-purpose", "sslserver", "-verify_hostname", "db.example", folder / "leaf"])
    assert "1.3.6.1.4.1.62397.1.8" in x509_text(chain[0])
    assert "1.3.6.1.4.1.62397.1.8" not in x509_text(other["certificate_chain"][0])


def test_not_after_is_what_was_asked_for(sim):
    chain = sim.call("GetTlsKey", not_before=1700000000, not_after=1900000000)["certificate_chain"]
    text = x509_text(chain[0])
    assert "Not Before: Nov 14 22:13:20 2023 GMT" in text and "Not After : Mar 17 17:46:40 2030 GMT" in text


def test_sign_and_verify(sim):
    for algorithm in ("secp256k1", "secp256k1_prehashed", "ed25519"):
        made = sim.call("Sign", algorithm=algorithm, data="11" * 32)
        assert len(made["signature_chain"]) == 3
        ask = {"algorithm": algorithm, "signature": made["signature"], "public_key": made["public_key"]}
        assert sim.call("Verify", data="11" * 32, **ask) == {"valid": True}
        assert sim.call("Verify", data="22" * 32, **ask) == {"valid": False}
    assert "32-byte digest" in sim.call("Sign", 400, algorithm="secp256k1_prehashed", data="11")["error"]


def test_info_agrees_with_the_quote(sim):
    info, quote = sim.call("Info"), sim.call("GetQuote", report_data="")
    tcb = json.loads(info["tcb_info"])
    at = {"mrtd": 184, "rtmr0": 376, "rtmr1": 424, "rtmr2": 472, "rtmr3": 520}
    for name, offset in at.items():
        assert tcb[name] == quote["quote"][2 * offset:2 * (offset + 48)]
    events = {e["event"]: e["event_payload"] for e in tcb["event_log"] if e["imr"] == 3}
    assert events["app-id"] == info["app_id"] and events["compose-hash"] == info["compose_hash"]
    assert events["instance-id"] == info["instance_id"]
    assert info["compose_hash"] == sha256(tcb["app_compose"].encode())
    assert info["app_name"] == "teesql-simulator"
    assert json.loads(quote["vm_config"])["os_image_hash"] == info["os_image_hash"]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def test_the_event_log_replays_to_the_registers(sim):
    """From the digests that it carries, as dstack's SDKs replay it."""
    quote = sim.call("GetQuote")
    for i in range(4):
        register = bytes(48)
        for event in json.loads(quote["event_log"]):
            if event["imr"] == i:
                register = hashlib.sha384(register + bytes.fromhex(event["digest"])).digest()
        assert register.hex() == quote["quote"][2 * (376 + 48 * i):2 * (424 + 48 * i)]


def test_emit_event_extends_rtmr3(bin_path):
    with simulator(bin_path) as sim:
        before = sim.call("GetQuote")
        assert sim.call("EmitEvent", event="app:ready", payload="0x01") == {}
        after = sim.call("GetQuote")
        assert before["quote"][2 * 520:2 * 568] != after["quote"][2 * 520:2 * 568]
        assert json.loads(after["event_log"])[-1]["event"] == "app:ready"
        assert sim.call("EmitEvent", 400, event='a"b', payload="")["error"] == "invalid event name"


def test_older_api_below_prpc(sim):
    quote = sim.call("prpc/Tappd.TdxQuote", report_data="68656c6c6f")
    assert quote["quote"][2 * 568:2 * 632] == (
        "e39fd3dbee991d65e65cc38c6e9d664324929816279a19b495bcd3f77a62d819"
        "49ba61282d8a732916d39bb9f6a6a16d11211c0d800b6ffc56ecf74419a7c835")
    assert quote["hash_algorithm"] == "sha512" and quote["prefix"] == "app-data"
    assert sim.call("prpc/RawQuote", report_data="ab" * 64)["hash_algorithm"] == "raw"
    assert sim.call("prpc/Tappd.DeriveKey", path="a")["key"] == sim.call("prpc/DeriveKey", path="a")["key"]
    assert sim.call("prpc/Tappd.DeriveK256Key", path="a")["k256_key"] == sim.call("GetKey", path="a")["key"]
    assert sim.call("TdxQuote", 400)["error"] == "Service not found: TdxQuote"


# ---- collateral ------------------------------------------------------------------------------------------

def test_collateral_is_served_as_intel_serves_it(sim, folder):
    base = f"{sim.pccs}/tdx/certification/v4"
    status, headers, body = get(f"{base}/tcb?fmspc=0d57ac000000")
    assert status == 200 and json.loads(body)["tcbInfo"]["id"] == "TDX"
    assert get(f"{base}/tcb?fmspc=0D57AC000000")[2] == body
    raw = headers["TCB-Info-Issuer-Chain"]
    assert not set(raw) & set(" \n+")
    chain = urllib.parse.unquote(raw)
    assert chain.count("BEGIN CERTIFICATE") == 2 and chain.endswith(sim.root.read_text())
    status, headers, body = get(f"{base}/qe/identity")
    assert json.loads(body)["enclaveIdentity"]["id"] == "TD_QE"
    assert "SGX-Enclave-Identity-Issuer-Chain" in headers
    sgx = f"{sim.pccs}/sgx/certification/v4"
    assert "tdxModule" not in json.loads(get(f"{sgx}/tcb?fmspc=0d57ac000000")[2])["tcbInfo"]
    assert json.loads(get(f"{sgx}/qe/identity")[2])["enclaveIdentity"]["id"] == "QE"


def test_crls_in_each_encoding(sim, folder):
    sgx = f"{sim.pccs}/sgx/certification/v4"
    status, headers, pem = get(f"{sgx}/pckcrl?ca=platform")
    der = get(f"{sgx}/pckcrl?ca=platform&encoding=der")[2]
    assert pem.startswith(b"-----BEGIN X509 CRL-----") and "SGX-PCK-CRL-Issuer-Chain" in headers
    (folder / "crl.pem").write_bytes(pem)
    made = subprocess.run(["openssl", "crl", "-in", folder / "crl.pem", "-outform", "der"], capture_output=True)
    assert made.stdout == der
    root = bytes.fromhex(get(f"{sgx}/rootcacrl")[2].decode())
    (folder / "root.crl").write_bytes(root)
    run(["openssl", "crl", "-in", folder / "root.crl", "-inform", "der", "-CAfile", sim.root, "-noout"])


def test_the_processor_ca_has_a_list_of_its_own(sim, folder):
    _, headers, pem = get(f"{sim.pccs}/sgx/certification/v4/pckcrl?ca=processor")
    (folder / "crl.pem").write_bytes(pem)
    (folder / "chain.pem").write_text(urllib.parse.unquote(headers["SGX-PCK-CRL-Issuer-Chain"]))
    said = run(["openssl", "crl", "-in", folder / "crl.pem", "-CAfile", folder / "chain.pem", "-noout", "-issuer"])
    assert "Processor CA" in said.stdout and "verify OK" in said.stderr
    assert (folder / "chain.pem").read_text().endswith(sim.root.read_text())


@pytest.mark.parametrize("path, status", [
    ("/tdx/certification/v4/tcb?fmspc=b0c06f000000", 404),
    ("/tdx/certification/v4/tcb", 400),
    ("/tdx/certification/v4/tcb?fmspc=xyz", 400),
    ("/tdx/certification/v4/pckcrl?ca=platform", 404),
    ("/sgx/certification/v4/pckcrl?ca=root", 400),
    ("/sgx/certification/v4/pckcrl", 400),
    ("/", 404),
])
def test_what_there_is_not(sim, path, status):
    assert get(sim.pccs + path)[0] == status


# ---- the program -----------------------------------------------------------------------------------------

def test_options_shape_the_machine(bin_path, folder):
    compose = folder / "app-compose.json"
    compose.write_text('{"name":"mine"}')
    with simulator(bin_path, "--mrtd", "aa" * 48, "--rtmr1=" + "bb" * 48, "--compose", compose, "--app-id", "cc" * 20,
                   "--fmspc", "112233445566", "--tcb-status", "SWHardeningNeeded", "--debug-td", "--chain",
                   "local", "--cert-lifetime", "1h") as sim:
        info, quote = sim.call("Info"), bytes.fromhex(sim.call("GetQuote")["quote"])
        assert quote[184:232] == b"\xaa" * 48 and quote[424:472] == b"\xbb" * 48
        assert quote[168] & 1 == 1
        assert info["app_id"] == "cc" * 20 and info["app_name"] == "mine"
        assert info["compose_hash"] == sha256(compose.read_bytes())
        assert len(sim.call("GetTlsKey")["certificate_chain"]) == 2
        info = json.loads(get(f"{sim.pccs}/tdx/certification/v4/tcb?fmspc=112233445566")[2])["tcbInfo"]
        assert info["tcbLevels"][0]["tcbStatus"] == "SWHardeningNeeded"


@pytest.mark.parametrize("evidence, prefix", [("v0", "00"), ("v1", "83"), ("legacy", "00")])
def test_forms_of_evidence(bin_path, evidence, prefix):
    with simulator(bin_path, "--evidence", evidence) as sim:
        assert sim.call("Attest", report_data="01")["attestation"].startswith(prefix)
        text = x509_text(sim.call("GetTlsKey", usage_ra_tls=True)["certificate_chain"][0])
        assert ("62397.1.8" in text) == (evidence != "legacy")
        assert ("62397.1.1:" in text and "62397.1.2:" in text) == (evidence == "legacy")


def test_a_quote_may_only_name_its_certificate(bin_path, folder):
    """The verifier asks the collateral service for it, and without an answer knows nothing."""
    with simulator(bin_path, "--pck", "named") as sim:
        quote = folder / "quote.hex"
        quote.write_text(sim.call("GetQuote", report_data="01")["quote"])
        verify = [bin_path("teesql"), "verify", quote, "--json", "--insecure-trust-root", sim.root]
        for place, status, named in ((sim.pccs, 0, "pass"), ("http://127.0.0.1:1", 7, "unknown")):
            report = json.loads(run([*verify, "--pccs", place], status=status).stdout)
            checks = {check["id"]: check["status"] for check in report["checks"]}
            assert checks["pck.named"] == named
        assert "no PCK certificate for the quote" in report["message"]


@pytest.mark.parametrize("early, words", [
    (None, "no TCB recovery is announced beyond evaluation data number 17"),
    ("OutOfDate", "OutOfDate, not accepted, once evaluation data number 18 "),
    ("SWHardeningNeeded", "SWHardeningNeeded once evaluation data number 18 ")])
def test_an_announced_recovery_is_forecast(bin_path, folder, early, words):
    with simulator(bin_path, *(["--early-tcb-status", early] if early else [])) as sim:
        quote = folder / "quote.hex"
        quote.write_text(sim.call("GetQuote", report_data="01")["quote"])
        verify = [bin_path("teesql"), "verify", quote, "--insecure-trust-root", sim.root, "--pccs", sim.pccs]
        assert words in run([*verify, "--forecast"]).stdout
        forecast = json.loads(run([*verify, "--forecast", "--json"]).stdout)["forecast"]
        assert forecast["announced"] == (early is not None) and forecast["status"] == (early or "UpToDate")
        assert forecast["accepted"] == (early != "OutOfDate")
        assert json.loads(run([*verify, "--json"]).stdout)["forecast"] is None
        collateral = sim.root.parent / "collateral.json"
        done = run([*verify, "--forecast", "--collateral", collateral])
        assert "no forecast: collateral comes from a file" in done.stdout.lower()


def contents(home):
    return {path.name: (path.read_bytes() if path.is_file() else None, path.stat().st_mtime_ns) for path in home.iterdir()}


def test_a_folder_that_is_in_use_stays_as_it_is(bin_path, folder):
    """Whoever comes second changes nothing there, whatever his options, and says why; the lock ends with its holder."""
    home = folder / "home"
    with simulator(bin_path, "--dir", home) as sim:
        before = contents(home)
        for more in ([], ["--seed", "22" * 32], ["--socket", folder / "other.sock"],
                     ["--seed", "22" * 32, "--socket", folder / "other.sock"]):
            done = run([bin_path("teesql-simulator"), "--dir", home, *more], status=2, timeout=20)
            assert f'"{home}" is in use by another simulator' in done.stderr and "ready" not in done.stderr
            assert contents(home) == before and not (folder / "other.sock").exists()
        assert sim.call("Version")["version"]
    killed = Simulator(bin_path("teesql-simulator"), "--dir", home)
    killed.daemon.kill()
    with simulator(bin_path, "--dir", home) as sim:
        assert sim.call("Version")["version"] and sim.root.read_bytes() == before["root.pem"][0]


@pytest.mark.parametrize("everywhere, here", [("0.0.0.0:0", "127.0.0.1"), ("[::]:0", "[::1]")])
def test_a_wildcard_is_printed_as_what_can_be_reached(bin_path, everywhere, here):
    with simulator(bin_path, "--http", everywhere, "--collateral", everywhere) as sim:
        assert sim.endpoint.startswith(f"http://{here}:") and sim.pccs.startswith(f"http://{here}:")


def test_a_folder_keeps_the_keys(bin_path, folder):
    with simulator(bin_path, "--dir", folder) as sim:
        first, key = sim.root.read_bytes(), sim.call("GetKey", path="a")
        assert (folder / "seed").stat().st_mode & 0o777 == 0o600
        assert json.loads((folder / "collateral.json").read_text())["tcb_info_signature"]
    assert not (folder / "dstack.sock").exists()
    with simulator(bin_path, "--dir", folder) as sim:
        assert sim.root.read_bytes() == first and sim.call("GetKey", path="a") == key


def test_equal_seeds_share_roots_and_nothing_of_the_machine(bin_path):
    seed = ("--seed", "5a" * 32)
    with simulator(bin_path, *seed, "--instance", "a") as one, \
            simulator(bin_path, *seed, "--instance", "b", "--mrtd", "aa" * 48) as other:
        for name in ("root.pem", "kms-root.pem"):
            assert (one.root.parent / name).read_bytes() == (other.root.parent / name).read_bytes()
        assert one.call("Info")["instance_id"] != other.call("Info")["instance_id"]
        assert one.call("GetKey", path="a") == other.call("GetKey", path="a")


def test_its_lines_can_be_evaluated_whatever_the_folder_is_called(bin_path, folder):
    place = folder / "it's a folder"
    one = Daemon("simulator", [bin_path("teesql-simulator"), "--dir", place])
    one.wait_for("TEESQL_INSECURE_TRUST_ROOT=", stdout=True)
    said = run(["sh", "-c", 'eval "$(cat)"; echo "$DSTACK_SIMULATOR_ENDPOINT"; echo "$TEESQL_INSECURE_TRUST_ROOT"'],
               input=one.stdout).stdout
    one.stop()
    assert said == f"{place}/dstack.sock\n{place}/root.pem\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_leaves_nothing_behind(bin_path, number):
    one = Simulator(bin_path("teesql-simulator"))
    place = one.root.parent
    assert place.is_dir()
    one.daemon.stop(number)
    assert not place.exists()


def test_a_socket_in_use_is_not_taken(bin_path, sim):
    done = run([bin_path("teesql-simulator"), "--socket", sim.socket], status=2)
    assert sim.socket in done.stderr and sim.call("Version")["version"]


def test_a_file_where_the_socket_shall_be_stays(bin_path, tmp_path):
    file = tmp_path / "notes"
    file.write_text("mine")
    done = run([bin_path("teesql-simulator"), "--socket", file], status=2)
    assert str(file) in done.stderr and file.read_text() == "mine"


@pytest.mark.parametrize("option", ["--mrtd=aa", "--seed=xyz", "--tcb-status=Fine", "--evidence=v2", "--chain=none", "--pck=lost",
                                    "--early-tcb-status=Fine",
                                    "--http=here", "--http=127.0.0.1:70000", "--compose=/nonexistent", "--log-level=loud", "argument"])
def test_bad_options_are_named(bin_path, option):
    done = run([bin_path("teesql-simulator"), option], status=2)
    assert (option.partition("=")[2] or option) in done.stderr


def test_the_log_has_requests_and_no_keys(bin_path):
    with simulator(bin_path) as sim:
        key = sim.call("GetKey", path="secret/path")["key"]
        pem = sim.call("GetTlsKey")["key"]
        sim.daemon.wait_for('path="/GetTlsKey" status="200"')
        assert key not in sim.daemon.log and pem.splitlines()[1] not in sim.daemon.log
