#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hold the include lines and a few words of src/ against the floors of the house (doc/ARCHITECTURE.md).

Dependencies point down only, and each floor may do only what its row says. Prints one line for each
breach as FILE:LINE, and fails if there is one.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"

# Room -> the rooms whose headers it may include. Its own and the public header are always allowed.
LIBRARY = ["base", "evidence", "appraisal", "source", "tls"]
ROOMS = {name: set(LIBRARY[:i]) for i, name in enumerate(LIBRARY)}
ROOMS["ratls"] = set(LIBRARY)
ROOMS["pg"] = {"base"}
ROOMS["relay"] = {*LIBRARY, "pg"}
ROOMS["program"] = {*LIBRARY, "pg", "relay"}
for program in ("sidecar", "gateway", "cli"):
    ROOMS[program] = {*LIBRARY, "pg", "relay", "program"}
ROOMS["simulator"] = {"base", "evidence", "pg"}

# A header of the system or of another project -> the rooms that may include it.
PROGRAMS = {"program", "sidecar", "gateway", "cli", "simulator"}
PERMITTED = [
    (r"openssl/(types|x509|x509v3|asn1|objects|err|crypto|bio)\.h",
     {"base", "evidence", "appraisal", "tls", "pg", "simulator"}),
    (r"openssl/.*", {"base", "appraisal", "tls", "pg", "simulator"}),
    (r"curl/.*", {"source"}),
    (r"jansson\.h", {"evidence", "appraisal", "source", "tls"} | PROGRAMS),
    (r"liburing\.h|sys/epoll\.h", {"relay"}),
    (r"microhttpd\.h", {"relay"} | PROGRAMS),
    (r"libpq-fe\.h", {"sidecar"}),
    (r"secp256k1.*\.h", {"source", "simulator"}),
    (r"ini\.h", {"base"}),
    (r"pthread\.h|threads\.h", {"base", "source", "tls", "relay"} | PROGRAMS),
    (r"(sys/(socket|un|stat|wait|mman|eventfd|timerfd|signalfd|ioctl|uio)|netdb|netinet/.*|unistd"
     r"|fcntl|poll|dirent|signal)\.h", {"base", "source", "relay"} | PROGRAMS),
]

# Words that a room must not contain, and why.
QUIET = ["base", "evidence", "appraisal", "source", "tls", "ratls", "pg"]
FORBIDDEN = [
    (r"\b(getenv|secure_getenv|env_get)\s*\(", [r for r in QUIET if r != "base"], "the library reads no environment"),
    (r"\b(exit|_exit|abort)\s*\(", QUIET, "the library never exits"),
    (r"\b(printf|fprintf|vfprintf|puts|perror|syslog|log_event)\s*\(",
     [r for r in QUIET if r != "base"], "the library never logs"),
    (r"\b(clock_now|clock_gettime|gettimeofday|time)\s*\(", ["evidence", "appraisal", "pg"],
     "time is an argument on this floor"),
    (r"\b(fopen|fread|fwrite|file_read)\s*\(", ["evidence", "appraisal", "pg"], "no I/O on this floor"),
    (r"\b(json_dumps|json_dumpb)\s*\(", [r for r in ROOMS if r != "simulator"],
     "leaves out what it has no memory for: json_append"),
    (r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|alloca)\s*\(", list(ROOMS),
     "not in this house"),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)


def room_of(path):
    """The room of a file below src/: src/ratls/tls/x.c is "tls", src/ratls/x.c is "ratls"."""
    parts = path.relative_to(SRC).parts
    return parts[1] if parts[0] == "ratls" and len(parts) > 2 else parts[0]


def resolve(name, path):
    """The file of the house that an include names, or None."""
    for folder in (path.parent, SRC, SRC / "ratls", ROOT / "include"):
        if (folder / name).is_file():
            return (folder / name).resolve()
    return None


def check_include(path, name):
    """Why this file must not include this, or None."""
    room, target = room_of(path), resolve(name, path)
    if target is None:
        allowed = next((rooms for pattern, rooms in PERMITTED if re.fullmatch(pattern, name)), None)
        return None if allowed is None or room in allowed else f"{room} may not include <{name}>"
    if SRC not in target.parents or room_of(target) == room or room_of(target) in ROOMS[room]:
        return None
    return f"{room} may not stand on {room_of(target)} ({name})"


def check_file(path):
    text = path.read_text()
    for number, line in enumerate(text.splitlines(), 1):
        include = INCLUDE.match(line)
        why = check_include(path, include[2]) if include else None
        if why:
            yield number, why
    # Comments and strings are blanked, line breaks kept, so that only code is searched for words.
    code = COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    for pattern, rooms, why in FORBIDDEN:
        if room_of(path) in rooms:
            for match in re.finditer(pattern, code):
                yield code.count("\n", 0, match.start()) + 1, f"{match[0].rstrip('( ')}: {why}"


def main():
    files = sorted(p for suffix in ("*.c", "*.h", "*.def") for p in SRC.rglob(suffix))
    breaches = 0
    for path in files:
        if room_of(path) not in ROOMS:
            print(f"{path.relative_to(ROOT)}:1: no such room in the house: {room_of(path)}")
            breaches += 1
            continue
        for number, why in check_file(path):
            print(f"{path.relative_to(ROOT)}:{number}: {why}")
            breaches += 1
    if not files:
        sys.exit("floors: found no sources")
    print(f"floors: {len(files)} files, {breaches} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
