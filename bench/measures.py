# SPDX-License-Identifier: Apache-2.0
"""What is measured: each function drives one path and returns a flat dictionary of numbers."""

import json
import re
import signal
import ssl
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from stage import BenchError, Daemon, cpu_seconds, machine_seconds, memory_kib, run

GB = 1e9
ROW_BYTES = 1000
ECHO_KIB = 256  # through each idle session before its memory is read again
STARTUP = b"\0\0\0\x23\0\3\0\0user\0bench\0database\0bench\0\0"  # as load.c


@contextmanager
def meter(path):
    """Fills the yielded dictionary with seconds of wall time, of the path's processes and of the machine."""
    spent = {}
    pids = path.pids()
    before = (time.monotonic(), cpu_seconds(pids), *machine_seconds())
    yield spent
    after = (time.monotonic(), cpu_seconds(pids), *machine_seconds())
    spent.update(zip(("wall", "cpu", "machine", "stolen"), (b - a for a, b in zip(before, after))))


def select(path, folder, clients, seconds):
    """pgbench -S, prepared: queries per second, latency, processor time for 10,000 queries."""
    for old in folder.glob("pgbench_log.*"):
        old.unlink()
    with meter(path) as spent:
        out = run(["pgbench", "-n", "-S", "-M", "prepared", "-c", clients, "-j", min(clients, 2), "-T", seconds, "-l"],
                  cwd=folder, env=path.door.env())
    queries = int(re.search(r"actually processed: (\d+)", out)[1])
    if queries == 0:
        raise BenchError(f"no query was answered within {seconds} s")
    micros = sorted(int(line.split()[2]) for log in folder.glob("pgbench_log.*") for line in open(log))
    return {
        "tps": float(re.search(r"tps = ([\d.]+)", out)[1]),
        "p50_us": micros[len(micros) // 2], "p99_us": micros[len(micros) * 99 // 100],
        "cpu_per_10k": spent["cpu"] / queries * 1e4, "machine_per_10k": spent["machine"] / queries * 1e4,
        "stolen": spent["stolen"],
    }


def copy_out(path, size):
    rows = size // ROW_BYTES
    query = f"COPY (SELECT '{'x' * (ROW_BYTES - 1)}'::text FROM (SELECT generate_series(1, {rows})) s) TO STDOUT"
    with meter(path) as spent:
        run(["psql", "-qc", query], env=path.door.env(), stdout=subprocess.DEVNULL)
    return _copied(spent, rows * ROW_BYTES)


def copy_in(path, rows_file):
    """The rows are received and parsed, and thrown away: the disk is not measured."""
    with open(rows_file, "rb") as rows, meter(path) as spent:
        run(["psql", "-qc", "COPY sink FROM STDIN WHERE false"], env=path.door.env(), stdin=rows)
    return _copied(spent, rows_file.stat().st_size)


def _copied(spent, size):
    return {"mb_s": size / 1e6 / spent["wall"], "cpu_per_gb": spent["cpu"] / size * GB,
            "machine_per_gb": spent["machine"] / size * GB, "stolen": spent["stolen"]}


def sessions(path, load, threads, seconds):
    """New sessions per second with the stand-in: connect, start up, 64 bytes there and back, end."""
    with meter(path) as spent:
        out = json.loads(run([load, "rate", path.door.address(), threads, seconds, 4000]))
    if out["sessions"] == 0:
        raise BenchError(f"no session reached the stand-in through {path.name}")
    return {"per_s": out["sessions"] / out["seconds"], "p50_ms": out["p50_ms"], "p99_ms": out["p99_ms"],
            "errors": out["errors"], "cpu_ms": spent["cpu"] / out["sessions"] * 1e3, "stolen": spent["stolen"]}


def idle(path, load, count):
    """Memory of the path's processes for each session that is open and silent, on a freshly opened path: after
    64 bytes each, and again after 256 KiB each."""
    run([load, "rate", path.door.address(), 1, 1, 2])
    rss, pss = memory_kib(path.pids())
    with subprocess.Popen([load, "hold", path.door.address(), str(count)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as holder:
        alive = int(holder.stdout.readline() or 0)
        if alive == 0:
            raise BenchError(f"no session reached the stand-in through {path.name}")
        rss1, pss1 = memory_kib(path.pids())
        print(ECHO_KIB, file=holder.stdin, flush=True)
        echoed = int(holder.stdout.readline() or 0)
        rss2, pss2 = memory_kib(path.pids())
        holder.stdin.close()
    return {"sessions": alive, "errors": count - echoed, "base_mib": rss / 1024,
            "rss_kib": (rss1 - rss) / alive, "pss_kib": (pss1 - pss) / alive,
            "rss_kib_after": (rss2 - rss) / alive, "pss_kib_after": (pss2 - pss) / alive}


def system_calls(path, folder, clients, transactions):
    """System calls of the path's processes for one query: the difference of two runs, so that opening the
    sessions does not count. An io_uring_enter counts once, whatever it submits and reaps."""
    few = _traced(path, folder, clients, transactions)
    many = _traced(path, folder, clients, 3 * transactions)
    queries = 2 * transactions * clients
    each = {name: (many[name] - few.get(name, 0)) / queries for name in many}
    total = each.pop("total")
    top = sorted((n for n in each if each[n] >= 0.005), key=each.get, reverse=True)[:5]
    return {"calls": total, "most": ", ".join(f"{n} {each[n]:.2f}" for n in top)}


def _traced(path, folder, clients, transactions):
    table = folder / "strace.txt"
    pids = path.pids()
    strace = Daemon("strace", ["strace", "-f", "-c", "-o", table, *[w for p in pids for w in ("-p", p)]], folder)
    try:
        strace.wait(lambda: strace.log.read_text().count(" attached") >= len(pids))
        run(["pgbench", "-n", "-S", "-M", "prepared", "-c", clients, "-j", min(clients, 2), "-t", transactions],
            env=path.door.env())
    finally:
        strace.stop(signal.SIGINT)
        strace.log.unlink()
    counts = {}
    for line in table.read_text().splitlines():
        fields = line.split()
        if len(fields) >= 5 and fields[3].isdigit():
            counts[fields[-1]] = int(fields[3])
    return counts


def handshake(path):
    """One handshake with the server side of a pair, by Python's own TLS: its bytes on the wire, and what the
    server sent beyond its handshake and its answer to a StartupMessage, which is where tickets are."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(*path.client_certificate())
    wire = Wire(path.tls_port, context)
    wire.drive(wire.tls.do_handshake)
    flight, sent = wire.received, wire.sent
    wire.tls.write(STARTUP)
    answer = wire.drive(lambda: wire.tls.read(4096))
    record = len(answer) + 5 + 1 + 16  # RFC 8446, section 5.2: header, content type, tag
    ticket = wire.tls.session is not None and wire.tls.session.has_ticket
    wire.socket.close()
    return {"server_bytes": flight, "client_bytes": sent, "after_bytes": wire.received - flight - record,
            "ticket": int(ticket), "version": wire.tls.version(), "cipher": wire.tls.cipher()[0]}


class Wire:
    """TLS over memory and a socket, so that bytes can be counted."""

    def __init__(self, port, context):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.received = self.sent = 0

    def drive(self, step):
        while True:
            try:
                result = step()
                self._flush()
                return result
            except ssl.SSLWantReadError:
                self._flush()
                got = self.socket.recv(65536)
                if not got:
                    raise BenchError("the server side closed during the handshake") from None
                self.received += len(got)
                self.incoming.write(got)

    def _flush(self):
        out = self.outgoing.read()
        self.socket.sendall(out)
        self.sent += len(out)


def rows_file(folder, size):
    """Input of copy_in: rows of 1,000 bytes."""
    path = Path(folder, "rows")
    block = (b"x" * (ROW_BYTES - 1) + b"\n") * 1000
    with open(path, "wb") as f:
        for _ in range(size // len(block)):
            f.write(block)
        f.write(block[:size % len(block) // ROW_BYTES * ROW_BYTES])
    return path
