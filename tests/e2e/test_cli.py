# SPDX-License-Identifier: Apache-2.0
"""teesql: what its commands say of files, and of a server that presents a simulated machine's certificate."""

import base64
import contextlib
import hashlib
import json
import os
import pathlib
import re
import socket
import ssl
import stat
import subprocess
import threading
import types

import pytest

from conftest import ROOT
from daemon import CLEAN, run
from forge import Forged, evidence_of
from house import Td

VECTORS = pathlib.Path(os.environ.get("RATLS_VECTORS") or ROOT.parent / "shared" / "vectors")
GOOD_AT = 1751600000
MRTD = ("91eb2b44d141d4ece09f0c75c2c53d247a3c68edd7fafe8a3520c942a604a407"
        "de03ae6dc5f87f27428b2538873118b7")
OTHER = "ee" * 48
LEAF = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.S)
SSL_REQUEST = bytes.fromhex("0000000804d2162f")


@pytest.fixture(scope="module")
def teesql(bin_path):
    """teesql(*arguments, status=...) runs it to its end and demands this exit code."""
    program = bin_path("teesql")

    def call(*arguments, status=0, env=None, **more):
        return run([program, *arguments], env, status=status, **more)
    return call


@pytest.fixture(scope="module")
def real():
    """A real quote and its collateral, as arguments of verify."""
    quote, collateral = VECTORS / "tdx_v4_uptodate.quote", VECTORS / "tdx_v4_uptodate.collateral.json"
    if not quote.exists():
        pytest.skip(f"no vectors in {VECTORS}")
    return types.SimpleNamespace(quote=quote, collateral=collateral,
                                 arguments=["verify", quote, "--collateral", collateral])


def verdict(done):
    return done.stdout.strip().splitlines()[-1]


# ---- real evidence in files ---------------------------------------------------------------------------------

@pytest.mark.parametrize("at, status", [
    ("1750329146", 7), ("1750329147", 0), (str(GOOD_AT), 0), ("2025-07-04T03:33:20Z", 0),
    ("2025-07-04T05:33:20.5+02:00", 0), ("1752919235", 0), ("1752919236", 7),
])
def test_a_real_quote_holds_while_its_collateral_holds(teesql, real, at, status):
    done = teesql(*real.arguments, "--at", at, status=status)
    assert verdict(done).startswith("Verdict: PASS" if status == 0 else "Verdict: UNDETERMINED  TQ-")


@pytest.mark.parametrize("options, status, says", [
    (["--mrtd", MRTD], 0, "PASS"),
    (["--mrtd", OTHER, "--mrtd", MRTD], 0, "PASS"),
    (["--mrtd", OTHER], 1, "FAIL (policy)"),
    (["--rtmr3", OTHER], 1, "FAIL (policy)"),
    (["--accept-tcb", "OutOfDate"], 6, "FAIL (tcb)"),
    (["--accept-tcb", "OK"], 0, "PASS"),
    (["--insecure-allow-debug"], 0, "PASS"),
])
def test_options_are_the_policy(teesql, real, options, status, says):
    done = teesql(*real.arguments, "--at", str(GOOD_AT), *options, status=status)
    assert f"Verdict: {says}" in verdict(done)


def change(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


@pytest.mark.parametrize("how, status", [
    (lambda q: change(q, 184), 5),  # MRTD
    (lambda q: change(q, 568), 5),  # REPORTDATA
    (lambda q: change(q, 640), 5),  # the quote's signature
    (lambda q: q[:-1100], 4),
    (lambda q: q + b"x", 4),
    (lambda q: b"\x07" + q[1:], 4),
    (lambda q: q[:100], 4),
    (lambda q: b"", 4),
])
def test_a_changed_quote_is_refused(teesql, real, folder, how, status):
    path = folder / "quote"
    path.write_bytes(how(real.quote.read_bytes()))
    done = teesql("verify", path, "--collateral", real.collateral, "--at", str(GOOD_AT), "--mrtd", MRTD,
                  status=status)
    assert "Verdict: FAIL" in verdict(done)


def test_a_changed_collateral_is_refused(teesql, real, folder):
    path = folder / "collateral.json"
    collateral = json.loads(real.collateral.read_text())
    collateral["tcb_info"] = collateral["tcb_info"].replace("UpToDate", "UpToDatE", 1)
    path.write_text(json.dumps(collateral))
    teesql("verify", real.quote, "--collateral", path, "--at", str(GOOD_AT), status=5)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"tcb_info": 1}'])
def test_a_file_that_is_no_collateral_decides_nothing(teesql, real, folder, text):
    path = folder / "collateral.json"
    path.write_text(text)
    done = teesql("verify", real.quote, "--collateral", path, "--at", str(GOOD_AT), status=7)
    assert "Verdict: UNDETERMINED" in verdict(done)


def test_a_forged_quote_is_found_without_collateral(teesql, real, folder):
    """Nobody answers, and yet the answer is no: "try again later" would be the wrong advice."""
    path = folder / "quote"
    path.write_bytes(change(real.quote.read_bytes(), 184))
    teesql("verify", path, "--pccs", "http://127.0.0.1:9", "--at", str(GOOD_AT), status=5)
    done = teesql("verify", real.quote, "--pccs", "http://127.0.0.1:9", "--at", str(GOOD_AT), status=7)
    assert "127.0.0.1:9" in verdict(done)


def test_an_sgx_quote_is_no_evidence(teesql, real):
    done = teesql("verify", VECTORS / "sgx_v3.quote", "--collateral", VECTORS / "sgx_v3.collateral.json",
                  "--at", str(GOOD_AT), status=4)
    assert "SGX" in verdict(done)


def test_a_failure_has_its_object_whatever_a_file_is_called(bin_path, folder):
    name = os.fsencode(folder) + b"/caf\xe9.pem"
    done = subprocess.run([bin_path("teesql"), "verify", name, "--json"], capture_output=True, check=False)
    assert done.returncode not in (0, 1) and "caf?.pem" in json.loads(done.stdout)["message"]


