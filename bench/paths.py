# SPDX-License-Identifier: Apache-2.0
"""The paths that are compared. Each is opened towards a server (Postgres or the load tool's stand-in) and
then has a door for drivers and the pids whose time and memory count."""

import os
import pwd
from pathlib import Path

from stage import BenchError, Daemon, Door, family, free_port

SESSIONS_MAX = 4096  # of every pair: enough for 2,000 idle ones
THREADS = os.cpu_count()


class Direct:
    """No proxy at all."""

    tls_port = None

    def __init__(self, name, stage, sslmode="disable"):
        self.name = name
        self.sslmode = sslmode
        self.door = None

    def open(self, server):
        self.door = Door(server.tcp().host, server.port, self.sslmode)

    def pids(self):
        return []

    def last_words(self):
        return ""

    def close(self):
        pass


class Pair:
    """Two programs: plaintext in, mutual TLS 1.3 between them, plaintext out. With unix, the driver's side and
    the server's side are Unix sockets."""

    def __init__(self, name, stage, unix=False):
        self.name = name
        self.stage = stage
        self.unix = unix
        self.daemons = []

    def open(self, server):
        self.folder = self.stage.folder(self.name)
        self.tls_port = free_port()
        self.door = Door(str(self.folder), free_port()) if self.unix else Door("127.0.0.1", free_port())
        try:
            self.start(server.unix() if self.unix else server.tcp())
        except BaseException:
            self.close()
            raise

    def daemon(self, name, argv, env=None):
        self.daemons.append(Daemon(f"{self.name}-{name}", argv, self.folder, env))
        return self.daemons[-1]

    def wait_door(self, daemon):
        if self.unix:
            daemon.wait(Path(self.door.address()).exists)
        else:
            daemon.wait_port(self.door.port)

    def pids(self):
        return [pid for d in self.daemons for pid in family(d.process.pid)]

    def last_words(self):
        return "".join(f"\n{d.name} ({d.process.poll() or 'alive'}): {d.log.read_text()[-1000:]}" for d in self.daemons)

    def client_certificate(self):
        """What opens the TLS port between the two: (chain, key)."""
        folder = self.stage.certificates.folder
        return folder / "client.crt", folder / "client.key"

    def close(self):
        for d in reversed(self.daemons):
            d.stop()
        self.daemons = []


class Nginx(Pair):
    """The stream module. Tickets and resumption are off, so that every session shakes hands in full."""

    common = """
load_module {modules}/ngx_stream_module.so;
user {user};
worker_processes {threads};
worker_rlimit_nofile 20000;
daemon off;
pid {name}.pid;
error_log {folder}/{name}.log warn;
events {{ worker_connections 10000; }}
stream {{
    proxy_timeout 1h;
    server {{
{server}
    }}
}}
"""
    server = """
        listen 127.0.0.1:{tls} ssl;
        ssl_protocols TLSv1.3;
        ssl_certificate {certs}/server.crt;
        ssl_certificate_key {certs}/server.key;
        ssl_client_certificate {certs}/ca.pem;
        ssl_verify_client on;
        ssl_verify_depth 3;
        ssl_session_tickets off;
        ssl_session_cache off;
        proxy_pass {backend};"""
    client = """
        listen {door};
        proxy_pass 127.0.0.1:{tls};
        proxy_ssl on;
        proxy_ssl_protocols TLSv1.3;
        proxy_ssl_certificate {certs}/client.crt;
        proxy_ssl_certificate_key {certs}/client.key;
        proxy_ssl_trusted_certificate {certs}/ca.pem;
        proxy_ssl_verify on;
        proxy_ssl_verify_depth 3;
        proxy_ssl_name localhost;
        proxy_ssl_session_reuse off;"""

    def start(self, backend):
        self._side("server", self.server, backend).wait_port(self.tls_port)
        self.wait_door(self._side("client", self.client, backend))

    def _side(self, name, text, backend):
        def words(door):
            return ("unix:" if door.host[0] == "/" else "") + door.address()
        body = text.format(tls=self.tls_port, certs=self.stage.certificates.folder, backend=words(backend),
                           door=words(self.door))
        conf = self.folder / f"{name}.conf"
        conf.write_text(self.common.format(
            modules=self._modules(), user=pwd.getpwuid(os.geteuid()).pw_name, threads=THREADS, name=name,
            folder=self.folder, server=body))
        return self.daemon(name, ["nginx", "-p", self.folder, "-c", conf, "-e", self.folder / f"{name}.log"])

    @staticmethod
    def _modules():
        for folder in ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules"):
            if Path(folder, "ngx_stream_module.so").exists():
                return folder
        raise BenchError("nginx has no stream module: apt-get install libnginx-mod-stream")


