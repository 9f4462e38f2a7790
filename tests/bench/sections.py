# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A benchmark in sections: cases that take turns, and medians for people."""

import argparse
import json
import os
import signal
import statistics
import sys

from wire import Broken, Unsent

ATTEMPTS = 5
CALM = 0.05  # share of the receiver's processor that others may have


class Sections:
    """Measures, and tells. A benchmark is a class of its own with SECTIONS, name to
    method, and column(), what a person is told of one run."""

    SECTIONS = {}

    def __init__(self, wire, arguments):
        self.wire = wire
        self.arguments = arguments
        self.runs = []

    @staticmethod
    def column(run):
        raise NotImplementedError

    @staticmethod
    def can(name, arguments):
        """Whether a section that was not asked for by its name is measured."""
        return True

    def measure(self, case):
        """One run, or None: the wire or the generator cannot do it."""
        try:
            run = self.wire.measure(case, ATTEMPTS, CALM)
        except Unsent as reason:
            print(f'{case}: not sent: {reason}', file=sys.stderr)
            return None
        self.runs.append(run)
        print(f'{case}: {self.column(run)}, lost {run["lost"]}, '
              f'others had {run["others"]:.2f} of the processor', file=sys.stderr)
        return run

    def compare(self, cases):
        """For each case the runs that were made; they take turns."""
        runs = [[] for _ in cases]
        for _ in range(self.arguments.rounds):
            for case, made in zip(cases, runs):
                run = self.measure(case)
                if run:
                    made.append(run)
        return runs

    def highest(self, make_case, top, step):
        """By bisection, the highest of what make_case() takes that loses nothing, at
        the second try, if need be; 0: none. step(low): what does not matter."""
        low, high = 0, top
        while high - low > step(low):
            middle = (low + high) // 2
            if self.holds(make_case(middle)):
                low = middle
            else:
                high = middle
        return low

    def holds(self, case):
        for _ in range(2):
            run = self.measure(case)
            if run and not run['lost']:
                return True
        return False

    def measure_sections(self):
        for name, section in self.SECTIONS.items():
            only = self.arguments.only
            if name in only if only else self.can(name, self.arguments):
                section(self)


def medians(runs, *names):
    return [statistics.median(run[name] for run in runs) for name in names]


def make_parser(program, description, sections):
    parser = argparse.ArgumentParser(
        prog=f'tests/bench/{program}', description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--only', action='append', metavar='SECTION',
                        choices=list(sections),
                        help='measure this alone; repeatable: '
                        + ', '.join(sections))
    parser.add_argument('--build-dir', metavar='DIR',
                        default=os.environ.get('BENCH_BUILD'),
                        help='where the project is built (default: build)')
    parser.add_argument('--seconds', type=float, metavar='N', default=5,
                        help='length of every run (default 5)')
    parser.add_argument('--rounds', type=int, metavar='N', default=5,
                        help='runs of each kind (default 5)')
    parser.add_argument('--wait', type=float, metavar='N', default=60,
                        help='seconds to wait in all, before runs, for '
                        'others to leave the processors idle (default 60)')
    parser.add_argument('--json', metavar='FILE', help='all runs, for programs')
    return parser


def save(runs, path):
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(runs, file, indent=1)
        file.write('\n')


def main(program, make_wire, benchmark, arguments):
    """make_wire is called as Wire is. Returns the exit status."""
    # So that what was started is ended on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # Generators and this; what receives has the other processor.
    os.sched_setaffinity(0, {0})
    wire = make_wire(
        os.path.abspath(arguments.build_dir), os.environ['BENCH_SENDER_NETNS'],
        os.environ['BENCH_RECEIVER_NETNS'], os.environ['BENCH_WORK'],
        arguments.wait)
    sections = benchmark(wire, arguments)
    try:
        sections.measure_sections()
    except Broken as reason:
        print(f'{program}: {reason}', file=sys.stderr)
        return 1
    finally:
        if arguments.json:
            save(sections.runs, arguments.json)
    print(f'Made again: {wire.unsent} runs since a wire or a generator did not '
          f'keep up, {wire.disturbed} since others ran on the receiver\'s '
          'processor.')
    return 0
