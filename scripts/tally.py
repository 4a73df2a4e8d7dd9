#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Print "passed failed skipped" of a run: tally.py meson TESTLOG.json | pytest JUNIT.xml."""

import json
import sys
import xml.etree.ElementTree


def meson(path):
    results = [json.loads(line)["result"] for line in open(path)]
    good = sum(r in ("OK", "EXPECTEDFAIL") for r in results)
    skipped = results.count("SKIP")
    return good, len(results) - good - skipped, skipped


def pytest(path):
    counts = [0, 0, 0]
    for suite in xml.etree.ElementTree.parse(path).getroot().iter("testsuite"):
        total, failures, errors, skips = (
            int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped"))
        counts[0] += total - failures - errors - skips
        counts[1] += failures + errors
        counts[2] += skips
    return counts


print(*{"meson": meson, "pytest": pytest}[sys.argv[1]](sys.argv[2]))
