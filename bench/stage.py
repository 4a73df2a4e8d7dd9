# SPDX-License-Identifier: Apache-2.0
"""What every path of the benchmark stands on: processes that end by their own pid, what /proc says about
them, certificates of the attested size, and a private Postgres."""

import os
import pwd
import secrets
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 30
PADDING_BYTES = 8200  # makes the leaf 8.6 kB, what a leaf with a quote and an event log has
PADDING_OID = "1.3.6.1.4.1.62397.99.1"


class BenchError(Exception):
    """The run cannot go on; the sentence says why."""


@dataclass(frozen=True)
class Door:
    """Where a driver connects: host is an address, or the folder of a Unix socket."""

    host: str
    port: int
    sslmode: str = "disable"

    def env(self):
        return {**os.environ, "PGHOST": self.host, "PGPORT": str(self.port), "PGSSLMODE": self.sslmode,
                "PGUSER": "postgres", "PGDATABASE": "postgres", "PGGSSENCMODE": "disable"}

    def address(self):
        """In the words of nginx, HAProxy (after a prefix) and the load tool."""
        return f"{self.host}/.s.PGSQL.{self.port}" if self.host[0] == "/" else f"{self.host}:{self.port}"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def as_user(user):
    """Arguments of subprocess that give up root: Postgres refuses to run as root."""
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}


class Daemon:
    """A process that runs until stop(); its output is the file log."""

    def __init__(self, name, argv, folder, env=None, user=None):
        self.name = name
        self.log = folder / f"{name}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, cwd=folder,
                **as_user(user))

    def wait(self, ready):
        """Until ready() returns something true, which is returned."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            answer = ready()
            if answer:
                return answer
            time.sleep(0.02)
        raise BenchError(f"{self.name} did not start:\n{self.log.read_text()[-2000:]}")

    def wait_port(self, port):
        def connects():
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", port)) == 0
        return self.wait(connects)

    def wait_line(self, word):
        """The rest of the first line of the log that begins with word, as a dictionary of its key=value."""
        def found():
            for line in self.log.read_text(errors="replace").splitlines():
                if line == word or line.startswith(word + " "):
                    return dict([("line", line)] + [p.split("=", 1) for p in line.split() if "=" in p])
            return None
        return self.wait(found)

    def stop(self, sign=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(sign)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            for pid in family(self.process.pid):
                os.kill(pid, signal.SIGKILL)
            self.process.wait()


def family(pid):
    """pid and its descendants."""
    pids = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*"):
        for child in (task / "children").read_text().split():
            pids += family(int(child))
    return pids


def cpu_seconds(pids):
    """User and system time of all threads, proc(5): fields 14 and 15 of stat."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def machine_seconds():
    """Busy time of all processors, and time stolen by the hypervisor."""
    fields = [int(f) for f in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    hz = os.sysconf("SC_CLK_TCK")
    return (sum(fields[:8]) - fields[3] - fields[4]) / hz, fields[7] / hz


def memory_kib(pids):
    """Resident and proportional set size."""
    rss = pss = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            key, _, value = line.partition(":")
            rss += int(value.split()[0]) if key == "Rss" else 0
            pss += int(value.split()[0]) if key == "Pss" else 0
    return rss, pss


def run(argv, **more):
    """A program that must succeed; its standard output."""
    done = subprocess.run([str(a) for a in argv], stdin=more.pop("stdin", subprocess.DEVNULL),
                          stdout=more.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE, text=True, check=False, **more)
    if done.returncode != 0:
        raise BenchError(f"{argv[0]} failed ({done.returncode}): {done.stderr.strip()[-1500:]}")
    return done.stdout


class Certificates:
    """What a confidential VM presents, as to shape: a P-256 leaf padded to the attested size, its issuer and the
    root, all three sent. ca.pem is the root; server.crt and client.crt are chains, leaf first; *.key are the keys;
    server.pem and client.pem have the chain, then the key, as HAProxy wants them."""

    def __init__(self, folder):
        self.folder = folder
        self._key("ca")
        self._openssl("req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=bench root", "-days", "30",
                      "-addext", "basicConstraints=critical,CA:TRUE", "-out", "ca.pem")
        self._issue("issuer", "ca", "ca.pem", "basicConstraints=critical,CA:TRUE,pathlen:0\n")
        for name in ("server", "client"):
            self._issue(name, "issuer", "issuer.crt", "subjectAltName=DNS:localhost,IP:127.0.0.1\n"
                        "extendedKeyUsage=serverAuth,clientAuth\n"
                        f"{PADDING_OID}=ASN1:FORMAT:HEX,OCTETSTRING:{secrets.token_hex(PADDING_BYTES)}\n")
            self._join(f"{name}.crt", f"{name}.crt", "issuer.crt", "ca.pem")
            self._join(f"{name}.pem", f"{name}.crt", f"{name}.key")

    def _openssl(self, *argv):
        return run(["openssl", *argv], cwd=self.folder)

    def _key(self, name):
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key")

    def _issue(self, name, issuer, issuer_file, extensions):
        self._key(name)
        (self.folder / f"{name}.ext").write_text(extensions)
        self._openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN=bench {name}", "-out", f"{name}.csr")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", issuer_file, "-CAkey", f"{issuer}.key",
                      "-CAcreateserial", "-days", "30", "-extfile", f"{name}.ext", "-out", f"{name}.crt")

    def _join(self, to, *names):
        (self.folder / to).write_text("".join((self.folder / n).read_text() for n in names))

    def size(self):
        return len(subprocess.check_output(["openssl", "x509", "-in", self.folder / "server.crt", "-outform", "DER"]))