def test_files_may_be_hex_json_or_standard_input(teesql, real, folder):
    quote = real.quote.read_bytes()
    rest = ["--collateral", real.collateral, "--at", str(GOOD_AT), "--quiet"]
    for name, text in [("hex", quote.hex()), ("upper", "0x" + quote.hex().upper() + "\n"),
                       ("lines", re.sub("(.{64})", r"\1\n", quote.hex())),
                       ("json", json.dumps({"quote": quote.hex(), "event_log": "[]"}))]:
        (folder / name).write_text(text)
        teesql("verify", folder / name, *rest)
    teesql("verify", "-", *rest, input=quote.hex())


def test_a_text_is_no_quote(teesql, folder):
    for text in ["hello\n", "0400zz", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]:
        (folder / "text").write_text(text)
        assert "TQ-1011" in verdict(teesql("verify", folder / "text", status=4))


def test_another_root_is_another_answer(teesql, real, folder):
    """Intel's own root is in the quote's chain; with another one configured nothing else counts."""
    other = Forged(folder, "root")
    done = teesql(*real.arguments, "--at", str(GOOD_AT), "--insecure-trust-root", other.certificate, status=5)
    assert "--insecure-trust-root is in effect" in done.stderr


# ---- policy files and the environment -------------------------------------------------------------------------

def policy(folder, text):
    path = folder / "a.policy"
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return path


def test_a_policy_file_is_obeyed(teesql, real, folder):
    for mrtd, status in [(MRTD, 0), (OTHER, 1)]:
        path = policy(folder, {"schema": "teesql.policy/1", "name": "mine", "mrtd": [mrtd]})
        done = teesql(*real.arguments, "--at", str(GOOD_AT), "--policy", path, "--json", status=status)
        assert json.loads(done.stdout)["policy"] == "mine"


@pytest.mark.parametrize("text, line", [
    ('{\n"schema": "teesql.policy/1",\n"mrdt": []\n}', 3),
    ('{\n"schema": "teesql.policy/1",\n\n"mrtd": ["12"]\n}', 4),
    ('{"schema": "teesql.policy/1",\n"mrtd": [\n"' + MRTD + '",\n"' + "zz" * 48 + '"]}', 4),
    ('{\n"schema": "teesql.policy/1"\n"mrtd": []}', 3),
])
def test_a_mistake_in_a_policy_names_its_line(teesql, real, folder, text, line):
    path = policy(folder, text)
    done = teesql(*real.arguments, "--policy", path, status=2)
    assert str(path) in done.stderr and f"line {line}" in done.stderr and done.stdout == ""


def test_the_environment_counts(teesql, real):
    arguments = [*real.arguments, "--at", str(GOOD_AT)]
    teesql(*arguments, env={"TEESQL_MRTD": f"{OTHER},{MRTD}"})
    teesql(*arguments, env={"TEESQL_MRTD": OTHER}, status=1)
    teesql(*arguments, "--mrtd", MRTD, env={"TEESQL_MRTD": OTHER})
    teesql(*arguments, env={"EXPECTED_MRTD": MRTD})
    teesql(*arguments, env={"EXPECTED_MRTD": OTHER}, status=1)
    teesql(*real.arguments, env={"TEESQL_AT": str(GOOD_AT)})


def test_expected_mrtd_never_widens_a_policy(teesql, real, folder):
    path = policy(folder, {"schema": "teesql.policy/1", "mrtd": [OTHER]})
    teesql(*real.arguments, "--at", str(GOOD_AT), "--policy", path, env={"EXPECTED_MRTD": MRTD}, status=1)


def test_a_policy_file_cannot_weaken_a_check_by_itself(teesql, real, folder):
    path = policy(folder, {"schema": "teesql.policy/1", "insecure_allow_debug": True})
    arguments = [*real.arguments, "--at", str(GOOD_AT), "--policy", path]
    assert "--insecure-allow-debug" in teesql(*arguments, status=2).stderr
    assert "--insecure-allow-debug is in effect" in teesql(*arguments, "--insecure-allow-debug").stderr


# ---- bundles ----------------------------------------------------------------------------------------------------

def saved(teesql, real, folder, *options, status=0):
    path = folder / "bundle.json"
    teesql(*real.arguments, "--at", str(GOOD_AT), *options, "--save", path, status=status)
    return path


