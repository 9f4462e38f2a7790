#!/usr/bin/env python3
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""usage: once-each.py COMPILE-COMMANDS TOP DIRECTORY...

Prints those of a compile_commands.json whose sources are below a directory of TOP, each
source once: what several programs are made of is otherwise analyzed as often."""

import json
import os
import sys


def main():
    path, top, *directories = sys.argv[1:]
    below = tuple(os.path.join(top, name, '') for name in directories)
    with open(path, encoding='utf-8') as file:
        commands = json.load(file)
    once = {}
    for command in commands:
        source = os.path.realpath(os.path.join(command['directory'], command['file']))
        if source.startswith(below):
            once.setdefault(source, command)
    json.dump(list(once.values()), sys.stdout, indent=1)


if __name__ == '__main__':
    main()