class Postgres:
    """A private cluster on loopback and on a Unix socket, with pgbench's tables."""

    def __init__(self, folder, certificates, scale):
        self.folder = folder / "pg"
        self.folder.mkdir()
        self.user = "postgres" if os.geteuid() == 0 else None
        self.programs = self._programs()
        for name in ("server.crt", "server.key"):
            (self.folder / name).write_bytes((certificates.folder / name).read_bytes())
            (self.folder / name).chmod(0o600)
            self._give(self.folder / name)
        self._give(self.folder)
        run([self.programs / "initdb", "-D", self.folder / "data", "-U", "postgres", "-A", "trust", "-N"],
            cwd=self.folder, **as_user(self.user))
        self.port = free_port()
        self.daemon = Daemon("postgres", self._argv(), self.folder, user=self.user)
        try:
            self.daemon.wait(lambda: subprocess.run(
                ["pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False).returncode == 0)
            run(["pgbench", "-q", "-i", "-s", str(scale), "--unlogged-tables"], env=self.unix().env())
            run(["psql", "-qc", "CREATE UNLOGGED TABLE sink (line text)", "-c", "VACUUM ANALYZE"], env=self.unix().env())
        except BaseException:
            self.stop()
            raise

    @staticmethod
    def _programs():
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        return found[-1].parent if found else Path(run(["pg_config", "--bindir"]).strip())

    def _give(self, path):
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(path, entry.pw_uid, entry.pw_gid)

    def _argv(self):
        settings = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder,
            "ssl": "on", "ssl_cert_file": self.folder / "server.crt", "ssl_key_file": self.folder / "server.key",
            "shared_buffers": "256MB", "fsync": "off", "autovacuum": "off", "jit": "off", "max_connections": 100,
            "logging_collector": "off",
        }
        return [self.programs / "postgres", "-D", self.folder / "data",
                *[word for key, value in settings.items() for word in ("-c", f"{key}={value}")]]

    def tcp(self, sslmode="disable"):
        return Door("127.0.0.1", self.port, sslmode)

    def unix(self):
        return Door(str(self.folder), self.port)

    def stop(self):
        self.daemon.stop(signal.SIGINT)


class StandIn:
    """The load tool's server, which answers a StartupMessage and echoes."""

    def __init__(self, folder, load):
        self.folder = folder
        self.port = free_port()
        self.unix_path = Path(self.unix().address())
        self.daemon = Daemon("stand-in", [load, "backend", self.tcp().address(), self.unix_path], folder)
        self.daemon.wait_line("ready")
        self.unix_path.chmod(0o777)

    def tcp(self):
        return Door("127.0.0.1", self.port)

    def unix(self):
        return Door(str(self.folder), self.port)

    def stop(self):
        self.daemon.stop()
