#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""check_man.py PAGE PROGRAM [COMMAND]... [, PROGRAM [COMMAND]...]: the options of the manual page are those of --help
of these programs, no more and no less."""

import itertools
import os
import pathlib
import re
import subprocess
import sys


def main():
    page, *words = sys.argv[1:]
    bare = {k: v for k, v in os.environ.items() if not k.startswith("TEESQL_")}
    commands = [list(words) for comma, words in itertools.groupby(words, ",".__eq__) if not comma]
    said = "".join(subprocess.run([*command, "--help"], env=bare, check=True, capture_output=True, text=True).stdout
                   for command in commands)
    section = re.search(r"^# OPTIONS$(.*?)^# ", pathlib.Path(page).read_text(), re.M | re.S)[1]
    # An option is explained on a line of its own, which is not indented.
    explained = {o for line in re.findall(r"^\*--.*$", section, re.M) for o in re.findall(r"\*--([a-z0-9-]+)\*", line)}
    offered = set(re.findall(r"^  --([a-z0-9-]+)", said, re.M))
    for name in sorted(offered - explained):
        print(f"{page}: --{name} is missing")
    for name in sorted(explained - offered):
        print(f"{page}: there is no --{name}")
    return 0 if offered and offered == explained else 1


if __name__ == "__main__":
    sys.exit(main())
