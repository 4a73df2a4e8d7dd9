# SPDX-License-Identifier: Apache-2.0
"""A private PostgreSQL cluster on a Unix socket and a free loopback port."""

import os
import pathlib
import pwd
import itertools
import re
import shutil
import signal
import socket

from daemon import Daemon, run

BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
APP_PASSWORD = "correct-horse-battery-staple-7261"

HBA = """\
local all postgres trust
host all guest 127.0.0.1/32 trust
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
"""

CONFIG = """\
listen_addresses = '127.0.0.1'
unix_socket_directories = '{folder}'
max_connections = 300
shared_buffers = 32MB
fsync = off
wal_level = replica
logging_collector = off
log_connections = on
log_disconnections = on
log_line_prefix = '%p '
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Cluster:
    """Superuser `postgres` over the Unix socket without a password; role `app` has APP_PASSWORD; role `guest`,
    for sessions that are spoken by hand, needs none."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(mode=0o755)
        self._as_owner = []
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            self._as_owner = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}",
                              "--clear-groups"]
        data = folder / "data"
        run([*self._as_owner, BIN / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
             "--locale=C.UTF-8", "--no-sync"])
        (data / "pg_hba.conf").write_text(HBA)
        with open(data / "postgresql.conf", "a") as config:
            config.write(CONFIG.format(folder=folder))
        self._names = itertools.count()
        # Another process may take the free port first: then the next one is tried.
        for attempt in range(5):
            self.port = free_port()
            try:
                self.server = Daemon("postgres", [*self._as_owner, BIN / "postgres", "-D", data, "-p",
                                                  self.port],
                                     ready="database system is ready to accept connections")
                break
            except AssertionError:
                if attempt == 4:
                    raise
        self.sql(f"create role app login password '{APP_PASSWORD}'")
        self.sql("create role guest login")
        self.sql("create database app owner app")
        self.sql("grant pg_signal_backend to app")

    def sql(self, text, database="postgres"):
        """What the superuser sees, past everything that is under test."""
        return run([BIN / "psql", "-XqtA", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", self.port, "-U",
                    "postgres", "-d", database, "-c", text]).stdout.strip()

    def untouched_since(self, mark):
        """Has nobody connected by TCP, which is where the sidecar comes from, since a mark of the log?"""
        name = f"last-word-{next(self._names)}"  # comes by the Unix socket and is logged behind whoever came before
        self.sql("select 1", f"dbname=postgres application_name={name}")
        self.server.wait_for(f"connection authorized: .*application_name={name}", after=mark)
        seen = re.findall(r"connection received: host=(\S+)", self.server.since(mark))
        return set(seen) == {"[local]"}

    def close(self):
        self.server.stop(signal.SIGINT)
        shutil.rmtree(self.folder)
