# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the whole-program tests: real PostgreSQL, two simulated machines, sidecar and forwarder.

TEESQL_BIN names the folder of the programs (default build/bin). A test of one program alone asks for
`bin_path`; a test of the whole path asks for `forwarder` or `sidecar` and runs on both engines, and one that
needs its own settings asks for `house` and starts what it needs.
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

# Drivers run inside this process too: nothing of the caller's may steer them.
for name in list(os.environ):
    if name.startswith(("PG", "TEESQL_", "DSTACK_", "INTEL_", "EXPECTED_")) and name != "TEESQL_BIN":
        del os.environ[name]
os.environ["HOME"] = "/nonexistent"

import daemon  # noqa: E402
from house import House  # noqa: E402

MARKS = pytest.StashKey()
PROGRAMS = pathlib.Path(os.environ.get("TEESQL_BIN") or ROOT / "build" / "bin").resolve()


def pytest_runtest_setup(item):
    item.stash[MARKS] = {process: process.mark() for process in daemon.running}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A test that failed shows what everything that was running has logged since its beginning."""
    report = (yield).get_result()
    if report.failed:
        marks = item.stash.get(MARKS, {})
        for process in daemon.running:
            said = process.since(marks.get(process, 0))
            if said:
                report.sections.append((f"log of {process.name}", said[-4000:]))


def pytest_sessionfinish():
    """A test that failed may have left a program behind."""
    for process in daemon.running:
        process.process.kill()


@pytest.fixture(scope="session")
def bin_path():
    """bin_path("teesql") is the path of a program; the test is skipped where it was not built."""
    def find(name):
        path = PROGRAMS / name
        if not path.exists():
            pytest.skip(f"{name} was not built in {PROGRAMS}")
        return path
    return find


@pytest.fixture(scope="session")
def work():
    """A folder for this run. Others may look into it: PostgreSQL's own user has to."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="teesql-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def house(work, bin_path):
    """Postgres and two machines of one vendor: the server's and the client's."""
    with contextlib.ExitStack() as stack:
        yield House(work, bin_path, stack)


@pytest.fixture(scope="session", params=["uring", "epoll"])
def io(request, house):
    """The engine of the relay: what follows from it runs on both."""
    why = house.engine_refused(request.param)
    if why:
        pytest.skip(f"--io {request.param} does not run here: {why}")
    return request.param


@pytest.fixture(scope="session")
def sidecar(house, io):
    """The production settings: clients are attested and must be the client's machine."""
    with house.sidecar(io=io) as started:
        yield started


@pytest.fixture(scope="session")
def forwarder(house, io, sidecar):
    """The client's machine, which accepts the server's machine only."""
    with house.forwarder(sidecar, io=io) as started:
        yield started


@pytest.fixture
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("t")


@pytest.fixture(scope="session")
def libpq17():
    """A folder for PYTHONPATH with a psycopg whose libpq can do sslnegotiation=direct."""
    target = ROOT / "build-test" / "python"
    if not (target / "psycopg_binary").exists():
        done = subprocess.run(["/usr/bin/pip3", "install", "-q", "--target", target, "psycopg[binary]>=3.2"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")})
        if done.returncode != 0:
            pytest.skip("psycopg[binary] could not be installed: " + done.stderr.strip()[-200:])
    return target
