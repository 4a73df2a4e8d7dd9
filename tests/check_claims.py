#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every test that doc/THREAT-MODEL.md names exists, every claim names one, and every invariant has its row."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "doc" / "THREAT-MODEL.md"
INVARIANTS = """no_bytes_before_verdict quote_names_this_key trust_is_configured no_silent_downgrade
    nothing_after_sslrequest cache_dies_with_its_grounds secrets_leave_no_trace bounded_by_configuration
    production_has_no_simulator rotation_drops_nothing unknown_is_no cancel_is_attested""".split()


def defines(path, name):
    """Does this file hold a test of this name that is run?"""
    if not path.is_file():
        return False
    pattern = rf"^def {name}\(" if path.suffix == ".py" else rf"(cmocka_unit_test\w*|ON_BOTH)\(\s*{name}[,)]"
    return re.search(pattern, path.read_text(), re.M) is not None


def complaints(text):
    claims = re.split(r"^\*\*C(\d+)\. ", text.split("## Where the invariants")[0], flags=re.M)[1:]
    numbers, bodies = [int(n) for n in claims[::2]], claims[1::2]
    if numbers != list(range(1, len(numbers) + 1)) or not numbers:
        yield f"the claims are numbered {numbers}"
    for number, body in zip(numbers, bodies):
        if "::" not in body:
            yield f"C{number} names no test"
    named = re.findall(r"`((?:tests|scripts)/[^`:]+)::(\w+)`", text)
    for path, name in named:
        if not defines(ROOT / path, name):
            yield f"there is no test {path}::{name}"
    for name in INVARIANTS:
        if not re.search(rf"^\| {name} \|.*\| C\d+ \|$", text, re.M) or f"({name})" not in text:
            yield f"invariant {name} has no claim or no row"
    for path in re.findall(r"`(src/[\w/.]+)`", text):
        if not (ROOT / path).exists():
            yield f"there is no {path}"


def main():
    found = list(complaints(DOCUMENT.read_text()))
    for line in found:
        print(f"{DOCUMENT.name}: {line}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