def sealed(bundle):
    """The text of a bundle whose digest is right, as whoever changes one on purpose would make it."""
    bundle = {k: v for k, v in bundle.items() if k != "sha256"}
    canonical = json.dumps(bundle, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return json.dumps({**bundle, "sha256": hashlib.sha256(canonical.encode()).hexdigest()})


def test_a_bundle_is_appraised_again_with_the_same_answer(teesql, real, folder):
    for options, status in [([], 0), (["--mrtd", MRTD], 0), (["--mrtd", OTHER], 1), (["--accept-tcb", "OutOfDate"], 6)]:
        path = saved(teesql, real, folder, *options, status=status)
        assert stat.S_IMODE(path.stat().st_mode) == 0o644 and [path] == list(folder.iterdir())
        bundle = json.loads(path.read_text())
        assert bundle["schema"] == "teesql.bundle/1" and bundle["time"] == "2025-07-04T03:33:20Z"
        again = json.loads(teesql("verify", path, "--at", str(GOOD_AT), "--json", "--pccs", "http://127.0.0.1:9",
                                  status=status).stdout)
        for name in ("verdict", "code", "message", "time", "evidence", "tcb", "checks", "trust_root"):
            assert again[name] == bundle["report"][name]
        path.write_text(sealed(bundle))  # the digest is what its description says
        teesql("verify", path, "--at", str(GOOD_AT), status=status)


def test_a_bundle_is_judged_as_of_now(teesql, real, folder):
    """Who hands over an old bundle must not choose the moment at which it is judged."""
    path, says = saved(teesql, real, folder), "add --at 2025-07-04T03:33:20Z"
    done = teesql("verify", path, status=7)
    assert "Verdict: UNDETERMINED" in verdict(done) and says in done.stdout
    report = json.loads(teesql("verify", path, "--json", status=7).stdout)
    assert says in report["hint"] and report["bundle"] == {"time": "2025-07-04T03:33:20Z", "own_policy": True}
    assert says not in teesql("verify", path, "--mrtd", OTHER, status=7).stdout  # time is not all
    assert says in teesql("pin", path, status=7).stderr


def test_a_verdict_by_a_bundles_own_policy_says_so(teesql, real, folder):
    path, says = saved(teesql, real, folder), "by the bundle's own policy"
    assert says in verdict(teesql("verify", path, "--at", str(GOOD_AT)))
    assert says in verdict(teesql("verify", path, "--at", str(GOOD_AT), "--quiet"))
    done = teesql("verify", path, "--at", str(GOOD_AT), "--mrtd", OTHER, status=1)
    assert says not in done.stdout
    report = json.loads(teesql("verify", path, "--at", str(GOOD_AT), "--mrtd", MRTD, "--json").stdout)
    assert report["bundle"]["own_policy"] is False


def test_options_count_before_a_bundle(teesql, real, folder):
    path = saved(teesql, real, folder, "--mrtd", OTHER, status=1)
    then = ["verify", path, "--at", str(GOOD_AT)]
    teesql(*then, "--mrtd", MRTD)
    teesql(*then, "--accept-tcb", "UpToDate")
    teesql(*then, "--policy", policy(folder, {"mrtd": [MRTD]}))
    teesql(*then, env={"EXPECTED_MRTD": MRTD})
    path = saved(teesql, real, folder)
    for at, status in [("1750329147", 0), ("1752919235", 0), ("1752919236", 7), ("1750329146", 7)]:
        teesql("verify", path, "--at", at, status=status)
    teesql(*then, "--collateral", real.collateral)
    teesql(*then, "--collateral", VECTORS / "sgx_v3.collateral.json", status=5)


def test_a_bundle_does_not_bring_its_root(teesql, machine, folder):
    """Invariant trust_is_configured: a development root counts only where the option names it again."""
    path = folder / "bundle.json"
    with server(*files(machine)) as (port, _):
        teesql("verify", f"127.0.0.1:{port}", "--mrtd", MRTD, *machine.options, "--save", path)
    assert json.loads(path.read_text())["evidence"]["kind"] == "certificate"
    teesql("verify", path, status=5)
    report = json.loads(teesql("verify", path, "--insecure-trust-root", machine.td.root, "--json").stdout)
    assert next(c for c in report["checks"] if c["id"] == "binding.key")["status"] == "pass"
    assert next(c for c in report["checks"] if c["id"] == "policy.mrtd")["status"] == "pass"


def test_a_bundle_does_not_allow_debug_by_itself(teesql, real, folder):
    path = saved(teesql, real, folder, "--insecure-allow-debug")
    then = ["verify", path, "--at", str(GOOD_AT)]
    assert "--insecure-allow-debug" in teesql(*then, status=2).stderr
    teesql(*then, "--insecure-allow-debug")


def test_a_changed_byte_of_a_bundle_is_refused(teesql, real, folder):
    path = saved(teesql, real, folder)
    text = path.read_bytes()
    for begin, end in [(b'"bytes": "', b'"'), (b'"pck_crl": "', b'"'), (b'"tcb_info": "', b'",\n'),
                       (b'"tcb_info_issuer_chain": "', b'"'), (b'"qe_identity_signature": "', b'"')]:
        first = text.index(begin) + len(begin)
        last = text.index(end, first) - 1
        for at in {first + (last - first) * i // 7 for i in range(8)}:
            path.write_bytes(change(text, at))
            assert "Verdict: FAIL" in verdict(teesql("verify", path, status=4))


def test_a_digest_makes_nothing_true(teesql, real, folder):
    path = saved(teesql, real, folder)
    original = path.read_text()
    bundle = json.loads(original)
    evidence = base64.b64decode(bundle["evidence"]["bytes"])
    for at in (184, 568, 640, len(evidence) // 2):
        bundle["evidence"]["bytes"] = base64.b64encode(change(evidence, at)).decode()
        path.write_text(sealed(bundle))
        assert teesql("verify", path, "--at", str(GOOD_AT), status=None).returncode in (4, 5)
    for name in ("tcb_info", "qe_identity", "tcb_info_signature", "pck_crl", "root_ca_crl"):
        bundle = json.loads(original)
        item = bundle["collateral"][name]
        bundle["collateral"][name] = item[:-9] + ("1" if item[-9] == "0" else "0") + item[-8:]
        path.write_text(sealed(bundle))
        teesql("verify", path, "--at", str(GOOD_AT), status=5)
    for change_it, says in [(lambda b: b.pop("time"), "time"), (lambda b: b.update(more=1), "more"),
                            (lambda b: b["policy"].update(mrdt=[]), "mrdt"),
                            (lambda b: b["evidence"].update(kind="tpm"), "kind")]:
        bundle = json.loads(original)
        change_it(bundle)
        path.write_text(sealed(bundle))
        assert says in verdict(teesql("verify", path, status=4))


def test_what_cannot_be_saved_is_said(teesql, real, folder):
    arguments = [*real.arguments, "--at", str(GOOD_AT), "--save"]
    done = teesql(*arguments, folder / "no" / "bundle", status=2)
    assert done.stdout == "" and "No such file" in done.stderr
    assert json.loads(teesql(*arguments, folder / "no" / "bundle", "--json", status=2).stdout)["exit"] == 2
    done = teesql("verify", "127.0.0.1:9", "--save", folder / "bundle", status=3)
    assert "nothing is saved" in done.stderr and list(folder.iterdir()) == []


def test_connect_takes_a_collateral_file(teesql, machine, folder):
    """Nobody else is asked: the service that is named does not answer."""
    path, collateral = folder / "bundle.json", folder / "collateral.json"
    teesql("verify", machine.files / "client-cert.pem", *machine.options, "--save", path)
    collateral.write_text(json.dumps(json.loads(path.read_text())["collateral"]))
    options = ["--insecure-trust-root", machine.td.root, "--client-cert", "none", "--pccs", "http://127.0.0.1:9"]
    with server(*files(machine)) as (port, _):
        teesql("connect", f"127.0.0.1:{port}", *options, "--collateral", collateral, "--", "true")
    with server(*files(machine)) as (port, _):
        teesql("connect", f"127.0.0.1:{port}", *options, "--", "true", status=7)
    teesql("connect", "127.0.0.1:9", "--collateral", folder / "no", "--", "true", status=2)


# ---- usage ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("arguments, says", [
    (["verify", "--polcy", "x"], 'did you mean "--policy"?'),
    (["verify", "--mrtd"], "needs a value"),
    (["verify", "--mrtd", "12", "x:1"], "--mrtd"),
    (["verify", "--accept-tcb", "Fine", "x:1"], "--accept-tcb"),
    (["verify", "--at", "yesterday", "x:1"], "yesterday"),
    (["verify", "--verifier", "none", "x:1"], "teesql inspect"),
    (["verify", "/does/not/exist"], "No such file"),
    (["verify", "--policy", "/does/not/exist", "x:1"], "No such file"),
    (["verify", "a:1", "b:2"], "one argument too many"),
    (["verify", "host:99999"], "port"),
    (["verify", "postgresql:///db"], "no host"),
    (["verify", "host=/run/postgresql"], "Unix socket"),
    (["verify"], "no target"),
    (["explain", "TQ-9999"], "TQ-9999"),
    (["frobnicate"], "frobnicate"),
    (["verify", "--pccs", "none", "x:1"], "neither a collateral service"),
    (["verify", "--pccs", "foo", "x:1"], "foo"),
    (["verify", "host=a,b hostaddr=127.0.0.1 port=1"], "number of addresses"),
    (["connect", "--config", "/does/not/exist"], "No such file"),
    (["connect", "--client-cert=", "x:1"], "--client-cert: the value is empty"),
    (["client-cert", "--out", ""], "--out: the value is empty"),
    (["collateral", "fetch", "--fmspc", "00", "--out", ""], "--out: the value is empty"),
    (["verify", "--policy", "", "x:1"], "--policy: the value is empty"),
])
def test_usage_errors_say_what_to_do(teesql, arguments, says):
    done = teesql(*arguments, status=2)
    assert says in done.stderr and "hint: " in done.stderr
    assert done.stdout == "" and "check-config" not in done.stderr
    told = json.loads(teesql(*arguments, *["--json"][:"--json" not in arguments], status=2).stdout)
    assert told["exit"] == 2 and re.fullmatch(r"TQ-8\d{3}", told["code"]) and told["hint"]


@pytest.mark.parametrize("damage", ["trailing", "leaf"])
def test_a_root_that_is_none_is_not_the_peers_fault(teesql, machine, folder, damage):
    root = folder / "root.der"
    run(["openssl", "x509", "-outform", "DER", "-out", root, "-in",
         machine.td.root if damage == "trailing" else machine.files / "client-cert.pem"])
    if damage == "trailing":
        root.write_bytes(root.read_bytes() + b"\0")
    told = json.loads(teesql("verify", machine.files / "client-cert.pem", "--insecure-trust-root", root, "--json",
                             status=2).stdout)
    assert told["code"] == "TQ-8004" and "trust root" in told["message"]


def test_a_folder_is_no_collateral(teesql, machine, folder):
    told = json.loads(teesql("verify", machine.files / "client-cert.pem", "--collateral", folder, "--json", status=2).stdout)
    assert told["code"] == "TQ-8004" and "--collateral-dir" in told["message"]


def test_json_is_one_object_wherever_it_stands(teesql, real, folder):
    for arguments in (["--json"], ["frobnicate", "--json"], ["collateral", "frobnicate", "--json"], ["collateral", "--json"]):
        assert json.loads(teesql(*arguments, status=2).stdout)["code"] == "TQ-8007"
    out = folder / "a.policy"
    done = teesql("pin", *real.arguments[1:], "--at", str(GOOD_AT), "--json", "--out", out)
    assert json.loads(done.stdout) == json.loads(out.read_text())


@pytest.mark.parametrize("arguments, code", [
    ([], "TQ-8007"), (["frobnicate"], "TQ-8007"), (["collateral"], "TQ-8007"), (["collateral", "frobnicate"], "TQ-8007"),
    (["verify", "--frobnicate"], "TQ-8001"), (["verify", "a", "b"], "TQ-8001"), (["connect", "--listen"], "TQ-8001"),
])
def test_json_is_asked_for_in_the_environment_too(teesql, arguments, code):
    for value in ("1", "yes", "on", "true"):
        assert json.loads(teesql(*arguments, env={"TEESQL_JSON": value}, status=2).stdout)["code"] == code
    for env, more in [({"TEESQL_JSON": "no"}, []), ({"TEESQL_JSON": "1"}, ["--json=off"]), ({"TEESQL_JSON": ""}, [])]:
        assert teesql(*arguments, *more, env=env, status=2).stdout == ""


def test_no_arguments_and_help(teesql):
    assert "Usage: teesql COMMAND" in teesql(status=2).stderr
    for command in ["verify", "inspect", "root", "client-cert", "pin", "explain", "doctor", "connect"]:
        assert f"  {command} " in teesql("--help").stdout
        assert f"Usage: teesql {command}" in teesql(command, "--help").stdout
    assert re.fullmatch(r"teesql \d+\.\d+\.\d+\n", teesql("--version").stdout)


def test_passwords_stay_where_they_are(teesql):
    for dsn in ["postgresql://u:s3cret@127.0.0.1:9/db", "host=127.0.0.1 port=9 password=s3cret",
                "postgresql://u:s3cret@127.0.0.1:99999/db", "postgresql://u:s3cret@[::1/db"]:
        for more in [[], ["--json"]]:
            done = teesql("verify", dsn, *more, status=None)
            assert done.returncode in (2, 3) and "s3cret" not in done.stdout + done.stderr


@pytest.mark.parametrize("scheme", ["mysql", "postgresql+asyncpg", "jdbc:postgresql", "https"])
def test_passwords_of_others_stay_where_they_are(teesql, scheme):
    """What SQLAlchemy and its kind write is no file of a strange name."""
    url = f"{scheme}://u:s3cret@127.0.0.1:9/db"
    for command in ("verify", "inspect", "pin", "root", "connect"):
        for arguments, env in [([url], {}), ([], {"DATABASE_URL": url})]:
            done = teesql(command, *arguments, env=env, status=2)
            assert "s3cret" not in done.stdout + done.stderr
            assert "TQ-8003" in done.stderr and "postgresql://" in done.stderr
    done = teesql("verify", "u:s3cret@127.0.0.1", status=2)
    assert "s3cret" not in done.stdout + done.stderr


def test_what_is_not_written_is_no_success(bin_path, real, folder):
    """A policy for a full disk, a verdict for nobody: neither is given, and the reason is said."""
    good, told = [*real.arguments, "--at", str(GOOD_AT)], "could not write"
    commands = [good, [*good, "--json"], ["inspect", real.quote], ["pin", *good[1:]], ["explain", "--json"], ["--help"],
                ["verify", "--help"], ["collateral", "show", real.collateral], ["connect", "--check-config"]]
    for command in commands:
        argv = [bin_path("teesql"), *command]
        with open("/dev/full", "w") as full:
            done = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, env=CLEAN, text=True, check=False)
        assert done.returncode == 2 and told in done.stderr, command
        assert command != ["--help"] or "No space" in done.stderr  # of what is long, stdio forgets why
        done = subprocess.run(argv, stderr=subprocess.PIPE, env=CLEAN, text=True, check=False,
                              preexec_fn=lambda: os.close(1))
        assert done.returncode == 2 and told in done.stderr, command
    refused = [bin_path("teesql"), *good, "--mrtd", OTHER]
    with open("/dev/full", "w") as full:
        assert subprocess.run(refused, stdout=full, stderr=subprocess.DEVNULL, env=CLEAN, check=False).returncode == 1


