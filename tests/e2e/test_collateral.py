# SPDX-License-Identifier: Apache-2.0
"""Collateral in the real world's weather: faults of services, outages under load, crowds, sites without a network."""

import asyncio
import datetime
import json
import os
import resource
import shutil
import signal
import socket
import ssl
import subprocess

import pytest

from cluster import BIN
from daemon import PATIENCE, eventually, run
from house import direct_dsn, flags, psql
from weather import ITEMS, OVERSIZED, Weather
from wire import error_fields, startup

CROWD = 1000
WAITING, APPRAISERS = 256, 4  # --max-appraisals by default, and what is at work besides


@pytest.fixture
def weather(house):
    """Before the collateral service of the client's machine."""
    with Weather(house.client_td.pccs) as started:
        yield started


@pytest.fixture(scope="module")
def certificate(house, tmp_path_factory):
    """The attested certificate of the client's machine, and its key."""
    return house.client_files(tmp_path_factory.mktemp("client"))


@pytest.fixture
def teesql(bin_path):
    def start(*arguments, status=0, **env):
        return run([bin_path("teesql"), *arguments], env, status=status)
    return start


# ---- faults --------------------------------------------------------------------------------------------------

PEM = "-----BEGIN%20CERTIFICATE-----%0AMA==%0A-----END%20CERTIFICATE-----%0A"
FAULTS = {
    "reset": ("reset",), "silent": ("silent",), "slow": ("slow",), "400": ("status", 400), "404": ("status", 404),
    "429": ("retry_after", 429, "120"), "429-date": ("retry_after", 429, "Fri, 31 Dec 2100 23:59:59 GMT"),
    "429-nonsense": ("retry_after", 429, "soon"), "500": ("status", 500), "503": ("status", 503),
    "204": ("status", 204), "file": ("redirect", "file:///etc/passwd"), "ftp": ("redirect", "ftp://127.0.0.1/x"),
    "elsewhere": ("redirect", "http://127.0.0.1:9/"), "empty": ("body", b""), "truncated": ("truncated",),
    "cut": ("cut",), "oversized": ("body", b"x" * OVERSIZED), "page": ("body", b"<html>log in</html>"),
    "garbage": ("body", b'{"tcbInfo": {"a":'), "no-chain": ("chain", None), "wrong-chain": ("chain", PEM),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("item", ITEMS)
def test_every_fault_at_every_item_is_undetermined(house, weather, certificate, item, fault):
    """Never accepted, never blamed on the peer, never waited for long, and over when the fault is."""
    if item == "rootcrl" and "chain" in fault:
        pytest.skip("the root's list comes without a chain")
    weather.strike(*FAULTS[fault], at=item)
    verify = {"policy": house.client_policy, "td": house.client_td}
    service = weather.url + ("#timeout=400ms" if fault in ("silent", "slow") else "")
    report = house.verify(certificate["sslcert"], status=7, pccs=service, **verify)
    assert report["verdict"] == "undetermined" and weather.url in report["message"]
    assert report["code"] == ("TQ-5104" if (item, fault) == ("tcb", "404") else "TQ-5103")
    assert weather.requests[item] == 1
    report = house.verify(certificate["sslcert"], status=0, pccs=[service, house.client_td.pccs], **verify)
    assert {i["source"] for i in report["collateral"]} == {house.client_td.pccs}
    weather.clear()
    house.verify(certificate["sslcert"], status=0, pccs=service, **verify)


def test_nobody_there(house, weather, certificate):
    weather.stop()
    report = house.verify(certificate["sslcert"], status=7, pccs=weather.url, policy=house.client_policy)
    assert "Connection refused" in report["message"]


def test_the_clock_decides_to_the_second(house, certificate):
    """The last moment of what ends first is a good one, and the next is not; a year later nothing is."""
    verify = {"policy": house.client_policy, "pccs": house.client_td.pccs}
    ends = min(item["next_update"] for item in
               house.verify(certificate["sslcert"], status=0, **verify)["collateral"])
    house.verify(certificate["sslcert"], "--at", ends, status=0, **verify)
    times = {"crl.root.time", "crl.pck.time", "tcbinfo.time", "qeid.time"}
    last = datetime.datetime.fromisoformat(ends.replace("Z", "+00:00"))
    for later in (datetime.timedelta(seconds=1), datetime.timedelta(days=365)):
        report = house.verify(certificate["sslcert"], "--at", f"{last + later:%Y-%m-%dT%H:%M:%SZ}", status=7, **verify)
        failed = {c["id"] for c in report["checks"] if c["status"] == "fail"}
        assert failed and failed <= times
    assert failed == times


# ---- outages -------------------------------------------------------------------------------------------------

def ask(sidecar, files, status=0):
    return psql(direct_dsn(sidecar, files), "select 42", status=status)


def serves_degraded(sidecar, files):
    """It serves, and its log says that it could not refresh: in a verdict that a reload makes it form anew."""
    os.kill(sidecar.process.pid, signal.SIGHUP)
    assert ask(sidecar, files) == "42"
    return "collateral could not be refreshed since" in sidecar.log


def test_an_outage_ends_no_session_and_new_ones_are_served_from_what_is_kept(house, weather, certificate, folder):
    kept = folder / "kept"
    script = folder / "script.sql"
    script.write_text("select 1;\n")
    options = {"pccs": weather.url, "cache_dir": kept}
    with house.sidecar(**options) as sidecar, house.forwarder(sidecar) as forwarder:
        load = subprocess.Popen([BIN / "pgbench", "-n", "-f", script, "-c", "4", "-T", "600", forwarder.dsn()],
                                env=os.environ | {"PGPASSWORD": ""}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                stdin=subprocess.DEVNULL, text=True)
        try:
            eventually(lambda: house.cluster.sql(
                "select count(*) from pg_stat_activity where application_name = 'pgbench' and query like 'select 1%'")
                .strip() == "4")
            weather.stop()
            # A reload forgets the verdicts, so that this one is formed anew, with what is in memory.
            mark = sidecar.mark()
            os.kill(sidecar.process.pid, signal.SIGHUP)
            sidecar.wait_for("reloaded", after=mark)
            assert ask(sidecar, certificate) == "42"
            # Another process has what is on disk, and says so where that is old.
            file, = kept.iterdir()
            file.write_text(json.dumps(json.loads(file.read_text()) | {"fetched": "2020-01-01T00:00:00Z"}))
            with house.sidecar(**options) as second:
                eventually(lambda: serves_degraded(second, certificate))
            assert load.poll() is None
            assert house.cluster.sql(
                "select count(*) from pg_stat_activity where application_name = 'pgbench'").strip() == "4"
        finally:
            load.terminate()
            load.communicate()


def test_without_anything_kept_clients_hear_why_until_the_service_is_back(house, weather, certificate, folder):
    weather.stop()
    with house.sidecar(pccs=weather.url, cache_dir=folder / "kept") as sidecar:
        done = ask(sidecar, certificate, status=2)
        assert "could not be determined" in done.stderr and "TQ-5103" in done.stderr
        assert "Connection refused" in sidecar.wait_for("refused \\(undetermined")
        weather.start()
        eventually(lambda: ask(sidecar, certificate, status=None).returncode == 0)
    assert list((folder / "kept").iterdir())


def test_a_forwarder_tells_its_driver_why(house, sidecar, weather):
    weather.strike("retry_after", 429, "3600")
    with house.forwarder(sidecar, pccs=weather.url, lazy="yes") as forwarder:
        done = psql(forwarder.dsn(), "\\set VERBOSITY verbose", "select 1", status=2)
        assert "retry after 3600 s" in done.stderr
        weather.clear()
        done = psql(forwarder.dsn(), "select 1", status=2)
        assert "not tried again" in done.stderr or "not asked again" in done.stderr
        assert not weather.requests


def test_what_cannot_be_refreshed_is_used_with_a_warning(house, weather, certificate, folder):
    kept = folder / "kept"
    verify = {"policy": house.client_policy, "pccs": weather.url, "cache_dir": kept}
    assert house.verify(certificate["sslcert"], status=0, **verify)["collateral_degraded"] is None
    assert house.verify(certificate["sslcert"], status=0, **verify)["collateral"][0]["source"] == weather.url + " (cached)"
    assert weather.requests == {item: 1 for item in ITEMS}
    file, = kept.iterdir()
    file.write_text(json.dumps(json.loads(file.read_text()) | {"fetched": "2020-01-01T00:00:00Z"}))
    weather.strike("status", 503)
    report = house.verify(certificate["sslcert"], status=0, **verify)
    row, = [c for c in report["checks"] if c["id"] == "collateral.refresh"]
    assert row["status"] == "warn" and "503" in row["hint"] and "503" in report["collateral_degraded"]["reason"]
    weather.clear()
    report = house.verify(certificate["sslcert"], status=0, **verify)
    assert report["collateral_degraded"] is None and report["collateral"][0]["source"] == weather.url


def test_a_folder_that_others_may_write_is_refused(house, teesql, certificate, folder):
    kept = folder / "kept"
    kept.mkdir()
    kept.chmod(0o777)
    done = teesql("verify", certificate["sslcert"], "--cache-dir", kept, status=2)
    assert "TQ-8006" in done.stderr and "others may write" in done.stderr


# ---- a crowd -------------------------------------------------------------------------------------------------

def crowd(sidecar, certificate, size, arrived=lambda n: None, answered=lambda kinds: None):
    """What each of so many clients hears first, all of them at once: the kind of a message, and its body."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(certificate["sslcert"], certificate["sslkey"])
    connected, heard = [], []
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    async def client(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        connected.append(writer)
        arrived(len(connected))
        writer.write(startup())
        head = await reader.readexactly(5)
        body = await reader.readexactly(int.from_bytes(head[1:], "big") - 4)
        heard.append((head[:1], body))
        answered([kind for kind, _ in heard])
        writer.transport.abort()

    async def clients(port):
        await asyncio.gather(*(client(port) for _ in range(size)))

    asyncio.run(clients(sidecar.port()))
    return heard


def test_a_cold_crowd_causes_one_fetch_of_each_item(house, weather, certificate):
    """All of them are connected before the first item is answered; none is refused by us."""
    def arrived(n):
        if n == CROWD:
            weather.gate.set()

    weather.gate.clear()
    with house.sidecar(pccs=weather.url, max_appraisals=CROWD, max_handshakes=3 * CROWD, handshake_timeout="120s",
                       appraisal_timeout="120s") as sidecar:
        heard = crowd(sidecar, certificate, CROWD, arrived=arrived)
        # All of them hear PostgreSQL: it asks for a password, or has no room for so many itself.
        refused = [error_fields(body) for kind, body in heard if kind == b"E"]
        assert [f for f in refused if f["C"] != "53300" or "TQ-" in f["M"]] == []
        assert len(heard) == CROWD and {kind for kind, _ in heard} <= {b"R", b"E"}
        assert weather.requests == {item: 1 for item in ITEMS}


def test_a_crowd_above_the_usual_limits_is_served_up_to_them(house, weather, certificate):
    """Who finds no place to wait is told so at once, while the others wait for the first item; they are all served."""
    above = 40
    size = WAITING + APPRAISERS + above

    def answered(kinds):
        if len(kinds) == above:
            weather.gate.set()

    weather.gate.clear()
    with house.sidecar(pccs=weather.url) as sidecar:
        heard = crowd(sidecar, certificate, size, answered=answered)
        assert weather.requests == {item: 1 for item in ITEMS}
        # The last few found a place if they came when the first were done.
        assert [kind for kind, _ in heard[:above]] == [b"E"] * above
        refused = [error_fields(body) for kind, body in heard if kind == b"E"]
        assert above <= len(refused) <= above + APPRAISERS
        assert {(f["C"], f["M"]) for f in refused} == {
            ("57P03", "too many connections are being set up (TQ-7008)")}
        assert {kind for kind, _ in heard} == {b"R", b"E"}
        # Nothing lasts: the next one is served, with what was fetched.
        assert ask(sidecar, certificate) == "42"
        assert weather.requests == {item: 1 for item in ITEMS}


class Waiting:
    """Connections that have sent all that they have to, and hear nothing."""

    def __init__(self, sidecar, files, n):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(files["sslcert"], files["sslkey"])
        self.sockets = []
        for _ in range(n):
            plain = socket.create_connection(("127.0.0.1", sidecar.port()), timeout=PATIENCE)
            self.sockets.append(context.wrap_socket(plain))
            self.sockets[-1].sendall(startup())
            self.sockets[-1].setblocking(False)

    def heard(self):
        def nothing(s):
            try:
                s.recv(1)
            except ssl.SSLWantReadError:
                return True
            return False
        return [s for s in self.sockets if not nothing(s)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for s in self.sockets:
            s.close()


@pytest.mark.parametrize("pck", ["carried", "named"])
def test_a_platform_that_waits_for_collateral_holds_up_no_other(house, weather, certificate, tmp_path, pck):
    """More connections of it than there are workers wait for an item that does not come; another's are served."""
    cold = house.client_files(tmp_path / "cold", house.td(f"cold-{pck}", fmspc="0d57ac0000ff", pck=pck))
    with house.sidecar(pccs=weather.url + "#timeout=60s", policy=None, drain_timeout="100ms") as sidecar:
        assert ask(sidecar, certificate) == "42"
        before = sum(weather.requests.values())
        weather.strike("silent")
        with Waiting(sidecar, cold, 3 * APPRAISERS) as waiting:
            eventually(lambda: sum(weather.requests.values()) > before)
            mark = sidecar.mark()
            os.kill(sidecar.process.pid, signal.SIGHUP)  # verdicts are forgotten, and formed anew
            sidecar.wait_for("reloaded", after=mark)
            assert ask(sidecar, certificate) == "42"
            assert waiting.heard() == []


# ---- without a network ---------------------------------------------------------------------------------------

def test_a_site_without_a_network(house, teesql, certificate, folder):
    stock, root = folder / "stock", f"--insecure-trust-root={house.client_td.root}"
    fetched = json.loads(teesql("collateral", "fetch", certificate["sslcert"], "--out", stock, "--json", root,
                                f"--pccs={house.client_td.pccs}").stdout)
    assert fetched["status"] == "ok" and [f["fmspc"] for f in fetched["files"]] == ["0d57ac000000"]
    assert {i["item"] for i in fetched["files"][0]["items"]} == {"tcb_info", "qe_identity", "root_ca_crl", "pck_crl"}
    verify = {"policy": house.client_policy, "pccs": "none", "collateral_dir": stock}
    assert house.verify(certificate["sslcert"], status=0, **verify)["verdict"] == "accept"
    house.verify(certificate["sslcert"], status=7, **(verify | {"collateral_dir": folder}))
    with house.sidecar(pccs="none", collateral_dir=stock) as sidecar:
        assert ask(sidecar, certificate) == "42"


@pytest.mark.parametrize("ca", ["platform", "processor"])
def test_a_platform_can_be_named(house, teesql, folder, ca):
    td = house.client_td
    teesql("collateral", "fetch", "--fmspc", "0D57AC000000", "--ca", ca, "--out", folder, "--pccs", td.pccs,
           "--insecure-trust-root", td.root)
    said = teesql("collateral", "show", folder / "0d57ac000000.json", "--insecure-trust-root", td.root).stdout
    assert f"Intel SGX PCK {ca.capitalize()} CA" in said and "29 days left" in said


@pytest.fixture
def stock(house, teesql, folder):
    td = house.client_td
    teesql("collateral", "fetch", "--fmspc", "0d57ac000000", "--out", folder / "stock", "--pccs", td.pccs,
           "--insecure-trust-root", td.root)
    return folder / "stock"


def test_check_says_by_its_exit_code_how_long_it_will_do(house, teesql, stock):
    root = f"--insecure-trust-root={house.client_td.root}"
    ends = json.loads(teesql("collateral", "check", stock, "--json", root).stdout)["files"][0]["valid_until"]
    for options, status, word in [([], 0, "ok"), (["--warn-before", "31d"], 1, "expiring"), (["--at", ends], 1, "expiring"),
                                  (["--at", ends, "--warn-before", "0"], 0, "ok"),
                                  (["--at", "2100-01-01T00:00:00Z"], 7, "expired")]:
        done = teesql("collateral", "check", stock, "--json", root, *options, status=status)
        assert (json.loads(done.stdout)["status"], json.loads(done.stdout)["exit"]) == (word, status)
        teesql("collateral", "show", stock, root, *[o for o in options if "warn" not in o and o not in ("31d", "0")])
    # Not Intel's, and no word of it is believed.
    done = teesql("collateral", "check", stock, status=5)
    assert "not authentic" in done.stdout
    # Of several the worst counts.
    shutil.copy(stock / "0d57ac000000.json", stock / "z.json")
    (stock / "a.json").write_text("{}")
    done = teesql("collateral", "check", stock, root, status=4)
    assert "pck_crl_issuer_chain" in done.stdout and done.stdout.count(": ok") == 2
    assert teesql("collateral", "check", stock, root, "--quiet", status=4).stdout == ""


@pytest.mark.parametrize("one", [True, False], ids=["file", "folder"])
def test_no_file_is_left_out_whatever_it_is_called(house, bin_path, stock, one):
    """Alone or beside a good one, by its own name and where the problem quotes it."""
    def check(status, path, *options):
        done = subprocess.run([bin_path("teesql"), "collateral", "check", path, "--json", *options,
                               f"--insecure-trust-root={house.client_td.root}"], capture_output=True, check=False)
        assert done.returncode == status, done.stderr
        return json.loads(done.stdout)
    odd = os.fsencode(stock) + b"/caf\xe9.json"
    shutil.copy(stock / "0d57ac000000.json", odd)
    report = check(0, odd if one else stock)
    assert [f["status"] for f in report["files"]] == ["ok"] * (1 if one else 2)
    assert report["files"][-1]["file"].endswith("/caf?.json")
    report = check(7, odd if one else stock, "--at", "2100-01-01T00:00:00Z")
    assert report["status"] == "expired"
    os.unlink(odd)
    os.mkdir(odd) if not one else open(odd, "w").close()
    report = check(4, odd if one else stock)
    assert report["files"][-1]["file"].endswith("/caf?.json") and report["status"] == "malformed"
    if not one:
        assert "no file in it" in check(2, odd)["message"]
        os.rmdir(odd)
        os.symlink("nowhere", odd)
        assert "caf?.json" in check(4, stock)["files"][-1]["problem"]


def test_what_is_no_stock(teesql, folder):
    assert "no file in it" in teesql("collateral", "check", folder, status=2).stderr
    assert "No such file" in teesql("collateral", "show", folder / "no", status=2).stderr
    teesql("collateral", "check", status=2)
    teesql("collateral", status=2)
    teesql("collateral", "fetch", "--fmspc", "123", status=2)
    teesql("collateral", "fetch", "--fmspc", "0d57ac000000", "--ca", "root", status=2)
    teesql("collateral", "fetch", "--fmspc", "0d57ac000000", "127.0.0.1", status=2)


def test_fetch_replaces_a_file_only_by_what_is_good(house, teesql, weather, stock):
    file = stock / "0d57ac000000.json"
    before = file.read_text()
    fetch = ["collateral", "fetch", "--fmspc", "0d57ac000000", "--out", stock, "--pccs", weather.url,
             "--insecure-trust-root", house.client_td.root]
    weather.strike("cut", at="pckcrl")
    assert "TQ-5103" in teesql(*fetch, status=7).stderr
    assert file.read_text() == before and [file] == list(stock.iterdir())
    weather.clear()
    teesql(*fetch)
    assert json.loads(file.read_text())["source"] == weather.url


def test_flags_that_make_no_sense(house, certificate, teesql):
    for pccs in ["ftp://127.0.0.1", "http://127.0.0.1#timeout=0", "http://127.0.0.1#fragment"]:
        teesql("verify", certificate["sslcert"], *flags({"pccs": pccs}), status=2)
    teesql("verify", certificate["sslcert"], "--pccs", "none", status=2)
