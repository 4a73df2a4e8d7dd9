# SPDX-License-Identifier: Apache-2.0
"""The parts of the whole path, with the settings that production would have, ready to be varied.

An option is a keyword: listen="127.0.0.1:0" is --listen=127.0.0.1:0, a list repeats it, None leaves it out.
"""

import contextlib
import json
import re

from cluster import APP_PASSWORD, BIN, Cluster
from daemon import Daemon, run

SEED = "7c" * 32
SERVER_MRTD = "a1" * 48
CLIENT_MRTD = "c2" * 48


def flags(options):
    for name, value in options.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                yield f"--{name.replace('_', '-')}={one}"


class Td:
    """A simulated confidential machine: its guest agent, its vendor's root and collateral."""

    def __init__(self, house, name, seed=SEED, **options):
        self.folder = house.work / name
        self.folder.mkdir()
        self.daemon = Daemon(f"simulator {name}", [house.bin_path("teesql-simulator"), *flags(
            {"dir": self.folder, "seed": seed, "instance": name} | options)])
        self.daemon.wait_for("TEESQL_INSECURE_TRUST_ROOT=", stdout=True)
        said = dict(re.findall(r"^(?:export )?(\w+)=(\S+)$", self.daemon.stdout, re.M))
        self.environment = said
        self.agent = said["DSTACK_SIMULATOR_ENDPOINT"]
        self.pccs = said["TEESQL_PCCS"]
        self.root = said["TEESQL_INSECURE_TRUST_ROOT"]
        self.kms_root = self.folder / "kms-root.pem"


class Forwarder:
    def __init__(self, daemon):
        self.daemon = daemon
        self.port = daemon.port()
        self.socket = daemon.ready.get("socket")

    def dsn(self, host="127.0.0.1", **more):
        """A libpq connection string to it; host may be its socket's folder."""
        settings = {"host": host, "port": self.port, "user": "app", "password": APP_PASSWORD,
                    "dbname": "app", "sslmode": "disable", "connect_timeout": 30} | more
        return " ".join(f"{k}='{v}'" for k, v in settings.items() if v is not None)

    def socket_dsn(self, **more):
        folder, _, name = self.socket.rpartition("/")
        return self.dsn(host=folder, port=name.rpartition(".")[2], **more)


class House:
    def __init__(self, work, bin_path, stack):
        self.work, self.bin_path, self._stack, self._count = work, bin_path, stack, 0
        for program in ("teesql", "teesql-sidecar", "teesql-simulator"):
            bin_path(program)
        self.cluster = Cluster(work / "pg")
        stack.callback(self.cluster.close)
        self.server_td = self.td("server", mrtd=SERVER_MRTD)
        self.client_td = self.td("client", mrtd=CLIENT_MRTD)
        self.server_policy = self.policy("server", mrtd=[SERVER_MRTD])
        self.client_policy = self.policy("client", mrtd=[CLIENT_MRTD])
        self.other_policy = self.policy("other", mrtd=["ee" * 48])

    def td(self, name, **options):
        """A machine that stays until the end of the run."""
        td = Td(self, name, **options)
        self._stack.callback(td.daemon.stop)
        return td

    def policy(self, name, **members):
        path = self.work / f"{name}.policy"
        path.write_text(json.dumps({"schema": "teesql.policy/1", "name": name} | members))
        return path

    def _number(self):
        self._count += 1
        return self._count

    def sidecar_options(self, **options):
        td = options.pop("td", self.server_td)
        return {"listen": "127.0.0.1:0", "backend": f"127.0.0.1:{self.cluster.port}",
                "agent": td.agent, "server_name": "localhost", "require_client_attestation": "yes",
                "policy": self.client_policy, "pccs": td.pccs,
                "insecure_trust_root": self.server_td.root} | options

    @contextlib.contextmanager
    def sidecar(self, env=None, **options):
        """A sidecar on the server's machine, until the end of the block."""
        argv = [self.bin_path("teesql-sidecar"), *flags(self.sidecar_options(**options))]
        daemon = Daemon(f"sidecar {self._number()}", argv, env)
        try:
            yield daemon
            daemon.stop()
        finally:
            daemon.kill()

    def appraisal_options(self, **options):
        """How the client's machine appraises a server."""
        td = options.pop("td", self.client_td)
        return {"policy": self.server_policy, "pccs": td.pccs, "agent": td.agent,
                "insecure_trust_root": self.server_td.root} | options

    def forwarder_argv(self, upstream, **options):
        folder = self.work / f"f{self._number()}"
        folder.mkdir(exist_ok=True)
        port = upstream if isinstance(upstream, int) else upstream.port()
        return [self.bin_path("teesql"), "connect", f"localhost:{port}",
                *flags({"listen": "127.0.0.1:0", "socket_dir": folder}
                       | self.appraisal_options(**options))]

    @contextlib.contextmanager
    def forwarder(self, upstream, **options):
        """`teesql connect` on the client's machine, until the end of the block."""
        daemon = Daemon(f"forwarder {self._number()}", self.forwarder_argv(upstream, **options))
        try:
            yield Forwarder(daemon)
            daemon.stop()
        finally:
            daemon.kill()

    def engine_refused(self, io):
        """Why this machine cannot run this engine, or None."""
        argv = [self.bin_path("teesql-sidecar"), *flags(self.sidecar_options(io=io))]
        try:
            Daemon(f"sidecar --io {io}", argv).stop()
        except AssertionError as error:
            if io == "uring" and "io_uring" in str(error):
                return str(error).splitlines()[-1]
            raise
        return None

    def client_files(self, folder, td=None):
        """Certificate, key and roots for libpq, from `teesql client-cert` on a machine."""
        run([self.bin_path("teesql"), "client-cert", "--out", folder, "--agent",
             (td or self.client_td).agent])
        return {"sslcert": folder / "client-cert.pem", "sslkey": folder / "client-key.pem",
                "sslrootcert": folder / "ra-tls-ca.pem"}

    def verify(self, target, *options, status=None, **appraisal):
        """`teesql verify --json` as its object; status is the exit code that it must have."""
        done = run([self.bin_path("teesql"), "verify", target, "--json", *options,
                    *flags(self.appraisal_options(**appraisal))], status=status)
        return json.loads(done.stdout)


def psql(dsn, *statements, status=0, env=None):
    """psql -c for each statement; its standard output, or the whole result if it is to fail."""
    done = run([BIN / "psql", "-XqtA", "-v", "ON_ERROR_STOP=1", dsn,
                *(arg for s in statements for arg in ("-c", s))], env, status=status)
    return done.stdout.strip() if status == 0 else done


def direct_dsn(sidecar, files, **more):
    """libpq straight to the sidecar, as behaviour row 2 has it."""
    settings = {"host": "localhost", "hostaddr": "127.0.0.1", "port": sidecar.port(), "user": "app",
                "password": APP_PASSWORD, "dbname": "app", "sslmode": "verify-full", "connect_timeout": 30,
                "gssencmode": "disable"} | files | more
    return " ".join(f"{k}='{v}'" for k, v in settings.items() if v is not None)
