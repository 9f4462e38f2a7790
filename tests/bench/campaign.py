# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which cases are run, in which order, and the search for the highest rate.

Receivers take turns, so that what changes on the machine meanwhile hits all of
them alike.
"""

import dataclasses

from cases import RECEIVERS, REFERENCE, Case
from wire import Unsent

PIPELINE_RECEIVERS = [name for name, receiver in RECEIVERS.items() if receiver.source]


@dataclasses.dataclass(frozen=True)
class Plan:
    """How much is measured."""
    seconds: float  # of a run
    # Of one of the search, where the buffers' content must be little against
    # what is sent.
    search_seconds: float
    rounds: int  # runs of each case at a fixed rate
    step: float  # between two rates of the search
    needed: int  # runs without a loss that confirm a rate,
    most: int  # of so many
    attempts: int  # of a run that the wire did not carry, or others disturbed
    calm: float  # share of the receiver's processor that others may have
    jitterbuffer: tuple  # receivers in front of it
    rates: tuple  # packets/s at which loss and cost are measured
    jitterbuffer_rates: tuple
    latency_rates: tuple
    streams: tuple
    streams_rate: int  # packets/s of all streams together, for AF_XDP alone,
    streams_udp_rate: int  # and one that as many udpsrc can be sent
    sizes: tuple  # payload, and every so manieth packet short


QUICK = Plan(
    seconds=1, search_seconds=1.5, rounds=1, step=1.15, needed=1, most=2,
    attempts=3, calm=0.05,
    jitterbuffer=(REFERENCE, 'afxdpsrc-native'),
    rates=(10000, 100000, 390000, 1000000), jitterbuffer_rates=(),
    latency_rates=(100000, 390000), streams=(1, 16, 64),
    streams_rate=390000, streams_udp_rate=150000, sizes=())

FULL = Plan(
    seconds=2, search_seconds=5, rounds=3, step=1.06, needed=2, most=3,
    attempts=5, calm=0.05,
    jitterbuffer=tuple(PIPELINE_RECEIVERS),
    rates=(10000, 100000, 150000, 200000, 290000, 390000, 520000, 700000,
           1000000, 1500000, 2000000),
    jitterbuffer_rates=(100000, 150000, 200000, 290000, 390000, 520000),
    latency_rates=(100000, 390000), streams=(1, 4, 16, 64, 256),
    streams_rate=390000, streams_udp_rate=150000,
    sizes=((100, 0), (1316, 0), (1400, 100)))

# The test's: whatever the machine does, some packets come through.
SMOKE = Plan(
    seconds=0.5, search_seconds=0.5, rounds=1, step=2, needed=1, most=1,
    attempts=5, calm=1,
    jitterbuffer=(), rates=(2000,), jitterbuffer_rates=(),
    latency_rates=(2000,), streams=(2,), streams_rate=4000,
    streams_udp_rate=2000, sizes=())

LOWEST = 40000  # of the search, packets/s
HIGHEST = 2200000  # about what the generator makes
SIZES_RATE = 200000


def grid(step):
    rates = [LOWEST]
    while rates[-1] * step < HIGHEST:
        rates.append(rates[-1] * step)
    return [int(round(rate, -3)) for rate in rates]


class Search:
    """The highest rate of one receiver, by bisection of the grid.

    step() makes one run; the answer is best, once step() returned False.
    """

    def __init__(self, campaign, receiver, pipeline):
        self.campaign = campaign
        self.receiver = receiver
        self.pipeline = pipeline
        self.rates = grid(campaign.plan.step)
        self.good = -1  # index of a rate that is held
        self.bad = len(self.rates)  # and of one that is not
        self.sender_is_limit = True  # there
        self.held = self.lost = 0  # runs at the rate between them

    def middle(self):
        return (self.good + self.bad) // 2

    def decide(self, held, sender_is_limit=False):
        if held:
            self.good = self.middle()
        else:
            self.bad = self.middle()
            self.sender_is_limit = sender_is_limit
        self.held = self.lost = 0

    def is_over(self):
        return self.bad - self.good <= 1

    def step(self):
        plan = self.campaign.plan
        if self.is_over():
            return False
        case = Case(self.receiver, self.rates[self.middle()],
                    plan.search_seconds, self.pipeline)
        run = self.campaign.run('highest', case)
        if run is None:
            self.decide(False, True)
            return True
        if run['lost'] > 0:
            self.lost += 1
        else:
            self.held += 1
        if self.held >= plan.needed:
            self.decide(True)
        elif self.lost > plan.most - plan.needed:
            self.decide(False)
        return True

    def result(self):
        return {
            'receiver': self.receiver.name,
            'pipeline': self.pipeline,
            'rate': self.rates[self.good] if self.good >= 0 else 0,
            'limit': 'sender' if self.sender_is_limit else 'receiver',
        }


class Campaign:
    """All runs of one plan. progress() is told what goes on."""

    def __init__(self, wire, plan, progress):
        self.wire = wire
        self.plan = plan
        self.progress = progress
        self.runs = []
        self.unsent = []  # cases that the wire did not carry
        self.highest = []

    def run(self, section, case):
        """Returns what happened, or None when the wire did not carry it."""
        # The search tries rates that cannot be sent, and has others to go to.
        attempts = 2 if section == 'highest' else self.plan.attempts
        try:
            run = self.wire.measure(case, attempts, self.plan.calm)
        except Unsent as reason:
            self.progress(section, case, f'not sent: {reason}')
            self.unsent.append({
                'section': section, 'receiver': case.receiver.name,
                'pipeline': case.pipeline, 'rate': case.rate,
                'streams': case.streams, 'payload-size': case.size,
                'reason': str(reason)})
            return None
        run['section'] = section
        self.runs.append(run)
        self.progress(section, case, f'lost {run["lost"]}, '
                      f'{run["cpu-ns"]:.0f} ns, others {run["others"]:.0%}')
        return run

    def repeat(self, section, cases):
        for _ in range(self.plan.rounds):
            for case in cases:
                self.run(section, case)

    def search(self):
        searches = [Search(self, receiver, 'fakesink')
                    for receiver in RECEIVERS.values()]
        searches += [Search(self, RECEIVERS[name], 'rtpjitterbuffer')
                     for name in self.plan.jitterbuffer]
        unfinished = searches
        try:
            while unfinished:
                unfinished = [search for search in unfinished if search.step()]
        finally:  # when interrupted too
            self.highest = [search.result() for search in searches if search.is_over()]

    def fixed_rates(self):
        seconds = self.plan.seconds
        cases = [Case(receiver, rate, seconds)
                 for rate in self.plan.rates
                 for receiver in RECEIVERS.values()]
        cases += [Case(RECEIVERS[name], rate, seconds, 'rtpjitterbuffer')
                  for rate in self.plan.jitterbuffer_rates
                  for name in self.plan.jitterbuffer]
        self.repeat('rates', cases)

    def latency(self):
        self.repeat('latency', [
            Case(receiver, rate, self.plan.seconds, latency=True)
            for rate in self.plan.latency_rates
            for receiver in RECEIVERS.values()])

    def many_streams(self):
        cases = []
        for streams in self.plan.streams:
            for name, rate in (
                    ('afxdpsrc-native', self.plan.streams_rate),
                    ('afxdpsrc-native', self.plan.streams_udp_rate),
                    (REFERENCE, self.plan.streams_udp_rate)):
                receiver = RECEIVERS[name]
                cases.append(Case(
                    receiver, rate, self.plan.seconds, streams=streams,
                    coalesce=bool(receiver.for_coalesce)))
        self.repeat('streams', cases)

    def sizes(self):
        self.repeat('sizes', [
            Case(receiver, SIZES_RATE, self.plan.seconds, size=size,
                 markers=markers)
            for size, markers in self.plan.sizes
            for receiver in RECEIVERS.values()])

    SECTIONS = {
        'highest': search,
        'rates': fixed_rates,
        'latency': latency,
        'streams': many_streams,
        'sizes': sizes,
    }

    def run_sections(self, names):
        for name, measure in self.SECTIONS.items():
            if name in names:
                measure(self)
