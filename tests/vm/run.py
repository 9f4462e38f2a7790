# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the matrix of the virtual lab, one guest at a time; for run.sh, which has made
what a guest needs."""

import argparse
import json
import os
import signal
import sys
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


def boot(lab, kernel, nics, work):
    """A guest, in a new directory below work. Once in some ten boots a kernel stands
    still under emulation, before it comes to anything of ours: then again."""
    for number in range(len(os.listdir(work)), len(os.listdir(work)) + BOOTS):
        directory = os.path.join(work, f'{number}-{kernel}')
        os.makedirs(directory)
        started = time.monotonic()
        try:
            machine = guest.Guest(lab, lab.kernels[kernel], nics, directory)
        except guest.Hung as hung:
            say(f'Linux {kernel} does not boot: {hung}')
            continue
        say(f'Linux {kernel} booted in {time.monotonic() - started:.0f} s')
        return machine
    raise guest.Broken(f'Linux {kernel} did not boot {BOOTS} times')


def run_guest(lab, kernel, chosen, work):
    """chosen: (nic, case). Yields results; a guest that hangs, or whose kernel has
    complained, makes room for another, for what remains."""
    while chosen:
        nics = list(dict.fromkeys(nic for nic, _ in chosen))
        machine = boot(lab, kernel, nics, work)
        try:
            is_well = True
            while chosen and is_well:
                nic, case = chosen.pop(0)
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


def choose(lab, options):
    """Yields kernel and its (nic, case)."""
    only_nic = (options.only or '').partition('/')[2]
    for kernel in lab.kernels:
        chosen = []
        for nic in guest.NICS:
            if only_nic and nic != only_nic:
                continue
            if options.quick and not only_nic and nic not in matrix.QUICK_NICS:
                continue
            cases_of = matrix.quick_cases_of if options.quick else matrix.cases_of
            chosen += [(nic, case) for case in cases_of(kernel, nic)
                       if not options.run or case.name in options.run]
        if chosen:
            yield kernel, chosen


def main():
    parser = argparse.ArgumentParser()
    for name in ('--top', '--qemu', '--image', '--work', '--json', '--only'):
        parser.add_argument(name)
    parser.add_argument('--kernel', action='append')
    parser.add_argument('--run', action='append')
    parser.add_argument('--quick', action='store_true')
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit('interrupted'))
    lab = Lab(options)
    results = []
    print_head()
    for kernel, chosen in choose(lab, options):
        for result in run_guest(lab, kernel, chosen, options.work):
            print_row(result)
            results.append(result)
            with open(options.json, 'w', encoding='utf-8') as file:
                json.dump(results, file, indent=1)
    failed = sum(bool(result['wrong']) for result in results)
    print(f'{len(results) - failed} passed, {failed} failed')
    return 1 if failed or not results else 0


sys.exit(main())
