# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The two ends of a pair of NICs: a network namespace for each, and what its device
counts. The devices are "tx" and "rx" in all of them."""

import json
import os
import subprocess
import time

ADDRESSES = {'t': '10.0.0.1', 'r': '10.0.0.2'}
PATIENCE = 60


def call(words):
    done = subprocess.run(words, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True,
                          timeout=PATIENCE, check=False)
    if done.returncode:
        raise RuntimeError(f'{" ".join(words)}: {done.stdout.strip()}')
    return done.stdout


def find_device(mac):
    for link in json.loads(call(['ip', '-j', 'link'])):
        if link['address'] == mac:
            return link['ifname']
    return None


class End:
    """One NIC in its namespace."""

    def __init__(self, side, nic, mac):
        self.device = side + 'x'
        self.address = ADDRESSES[side]
        self.mac = mac
        self.namespace = f'{side}-{nic}'
        self.inside = ['nsenter', f'--net=/run/netns/{self.namespace}']
        call(['ip', 'netns', 'add', self.namespace])
        self.run('sysctl -qw net.ipv6.conf.default.disable_ipv6=1')
        self.run('ip link set dev lo up')
        # Its place in /sys, where only devices of the first namespace are.
        self.path = os.path.realpath(
            f'/sys/class/net/{find_device(mac)}/device')
        self.driver = os.path.realpath(f'{self.path}/driver')
        self.take()

    def run(self, words):
        return call(self.inside + words.split())

    def take(self):
        """Into the namespace, from the first one, when it is there."""
        deadline = time.monotonic() + PATIENCE
        while not find_device(self.mac):
            if time.monotonic() > deadline:
                raise RuntimeError(f'there is no device with {self.mac}')
            time.sleep(0.05)
        call(['ip', 'link', 'set', 'dev', find_device(self.mac), 'netns',
              self.namespace, 'name', self.device])
        self.run(f'ip address add {self.address}/24 dev {self.device}')
        self.run(f'ip link set dev {self.device} up')
        self.add_route()

    def add_route(self):
        self.run(f'ip route replace 224.0.0.0/4 dev {self.device}')

    def unbind(self):
        with open(f'{self.driver}/unbind', 'w', encoding='ascii') as file:
            file.write(os.path.basename(self.path))

    def bind(self):
        with open(f'{self.driver}/bind', 'w', encoding='ascii') as file:
            file.write(os.path.basename(self.path))
        self.take()

    def counters(self):
        """What kernel and driver count."""
        link = json.loads(
            self.run(f'ip -s -s -j link show dev {self.device}'))
        counts = {f'rx_{name}': value
                  for name, value in link[0]['stats64']['rx'].items()}
        for line in self.run(f'ethtool -S {self.device}').splitlines():
            name, _, value = line.strip().rpartition(': ')
            if value.isdigit():
                counts[f'ethtool {name}'] = int(value)
        return counts


class Pair:
    """Both ends; made once in the life of a guest."""

    made = {}

    def __init__(self, nic, macs):
        self.sender = End('t', nic, macs[0])
        self.receiver = End('r', nic, macs[1])
        self.sender.run('ethtool -K tx tx off')

    @classmethod
    def get(cls, nic, macs):
        if nic not in cls.made:
            cls.made[nic] = cls(nic, macs)
        return cls.made[nic]
