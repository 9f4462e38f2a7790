#!/usr/bin/env python3
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What two networks cost, and putting packets in order."""

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import time

from sections import Sections, main, make_parser, medians
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


class Wires(Wire):
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


class Legs(Sections):
    """Each section compares kinds."""

    def __init__(self, wire, arguments):
        super().__init__(wire, arguments)
        self.unsent = HIGHEST  # frames/s that the generator did not make

    @staticmethod
    def column(run):
        return f'{run["cpu-ns"]:.0f} ns'

    @staticmethod
    def can(name, arguments):
        return name != 'before' or arguments.before

    def tell(self, kinds, rate, goal=''):
        costs = []
        cases = [Case(kind, rate, self.arguments.seconds) for kind in kinds]
        for case, runs in zip(cases, self.compare(cases)):
            cost = medians(runs, 'cpu-ns')[0] if runs else None
            text = 'not sent' if cost is None else f'{cost:.0f} ns'
            print(f'  {case.kind.name:<28} {text}, '
                  f'lost {sum(run["lost"] for run in runs)}')
            costs.append(cost)
        if costs[0] and costs[1]:
            print(f'  {kinds[1].name} / {kinds[0].name}: '
                  f'{costs[1] / costs[0]:.2f}{goal}')

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

    def measure(self, case):
        run = super().measure(case)
        if not run and case.kind.is_video:
            self.unsent = min(self.unsent, case.rate // FRAME_PACKETS)
        return run

    def search(self, kind):
        """The highest frame rate."""
        return self.highest(
            lambda fps: Case(kind, fps * FRAME_PACKETS, self.arguments.seconds),
            HIGHEST, lambda low: max(1, low // 20))

    SECTIONS = {'legs': legs, 'before': before, 'video': video}


def parse_arguments():
    parser = make_parser('legs.sh', DESCRIPTION, Legs.SECTIONS)
    parser.add_argument('--before', metavar='DIR',
                        help='where an older version is built')
    arguments = parser.parse_args()
    if 'before' in (arguments.only or []) and not arguments.before:
        parser.error('before needs --before DIR')
    return arguments


if __name__ == '__main__':
    sys.exit(main('legs.sh', Wires, Legs, parse_arguments()))
