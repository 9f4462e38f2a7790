# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""From runs to figures: medians of the rounds, and what they are compared with.

Every figure stands beside the same of udpsrc with a large buffer, and of the bare
loop of the same kind, in the same campaign.
"""

import statistics

from cases import RECEIVERS, REFERENCE

MEDIANS = ('user-ns', 'system-ns', 'cpu-ns', 'sending-core-softirq-ns',
           'sending-core-busy-ns', 'resident-bytes', 'umem-bytes')
LATENCIES = ('p50-ns', 'p99-ns', 'max-ns')
KEY = ('section', 'receiver', 'pipeline', 'streams', 'payload-size', 'rate')


def key_of(run):
    return tuple(run[name] for name in KEY)


def merge(runs):
    """The rounds of one case as one figure."""
    figure = {name: runs[0][name] for name in KEY}
    figure['runs'] = len(runs)
    for name in ('sent', 'received', 'lost'):
        figure[name] = sum(run[name] for run in runs)
    figure['others'] = max(run['others'] for run in runs)
    for name in MEDIANS:
        if name in runs[0]:
            figure[name] = statistics.median(run[name] for run in runs)
    if 'latency' in runs[0]:
        figure['latency'] = {
            name: statistics.median(run['latency'][name] for run in runs)
            for name in LATENCIES}
    return figure


class Figures:
    """All figures of a campaign's runs."""

    def __init__(self, runs, highest):
        groups = {}
        for run in runs:
            if run['section'] != 'highest':
                groups.setdefault(key_of(run), []).append(run)
        self.all = {key: merge(group) for key, group in groups.items()}
        self.highest = {(entry['receiver'], entry['pipeline']): entry
                        for entry in highest}
        for figure in self.all.values():
            self.compare(figure)
        for entry in highest:
            self.compare_highest(entry)

    def find(self, section, receiver, rate, pipeline='fakesink', streams=1, size=1316):
        return self.all.get((section, receiver, pipeline, streams, size, rate))

    def bare_of(self, figure):
        """A bare loop has one stream, and nothing behind it."""
        bare = RECEIVERS[figure['receiver']].bare
        for section in (figure['section'], 'rates', 'latency'):
            found = self.find(
                section, bare, figure['rate'], size=figure['payload-size'])
            if found:
                return found
        return None

    def compare(self, figure):
        reference = self.find(
            figure['section'], REFERENCE, figure['rate'], figure['pipeline'],
            figure['streams'], figure['payload-size'])
        figure['to-udpsrc'] = ratios(figure, reference)
        figure['to-bare'] = ratios(figure, self.bare_of(figure))

    def compare_highest(self, entry):
        reference = self.highest.get((REFERENCE, entry['pipeline']))
        bare = self.highest.get((RECEIVERS[entry['receiver']].bare, 'fakesink'))
        entry['to-udpsrc'] = ratio(entry['rate'], reference, 'rate')
        entry['to-bare'] = ratio(entry['rate'], bare, 'rate')


def ratio(value, other, name):
    if not other or not other.get(name):
        return None
    return value / other[name]


def ratios(figure, other):
    if not other:
        return {}
    found = {name: ratio(figure[name], other, name)
             for name in ('cpu-ns', 'sending-core-softirq-ns',
                          'resident-bytes')}
    for name in LATENCIES:
        if 'latency' in figure and 'latency' in other:
            found['latency-' + name] = ratio(
                figure['latency'][name], other['latency'], name)
    return {name: value for name, value in found.items() if value is not None}
