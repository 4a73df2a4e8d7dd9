#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hold the binaries of a build folder to two promises: exports.py BUILD.

  library_exports_its_list      libratls.so exports the names of src/ratls/libratls.map and no others,
                                and each of them is declared in include/ratls.h
  production_has_no_simulator   no symbol of the simulator, and no forge_ symbol, is in a program or
                                library that is meant for production, and no certificate but Intel's root
"""

import hashlib
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PRODUCTION = ["src/cli/teesql", "src/sidecar/teesql-sidecar", "src/ratls/libratls.so"]
# Symbols of compilers and sanitizers, which are in every object.
COMMON = re.compile(r"_|\.|main$")

# The beginning of a certificate of version 3, as DER and as base64 of it, and the SHA-256 of Intel's SGX root.
DER = re.compile(rb"\x30\x82(..)\x30\x82..\xa0\x03\x02\x01\x02", re.S)
PEM = re.compile(rb"MII[\w+/]{2}[DTjz]CC[\w+/]{3}gAwIBAg")
INTEL = "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3"


def defined(path, *options):
    """The names of the symbols that a binary or object defines."""
    lines = subprocess.run(["nm", "--defined-only", *options, str(path)], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    return {fields[2].split("@")[0] for line in lines if len(fields := line.split()) == 3}


def library_exports_its_list(build):
    text = (ROOT / "src/ratls/libratls.map").read_text()
    promised = set(re.findall(r"\b(ratls_\w+);", text))
    declared = set(re.findall(r"\b(ratls_\w+)\(", (ROOT / "include/ratls.h").read_text()))
    exported = defined(build / "src/ratls/libratls.so", "-D")
    yield from (f"exported, but not in the list: {name}" for name in sorted(exported - promised))
    yield from (f"in the list, but not exported: {name}" for name in sorted(promised - exported))
    yield from (f"in the list, but not in ratls.h: {name}" for name in sorted(promised - declared))


def foreign_certificates(path):
    """Certificates in a binary that are not Intel's root: it must hold that one, else none would be found."""
    octets, ours = path.read_bytes(), 0
    for match in DER.finditer(octets):
        der = octets[match.start():match.start() + 4 + int.from_bytes(match[1], "big")]
        if hashlib.sha256(der).hexdigest() == INTEL:
            ours += 1
        else:
            yield f"{path.name} contains a certificate at byte {match.start()}"
    if PEM.search(octets):
        yield f"{path.name} contains a certificate in PEM"
    if not ours:
        yield f"{path.name} does not contain Intel's root: this check would prove nothing"


def production_has_no_simulator(build):
    own, others = set(), set()
    for path in (build / "src").rglob("*.o"):
        names = own if "simulator" in path.relative_to(build).parts else others
        names |= {name for name in defined(path, "-g") if not COMMON.match(name)}
    own -= others  # a production room may have a function of the same name
    binaries = [build / name for name in PRODUCTION]
    if not any(name.startswith("forge_") for name in own):
        yield "found no forge_ symbol in the simulator: this check would prove nothing"
    for path in binaries:
        if not path.exists():
            yield f"{path} was not built"
            continue
        for name in sorted(n for n in defined(path) if n in own or n.startswith("forge_")):
            yield f"{path.name} contains {name}"
        yield from foreign_certificates(path)


def main():
    build, failures = pathlib.Path(sys.argv[1]), 0
    for check in (library_exports_its_list, production_has_no_simulator):
        breaches = list(check(build))
        failures += len(breaches)
        print(f"{check.__name__}: {'ok' if not breaches else 'FAILED'}")
        for line in breaches:
            print(f"  {line}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
