# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What each driver can do on each kernel, and what a run is."""

import dataclasses

# Fewer than the program needs to be seen at work, and than a slow machine carries.
RATE = 500
PACKETS = 1500  # that have to come once a mode is as wanted

# The best that a driver has: (kernel from which on, what). Before the first: generic.
DRIVERS = {
    'virtio': (((6, 1), 'copy'), ((6, 18), 'zero-copy')),
    # Its zero-copy is not used by default: the driver adds queues for the program, and
    # zero-copy on these crashes the kernel.
    'virtio-mq': (((6, 1), 'copy'),),
    'igb': (((6, 1), 'copy'), ((6, 18), 'zero-copy')),
    'e1000e': (),
    'vmxnet3': (((6, 12), 'copy'),),
}

BY_XDP = {
    'zero-copy': {'mode': 'af-xdp', 'xdp-mode': 'native', 'zero-copy': True},
    'copy': {'mode': 'af-xdp', 'xdp-mode': 'native', 'zero-copy': False},
    'generic': {'mode': 'af-xdp', 'xdp-mode': 'generic', 'zero-copy': False},
}
BY_SOCKET = {'mode': 'socket'}


def number(kernel):
    return tuple(int(part) for part in kernel.split('.'))


def best(kernel, nic):
    able = 'generic'
    for since, what in DRIVERS[nic]:
        if number(kernel) >= since:
            able = what
    return able


def joins_datagrams(kernel, nic):
    """Whether in generic mode the program could not tell a packet that was joined of
    several, and so is not attached."""
    return number(kernel) < (6, 2) and nic in ('virtio', 'virtio-mq')


def shares_queues(kernel, path):
    """Whether several streams may have AF_XDP on one queue."""
    return path != BY_XDP['generic'] or number(kernel) >= (6, 15)


@dataclasses.dataclass
class Case:
    name: str
    properties: str = ''
    streams: int = 1
    rate: int = RATE
    sender: tuple = ()  # options of rtpgen
    sizes: int = 0  # or datagrams of 0 to so many bytes
    before: tuple = ()  # steps, as inside/stream.py has them
    after: tuple = ()
    steps: tuple = ()
    build: str = 'build-vm'
    told: tuple = ()  # (field of the statistics, counter of the NIC that it equals)
    # Whether packets may be lost on the way that no counter of the lab knows.
    loses: bool = False


def settle(mode, packets=PACKETS):
    return {'mode': mode, 'packets': packets}


def receiver(words, may_fail=False):
    """A command at the receiving end."""
    return {'receiver': words, **({'may-fail': True} if may_fail else {})}
