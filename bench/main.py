# SPDX-License-Identifier: Apache-2.0
"""The run: opens every path, measures them in turn, round after round, and prints the tables."""

import argparse
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import measures
import report
from paths import Direct, Pair, Teesql, all_paths
from stage import BenchError, Certificates, Daemon, Postgres, StandIn, run

HERE = Path(__file__).resolve().parent
MEASURES = ("select", "copy", "sessions", "idle", "calls", "handshake")


def arguments():
    p = argparse.ArgumentParser(prog="bench/run", description=__doc__)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=int, default=3, help="of each pgbench and session run")
    p.add_argument("--bytes", type=int, default=1_000_000_000, help="of each COPY")
    p.add_argument("--idle-sessions", type=int, default=2000)
    p.add_argument("--scale", type=int, default=10, help="of pgbench's tables")
    p.add_argument("--quick", action="store_true", help="one round of 1 s, 1e8 bytes, 200 sessions: a smoke run")
    p.add_argument("--paths", help="only these, by comma (nginx is the base of the ratios)")
    p.add_argument("--measures", default=",".join(MEASURES), help="only these, by comma: %(default)s")
    p.add_argument("--clients", default="1,8,32", help="of pgbench, by comma")
    p.add_argument("--build", type=Path, default=HERE.parent / "build", help="build folder (default: build)")
    p.add_argument("--bin", type=Path, default=os.environ.get("TEESQL_BIN"), help="folder of the programs")
    p.add_argument("--out", type=Path, help="the JSON file of all samples (default: in the temporary folder)")
    p.add_argument("--sidecar-options", default="", help="more options, in one word list")
    p.add_argument("--forwarder-options", default="", help="more options, in one word list")
    a = p.parse_args()
    if a.quick:
        a.rounds, a.seconds, a.bytes, a.idle_sessions, a.scale = 1, 1, 100_000_000, 200, 1
    a.clients = [int(c) for c in a.clients.split(",")]
    a.measures = a.measures.split(",")
    a.bin = a.bin or a.build / "bin"
    if set(a.measures) - set(MEASURES):
        p.error(f"measures are {', '.join(MEASURES)}")
    return a


class Stage:
    """What the paths share: folders, certificates, the simulator."""

    def __init__(self, root, args):
        self.root = root
        self.bin = args.bin.resolve()
        self.sidecar_options = args.sidecar_options.split()
        self.forwarder_options = args.forwarder_options.split()
        self.certificates = Certificates(self.folder("certificates"))
        self.simulator = None

    def folder(self, name):
        folder = self.root / name
        folder.mkdir(exist_ok=True)
        return folder

    def has_teesql(self):
        return all((self.bin / p).exists() for p in ("teesql", "teesql-sidecar", "teesql-simulator"))

    def simulator_env(self):
        """The environment in which our programs trust the simulator, which is started at first use."""
        if self.simulator is None:
            folder = self.folder("simulator")
            self.simulator = Daemon("simulator", [self.bin / "teesql-simulator", "--dir", folder / "state"], folder)
        ready = {"TEESQL_PCCS", "TEESQL_INSECURE_TRUST_ROOT", "DSTACK_SIMULATOR_ENDPOINT"}

        def announced():
            lines = [line.removeprefix("export ").split("=", 1) for line in self.simulator.log.read_text().splitlines()
                     if "=" in line]
            found = {line[0]: line[1].strip("'\"") for line in lines if line[0] in ready}
            return found if set(found) == ready else None
        return {**os.environ, "TEESQL_CACHE_DIR": "off", **self.simulator.wait(announced)}

    def attested_client_certificate(self):
        folder = self.folder("client-cert")
        if not (folder / "client-cert.pem").exists():
            run([self.bin / "teesql", "client-cert", "--out", folder], env=self.simulator_env())
        return folder / "client-cert.pem", folder / "client-key.pem"

    def close(self):
        if self.simulator:
            self.simulator.stop()


def chosen(stage, args):
    paths = all_paths(stage)
    if args.paths:
        names = args.paths.split(",")
        unknown = set(names) - {p.name for p in paths}
        if unknown:
            raise BenchError(f"no path {', '.join(unknown)}; there are {', '.join(p.name for p in paths)}")
        paths = [p for p in paths if p.name in names]
    if not stage.has_teesql():
        say(f"no teesql, teesql-sidecar and teesql-simulator in {stage.bin}: measuring the peers alone")
        paths = [p for p in paths if not isinstance(p, Teesql)]
    return paths


