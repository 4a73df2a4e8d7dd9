#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Print the size and shape of the sources: a mirror, not a gate.

A heuristic that is good for comparing and not for quoting: a function is what stands between a brace in
column 0 after a line that ends its head and the next closing brace in column 0.
"""

import pathlib
import re
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PARTS = [
    ("library", ["src/base", "src/ratls", "include"]),
    ("relay, pg", ["src/relay", "src/pg"]),
    ("programs", ["src/program", "src/sidecar", "src/gateway", "src/cli"]),
    ("simulator", ["src/simulator"]),
    ("all of src", ["src", "include"]),
    ("tests, fuzz", ["tests", "fuzz"]),
]
HEADINGS = ("part", "files", "lines", "file med/p90/max", "function med/p90/p99/max", ">60",
            "comment/code", "goto/k", "#if/k", "macros/k")


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0


def function_lengths(lines):
    start, head = None, ""
    for number, line in enumerate(lines):
        if line.startswith("{") and head.rstrip().endswith(")"):
            start = number
        elif line.startswith("}") and start is not None:
            yield number - start + 2, head
            start = None
        if line.strip():
            head = line


def measure(folders):
    files, functions = [], []
    comments = code = gotos = ifs = macros = 0
    for path in sorted(p for f in folders for s in ("*.c", "*.h") for p in (ROOT / f).rglob(s)):
        text = path.read_text()
        lines = text.splitlines()
        files.append((len(lines), path))
        functions += [(n, path, head) for n, head in function_lengths(lines)]
        commented = sum(c.count("\n") + 1 for c in re.findall(r"/\*.*?\*/|//[^\n]*", text, re.S))
        comments += commented
        code += sum(1 for line in lines if line.strip()) - commented
        gotos += len(re.findall(r"\bgoto\b", text))
        ifs += len(re.findall(r"^\s*#\s*if", text, re.M))
        macros += len(re.findall(r"^\s*#\s*define\s+\w+\(", text, re.M))
    return files, functions, comments, code, gotos, ifs, macros


def row(name, folders):
    files, functions, comments, code, gotos, ifs, macros = measure(folders)
    if not files:
        return None
    sizes, lengths = [n for n, _ in files], [n for n, *_ in functions] or [0]
    kilo = sum(sizes) / 1000
    return (name, str(len(files)), str(sum(sizes)),
            f"{statistics.median(sizes):.0f}/{percentile(sizes, .9)}/{max(sizes)}",
            f"{statistics.median(lengths):.0f}/{percentile(lengths, .9)}/{percentile(lengths, .99)}/{max(lengths)}",
            f"{100 * sum(n > 60 for n in lengths) / len(lengths):.1f}%",
            f"{100 * comments / max(code, 1):.0f}%", f"{gotos / kilo:.1f}", f"{ifs / kilo:.1f}",
            f"{macros / kilo:.1f}")


def main():
    rows = [HEADINGS] + [r for name, folders in PARTS if (r := row(name, folders))]
    widths = [max(len(r[i]) for r in rows) for i in range(len(HEADINGS))]
    for r in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(r, widths)).rstrip())
    files, functions, *_ = measure(["src", "include"])
    print("\nlongest files and functions:")
    for length, path in sorted(files, reverse=True)[:5]:
        print(f"  {length:5}  {path.relative_to(ROOT)}")
    for length, path, head in sorted(functions, key=lambda f: -f[0])[:5]:
        print(f"  {length:5}  {path.relative_to(ROOT)}: {head.strip()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
