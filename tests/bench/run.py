#!/usr/bin/env python3
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The benchmark's command line: runs a campaign and writes what came out."""

import argparse
import dataclasses
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pictures
import table
from campaign import FULL, QUICK, SMOKE, Campaign
from figures import Figures
from wire import Broken, Wire

DESCRIPTION = '''\
Compares ways to receive RTP on this machine: udpsrc, afxdpsrc through a kernel
socket and through AF_XDP, and bare loops of recvmmsg() and AF_XDP, which are the
limits. The generator has processor 0, the receiver processor 1: nothing else
should run. docs/performance.md explains every figure.
'''


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog='tests/bench/run.sh', description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    group = parser.add_mutually_exclusive_group()
    group.add_argument('--quick', action='store_true',
                       help='the most important, in about two minutes')
    group.add_argument('--smoke', action='store_true',
                       help='whether the benchmark works: no figures of worth')
    parser.add_argument('--only', action='append', metavar='SECTION',
                        choices=list(Campaign.SECTIONS),
                        help='measure this alone; repeatable: '
                        + ', '.join(Campaign.SECTIONS))
    parser.add_argument('--build-dir', metavar='DIR',
                        default=os.environ.get('BENCH_BUILD'),
                        help='where the project is built (default: build)')
    parser.add_argument('--seconds', type=float, metavar='N',
                        help='length of every run')
    parser.add_argument('--rounds', type=int, metavar='N',
                        help='runs at each fixed rate, of which the median is '
                        'told (default 3, with --quick 1)')
    parser.add_argument('--wait', type=float, metavar='N', default=60,
                        help='seconds to wait in all, before runs, for '
                        'others to leave the processors idle (default 60)')
    parser.add_argument('--json', metavar='FILE',
                        help='all runs and figures, for programs')
    parser.add_argument('--pictures', metavar='DIR',
                        help='the figures as SVG; needs gnuplot')
    parser.add_argument('--from-json', metavar='FILE',
                        help='measure nothing; table and pictures of a file '
                        'that --json wrote')
    return parser.parse_args()


class Interrupted(Exception):
    """Somebody has seen enough, or does not want to wait any longer."""


def interrupt(_signal, _frame):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Interrupted


def plan_of(arguments):
    plan = FULL
    if arguments.quick:
        plan = QUICK
    if arguments.smoke:
        plan = SMOKE
    changes = {}
    if arguments.seconds:
        changes['seconds'] = changes['search_seconds'] = arguments.seconds
    if arguments.rounds:
        changes['rounds'] = arguments.rounds
    return dataclasses.replace(plan, **changes)


def sections_of(arguments):
    # The search looks for the machine's limits, which no test wants to know.
    return [name for name in Campaign.SECTIONS
            if not arguments.smoke or name != 'highest']


class Progress:
    """A line that is written over on a terminal, else a line for each run."""

    def __init__(self):
        self.started = time.monotonic()
        self.n = 0

    def __call__(self, section, case, what):
        self.n += 1
        seconds = time.monotonic() - self.started
        line = f'{seconds:5.0f} s, run {self.n}, {section}: {case}: {what}'
        if sys.stderr.isatty():
            print(f'\r\033[K{line[:118]}', end='', file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)

    def end(self):
        if sys.stderr.isatty():
            print('\r\033[K', end='', file=sys.stderr, flush=True)