class Run:
    """The samples of one run."""

    def __init__(self, args, stage, load):
        self.args = args
        self.stage = stage
        self.load = load
        self.samples = []

    def take(self, measure, path, number, function, **key):
        began = time.monotonic()
        try:
            sample = {"measure": measure, "path": path.name, "round": number, **key, **function()}
        except BenchError as e:
            raise BenchError(f"{measure} through {path.name}: {e}{path.last_words()}") from e
        self.samples.append(sample)
        figures = " ".join(f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in sample.items())
        say(f"{figures} ({time.monotonic() - began:.1f} s)")

    def rounds(self, paths, steps):
        """steps(path, number) once a round for each path; each round begins with another path."""
        for number in range(self.args.rounds):
            for path in paths[number % len(paths):] + paths[:number % len(paths)]:
                steps(path, number)

    def with_postgres(self, paths):
        wanted = set(self.args.measures) & {"select", "copy", "calls"}
        if not wanted:
            return
        postgres = Postgres(self.stage.root, self.stage.certificates, self.args.scale)
        scratch = self.stage.folder("scratch")
        try:
            for path in paths:
                path.open(postgres)
            if "select" in wanted:
                for clients in self.args.clients:
                    self.rounds(paths, lambda path, n, c=clients: self.take(
                        "select", path, n, lambda: measures.select(path, scratch, c, self.args.seconds), clients=c))
            if "copy" in wanted:
                self.copies(paths, scratch)
            if "calls" in wanted:
                for clients in self.args.clients:
                    for path in (p for p in paths if p.pids()):
                        self.take("calls", path, 0, lambda p=path, c=clients: measures.system_calls(
                            p, scratch, c, max(100, 1000 // c)), clients=clients)
        finally:
            for path in paths:
                path.close()
            postgres.stop()

    def copies(self, paths, scratch):
        rows = measures.rows_file(scratch, self.args.bytes)
        self.rounds(paths, lambda path, n: self.take(
            "copy out", path, n, lambda: measures.copy_out(path, self.args.bytes)))
        self.rounds(paths, lambda path, n: self.take("copy in", path, n, lambda: measures.copy_in(path, rows)))
        rows.unlink()

    def with_stand_in(self, paths):
        """No Postgres, and so no path with Postgres's own TLS."""
        paths = [p for p in paths if isinstance(p, Pair) or p.sslmode == "disable"]
        pairs = [p for p in paths if isinstance(p, Pair)]
        stand_in = StandIn(self.stage.folder("stand-in"), self.load)
        try:
            if "idle" in self.args.measures:
                for path in pairs:
                    with opened([path], stand_in):
                        self.take("idle", path, 0, lambda p=path: measures.idle(p, self.load, self.args.idle_sessions))
            with opened(paths, stand_in):
                if "handshake" in self.args.measures:
                    for path in pairs:
                        self.take("handshake", path, 0, lambda p=path: measures.handshake(p))
                if "sessions" in self.args.measures:
                    for threads in (1, 8):
                        self.rounds(paths, lambda path, n, t=threads: self.take(
                            "sessions", path, n,
                            lambda: measures.sessions(path, self.load, t, self.args.seconds), threads=t))
        finally:
            stand_in.stop()


class opened:
    """Paths that are open for as long as the block runs."""

    def __init__(self, paths, server):
        self.paths, self.server = paths, server

    def __enter__(self):
        try:
            for path in self.paths:
                path.open(self.server)
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        for path in self.paths:
            path.close()


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def load_tool(build, root):
    """The build's, or without a build one of our own."""
    built = build / "bench" / "load"
    if built.exists():
        return built.resolve()
    run(["cc", "-D_GNU_SOURCE", "-O2", "-pthread", "-o", root / "load", HERE / "load.c"])
    return root / "load"


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    root = Path(tempfile.mkdtemp(prefix="teesql-bench-"))
    root.chmod(0o755)
    out = args.out or Path(tempfile.gettempdir(), root.name + ".json")
    stage = None
    try:
        stage = Stage(root, args)
        paths = chosen(stage, args)
        facts = report.facts(args, stage)
        this = Run(args, stage, load_tool(args.build, root))
        this.with_stand_in(paths)
        this.with_postgres(paths)
        facts["load_after"] = os.getloadavg()[0]
        out.write_text(json.dumps({"facts": facts, "samples": this.samples}, indent=1))
        print(report.markdown(facts, this.samples))
        say(f"samples: {out}")
        return 0
    except (BenchError, subprocess.SubprocessError, OSError) as e:
        say(str(e))
        return 1
    finally:
        if stage:
            stage.close()
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
