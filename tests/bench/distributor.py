#!/usr/bin/env python3
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the distributor daemon and its clients cost."""

import dataclasses
import json
import os
import socket
import statistics
import subprocess
import sys
import time

from sections import Sections, main, make_parser, medians
from wire import (NS_PER_TICK, PATIENCE, PORT, RECEIVER_DEVICE, SENDER_DEVICE,
                  Broken, Receiver, Unsent, Watch, Wire)

DESCRIPTION = '''\
The generator has processor 0, the daemon and its clients processor 1: nothing else
should run. Clients are processes of the user nobody, without capabilities; packets
have 1,316 bytes. Every figure is the median of the rounds, in which all take turns;
a packet is one that was sent.

cost       one stream of 390,000 packets/s: a privileged element by itself, and a client
           with the daemon. Processor time (goals: both together at most twice the
           element's, the daemon at most 350 ns), and latency (p99, at most twice)
clients    one group of 50,000 packets/s for 1, 2 and 10 clients: what each further copy
           costs the daemon
isolated   a client in a user and network namespace with nothing but lo: 390,000
           packets/s into fakesink, and 150,000 through rtpjitterbuffer, beside an
           element by itself
processes  the highest rate of one client without a loss; then 4 processes with a group
           each at half of it and, where one processor can, 520,000 packets/s together
'''

LEAD = 10 ** 9  # ns until the generator begins
SINK = 'fakesink sync=false async=false enable-last-sample=false'
NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups',
          '--inh-caps=-all', '--ambient-caps=-all', '--bounding-set=-all']
BUFFERED = f'rtpjitterbuffer ! {SINK}'
# In a network where nothing is.
ISOLATED = NOBODY + ['unshare', '--user', '--net']
HIGHEST = 1000000  # packets/s; the search ends there
SIZE = 1316


@dataclasses.dataclass(frozen=True)
class Case:
    """groups: one client for each, which is the n-th."""
    name: str
    rate: int  # packets/s in all
    seconds: float
    by_daemon: bool = True
    groups: tuple = (0,)
    prefix: tuple = tuple(NOBODY)
    more: str = ''  # properties
    rest: str = SINK

    def __str__(self):
        return f'{self.name}, {self.rate}/s'


def group(number):
    return f'239.1.1.{1 + number}'


def run_time(pid):
    """ns of processor time of all its threads, those that have ended included."""
    with open(f'/proc/{pid}/stat', encoding='ascii') as stat:
        words = stat.read().rsplit(')', 1)[1].split()
    return (int(words[11]) + int(words[12])) * NS_PER_TICK


class Daemon:
    """Runs on processor 1, and listens when this is made."""

    def __init__(self, wire):
        self.path = os.path.join(wire.work, 'distributor.sock')
        self.log = open(os.path.join(wire.work, 'daemon.log'), 'w+',
                        encoding='utf-8')
        self.process = subprocess.Popen(
            wire.in_receiver + [
                'taskset', '-c', '1', f'{wire.build}/gst/distributor/afxdp-distributor',
                f'--interface={RECEIVER_DEVICE}', f'--socket={self.path}',
                '--group=nogroup', '--max-memory=160M'],
            stderr=self.log, stdout=self.log)
        self.wait_until_it_listens()

    def wait_until_it_listens(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                client.connect(self.path)
                return
            except OSError:
                time.sleep(0.02)
            finally:
                client.close()
        self.log.seek(0)
        raise Broken(f'the daemon does not listen: {self.log.read()}')

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()


class Clients(Wire):
    """One wire, and processes that receive from it."""

    def __init__(self, build, *arguments):
        super().__init__(build, *arguments)
        self.build = build

    def send(self, case):
        """Returns how many packets each group got."""
        n_groups = len(set(case.groups))
        n = round(case.rate * case.seconds) // n_groups
        command = self.in_sender + [
            self.rtpgen, f'--interface={SENDER_DEVICE}', '--cpu=0', '--json',
            f'--rate={case.rate}', f'--packets={n * n_groups}',
            f'--flows={n_groups}', f'--destination={group(0)}:{PORT}',
            f'--payload-size={SIZE}',
            f'--start-at={time.monotonic_ns() + LEAD}']
        sender = subprocess.Popen(command, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        try:
            output, complaint = sender.communicate(
                timeout=PATIENCE + 3 * case.seconds)
        finally:
            sender.kill()
            sender.wait()
        if sender.returncode not in (0, 1, 3):
            raise Broken(f'rtpgen: {complaint.strip()}')
        report = json.loads(output)
        if report['verdict'] != 'ok':
            raise Unsent(report['verdict'])
        return n

    def start_client(self, case, number, log):
        distributor = self.daemon.path if case.by_daemon else '""'
        command = list(case.prefix if case.by_daemon else ()) + [
            'env', f'GST_PLUGIN_PATH_1_0={self.build}/gst',
            f'GST_REGISTRY={self.work}/registry.bin', 'GST_REGISTRY_UPDATE=no',
            f'{self.build}/tests/bench/receiver', RECEIVER_DEVICE, group(number),
            str(PORT), '1',
            f'afxdpsrc mode=af-xdp distributor={distributor} {case.more}', case.rest]
        return Receiver(self, command, log)

    def attempt(self, case):
        self.daemon = Daemon(self) if case.by_daemon else None
        clients = []
        with open(os.path.join(self.work, 'receiver.log'), 'w+',
                  encoding='utf-8') as log:
            try:
                for number in case.groups:
                    clients.append(self.start_client(case, number, log))
                watch = Watch()
                before = run_time(self.daemon.process.pid) if self.daemon else 0
                for client in clients:
                    client.tell('begin')
                n = self.send(case)
                for client in clients:
                    client.tell('end')
                received = [json.loads(client.read_line()) for client in clients]
                daemon = (run_time(self.daemon.process.pid) - before
                          if self.daemon else 0)
                used = [one['user-ns'] + one['system-ns'] for one in received]
                others = watch.share_of_others(sum(used) + daemon)
            finally:
                for client in clients:
                    client.close()
                if self.daemon:
                    self.daemon.close()
        sent = n * len(set(case.groups))
        return {'kind': case.name, 'rate': case.rate, 'clients': len(clients),
                'client-ns': sum(used) / sum(n for _ in clients),
                'daemon-ns': daemon / sent,
                'lost': sum(n - one['packets'] for one in received),
                'places': {name: value for one in received
                           for name, value in one['stats'].items()
                           if value and name.startswith(('lost', 'dropped'))},
                'latency-p99': max(one['stats']['latency-p99'] for one in received),
                'others': others}


class Distributor(Sections):
    """Each section compares clients."""

    @staticmethod
    def column(run):
        return (f'client {run["client-ns"]:.0f} ns, daemon {run["daemon-ns"]:.0f} ns, '
                f'p99 {run["latency-p99"] / 1e6:.2f} ms')

    def tell(self, case, runs):
        """Returns the medians, or None."""
        if not runs:
            print(f'  {case.name:<24} not sent')
            return None
        client, daemon, latency = medians(
            runs, 'client-ns', 'daemon-ns', 'latency-p99')
        print(f'  {case.name:<24} client {client:.0f} ns, daemon {daemon:.0f} ns, '
              f'latency p99 {latency / 1e6:.2f} ms, '
              f'lost {sum(run["lost"] for run in runs)}')
        return client, daemon, latency

    def cost(self):
        seconds = self.arguments.seconds
        cases = [Case('element by itself', 390000, seconds, False),
                 Case('client and daemon', 390000, seconds)]
        print('one stream, 390,000 packets/s:')
        own, ours = (self.tell(case, runs)
                     for case, runs in zip(cases, self.compare(cases)))
        if own and ours:
            print(f'  client and daemon / element: '
                  f'{(ours[0] + ours[1]) / own[0]:.2f} (goal: at most 2), '
                  f'latency {ours[2] / own[2]:.2f} (goal: at most 2), '
                  f'daemon {ours[1]:.0f} ns (goal: at most 350)')

    def clients(self):
        cases = [Case(f'{n} clients', 50000, self.arguments.seconds,
                      groups=(0,) * n) for n in (1, 2, 10)]
        print('one group, 50,000 packets/s:')
        costs = [self.tell(case, runs)
                 for case, runs in zip(cases, self.compare(cases))]
        if costs[0] and costs[2]:
            print(f'  each further client costs the daemon '
                  f'{(costs[2][1] - costs[0][1]) / 9:.0f} ns a packet')

    def isolated(self):
        seconds = self.arguments.seconds
        cases = [Case('fakesink', 390000, seconds, prefix=tuple(ISOLATED)),
                 # It keeps 30,000 packets back.
                 Case('rtpjitterbuffer', 150000, seconds, prefix=tuple(ISOLATED),
                      more='ring-size=65536', rest=BUFFERED),
                 Case('the same by itself', 150000, seconds, False, rest=BUFFERED)]
        print('a client with no network but lo:')
        for case, runs in zip(cases, self.compare(cases)):
            self.tell(case, runs)

    def processes(self):
        highest = statistics.median_low(
            self.search() for _ in range(self.arguments.rounds))
        print('the highest rate without a loss:')
        print(f'  one client               {highest} packets/s')
        for rate in (highest // 2 // 4000 * 4000, 520000):
            case = Case('4 processes', rate, self.arguments.seconds,
                        groups=(0, 1, 2, 3))
            print(f'4 groups, {rate} packets/s together:')
            self.tell(case, self.compare([case])[0])

    def search(self):
        return self.highest(
            lambda rate: Case('one client', rate, self.arguments.seconds),
            HIGHEST, lambda low: 20000)

    SECTIONS = {'cost': cost, 'clients': clients, 'isolated': isolated,
                'processes': processes}


def parse_arguments():
    parser = make_parser('distributor.sh', DESCRIPTION, Distributor.SECTIONS)
    parser.add_argument('--four-queues', action='store_true',
                        help='on an interface with 4 RX queues, and not one')
    return parser.parse_args()


if __name__ == '__main__':
    sys.exit(main('distributor.sh', Clients, Distributor, parse_arguments()))