def test_only_files_are_replaced(teesql, real, folder):
    """As root, --out /dev/null would leave every program of the machine with a file in its place."""
    os.mkfifo(folder / "pipe")
    good = [*real.arguments[1:], "--at", str(GOOD_AT)]
    for arguments in (["verify", *good, "--save"], ["pin", *good, "--out"]):
        done = teesql(*arguments, folder / "pipe", status=2)
        assert "not a regular file" in done.stderr and (folder / "pipe").is_fifo() and done.stdout == ""


def test_a_mistake_names_its_option(teesql, real):
    for command in (["verify", real.quote], ["collateral", "check", real.collateral]):
        assert "--at: " in teesql(*command, "--at", "noon", status=2).stderr
    done = teesql(*real.arguments, "--at", str(GOOD_AT), "--save", "-", status=2)
    assert "--save" in done.stderr and not os.path.exists("-")


def test_a_quote_has_no_root_to_show(teesql, real):
    done = teesql("root", real.quote, status=4)
    assert "TQ-1011" in done.stderr and "peer" not in done.stderr


def test_no_time_is_no_limit(teesql, machine):
    """As for connect's --handshake-timeout, and not a server that was too slow."""
    with server(*files(machine)) as (port, _):
        teesql("inspect", f"127.0.0.1:{port}", "--timeout", "0", "--client-cert", "none")


