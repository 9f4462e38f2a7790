# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The runs in which something happens while the stream plays."""

from cases import (BY_SOCKET, BY_XDP, RATE, Case, best, receiver, settle,
                   shares_queues)

BEFORE = 500  # packets before something changes
SECONDS = 3  # that something lasts, of which nothing is asserted
MOST_BYTES = 1472  # of a datagram, at an MTU of 1500
BURST = 2000  # packets back to back
# Those that drop then. (QEMU's igb counts it nowhere; its e1000e makes others wait.)
OVERRUN = ('igb',)
QUEUES = ('virtio-mq', 'igb')  # NICs with several
# A driver that is unbound while a program is attached waits for ever for its queues
# to be given back (Linux 6.18 and 7.3).
HANGS_UNBOUND = ('virtio-mq',)
ROUTE = receiver('ip route replace 224.0.0.0/4 dev rx')


def while_playing(name, path, *steps, loses=True, **more):
    """The path before, the steps, and the path again."""
    return Case(name, loses=loses, steps=(
        settle(path, BEFORE), *steps, settle(path)), **more)


def link_changes(path, nic):
    yield while_playing(
        'link down and up', path, receiver('ip link set dev rx down'),
        {'seconds': SECONDS}, receiver('ip link set dev rx up'),
        after=(ROUTE,))
    yield while_playing(
        'carrier off and on', path, {'host': {'carrier': 'off', 'nic': nic}},
        {'seconds': SECONDS}, {'host': {'carrier': 'on', 'nic': nic}},
        after=(ROUTE,))
    usual = receiver('ip link set dev rx mtu 1500')
    yield while_playing('MTU', path, receiver('ip link set dev rx mtu 1400'),
                        after=(usual,))
    # Refused, or without AF_XDP from then on, or as if nothing were.
    yield Case('MTU 9000', loses=True, after=(usual,), steps=(
        settle(path, BEFORE), receiver('ip link set dev rx mtu 9000', True),
        settle({}), usual, settle({})))


def setting_changes(path, nic):
    for name in ('rx', 'rxvlan'):
        yield while_playing(
            f'{name} off and on', path,
            receiver(f'ethtool -K rx {name} off', True), settle(path, BEFORE),
            receiver(f'ethtool -K rx {name} on', True))
    if nic in QUEUES:
        yield while_playing(
            'channels', path, receiver('ethtool -L rx combined 1', True),
            settle(path, BEFORE), receiver('ethtool -L rx combined 2', True))
    if nic not in HANGS_UNBOUND:
        yield while_playing(
            'unbind and bind', path, {'do': 'unbind'},
            settle(dict(BY_SOCKET, reason='was removed'), 0), {'do': 'bind'})


def stalls(path):
    yield while_playing('sender pauses', path, loses=False,
                        sender=('--pause', f'{BEFORE}:{1000 * SECONDS}'))
    for name, properties in (('blocked, short ring', 'ring-size=64'),
                             ('blocked, few frames', 'umem-frames=1024')):
        yield while_playing(
            name, path, {'tell': 'block'}, {'seconds': SECONDS},
            {'tell': 'go'}, loses=False, properties=properties)


def overruns(path, nic):
    """The NIC's ring is full, since it is short and all comes at once."""
    if nic in OVERRUN:
        yield Case('bursts', rate=RATE, steps=(settle(path, 3 * BURST),),
                   sender=('--burst', str(BURST)), loses=True,
                   before=(receiver('ethtool -G rx rx 80'),),
                   after=(receiver('ethtool -G rx rx 256'),))


def changes_of(kernel, nic):
    path = BY_XDP[best(kernel, nic)]
    yield Case('all sizes', sizes=MOST_BYTES,
               steps=(settle(path, 2 * MOST_BYTES),))
    yield Case('six streams', streams=6, rate=600, steps=(
        settle(path if shares_queues(kernel, path) else {}, 300),))
    if nic.startswith('virtio'):
        yield Case('partial checksums', steps=(settle(path),),
                   before=({'sender': 'ethtool -K tx tx on'},),
                   after=({'sender': 'ethtool -K tx tx off'},))
    yield from stalls(path)
    yield from overruns(path, nic)
    yield from link_changes(path, nic)
    yield from setting_changes(path, nic)
