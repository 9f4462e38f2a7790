#!/usr/bin/env python3
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What two networks cost, and putting packets in order."""

import argparse
import dataclasses
import json
import os
import signal
import statistics
import subprocess
import sys
import time

from wire import (GROUP, PATIENCE, PORT, RECEIVER_DEVICE, Broken, Receiver,
                  Unsent, Watch, Wire)

DESCRIPTION = '''\
The generators have processor 0, the receiver processor 1: nothing else should run.
Every figure is the median of the rounds, in which all take turns; cpu is processor
time of the receiving process for each packet of the stream.

legs    two legs with 200,000 packets/s each against one of them; the goal is at most
        2.2 times the processor time
before  one leg with reorder-window=0 against an older build; needs --before
video   1080-line video that is reordered over up to 20 packets, into rtpvrawdepay:
        with reorder-window=2000000 against rtpjitterbuffer in front of it: processor
        time at a rate that both hold, and the highest frame rate without a loss; the
        goal is at least twice as much
'''

LEAD = 10 ** 9  # ns until the generators begin
SINK = 'fakesink sync=false async=false enable-last-sample=false'
SECOND_LEG = f'redundant-uri=afxdp://{GROUP}:{PORT}?multicast-iface=rx1'
ATTEMPTS = 5
CALM = 0.05  # share of the receiver's processor that others may have

LINES = 1080
FRAME_PACKETS = 4 * LINES
CAPS = ('caps="application/x-rtp,media=video,clock-rate=90000,payload=112,'
        'encoding-name=RAW,sampling=YCbCr-4:2:2,depth=(string)8,'
        f'width=(string)1920,height=(string){LINES}"')
VIDEO = ['--payload-type=112', f'--raw-video=1920x{LINES}', '--reorder=10:20',
         '--reorder=40:1', '--reorder=50:7', '--reorder=200:20',
         '--reorder=230:13', '--script-every=499']
CYCLE, LAST_REORDERED = 499, 250  # packets of that script
HIGHEST = 256  # frames/s; the search ends there


@dataclasses.dataclass(frozen=True)
class Kind:
    """A way to receive."""
    name: str
    source: str
    rest: str = SINK
    legs: int = 1
    build: str = ''
    is_video: bool = False


@dataclasses.dataclass(frozen=True)
class Case:
    kind: Kind
    rate: int  # packets/s of each leg
    seconds: float

    def __str__(self):
        return f'{self.kind.name}, {self.rate}/s'


def count_packets(case):
    """What is sent. A packet that is held back at the end would never leave."""
    n = round(case.rate * case.seconds)
    if not case.kind.is_video:
        return n
    frames = round(n / FRAME_PACKETS)
    while frames * FRAME_PACKETS % CYCLE <= LAST_REORDERED:
        frames += 1
    return frames * FRAME_PACKETS


class Legs(Wire):
    """Two wires."""

    def start_sender(self, case, leg, start):
        command = self.in_sender + [
            self.rtpgen, f'--interface=tx{leg}', f'--source=10.0.{leg}.1',
            '--cpu=0', '--json', f'--rate={case.rate}', f'--start-at={start}',
            f'--destination={GROUP}:{PORT}',
            f'--packets={count_packets(case)}']
        if case.kind.is_video:
            command += VIDEO + [f'--fps={case.rate // FRAME_PACKETS}']
        return subprocess.Popen(command, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def send(self, case):
        """Returns what the first leg's generator reports."""
        start = time.monotonic_ns() + LEAD
        senders = [self.start_sender(case, leg, start)
                   for leg in range(case.kind.legs)]
        reports = []
        try:
            for sender in senders:
                output, complaint = sender.communicate(
                    timeout=PATIENCE + 3 * case.seconds)
                if sender.returncode not in (0, 1, 3):
                    raise Broken(f'rtpgen: {complaint.strip()}')
                reports.append(json.loads(output))
        finally:
            for sender in senders:
                sender.kill()
                sender.wait()
        for report in reports:
            if report['verdict'] != 'ok':
                raise Unsent(report['verdict'])
        return reports[0]

    def command(self, case):
        build = case.kind.build or os.path.dirname(os.path.dirname(self.bench))
        return ['env', f'GST_PLUGIN_PATH_1_0={build}/gst',
                f'GST_REGISTRY={self.work}/{build.replace("/", "-")}.bin',
                f'{build}/tests/bench/receiver', RECEIVER_DEVICE, GROUP, str(PORT),
                '1', case.kind.source, case.kind.rest]

    def attempt(self, case):
        path = os.path.join(self.work, 'receiver.log')
        with open(path, 'w+', encoding='utf-8') as log:
            receiver = Receiver(self, self.command(case), log)
            try:
                watch = Watch()
                receiver.tell('begin')
                sent = self.send(case)
                receiver.tell('end')
                received = json.loads(receiver.read_line())
                used = received['user-ns'] + received['system-ns']
                others = watch.share_of_others(used)
            finally:
                receiver.close()
        n = sent['packets']
        stats = received['stats']
        # What leaves the source, and what leaves the depayloader.
        lost = n - stats['packets']
        if case.kind.is_video:
            lost += (n // FRAME_PACKETS - received['packets']) * FRAME_PACKETS
        return {'kind': case.kind.name, 'rate': case.rate, 'cpu-ns': used / n,
                'lost': lost, 'late': stats.get('late', 0),
                'recovered': stats.get('recovered', 0), 'others': others}


class Campaign:
    """Measures, and tells."""

    def __init__(self, wire, arguments):
        self.wire = wire
        self.arguments = arguments
        self.runs = []
        self.unsent = HIGHEST  # frames/s that the generator did not make

    def measure(self, kind, rate):
        """One run, or None: the wire or the generator cannot do it."""
        case = Case(kind, rate, self.arguments.seconds)
        try:
            run = self.wire.measure(case, ATTEMPTS, CALM)
        except Unsent as reason:
            print(f'{case}: not sent: {reason}', file=sys.stderr)
            return None
        self.runs.append(run)
        print(f'{case}: {run["cpu-ns"]:.0f} ns, lost {run["lost"]}, '
              f'others had {run["others"]:.2f} of the processor',
              file=sys.stderr)
        return run

    def compare(self, kinds, rate):
        """The medians of kinds that take turns, and what they lost in all."""
        costs = {kind.name: [] for kind in kinds}
        lost = {kind.name: 0 for kind in kinds}
        for _ in range(self.arguments.rounds):
            for kind in kinds:
                run = self.measure(kind, rate)
                if run:
                    costs[kind.name].append(run['cpu-ns'])
                    lost[kind.name] += run['lost']
        return ({name: statistics.median(many) if many else None
                 for name, many in costs.items()}, lost)

    def tell(self, kinds, rate, goal=''):
        medians, lost = self.compare(kinds, rate)
        for kind in kinds:
            cost = medians[kind.name]
            text = 'not sent' if cost is None else f'{cost:.0f} ns'
            print(f'  {kind.name:<28} {text}, lost {lost[kind.name]}')
        first, second = (medians[kind.name] for kind in kinds[:2])
        if first and second:
            print(f'  {kinds[1].name} / {kinds[0].name}: '
                  f'{second / first:.2f}{goal}')

    def legs(self):
        print('200,000 packets/s:')
        self.tell([Kind('one leg', 'afxdpsrc mode=af-xdp'),
                   Kind('two legs', f'afxdpsrc mode=af-xdp {SECOND_LEG}', legs=2),
                   Kind('one leg, window of 10 ms',
                        'afxdpsrc mode=af-xdp reorder-window=10000000')],
                  200000, ' (goal: at most 2.2)')

    def before(self):
        source = 'afxdpsrc mode=af-xdp'
        print('200,000 packets/s, one leg, reorder-window=0:')
        self.tell([Kind('before', source,
                        build=os.path.abspath(self.arguments.before)),
                   Kind('now', source)], 200000)

    def video(self):
        ours = Kind('reorder-window', f'afxdpsrc mode=af-xdp {CAPS} '
                    'reorder-window=2000000', f'rtpvrawdepay ! {SINK}',
                    is_video=True)
        buffer = Kind('rtpjitterbuffer', f'afxdpsrc mode=af-xdp {CAPS}',
                      f'rtpjitterbuffer ! rtpvrawdepay ! {SINK}', is_video=True)
        highest = {kind: statistics.median_low(
            self.search(kind) for _ in range(self.arguments.rounds))
            for kind in (buffer, ours)}
        print('1920x1080 to rtpvrawdepay, the highest rate without a loss:')
        for kind, fps in highest.items():
            limit = ' (no more is sent)' if fps * 1.06 >= self.unsent else ''
            print(f'  {kind.name:<28} {fps} frames/s, '
                  f'{fps * FRAME_PACKETS} packets/s{limit}')
        if highest[buffer]:
            print(f'  reorder-window / rtpjitterbuffer: '
                  f'{highest[ours] / highest[buffer]:.2f} (goal: at least 2)')
        fps = max(1, int(min(highest.values()) * 0.8))
        print(f'at {fps} frames/s, {fps * FRAME_PACKETS} packets/s:')
        self.tell([buffer, ours], fps * FRAME_PACKETS)

    def holds(self, kind, fps):
        """At the second try, if need be. More than is sent does not."""
        for _ in range(2):
            run = self.measure(kind, fps * FRAME_PACKETS)
            if run and not run['lost']:
                return True
            if not run:
                self.unsent = min(self.unsent, fps)
        return False

    def search(self, kind):
        """The highest frame rate, by bisection; 0: none."""
        low, high = 0, HIGHEST
        while high - low > max(1, low // 20):
            middle = (low + high) // 2
            if self.holds(kind, middle):
                low = middle
            else:
                high = middle
        return low

    SECTIONS = {'legs': legs, 'before': before, 'video': video}


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog='tests/bench/legs.sh', description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--only', action='append', metavar='SECTION',
                        choices=list(Campaign.SECTIONS),
                        help='measure this alone; repeatable: '
                        + ', '.join(Campaign.SECTIONS))
    parser.add_argument('--build-dir', metavar='DIR',
                        default=os.environ.get('BENCH_BUILD'),
                        help='where the project is built (default: build)')
    parser.add_argument('--before', metavar='DIR',
                        help='where an older version is built')
    parser.add_argument('--seconds', type=float, metavar='N', default=5,
                        help='length of every run (default 5)')
    parser.add_argument('--rounds', type=int, metavar='N', default=5,
                        help='runs of each kind (default 5)')
    parser.add_argument('--wait', type=float, metavar='N', default=60,
                        help='seconds to wait in all, before runs, for '
                        'others to leave the processors idle (default 60)')
    parser.add_argument('--json', metavar='FILE', help='all runs, for programs')
    arguments = parser.parse_args()
    if 'before' in (arguments.only or []) and not arguments.before:
        parser.error('before needs --before DIR')
    return arguments


def main():
    arguments = parse_arguments()
    # Generators and driver; the receiver has the other one.
    os.sched_setaffinity(0, {0})
    wire = Legs(os.path.abspath(arguments.build_dir),
                os.environ['BENCH_SENDER_NETNS'],
                os.environ['BENCH_RECEIVER_NETNS'], os.environ['LEGS_WORK'],
                arguments.wait)
    campaign = Campaign(wire, arguments)
    try:
        for name, section in Campaign.SECTIONS.items():
            if name in (arguments.only or Campaign.SECTIONS) and (
                    name != 'before' or arguments.before):
                section(campaign)
    except Broken as reason:
        print(f'legs.sh: {reason}', file=sys.stderr)
        return 1
    finally:
        if arguments.json:
            with open(arguments.json, 'w', encoding='utf-8') as file:
                json.dump(campaign.runs, file, indent=1)
                file.write('\n')
    print(f'Made again: {wire.unsent} runs since a wire or a generator did not '
          f'keep up, {wire.disturbed} since others ran on the receiver\'s '
          'processor.')
    return 0


if __name__ == '__main__':
    # So that what was started is ended on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main())