def test_who_reads_no_further_has_read_enough(bin_path):
    with subprocess.Popen([bin_path("teesql"), "explain"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=CLEAN) as process:
        process.stdout.close()
        assert process.stderr.read() == b"" and process.wait() == 0


# ---- what is printed --------------------------------------------------------------------------------------------

def members(value, path=""):
    """Every member of nested objects, by its path; null members of an object count like the object's."""
    for name, inner in value.items():
        yield f"{path}{name}"
        if isinstance(inner, dict):
            yield from members(inner, f"{path}{name}.")


DOCUMENTED = """schema verdict class code exit message hint time endpoint endpoint.requested endpoint.address
endpoint.tls endpoint.tls.version endpoint.tls.cipher endpoint.tls.alpn endpoint.spki_sha256
bundle endpoint.not_before endpoint.not_after evidence evidence.tee evidence.format evidence.quote_version
evidence.body evidence.oid evidence.mrtd evidence.rtmr evidence.mrconfigid evidence.mrowner
evidence.mrownerconfig evidence.mrseam evidence.report_data evidence.td_attributes evidence.xfam
evidence.tee_tcb_svn evidence.fmspc evidence.ppid app app.app_id app.compose_hash app.instance_id
app.key_provider app.key_provider_sha256 app.os_image_hash app.events tcb tcb.status tcb.platform_status tcb.module_status
tcb.qe_status tcb.date tcb.evaluation_data_number tcb.advisories collateral checks trust_root policy
timing_ms""".split()


def test_json_has_every_member_every_time(teesql, real):
    arguments = [*real.arguments, "--at", str(GOOD_AT), "--json"]
    accepted = json.loads(teesql(*arguments).stdout)
    refused = json.loads(teesql(*arguments, "--mrtd", OTHER, status=1).stdout)
    unreachable = json.loads(teesql("verify", "127.0.0.1:9", "--json", status=3).stdout)
    malformed = json.loads(teesql("verify", VECTORS / "sgx_v3.quote", "--json", status=4).stdout)
    expected = set(members(accepted))
    assert set(DOCUMENTED) <= expected
    for other in (refused, unreachable, malformed):
        assert set(members(other)) == expected
        assert [c["id"] for c in other["checks"]] == [c["id"] for c in accepted["checks"]]
        assert all(set(c) == {"id", "status", "expected", "actual", "hint"} for c in other["checks"])


def test_the_trust_root_is_known_whatever_comes_of_it(teesql, machine, folder):
    (folder / "nothing").write_text("nothing")
    for target, status in [("127.0.0.1:9", 3), (folder / "nothing", 4), (machine.files / "client-cert.pem", 7)]:
        arguments = ["verify", target, "--json", "--pccs", "http://127.0.0.1:9"]
        report = json.loads(teesql(*arguments, "--insecure-trust-root", machine.td.root, status=status).stdout)
        assert report["trust_root"] == "development"
        status = 5 if status == 7 else status  # its root is a stranger's
        assert json.loads(teesql(*arguments, status=status).stdout)["trust_root"] == "intel"
    report = json.loads(teesql("verify", folder / "nothing", "--json", "--insecure-trust-root", folder / "nothing",
                               status=2).stdout)
    assert report["trust_root"] is None


def test_json_tells_what_the_exit_code_tells(teesql, real):
    arguments = [*real.arguments, "--at", str(GOOD_AT), "--json"]
    accepted = json.loads(teesql(*arguments).stdout)
    assert (accepted["schema"], accepted["verdict"], accepted["exit"]) == ("teesql.verify/1", "accept", 0)
    assert accepted["evidence"]["mrtd"] == MRTD and accepted["tcb"]["status"] == "UpToDate"
    assert accepted["tcb"]["advisories"] == [] and accepted["trust_root"] == "intel"
    assert accepted["code"] is None and accepted["time"] == "2025-07-04T03:33:20Z"
    refused = json.loads(teesql(*arguments, "--mrtd", OTHER, status=1).stdout)
    assert (refused["verdict"], refused["class"], refused["exit"]) == ("reject", "policy", 1)
    assert re.fullmatch(r"TQ-\d{4}", refused["code"]) and refused["hint"]
    check = next(c for c in refused["checks"] if c["id"] == "policy.mrtd")
    assert (check["status"], check["expected"], check["actual"]) == ("fail", OTHER, MRTD)
    usage = json.loads(teesql("verify", "--polcy", "--json", status=2).stdout)
    assert usage["exit"] == 2 and "--policy" in usage["message"]


def test_every_code_can_be_explained(teesql, real):
    refused = json.loads(teesql(*real.arguments, "--at", str(GOOD_AT), "--mrtd", OTHER, "--json",
                                status=1).stdout)
    for name in (refused["code"], refused["code"].lower().replace("-", ""), "policy.mrtd"):
        assert refused["hint"] in teesql("explain", name).stdout
    rows = json.loads(teesql("explain", "--json").stdout)["reasons"]
    assert len({row["code"] for row in rows}) == len({row["id"] for row in rows}) == len(rows)
    for check in refused["checks"]:
        assert check["id"] in {row["id"] for row in rows}


def test_the_report_says_what_was_not_compared(teesql, real):
    done = teesql(*real.arguments, "--at", str(GOOD_AT), "--rtmr3", "0" * 96)
    assert re.search(r"^  ok    policy\.rtmr3\b", done.stdout, re.M)
    assert re.search(r"^  --    policy\.mrtd\b", done.stdout, re.M)
    assert "\033" not in done.stdout and MRTD not in done.stdout
    assert MRTD in teesql(*real.arguments, "--at", str(GOOD_AT), "-v").stdout
    quiet = teesql(*real.arguments, "--at", str(GOOD_AT), "-q")
    assert (quiet.stdout, quiet.stderr) == ("Verdict: PASS\n", "")


def test_inspect_shows_and_gives_no_verdict(teesql, real, folder):
    shown = json.loads(teesql("inspect", real.quote, "--json").stdout)
    assert shown["verified"] is False and shown["evidence"]["mrtd"] == MRTD and "verdict" not in shown
    assert "Verdict" not in teesql("inspect", real.quote).stdout
    changed = folder / "quote"
    changed.write_bytes(change(real.quote.read_bytes(), 184))
    teesql("inspect", changed)
    changed.write_bytes(b"nothing of the kind")
    assert json.loads(teesql("inspect", changed, "--json", status=4).stdout)["class"] == "evidence"


def test_inspect_shows_an_attestation(teesql, real):
    app = json.loads(teesql("inspect", VECTORS / "dstack_attestation_v0.bin", "--json").stdout)["app"]
    assert app["app_id"] == "5bb4ff9a3837357f19dc176407a5709c62eb6c56"
    assert {"event": "app-id", "payload": app["app_id"]} in app["events"]


# ---- a server -----------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def machine(work, bin_path, teesql):
    """A simulated machine, the files of its certificate, and the options to trust it."""
    folder = work / "cli"
    folder.mkdir()
    td = Td(types.SimpleNamespace(work=folder, bin_path=bin_path), "machine", mrtd=MRTD)
    try:
        teesql("client-cert", "--out", folder / "files", "--agent", td.agent)
        yield types.SimpleNamespace(
            td=td, files=folder / "files",
            options=["--pccs", td.pccs, "--insecure-trust-root", td.root, "--client-cert", "none"])
    finally:
        td.daemon.stop()


@contextlib.contextmanager
def server(certificate, key, starttls=None):
    """A TLS server for one connection; starttls is its answer to SSLRequest. Yields port and what it saw."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    seen = types.SimpleNamespace(first=b"", name=None)
    context.sni_callback = lambda _, name, __: setattr(seen, "name", name)

    def serve(listener):
        with contextlib.suppress(OSError), listener.accept()[0] as peer:
            if starttls:
                seen.first = peer.recv(8, socket.MSG_WAITALL)
                peer.sendall(starttls)
            with context.wrap_socket(peer, server_side=True) as tls:
                tls.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        try:
            yield listener.getsockname()[1], seen
        finally:
            with contextlib.suppress(OSError):  # wakes a server that nobody asked
                socket.create_connection(listener.getsockname(), 1).close()
            thread.join()


def files(machine):
    return machine.files / "client-cert.pem", machine.files / "client-key.pem"


@pytest.mark.parametrize("target, name", [
    ("127.0.0.1:{0}", None), ("localhost:{0}", "localhost"), ("postgresql://u:p@127.0.0.1:{0}/db", None),
    ("host=127.0.0.1 port={0}", None), ("hostaddr=127.0.0.1 port={0}", None),
    ("host=no.such.host hostaddr=127.0.0.1 port={0}", "no.such.host"),
    ("postgresql://no.such.host:{0}/?hostaddr=127.0.0.1", "no.such.host"),
    ("host=no.such.host,nor.this hostaddr=127.0.0.9,127.0.0.1 port={0},{0}", "nor.this")])
def test_a_server_is_verified(teesql, machine, target, name):
    """hostaddr is where it is, host what it is called: also to itself, in TLS."""
    with server(*files(machine)) as (port, seen):
        done = teesql("verify", target.format(port), "--mrtd", MRTD, "--json", *machine.options)
    report = json.loads(done.stdout)
    assert seen.name == name
    assert report["endpoint"]["address"] == f"127.0.0.1:{port}" and report["trust_root"] == "development"
    assert report["endpoint"]["tls"]["version"] == "TLSv1.3"
    assert report["evidence"]["oid"] == "1.3.6.1.4.1.62397.1.8"
    assert {"id": "binding.key", "status": "pass"}.items() <= next(
        c for c in report["checks"] if c["id"] == "binding.key").items()


def test_the_environment_names_the_server(teesql, machine):
    for env in [{"DATABASE_URL": "postgresql://u@127.0.0.1:{}/db"}, {"PGHOST": "127.0.0.1", "PGPORT": "{}"},
                {"PGHOST": "no.such.host", "PGHOSTADDR": "127.0.0.1", "PGPORT": "{}"}]:
        with server(*files(machine)) as (port, _):
            teesql("verify", *machine.options, env={k: v.format(port) for k, v in env.items()})


@pytest.mark.parametrize("answer, status", [(b"S", 0), (b"N", 3), (b"E", 3)])
def test_starttls_asks_as_postgres_does(teesql, machine, answer, status):
    with server(*files(machine), starttls=answer) as (port, seen):
        teesql("verify", f"127.0.0.1:{port}", "--starttls", *machine.options, status=status)
    assert seen.first == SSL_REQUEST


def test_quote_names_this_key_in_verify(teesql, machine, folder):
    """A certificate of another key with the same extension: genuine evidence, and not this peer's."""
    genuine = ssl.PEM_cert_to_DER_cert(LEAF.search(machine.files.joinpath("client-cert.pem").read_text()).group())
    forged = Forged(folder, "other", evidence_of(genuine))
    with server(forged.certificate, forged.key) as (port, _):
        done = teesql("verify", f"127.0.0.1:{port}", *machine.options, "--json", status=5)
    assert next(c for c in json.loads(done.stdout)["checks"] if c["id"] == "binding.key")["status"] == "fail"


def test_a_server_without_evidence(teesql, machine, folder):
    plain = Forged(folder, "plain")
    with server(plain.certificate, plain.key) as (port, _):
        done = teesql("verify", f"127.0.0.1:{port}", *machine.options, status=4)
    assert "no TDX attestation extension" in verdict(done)
    with server(plain.certificate, plain.key) as (port, _):
        done = teesql("verify", f"127.0.0.1:{port}", *machine.options, "--insecure-allow-simulator", "--json")
    report = json.loads(done.stdout)
    assert report["verdict"] == "accept" and report["evidence"]["mrtd"] is None
    assert "--insecure-allow-simulator is in effect" in done.stderr


def test_a_silent_server_is_given_up(teesql):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = teesql("verify", f"127.0.0.1:{listener.getsockname()[1]}", "--timeout", "300ms",
                      "--client-cert", "none", status=3)
    assert "TLS handshake timed out after 300 ms" in verdict(done)


def test_root_prints_the_last_certificate_and_does_not_trust_it(teesql, machine):
    with server(*files(machine)) as (port, _):
        done = teesql("root", f"127.0.0.1:{port}", "--client-cert", "none")
    assert done.stdout == (machine.files / "ra-tls-ca.pem").read_text()
    assert "not verified" in done.stderr and re.search(r"SHA-256 [0-9a-f]{64}", done.stderr)


def test_pin_writes_a_policy_that_verify_obeys(teesql, machine, folder):
    path = folder / "pinned.policy"
    with server(*files(machine)) as (port, _):
        teesql("pin", f"127.0.0.1:{port}", "--out", path, *machine.options)
    pinned = json.loads(path.read_text())
    assert pinned["mrtd"] == [MRTD] and "rtmr0" not in pinned and "first use" in pinned["name"]
    teesql("verify", machine.files / "client-cert.pem", "--policy", path, *machine.options)
    path.write_text(path.read_text().replace(MRTD, OTHER))
    teesql("verify", machine.files / "client-cert.pem", "--policy", path, *machine.options, status=1)


def test_the_key_provider_is_pinned_and_compared(teesql, machine, folder):
    """The same image under another KMS is another machine: who runs that one knows its keys."""
    path, certificate = folder / "pinned.policy", machine.files / "client-cert.pem"
    teesql("pin", certificate, "--out", path, *machine.options)
    app = json.loads(teesql("verify", certificate, *machine.options, "--json").stdout)["app"]
    digest = hashlib.sha256(app["key_provider"].encode()).hexdigest()
    assert app["key_provider_sha256"] == digest and json.loads(path.read_text())["key_provider"] == [digest]
    teesql("verify", certificate, "--key-provider", digest, *machine.options)
    path.write_text(path.read_text().replace(digest, OTHER[:64]))
    done = teesql("verify", certificate, "--policy", path, *machine.options, "--json", status=1)
    assert json.loads(done.stdout)["code"] == "TQ-4214"


def test_pin_refuses_what_is_not_genuine(teesql, machine):
    """Without the development root the machine's chain ends in a stranger's."""
    done = teesql("pin", machine.files / "client-cert.pem", "--pccs", machine.td.pccs, status=5)
    assert done.stdout == ""


def test_client_cert_writes_files_for_libpq(teesql, machine):
    certificate, key = files(machine)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    assert certificate.read_text().endswith((machine.files / "ra-tls-ca.pem").read_text())
    before = certificate.read_text()
    teesql("client-cert", "--out", machine.files, "--agent", machine.td.agent, "--renew")
    assert certificate.read_text() == before
    key.write_text("not a key")
    teesql("client-cert", "--out", machine.files, "--agent", machine.td.agent, "--renew")
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    assert sorted(p.name for p in machine.files.iterdir()) == ["client-cert.pem", "client-key.pem",
                                                               "ra-tls-ca.pem"]


def test_client_cert_without_an_agent(teesql, folder):
    done = teesql("client-cert", "--out", folder, "--agent", folder / "no.sock", status=3)
    assert "guest agent" in done.stderr and list(folder.iterdir()) == []


def test_doctor_names_a_fix_for_what_is_wrong(teesql, machine, folder):
    probes = json.loads(teesql("doctor", "--agent", machine.td.agent, "--pccs", machine.td.pccs, "--json",
                               "--client-cert", machine.files).stdout)["probes"]
    assert {p["probe"]: p["status"] for p in probes}["client key"] == "ok"
    assert {p["probe"]: p["status"] for p in probes}["guest agent"] == "ok"
    (folder / "client-key.pem").write_text("")
    (folder / "client-key.pem").chmod(0o644)
    done = teesql("doctor", "--agent", machine.td.agent, "--pccs", machine.td.pccs, "--client-cert", folder,
                  status=2)
    assert "FAIL  client key" in done.stdout and "chmod 600" in done.stdout


def test_doctor_looks_names_up(teesql, machine):
    def names(*arguments, status):
        done = teesql("doctor", "--agent", machine.td.agent, "--json", *arguments, status=status)
        probe, = [p for p in json.loads(done.stdout)["probes"] if p["probe"] == "names"]
        return probe

    probe = names("--pccs", "http://localhost:9", "--pccs", "http://[::1]:9", status=7)  # nobody answers there
    assert probe["status"] == "ok" and probe["detail"] == "localhost, ::1"
    probe = names("--pccs", "none", "no-such-host.invalid", status=3)
    assert probe["status"] == "failed" and "no-such-host.invalid" in probe["detail"] and "resolv.conf" in probe["fix"]
    assert names("--pccs", "none", status=0)["status"] == "absent"


def test_doctor_warns_where_one_of_several_does(teesql, machine):
    """What is tried in order is not lost with its first: it is named, and the rest is used."""
    here, nowhere = machine.td.pccs, "http://no-such-host.invalid:9"
    for services in ([here, nowhere], [nowhere, here]):
        arguments = ["doctor", "--agent", machine.td.agent, *(f"--pccs={s}" for s in services)]
        probes = {p["probe"]: p for p in json.loads(teesql(*arguments, "--json").stdout)["probes"]}
        assert probes["names"]["status"] == "warning" and probes["names"]["fix"]
        assert "127.0.0.1" in probes["names"]["detail"] and "no-such-host.invalid" in probes["names"]["detail"]
        assert "no-such-host.invalid" in teesql(*arguments, "--quiet").stdout
    first = probes["collateral"]
    assert first["status"] == "warning" and f"{here} answers" in first["detail"] and nowhere in first["detail"]
    probes = json.loads(teesql("doctor", "--agent", machine.td.agent, "--pccs", nowhere, "--json", status=3).stdout)["probes"]
    assert {p["probe"]: p["status"] for p in probes}["names"] == "failed"


def test_doctor_asks_no_collateral_service_where_there_is_none(teesql, machine):
    done = teesql("doctor", "--agent", machine.td.agent, "--pccs", "none", "--json")
    probe, = [p for p in json.loads(done.stdout)["probes"] if p["probe"] == "collateral"]
    assert probe["status"] == "absent" and "--pccs" in probe["detail"]


# ---- the library's example --------------------------------------------------------------------------------------

def test_the_example_accepts_whom_verify_accepts(bin_path, machine, folder):
    """examples/verify_peer.c, which knows the public header alone."""
    env = {"TEESQL_PCCS": machine.td.pccs, "TEESQL_INSECURE_TRUST_ROOT": str(machine.td.root)}
    for mrtd, status in [(MRTD, 0), (OTHER, 1)]:
        with server(*files(machine)) as (port, _):
            done = run([bin_path("verify_peer"), f"127.0.0.1:{port}", policy(folder, {"mrtd": [mrtd]})], env,
                       status=status)
        assert json.loads(done.stdout)["exit"] == status
    del env["TEESQL_INSECURE_TRUST_ROOT"]
    with server(*files(machine)) as (port, _):
        run([bin_path("verify_peer"), f"127.0.0.1:{port}"], env, status=5)
    plain = Forged(folder, "plain")
    with server(plain.certificate, plain.key) as (port, _):
        done = run([bin_path("verify_peer"), f"127.0.0.1:{port}"], env, status=3)
    assert "no TDX attestation extension" in done.stderr
