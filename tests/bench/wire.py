# SPDX-License-Identifier: LGPL-2.1-or-later
"""One measurement: a receiver on processor 1, the generator on processor 0.

A run in which the wire dropped packets, or the generator was slower than asked,
says nothing about the receiver: it is made again, and given up after some
attempts, never reported as the receiver's.
"""

import json
import os
import select
import subprocess

GROUP = '239.1.1.1'
PORT = 5000
SENDER_DEVICE = 'tx0'
RECEIVER_DEVICE = 'rx0'
PATIENCE = 60  # seconds for what takes one


class Broken(Exception):
    """A receiver or the generator did not work at all."""


class Unsent(Exception):
    """The generator or the wire could not carry the rate."""


def softirq_and_busy():
    """Ticks of processor 0 since the machine started."""
    with open('/proc/stat', encoding='ascii') as stat:
        for line in stat:
            if line.startswith('cpu0 '):
                ticks = [int(word) for word in line.split()[1:8]]
                user, nice, system, _idle, _wait, irq, softirq = ticks
                return softirq, user + nice + system + irq + softirq
    raise Broken('there is no processor 0 in /proc/stat')


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

    def __init__(self, build, sender_netns, receiver_netns, work):
        self.bench = os.path.join(build, 'tests/bench')
        self.rtpgen = os.path.join(build, 'tests/tools/rtpgen')
        self.in_sender = ['nsenter', f'--net=/run/netns/{sender_netns}']
        self.in_receiver = ['nsenter', f'--net=/run/netns/{receiver_netns}']
        self.work = work
        self.unsent = 0  # runs that were made again

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
        return [program] + latency + where + [
            str(case.streams), source, case.rest]

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
                receiver.tell('begin')
                before = softirq_and_busy()
                sent = self.send(case)
                after = softirq_and_busy()
                receiver.tell('end')
                received = json.loads(receiver.read_line())
            finally:
                receiver.close()
        if sent['verdict'] != 'ok':
            raise Unsent(sent['verdict'])
        tick = 1e9 / os.sysconf('SC_CLK_TCK')
        core = [(then - now) * tick for now, then in zip(before, after)]
        return describe(case, sent, received, core)

    def measure(self, case, attempts):
        """Returns what happened, as JSON has it."""
        for attempt in range(attempts):
            try:
                return self.attempt(case)
            except Unsent as reason:
                self.unsent += 1
                last = reason
        raise Unsent(str(last))


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