class Haproxy(Pair):
    """TCP mode. Tickets as HAProxy sends them by default, but the client side reuses none."""

    common = """
global
    nbthread {threads}
    maxconn {sessions}
    stats timeout 1h
defaults
    mode tcp
    maxconn {sessions}
    timeout connect 10s
    timeout client 1h
    timeout server 1h
listen pair
{listen}
"""
    server = """
    bind 127.0.0.1:{tls} ssl crt {certs}/server.pem ca-file {certs}/ca.pem verify required ssl-min-ver TLSv1.3
    server postgres {backend}
"""
    client = """
    bind {door}
    server other 127.0.0.1:{tls} ssl crt {certs}/client.pem ca-file {certs}/ca.pem verify required \
verifyhost localhost ssl-min-ver TLSv1.3 no-ssl-reuse
"""

    def start(self, backend):
        self._side("server", self.server, backend).wait_port(self.tls_port)
        self.wait_door(self._side("client", self.client, backend))

    def _side(self, name, text, backend):
        def words(door):
            return ("unix@" if door.host[0] == "/" else "") + door.address()
        body = text.format(tls=self.tls_port, certs=self.stage.certificates.folder, backend=words(backend),
                           door=words(self.door))
        conf = self.folder / f"{name}.cfg"
        conf.write_text(self.common.format(threads=THREADS, sessions=SESSIONS_MAX, listen=body))
        return self.daemon(name, ["haproxy", "-db", "-q", "-f", conf])


class Teesql(Pair):
    """The forwarder and the sidecar, both with an identity from the simulator and both appraising."""

    def __init__(self, name, stage, io, unix=False):
        super().__init__(name, stage, unix)
        self.io = io

    def start(self, backend):
        env = self.stage.simulator_env()
        sidecar = self.daemon("sidecar", [
            self.stage.bin / "teesql-sidecar", "--listen", f"127.0.0.1:{self.tls_port}", "--http", "off",
            "--backend", f"{backend.host}:{backend.port}", "--io", self.io,
            "--require-client-attestation", "yes", *self.stage.sidecar_options], env)
        sidecar.wait_line("ready")
        forwarder = self.daemon("forwarder", [
            self.stage.bin / "teesql", "connect", f"postgresql://127.0.0.1:{self.tls_port}/postgres",
            "--listen", f"127.0.0.1:{0 if self.unix else self.door.port}", "--io", self.io,
            *(["--socket-dir", self.folder] if self.unix else []), *self.stage.forwarder_options], env)
        ready = forwarder.wait_line("ready")
        if self.unix:
            self.door = Door(str(self.folder), int(ready["socket"].rpartition(".")[2]))

    def client_certificate(self):
        return self.stage.attested_client_certificate()


def all_paths(stage):
    """In the order of the tables. The peers over Unix sockets are there so that like is compared with like."""
    return [
        Direct("direct", stage),
        Direct("direct-tls", stage, "require"),
        Haproxy("haproxy", stage),
        Nginx("nginx", stage),
        Teesql("teesql-uring", stage, "uring"),
        Teesql("teesql-epoll", stage, "epoll"),
        Nginx("nginx-unix", stage, unix=True),
        Teesql("teesql-uring-unix", stage, "uring", unix=True),
        Teesql("teesql-epoll-unix", stage, "epoll", unix=True),
    ]
