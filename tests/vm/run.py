# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the matrix of the virtual lab, in a guest for each kernel and NIC; for run.sh,
which has made what a guest needs."""

import argparse
import concurrent.futures
import json
import os
import signal
import sys
import threading
import time

import guest
import judge
import matrix

BOOTS = 3  # tries
RUN_SECONDS = 900  # for one run in a guest, whatever goes wrong in it


class Lab:
    """What run.sh has made."""

    def __init__(self, options):
        self.top = options.top
        self.qemu = options.qemu
        self.image = options.image
        self.kernels = dict(word.split('=', 1) for word in options.kernel)
        self.interrupted = threading.Event()


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def as_job(nic, case):
    return {
        'job': 'stream', 'nic': nic, 'build': case.build,
        'macs': [guest.address(nic, 1), guest.address(nic, 2)],
        'streams': case.streams, 'properties': case.properties,
        'rate': case.rate, 'sender': case.sender, 'sizes': case.sizes,
        'before': case.before,
        'after': case.after, 'steps': case.steps,
    }


def describe(result, answer, wire):
    """Into the result, what the table and the readers of JSON want."""
    modes = [message['fields'] for message in answer['messages']
             if message['name'] == 'GstAfxdpSrcMode']
    stats = answer['stats'] or answer['playing']
    result['sent'] = answer['sent']['packets']
    for name in ('packets', 'delivered-xdp', 'delivered-socket', 'lost'):
        result[name] = sum(s[name] for s in stats)
    result['wire'] = wire
    result['mode'] = modes[-1] if modes else {}
    result['messages'] = answer['messages']
    result['stats'] = stats
    result['counters'] = answer['counters']


def run_case(machine, kernel, nic, case):
    started = time.monotonic()
    dropped = machine.wires.dropped(nic)
    result = {'kernel': kernel, 'nic': nic, 'case': case.name}
    answer = machine.ask(as_job(nic, case), RUN_SECONDS)
    dropped = machine.wires.dropped(nic) - dropped
    result['complaints'] = judge.complaints(machine.new_log_lines())
    result['wrong'] = list(judge.judge(nic, case, answer, dropped)) + [
        f'the kernel: {line}' for line in result['complaints']]
    result['seconds'] = round(time.monotonic() - started, 1)
    if 'broken' not in answer:
        describe(result, answer, judge.lost_on_wire(nic, answer, dropped))
    return result


def boot(lab, kernel, nic, work):
    """A guest, in a new directory below work. Once in some ten boots a kernel stands
    still under emulation, before it comes to anything of ours: then again."""
    os.makedirs(work, exist_ok=True)
    for number in range(len(os.listdir(work)), len(os.listdir(work)) + BOOTS):
        directory = os.path.join(work, str(number))
        os.makedirs(directory)
        started = time.monotonic()
        try:
            machine = guest.Guest(lab, kernel, nic, directory)
        except guest.Hung as hung:
            say(f'Linux {kernel} does not boot: {hung}')
            continue
        say(f'Linux {kernel} with {nic} booted in '
            f'{time.monotonic() - started:.0f} s')
        return machine
    raise guest.Broken(f'Linux {kernel} did not boot {BOOTS} times')


def run_guest(lab, kernel, nic, cases, work):
    """Yields results; a guest that hangs, or whose kernel has complained, makes room
    for another, for what remains."""
    cases = list(cases)
    while cases:
        machine = boot(lab, kernel, nic, work)
        try:
            is_well = True
            while cases and is_well:
                case = cases.pop(0)
                result = run_case(machine, kernel, nic, case)
                is_well = 'stats' in result and not result['complaints']
                yield result
        except guest.Hung as hung:
            yield {'kernel': kernel, 'nic': nic, 'case': case.name,
                   'wrong': [f'the guest hangs: {hung}']}
        finally:
            machine.close()


COLUMNS = '{:7}{:11}{:21}{:10}{:20}{:>7}{:>8}{:>7}{:>7}{:>6}{:>6}{:>7}'


def print_head():
    print(COLUMNS.format('kernel', 'NIC', 'run', 'verdict', 'path', 'sent',
                         'packets', 'xdp', 'socket', 'lost', 'wire', 's'))


def print_row(result):
    mode = result.get('mode', {})
    path = mode.get('mode', '')
    if path == 'af-xdp':
        path = mode['xdp-mode'] + (
            ', zero-copy' if mode['zero-copy'] else ', copy')
    print(COLUMNS.format(
        result['kernel'], result['nic'], result['case'],
        'FAILED' if result['wrong'] else 'ok', path, *(
            '' if result.get(name) is None else str(result[name])
            for name in (
                'sent', 'packets', 'delivered-xdp', 'delivered-socket', 'lost',
                'wire', 'seconds'))), flush=True)
    for text in result['wrong']:
        print(f'       {text}', flush=True)


class Table:
    """Of all results, printed and written as they come, from any thread."""

    def __init__(self, path):
        self.path = path
        self.results = []
        self.lock = threading.Lock()
        print_head()

    def add(self, result):
        with self.lock:
            print_row(result)
            self.results.append(result)
            with open(self.path, 'w', encoding='utf-8') as file:
                json.dump(self.results, file, indent=1)


def choose(lab, options):
    """Yields kernel, NIC and cases."""
    only_nic = (options.only or '').partition('/')[2]
    for kernel in lab.kernels:
        for nic in guest.NICS:
            if only_nic and nic != only_nic:
                continue
            if options.quick and not only_nic and nic not in matrix.QUICK_NICS:
                continue
            cases_of = matrix.quick_cases_of if options.quick else matrix.cases_of
            cases = [case for case in cases_of(kernel, nic)
                     if not options.run or case.name in options.run]
            if cases:
                yield kernel, nic, cases


def run_all(lab, options, table):
    def work(kernel, nic, cases):
        directory = os.path.join(options.work, f'{kernel}-{nic}')
        for result in run_guest(lab, kernel, nic, cases, directory):
            table.add(result)

    with concurrent.futures.ThreadPoolExecutor(options.guests) as pool:
        runs = [pool.submit(work, *chosen) for chosen in choose(lab, options)]
        for done in concurrent.futures.as_completed(runs):
            done.result()


def main():
    parser = argparse.ArgumentParser()
    for name in ('--top', '--qemu', '--image', '--work', '--json', '--only'):
        parser.add_argument(name)
    parser.add_argument('--guests', type=int)
    parser.add_argument('--kernel', action='append')
    parser.add_argument('--run', action='append')
    parser.add_argument('--quick', action='store_true')
    options = parser.parse_args()
    lab = Lab(options)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: lab.interrupted.set())
    table = Table(options.json)
    started = time.monotonic()
    try:
        run_all(lab, options, table)
    except guest.Interrupted:
        return 'interrupted'
    failed = sum(bool(result['wrong']) for result in table.results)
    print(f'{len(table.results) - failed} passed, {failed} failed, in '
          f'{(time.monotonic() - started) / 60:.0f} min')
    return 1 if failed or not table.results else 0


sys.exit(main())
