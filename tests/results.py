#!/usr/bin/env python3
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads what meson knows about tests; for tests/run.sh.

results.py list BUILD [--suite S | --no-suite S]
    prints the names of the tests, one a line
results.py targets BUILD --suite S
    prints what ninja has to build for them, one a line
results.py report LOG EXPECTED LABEL
    reads meson-logs/NAME.json, says on stderr what failed or was skipped and
    why, and prints "PASSED FAILED SKIPPED" on stdout. EXPECTED is the number of
    tests; those without a result in the log have failed.
"""

import argparse
import json
import os
import sys

PASSED = {'OK', 'EXPECTEDFAIL'}
SKIPPED = {'SKIP', 'IGNORED'}
TAIL = 40


def in_suite(test, suite):
    # meson writes a suite as "project:suite".
    return any(s.split(':')[-1] == suite for s in test['suite'])


def introspect(build, what):
    path = os.path.join(build, 'meson-info', f'intro-{what}.json')
    with open(path, encoding='utf-8') as file:
        return json.load(file)


def list_targets(arguments):
    needed = set()
    for test in introspect(arguments.build, 'tests'):
        if in_suite(test, arguments.suite):
            needed.update(test['depends'])
    for target in introspect(arguments.build, 'targets'):
        if target['id'] in needed:
            for name in target['filename']:
                print(os.path.relpath(name, arguments.build))


def list_tests(arguments):
    tests = introspect(arguments.build, 'tests')
    if arguments.suite:
        tests = [t for t in tests if in_suite(t, arguments.suite)]
    if arguments.no_suite:
        tests = [t for t in tests if not in_suite(t, arguments.no_suite)]
    for test in tests:
        print(test['name'])


def read_log(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding='utf-8') as file:
        return [json.loads(line) for line in file]


def name(entry):
    # meson writes "project:suite / name" when there are several suites.
    return entry['name'].split(' / ')[-1]


def output_lines(entry):
    text = (entry.get('stdout') or '') + (entry.get('stderr') or '')
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def say(*words):
    print(*words, file=sys.stderr)


def say_failed(label, entry):
    say(f'\nFAILED  {label} / {name(entry)}: {entry["result"]}, '
        f'exit status {entry["returncode"]}; the end of its output:')
    for line in output_lines(entry)[-TAIL:]:
        say('    ' + line)


def say_skipped(label, entry):
    lines = output_lines(entry) or ['it gave no reason']
    loud = ''
    if os.geteuid() == 0:
        loud = ', although this is root'
    say(f'\nSKIPPED  {label} / {name(entry)}{loud}: {lines[-1]}')


def report(arguments):
    entries = read_log(arguments.log)
    passed = failed = skipped = 0
    for entry in entries:
        if entry['result'] in PASSED:
            passed += 1
        elif entry['result'] in SKIPPED:
            skipped += 1
            say_skipped(arguments.label, entry)
        else:
            failed += 1
            say_failed(arguments.label, entry)
    unheard = arguments.expected - len(entries)
    if unheard > 0:
        failed += unheard
        say(f'\nFAILED  {arguments.label}: {unheard} of {arguments.expected} '
            'tests have no result')
    print(passed, failed, skipped)


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser('list')
    command.add_argument('build')
    command.add_argument('--suite')
    command.add_argument('--no-suite')
    command.set_defaults(run=list_tests)
    command = commands.add_parser('targets')
    command.add_argument('build')
    command.add_argument('--suite', required=True)
    command.set_defaults(run=list_targets)
    command = commands.add_parser('report')
    command.add_argument('log')
    command.add_argument('expected', type=int)
    command.add_argument('label')
    command.set_defaults(run=report)
    arguments = parser.parse_args()
    arguments.run(arguments)


main()
