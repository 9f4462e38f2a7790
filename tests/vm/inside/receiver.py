# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""vm-receiver as a process, whose lines are kept with their time."""

import json
import os
import queue
import subprocess
import threading
import time

PATIENCE = 180  # seconds for what takes one; the machine may be busy
LOOK = 0.2
LOOKS = 5  # without a new packet, until all have come


def holds(wanted, mode):
    """Whether a GstAfxdpSrcMode is as wanted; "reason" is a part of it."""
    return all(value in mode.get(name, '') if name == 'reason'
               else mode.get(name) == value for name, value in wanted.items())


class Receiver:
    def __init__(self, inside, build, streams, properties):
        environment = dict(os.environ, GST_PLUGIN_PATH=f'{build}/gst')
        self.process = subprocess.Popen(
            inside + [f'{build}/tests/vm/vm-receiver', str(streams),
                      f'multicast-iface=rx {properties}'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, env=environment)
        self.started = time.monotonic()
        self.streams = streams
        self.messages = []
        self.others = []  # lines that are none of ours
        self.stats = queue.Queue()
        self.ready = threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        if not self.ready.wait(PATIENCE):
            raise RuntimeError('the receiver does not begin')

    def read(self):
        for line in self.process.stdout:
            words = line.rstrip('\n').split(' ', 2)
            if words == ['ready']:
                self.ready.set()
            elif len(words) < 3 or not words[2].startswith('{'):
                self.others.append(line.rstrip('\n'))
            elif words[1] == 'application/x-afxdp-stats':
                self.stats.put((words[0], json.loads(words[2])))
            else:
                self.messages.append({
                    'time': round(time.monotonic() - self.started, 3),
                    'stream': words[0], 'name': words[1],
                    'fields': json.loads(words[2])})
        self.ready.set()

    def tell(self, word):
        self.process.stdin.write(word + '\n')
        self.process.stdin.flush()

    def take_stats(self):
        taken = dict(self.stats.get(timeout=PATIENCE)
                     for _ in range(self.streams))
        return [taken[f's{i}'] for i in range(self.streams)]

    def ask_stats(self):
        self.tell('stats')
        return self.take_stats()

    def modes(self):
        """The latest of each stream."""
        return {message['stream']: message['fields']
                for message in list(self.messages)
                if message['name'] == 'GstAfxdpSrcMode'}

    def wait_for(self, wanted, packets):
        """Until each stream's mode is as wanted, and has stayed so while so many
        packets came. Returns what is not so, when patience is at its end."""
        deadline = time.monotonic() + PATIENCE
        since = None
        while time.monotonic() < deadline:
            modes = self.modes()
            stats = self.ask_stats()
            counts = [s['packets'] for s in stats]
            if len(modes) < self.streams or not all(
                    holds(wanted, mode) for mode in modes.values()):
                since = None
            elif since is None:
                since = counts
            elif all(now - then >= packets
                     for now, then in zip(counts, since)):
                return None
            time.sleep(LOOK)
        return f'no {packets} packets with {wanted}; the modes: {self.modes()}'

    def wait_for_silence(self):
        def count():
            return [(s['packets'], s['pending'], s['kept-back'])
                    for s in self.ask_stats()]

        deadline = time.monotonic() + PATIENCE
        before, silent = count(), 0
        while silent < LOOKS and time.monotonic() < deadline:
            time.sleep(LOOK)
            now = count()
            silent = silent + 1 if now == before else 0
            before = now

    def close(self):
        """Returns the last statistics, which are final."""
        self.process.stdin.close()
        stats = None
        try:
            stats = self.take_stats()
        except queue.Empty:
            pass
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join()
        return stats
