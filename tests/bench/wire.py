# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One measurement: a receiver on processor 1, the generator on processor 0.

A run in which the wire dropped packets, or the generator was slower than asked,
says nothing about the receiver: it is made again, and given up after some
attempts, never reported as the receiver's. One in which others had the receiver's
processor for a while is made again too; the least disturbed one counts, and says
how much that was.
"""

import json
import os
import select
import subprocess
import time

GROUP = '239.1.1.1'
PORT = 5000
SENDER_DEVICE = 'tx0'
RECEIVER_DEVICE = 'rx0'
PATIENCE = 60  # seconds for what takes one
LOOK = 0.1  # seconds, of ten ticks
CALM = 0.25  # share of a processor that is idle enough to begin


class Broken(Exception):
    """A receiver or the generator did not work at all."""


class Unsent(Exception):
    """The generator or the wire could not carry the rate."""


NS_PER_TICK = 1e9 / os.sysconf('SC_CLK_TCK')


def processor_times(number):
    """ns since the machine started: in softirqs, and in all that is not idle.
    What the hypervisor gave to others is not idle."""
    with open('/proc/stat', encoding='ascii') as stat:
        for line in stat:
            if line.startswith(f'cpu{number} '):
                ticks = [int(word) for word in line.split()[1:9]]
                user, nice, system, _idle, _wait, irq, softirq, steal = ticks
                busy = user + nice + system + irq + softirq + steal
                return softirq * NS_PER_TICK, busy * NS_PER_TICK
    raise Broken(f'there is no processor {number} in /proc/stat')


class Watch:
    """What the processors did since it was made."""

    def __init__(self):
        self.started = time.monotonic_ns()
        self.before = [processor_times(number) for number in (0, 1)]

    def passed(self, number):
        return [now - then for now, then in zip(
            processor_times(number), self.before[number])]

    def share_of_others(self, own):
        """Of processor 1, where the receiver used own ns."""
        elapsed = time.monotonic_ns() - self.started
        return max(0, (self.passed(1)[1] - own) / elapsed)


def is_calm():
    """Whether both processors are idle, while nothing is measured."""
    watch = Watch()
    time.sleep(LOOK)
    return all(watch.passed(number)[1] <= LOOK * 1e9 * CALM for number in (0, 1))


class Receiver:
    """A receiver that runs, and that session.h describes."""

    def __init__(self, wire, command, log):
        self.log = log
        self.process = subprocess.Popen(
            wire.in_receiver + ['taskset', '-c', '1'] + command,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            text=True)
        self.expect('ready')

    def fail(self, what):
        self.log.seek(0)
        text = self.log.read().strip().split('\n')[-1]
        raise Broken(f'the receiver {what}: {text}')

    def read_line(self):
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        if not ready:
            self.fail('says nothing')
        line = self.process.stdout.readline()
        if not line:
            self.fail('ended')
        return line.strip()

    def expect(self, word):
        while self.read_line() != word:
            pass

    def tell(self, word):
        try:
            self.process.stdin.write(word + '\n')
            self.process.stdin.flush()
        except BrokenPipeError:
            self.fail('ended')

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Wire:
    """The two network namespaces, and the programs of the build."""

    def __init__(self, build, sender_netns, receiver_netns, work, patience):
        """patience: seconds to wait in all for others to finish."""
        self.bench = os.path.join(build, 'tests/bench')
        self.rtpgen = os.path.join(build, 'tests/tools/rtpgen')
        self.in_sender = ['nsenter', f'--net=/run/netns/{sender_netns}']
        self.in_receiver = ['nsenter', f'--net=/run/netns/{receiver_netns}']
        self.work = work
        self.patience = patience
        self.unsent = 0  # runs that were made again
        self.disturbed = 0  # and those for what others did

    def command(self, case):
        latency = ['--latency'] if case.latency else []
        where = [RECEIVER_DEVICE, GROUP, str(PORT)]
        if case.receiver.program:
            program = os.path.join(self.bench, case.receiver.program)
            return [program] + latency + where
        source = case.receiver.source
        if case.latency:
            source += case.receiver.for_latency
        if case.coalesce:
            source += case.receiver.for_coalesce
        program = os.path.join(self.bench, 'receiver')
        return [program] + latency + where + [str(case.streams), source, case.rest]

    def send(self, case):
        command = self.in_sender + [
            self.rtpgen, f'--interface={SENDER_DEVICE}', '--cpu=0', '--json',
            f'--rate={case.rate}', f'--duration={case.seconds}',
            f'--destination={GROUP}:{PORT}', f'--flows={case.streams}',
            f'--payload-size={case.size}']
        if case.markers:
            command += [f'--marker-every={case.markers}', '--marker-size=300']
        result = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=PATIENCE + 3 * case.seconds, check=False)
        if result.returncode not in (0, 1, 3):
            raise Broken(f'rtpgen: {result.stderr.strip()}')
        return json.loads(result.stdout)

    def attempt(self, case):
        path = os.path.join(self.work, 'receiver.log')
        with open(path, 'w+', encoding='utf-8') as log:
            receiver = Receiver(self, self.command(case), log)
            try:
                watch = Watch()
                receiver.tell('begin')
                sent = self.send(case)
                sending_core = watch.passed(0)
                receiver.tell('end')
                received = json.loads(receiver.read_line())
                others = watch.share_of_others(
                    received['user-ns'] + received['system-ns'])
            finally:
                receiver.close()
        if sent['verdict'] != 'ok':
            raise Unsent(sent['verdict'])
        run = describe(case, sent, received, sending_core)
        run['others'] = others
        return run

    def wait_for_calm(self):
        started = time.monotonic()
        while self.patience > 0 and not is_calm():
            now = time.monotonic()
            self.patience -= now - started
            started = now

    def measure(self, case, attempts, calm):
        """Returns what happened, as JSON has it. calm: the share of the
        receiver's processor that others may have."""
        least = None
        reason = ''
        for _ in range(attempts):
            self.wait_for_calm()
            try:
                run = self.attempt(case)
            except Unsent as unsent:
                self.unsent += 1
                reason = str(unsent)
                continue
            if not least or run['others'] < least['others']:
                least = run
            if run['others'] <= calm:
                return run
            self.disturbed += 1
        if least:
            return least
        raise Unsent(reason)


def describe(case, sent, received, core):
    n = max(received['packets'], 1)
    run = {
        'receiver': case.receiver.name,
        'pipeline': case.pipeline,
        'streams': case.streams,
        'payload-size': case.size,
        'rate': case.rate,
        'seconds': case.seconds,
        'coalesce': case.coalesce,
        'sent': sent['packets'],
        'received': received['packets'],
        'lost': sent['packets'] - received['packets'],
        'user-ns': received['user-ns'] / n,
        'system-ns': received['system-ns'] / n,
        'cpu-ns': (received['user-ns'] + received['system-ns']) / n,
        'sending-core-softirq-ns': core[0] / sent['packets'],
        'sending-core-busy-ns': core[1] / sent['packets'],
        'resident-bytes': received['resident-bytes'],
    }
    if 'frames' in received:
        # The engine's choice (gst/rx/engine.c), for an MTU of 1500.
        received['umem-bytes'] = received['frames'] * 2048
    for name in ('umem-bytes', 'latency', 'stats'):
        if name in received:
            run[name] = received[name]
    return run
