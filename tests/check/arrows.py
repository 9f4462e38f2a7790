#!/usr/bin/env python3
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""arrows.py SOURCE BUILD: which headers each room of gst/rx, the metrics and the
distributor daemon can include.

Asks the compiler, with the words that a file of the room is compiled with: it must
find the headers of the rooms that it may know, which must compile, and no other
room's, nor the element's or GStreamer's. Without compile_commands.json there is
nothing to ask with, and it exits with 77."""

import json
import pathlib
import re
import shlex
import subprocess
import sys

SKIP = 77
# How one room says what another program is told: the file that both share.
SHARED = {'stream': '../../distributor/protocol.h'}
# What each room may know besides itself.
ROOMS = {
    'leaves': [],
    'stats': ['leaves'],
    'xdp': ['leaves'],
    'stream': ['xdp', 'stats', 'leaves'],
    'metrics': ['leaves'],
    'distributor': ['stream', 'xdp', 'stats', 'metrics', 'leaves'],
}


def folders(source):
    rooms = {room: source / 'gst/rx' / room for room in ROOMS}
    rooms['leaves'] = source / 'gst/rx'
    for room in 'metrics', 'distributor':
        rooms[room] = source / 'gst' / room
    return rooms


def compile_command(build, folder):
    """What compiles a file of the folder for the room's own library: the one that sees
    most, where they differ."""
    most = []
    for entry in json.loads((build / 'compile_commands.json').read_text()):
        file = (pathlib.Path(entry['directory']) / entry['file']).resolve()
        words = shlex.split(entry['command'])
        output = words[words.index('-o') + 1]
        if file.parent == folder and not output.startswith('tests/'):
            # Up to what is written, and what is read: that comes from us.
            kept = [word for word in words[:words.index('-MD')]
                    if word not in ('-c', '-Werror')]
            most = max(most, kept, key=len)
    if not most:
        sys.exit(f'arrows: no file of {folder} is compiled')
    return most + ['-x', 'c', '-']


def ask(build, command, headers, option):
    lines = ''.join(f'#include {header}\n' for header in headers)
    result = subprocess.run(command[:-3] + option + command[-3:], cwd=build,
                            input=lines, text=True, capture_output=True)
    if result.returncode:
        sys.exit(f'arrows: {shlex.join(command)} of\n{lines}{result.stderr}')
    return result.stdout


def found(build, command, headers):
    """The files that are read for the headers; what is missing is left out."""
    rule = ask(build, command, headers, ['-M', '-MG'])
    names = rule.replace('\\\n', ' ').split(':', 1)[1].split()
    paths = [(build / name).resolve() for name in names]
    return {path for path in paths if path.exists()}


def check_room(source, build, room):
    where = folders(source)
    command = compile_command(build, where[room])
    may = [room] + ROOMS[room]
    seen = [path for known in may for path in sorted(where[known].glob('*.h'))]
    hidden = [path for other in ROOMS if other not in may
              for path in sorted(where[other].glob('*.h'))]
    hidden += sorted((source / 'gst').glob('*.h'))
    if room in SHARED:
        hidden.remove((where[room] / SHARED[room]).resolve())

    ask(build, command, [f'"{path.name}"' for path in seen], ['-fsyntax-only'])
    print(f'{room} sees {", ".join(path.name for path in seen)}')
    headers = [f'"{path.name}"' for path in seen + hidden] + ['<gst/gst.h>']
    files = found(build, command, headers)
    faults = [f'{room} does not see {path}' for path in seen if path not in files]
    faults += [f'{room} sees {path}' for path in hidden if path in files]
    faults += [f'{room} sees {path}' for path in sorted(files)
               if path.as_posix().endswith('/gst/gst.h')]
    print(f'{room} must not see {", ".join(path.name for path in hidden)}, '
          'gst/gst.h')
    return faults


def check_paths(source):
    """A folder in an include's name would go around the include paths."""
    around = re.compile(r'^\s*#\s*include\s*"((?:[^"]*/)?(?:\.\.|rx|gst|%s)/[^"]*)"'
                        % '|'.join(ROOMS), re.M)
    files = sorted((source / 'gst/rx').rglob('*.[ch]'))
    for room in 'metrics', 'distributor':
        files += sorted((source / 'gst' / room).glob('*.[ch]'))
    print(f'{len(files)} files name no other room\'s folder')
    return [f'{path} includes "{name}"' for path in files
            for name in around.findall(path.read_text())
            if name != SHARED.get(path.parent.name)]


def main():
    source, build = (pathlib.Path(name).resolve() for name in sys.argv[1:])
    if not (build / 'compile_commands.json').exists():
        print('skipped: no compile_commands.json: not a build by ninja')
        return SKIP
    faults = check_paths(source)
    for room in ROOMS:
        faults += check_room(source, build, room)
    for fault in faults:
        print(f'arrows: {fault}')
    return 1 if faults else 0


sys.exit(main())