def output_of(*command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True,
                              check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ''


def describe_machine():
    models = [line.split(':')[1].strip() for line in open(
        '/proc/cpuinfo', encoding='utf-8') if line.startswith('model name')]
    top = os.path.dirname(os.path.abspath(__file__))
    return {
        'processor': models[0] if models else platform.machine(),
        'processors': os.cpu_count(),
        'kernel': platform.release(),
        'gstreamer': output_of('gst-inspect-1.0', '--version').split('\n')[0],
        'libxdp': output_of('pkg-config', '--modversion', 'libxdp'),
        'commit': output_of('git', '-c', 'safe.directory=*', '-C', top,
                            'rev-parse', '--short', 'HEAD'),
        'load': list(os.getloadavg()),
    }


def measure(arguments):
    plan = plan_of(arguments)
    # Generator and driver; the receiver has the other one.
    os.sched_setaffinity(0, {0})
    progress = Progress()
    with tempfile.TemporaryDirectory(prefix='afxdp-bench.') as work:
        wire = Wire(os.path.abspath(arguments.build_dir),
                    os.environ['BENCH_SENDER_NETNS'],
                    os.environ['BENCH_RECEIVER_NETNS'], work,
                    0 if arguments.smoke else arguments.wait)
        campaign = Campaign(wire, plan, progress)
        result = {
            'started': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()),
            'machine': describe_machine(),
            'plan': dataclasses.asdict(plan),
        }
        try:
            campaign.run_sections(arguments.only or sections_of(arguments))
        except Interrupted:
            result['interrupted'] = True
        progress.end()
    result.update({
        'seconds': time.monotonic() - progress.started,
        'unsent-runs': wire.unsent,
        'disturbed-runs': wire.disturbed,
        'highest': campaign.highest,
        'unsent': campaign.unsent,
        'runs': campaign.runs,
    })
    return result


def check(result):
    """Whether a smoke run has what a run should have. Loss is no fault here."""
    assert {run['section'] for run in result['runs']} == {
        'rates', 'latency', 'streams'}, 'a section is missing'
    for figure in result['figures']:
        assert figure['received'] > 0, f'nothing received: {figure}'
        for name in ('cpu-ns', 'user-ns', 'system-ns', 'resident-bytes'):
            assert isinstance(figure[name], (int, float)), name
        if figure['section'] == 'latency':
            assert figure['latency']['max-ns'] > 0, f'no latency: {figure}'
        if figure['section'] == 'rates':
            assert figure['to-udpsrc']['cpu-ns'] > 0, f'no ratio: {figure}'


def main():
    arguments = parse_arguments()
    if arguments.pictures and not shutil.which('gnuplot'):
        print('run.sh: --pictures needs gnuplot', file=sys.stderr)
        return 2
    if arguments.from_json:
        with open(arguments.from_json, encoding='utf-8') as file:
            result = json.load(file)
    else:
        try:
            result = measure(arguments)
        except Broken as reason:
            print(f'run.sh: {reason}', file=sys.stderr)
            return 1
    figures = Figures(result['runs'], result['highest'])
    result['figures'] = list(figures.all.values())
    if arguments.json:
        with open(arguments.json, 'w', encoding='utf-8') as file:
            json.dump(result, file, indent=1)
            file.write('\n')
    machine = result['machine']
    print(f'{machine["processors"]} x {machine["processor"]}, Linux '
          f'{machine["kernel"]}, {machine["gstreamer"]}; {result["started"]}, '
          f'{result["seconds"]:.0f} s\n')
    disturbed = sum(run['others'] > result['plan']['calm'] for run in result['runs'])
    print(f'Made again: {result["unsent-runs"]} runs since the wire or the '
          f'generator did not keep up, {result["disturbed-runs"]} since others '
          f'ran on the receiver\'s processor; {disturbed} of the '
          f'{len(result["runs"])} runs that count were disturbed all the '
          'same.\n')
    if result.get('interrupted'):
        print('Interrupted: what was to come is missing, or "not sent".\n')
    print(table.text(figures), end='')
    if arguments.pictures:
        pictures.draw(figures, arguments.pictures)
    if result.get('interrupted'):
        return 128 + signal.SIGTERM
    if arguments.smoke:
        if result['unsent']:
            print('the generator could not send at its own pace: '
                  f'{result["unsent"][0]}')
            return 77
        check(result)
    return 0


if __name__ == '__main__':
    # So that what was started is ended on the way out, and told of.
    signal.signal(signal.SIGTERM, interrupt)
    sys.exit(main())
