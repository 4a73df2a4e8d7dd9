# SPDX-License-Identifier: Apache-2.0
"""Samples to Markdown: median [least-most] over the rounds, and the median of the ratios of each round to the
nginx pair of the same round, which is what survives the noise of a shared machine."""

import os
import platform
import re
import statistics
import subprocess
from pathlib import Path

BASE = "nginx"

# measure, its key, title, columns (value, heading, format, with ratio)
TABLES = (
    ("select", "clients", "pgbench -S -M prepared, {} client(s)", (
        ("tps", "queries/s", "{:.0f}", True), ("p50_us", "p50 µs", "{:.0f}", False), ("p99_us", "p99 µs", "{:.0f}", False),
        ("cpu_per_10k", "proxy CPU s/10k", "{:.2f}", True), ("machine_per_10k", "machine CPU s/10k", "{:.2f}", False))),
    ("copy out", None, "COPY TO STDOUT", (
        ("mb_s", "MB/s", "{:.0f}", True), ("cpu_per_gb", "proxy CPU s/GB", "{:.2f}", True),
        ("machine_per_gb", "machine CPU s/GB", "{:.2f}", False))),
    ("copy in", None, "COPY FROM STDIN (parsed, not stored)", (
        ("mb_s", "MB/s", "{:.0f}", True), ("cpu_per_gb", "proxy CPU s/GB", "{:.2f}", True),
        ("machine_per_gb", "machine CPU s/GB", "{:.2f}", False))),
    ("sessions", "threads", "New sessions to the stand-in, {} at a time", (
        ("per_s", "sessions/s", "{:.0f}", True), ("p50_ms", "p50 ms", "{:.2f}", False), ("p99_ms", "p99 ms", "{:.2f}", False),
        ("cpu_ms", "proxy CPU ms each", "{:.2f}", True), ("errors", "errors", "{:.0f}", False))),
    ("idle", None, "Memory for each idle session, both processes together", (
        ("sessions", "sessions", "{:.0f}", False), ("base_mib", "base RSS MiB", "{:.1f}", False),
        ("rss_kib", "RSS KiB", "{:.1f}", True), ("pss_kib", "PSS KiB", "{:.1f}", False),
        ("rss_kib_after", "RSS KiB after 256 KiB", "{:.1f}", True), ("errors", "errors", "{:.0f}", False))),
    ("calls", "clients", "System calls of the proxies for one query, {} client(s)", (
        ("calls", "calls", "{:.2f}", True), ("most", "most frequent", "{}", False))),
    ("handshake", None, "Handshake with the server side (bytes on the wire)", (
        ("server_bytes", "server → client", "{}", False), ("client_bytes", "client → server", "{}", False),
        ("after_bytes", "beyond handshake and answer", "{}", False), ("ticket", "tickets", "{}", False),
        ("version", "version", "{}", False), ("cipher", "cipher", "{}", False))),
)


def _first_line(*argv):
    try:
        done = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    except OSError:
        return "absent"
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else "unknown"


def facts(args, stage):
    """The machine and the versions; no names and no addresses."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    return {
        "kernel": platform.release(), "cpu": cpu[1] if cpu else platform.machine(), "processors": os.cpu_count(),
        "memory_gib": round(int(memory[1]) / 2**20), "load_before": os.getloadavg()[0],
        "openssl": _first_line("openssl", "version"), "nginx": _first_line("nginx", "-v"),
        "haproxy": _first_line("haproxy", "-v"), "postgres": _first_line("psql", "--version"),
        "teesql": _first_line(stage.bin / "teesql", "--version") if stage.has_teesql() else "absent",
        "commit": _first_line("git", "-C", Path(__file__).parent, "describe", "--always", "--dirty"),
        "buildtype": _buildtype(args.build), "leaf_bytes": stage.certificates.size(),
        "rounds": args.rounds, "seconds": args.seconds, "copy_bytes": args.bytes,
        "io_uring_disabled": _read("/proc/sys/kernel/io_uring_disabled"),
    }


def _buildtype(build):
    done = subprocess.run(["meson", "introspect", "--buildoptions", str(build)], capture_output=True, text=True,
                          check=False) if build.exists() else None
    found = re.search(r'"name": "buildtype", "value": "(\w+)"', done.stdout) if done else None
    return found[1] if found else "unknown"


def _read(path):
    return Path(path).read_text().strip() if Path(path).exists() else "unknown"


def _cell(samples, column, base):
    value, _, form, with_ratio = column
    found = [s[value] for s in samples]
    if isinstance(found[0], str):
        return found[0]
    text = form.format(statistics.median(found))
    if len(found) > 1:
        text += f" [{form.format(min(found))}–{form.format(max(found))}]"
    pairs = [s[value] / base[s["round"]][value] for s in samples if base.get(s["round"], {}).get(value)]
    if with_ratio and pairs and any(found):
        text += f" ×{statistics.median(pairs):.2f}"
    return text


def _table(title, columns, samples):
    names = list(dict.fromkeys(s["path"] for s in samples))
    base = {s["round"]: s for s in samples if s["path"] == BASE}
    lines = [f"### {title}", "", "| path | " + " | ".join(c[1] for c in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name in names:
        own = [s for s in samples if s["path"] == name]
        lines.append(f"| {name} | " + " | ".join(_cell(own, c, base) for c in columns) + " |")
    return "\n".join(lines) + "\n"


def markdown(machine, samples):
    parts = ["## Benchmark", "", "Median [least–most] of the rounds; × is the median of the ratios to the "
             f"`{BASE}` pair of the same round.", "", *[f"- {k}: {v}" for k, v in machine.items()], ""]
    for measure, key, title, columns in TABLES:
        found = [s for s in samples if s["measure"] == measure]
        for value in dict.fromkeys(s.get(key) for s in found):
            parts.append(_table(title.format(value), columns, [s for s in found if s.get(key) == value]))
    return "\n".join(parts)
