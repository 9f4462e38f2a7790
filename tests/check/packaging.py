#!/usr/bin/python3
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""packaging.py SOURCE BUILD DISTRIBUTOR MESON: that the packages have what is built.

Each file that meson installs is in exactly one list of docs/packaging/debian, and each
line of these lists has such a file; meson installs there what it says. The manual page
has the options of the daemon's --help, and all changelogs the project's version."""

import fnmatch
import json
import pathlib
import re
import subprocess
import sys
import tempfile

faults = []


def read_lists(folder):
    """The files that packages take, as (list, pattern), without a leading slash."""
    lines = []
    for path in sorted(folder.iterdir()):
        if path.suffix not in ('.install', '.manpages'):
            continue
        for line in path.read_text().splitlines():
            if line and not line.startswith('#'):
                lines.append((path.name, line.split()[0]))
    return lines


def as_packaged(path, prefix):
    """Where a packager's build, with the prefix /usr, installs it."""
    if path.is_relative_to(prefix):
        path = '/usr' / path.relative_to(prefix)
    return str(path).lstrip('/')


def is_same(path, pattern):
    """As dh_install has it: a "*" stands for one directory at most."""
    return (path.count('/') == pattern.count('/')
            and fnmatch.fnmatchcase(path, pattern))


def check_lists(installed, lists):
    for path in installed:
        found = [name for name, pattern in lists if is_same(path, pattern)]
        if not found:
            faults.append(f'{path} is installed, and in no list of '
                          f'docs/packaging/debian')
        elif len(found) > 1:
            faults.append(f'{path} is in {" and in ".join(found)}')
    for name, pattern in lists:
        if not any(is_same(path, pattern) for path in installed):
            faults.append(f'{name}: nothing is installed as {pattern}')


def check_install(meson, build, expected, prefix):
    """For a packager who is not Debian's: DESTDIR."""
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([meson, 'install', '-C', build, '--no-rebuild', '--quiet',
                        '--destdir', directory], check=True)
        root = pathlib.Path(directory)
        there = sorted(as_packaged('/' / path.relative_to(root), prefix)
                       for path in root.rglob('*') if not path.is_dir())
        for path in sorted(set(there) ^ set(expected)):
            faults.append(f'{path} was {"" if path in there else "not "}installed')
        check_unit(root, prefix)


def check_unit(root, prefix):
    unit = root / prefix.relative_to('/') / 'lib/systemd/system'
    text = (unit / 'afxdp-distributor.service').read_text()
    program = re.search(r'^ExecStart=/(\S+)', text, re.MULTILINE)[1]
    result = subprocess.run([root / program, '--version'], capture_output=True)
    if result.returncode:
        faults.append(f'/{program} --version: exit status {result.returncode}')
    account = (unit / '../../sysusers.d/afxdp-distributor.conf').resolve().read_text()
    user = re.search(r'^User=(\S+)', text, re.MULTILINE)[1]
    if not re.search(rf'^u {user} ', account, re.MULTILINE):
        faults.append(f'the unit\'s user {user} is made by nobody')


def options_of(text):
    return set(re.findall(r'--[a-z][a-z-]+', text))


def check_manual(page, program):
    """Of both, the lines on which an option stands first."""
    text = subprocess.run([program, '--help'], check=True, capture_output=True,
                          text=True).stdout
    known = options_of('\n'.join(
        line for line in text.splitlines() if line.lstrip().startswith('-')))
    text = page.read_text().replace(r'\-', '-')
    told = options_of('\n'.join(re.findall(r'^\.TP\n(\.B.*)', text, re.MULTILINE)))
    for name in sorted(known - told):
        faults.append(f'{page.name}: {name} is missing')
    for name in sorted(told - known):
        faults.append(f'{page.name}: the daemon does not know {name}')


def check_versions(source, version):
    changelog = (source / 'docs/packaging/debian/changelog').read_text()
    found = re.match(r'afxdpsrc \((.+)-[^-]+\)', changelog)
    if not found or found[1] != version:
        faults.append(f'debian/changelog does not begin with {version}')
    text = (source / 'docs/changelog.md').read_text()
    newest = re.search(r'^## (\S+)', text, re.MULTILINE)[1]
    if newest != version:
        faults.append(f'docs/changelog.md begins with {newest} and not with {version}')


def main(source, build, distributor, meson):
    source, build = pathlib.Path(source), pathlib.Path(build)
    information = build / 'meson-info'
    options = {option['name']: option['value'] for option in json.loads(
        (information / 'intro-buildoptions.json').read_text())}
    prefix = pathlib.Path(options['prefix'])
    project = json.loads((information / 'intro-projectinfo.json').read_text())
    installed = sorted(
        as_packaged(pathlib.Path(path), prefix) for path in json.loads(
            (information / 'intro-installed.json').read_text()).values())

    check_lists(installed, read_lists(source / 'docs/packaging/debian'))
    check_install(meson, build, installed, prefix)
    check_manual(source / 'gst/distributor/afxdp-distributor.8', distributor)
    check_versions(source, project['version'])
    print(f'{len(installed)} files, version {project["version"]}')
    for fault in faults:
        print(f'not so: {fault}')
    return bool(faults)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
