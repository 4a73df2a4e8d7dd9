# SPDX-License-Identifier: Apache-2.0
"""Programs that run beside a test: started, waited for by what they say, stopped by their own pid."""

import fcntl
import os
import re
import signal
import subprocess
import termios
import threading
import time

PATIENCE = 60  # seconds until a wait gives up; no test passes or fails by being faster than that

# What a program inherits: nothing that could steer it or a driver.
CLEAN = {k: v for k, v in os.environ.items()
         if k in ("LANG", "LC_ALL", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS",
                  "LSAN_OPTIONS")} | {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent",
                              "TEESQL_CACHE_DIR": "off"}

SANITIZER = re.compile(r"(ERROR|WARNING): \w+Sanitizer|runtime error:")

running = []  # every daemon alive, for the report of a test that failed


def as_from_a_terminal(terminal=None, ignored=()):
    """Who runs us in the background ignores the keys of the terminal, and no shell can trap what is ignored.
    With a terminal, it is that which the process leads."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    if terminal is not None:
        os.setsid()
        fcntl.ioctl(terminal.line, termios.TIOCSCTTY, 0)


class Terminal:
    """What somebody types on; without him it is hung up."""

    def __init__(self):
        self._keys, self.line = os.openpty()

    def type(self, keys):
        os.write(self._keys, keys)

    def hang_up(self):
        os.close(self._keys)
        self._keys = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for fd in (self._keys, self.line):
            if fd is not None:
                os.close(fd)


class Daemon:
    """A process whose standard error is read to its end; `ready` has the pairs of its ready line."""

    def __init__(self, name, argv, env=None, ready=r"^ready\b", pass_fds=(), terminal=None, ignored=()):
        self.name, self.ready, self.status = name, {}, None
        self._lines, self._stdout, self._open = [], [], 2
        self._changed = threading.Condition()
        self.process = subprocess.Popen([str(a) for a in argv], env=CLEAN | (env or {}),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, errors="replace",
                                        pass_fds=pass_fds, preexec_fn=lambda: as_from_a_terminal(terminal, ignored))
        self._readers = [threading.Thread(target=self._read, args=pair, daemon=True) for pair in
                         ((self.process.stderr, self._lines), (self.process.stdout, self._stdout))]
        for reader in self._readers:
            reader.start()
        running.append(self)
        if ready:
            try:
                line = self.wait_for(ready)
            except AssertionError:
                self.kill()
                raise
            self.ready = dict(pair.split("=", 1) for pair in line.split() if "=" in pair)

    def _read(self, stream, lines):
        for line in stream:
            with self._changed:
                lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    @property
    def log(self):
        return self.since(0)

    @property
    def stdout(self):
        with self._changed:
            return "\n".join(self._stdout)

    def mark(self):
        """The log's present end, for wait_for(after=...)."""
        with self._changed:
            return len(self._lines)

    def since(self, mark):
        with self._changed:
            return "\n".join(self._lines[mark:])

    def wait_for(self, pattern, after=0, stdout=False):
        """The first line of the log, from a mark on, in which the pattern is found."""
        lines = self._stdout if stdout else self._lines

        def found():
            return next((line for line in lines[after:] if re.search(pattern, line)), None)
        with self._changed:
            self._changed.wait_for(lambda: found() or not self._open, timeout=PATIENCE)
            assert found(), f"{self.name} did not say {pattern!r}:\n" + "\n".join(self._lines[-40:])
            return found()

    def send_signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        """The exit status of a process that is expected to end."""
        self.status = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        self.process.stdout.close()
        self.process.stderr.close()
        if self in running:
            running.remove(self)
        return self.status

    def stop(self, number=signal.SIGTERM):
        """End it as its operator would: it must end well and have nothing of the sanitizers in its log."""
        if self.status is None:
            self.send_signal(number)
            try:
                self.wait()
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"{self.name} did not end after signal {number}:\n{self.log[-4000:]}")
        assert self.status == 0 and not SANITIZER.search(self.log), \
            f"{self.name} ended with {self.status}:\n{self.log[-8000:]}"

    def kill(self):
        if self.status is None:
            self.process.kill()
            self.wait()

    def port(self, key="listen"):
        return int(self.ready[key].rpartition(":")[2])


def eventually(holds):
    """Ask again and again until it holds, for what no line of a log tells."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"it did not come to hold in {PATIENCE} s"


def shown(text, size):
    """Its beginning and its end: what a report says first is why."""
    return text if len(text) <= size else f"{text[:size // 2]}\n[...]\n{text[-size // 2:]}"


def run(argv, env=None, input=None, status=0, timeout=PATIENCE * 2):
    """Run a program to its end. A status of None accepts any; its output is in the assertion otherwise."""
    done = subprocess.run([str(a) for a in argv], env=CLEAN | (env or {}), input=input, text=True,
                          errors="replace", capture_output=True, timeout=timeout,
                          stdin=subprocess.DEVNULL if input is None else None)
    assert not SANITIZER.search(done.stderr), done.stderr
    if status is not None:
        assert done.returncode == status, \
            f"{argv[0]} ended with {done.returncode}, not {status}\n{shown(done.stdout, 2000)}\n{shown(done.stderr, 4000)}"
    return done
