# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The runs of the matrix: those in which nothing changes, here; the others in
changes.py."""

import changes
from cases import (BY_SOCKET, BY_XDP, Case, best, joins_datagrams, receiver,
                   settle)

QUICK_NICS = ('virtio', 'igb')


def streams_of(kernel, nic):
    """The runs in which nothing changes."""
    able = best(kernel, nic)
    refused = dict(BY_SOCKET, reason='zero-copy')
    yield Case('defaults', steps=(settle(BY_XDP[able]),))
    if able == 'zero-copy':
        yield Case('required', 'zero-copy=require',
                   steps=(settle(BY_XDP['zero-copy']),))
        yield Case('copy', 'zero-copy=never', steps=(settle(BY_XDP['copy']),))
    elif able == 'copy' and nic != 'virtio-mq':
        yield Case('required', 'zero-copy=require', steps=(settle(refused),))
    if joins_datagrams(kernel, nic):
        yield Case('generic, refused', 'xdp-mode=generic', steps=(
            settle(dict(BY_SOCKET, reason='rx-gro-hw off')),))
        yield Case('generic', 'xdp-mode=generic',
                   before=(receiver('ethtool -K rx rx-gro-hw off'),),
                   after=(receiver('ethtool -K rx rx-gro-hw on'),),
                   steps=(settle(BY_XDP['generic']),))
    elif able != 'generic':
        yield Case('generic', 'xdp-mode=generic',
                   steps=(settle(BY_XDP['generic']),))
    yield Case('socket', 'mode=socket', steps=(settle(BY_SOCKET),))


def faults_of(kernel, nic):
    """A build whose frames are too small for the NIC: zero-copy delivers nothing."""
    if nic != 'igb' or best(kernel, nic) != 'zero-copy':
        return
    yield Case('cut', build='build-vm-cutting/build', loses=True, steps=(
        settle(BY_XDP['zero-copy'], 0),
        settle(dict(BY_XDP['copy'], reason='zero-copy was given up'))))
    yield Case('cut, required', 'zero-copy=require', loses=True,
               told=(('lost-nic', 'rx_dropped'),),
               build='build-vm-cutting/build', steps=(
                   settle(BY_XDP['zero-copy'], 0),
                   settle(dict(BY_SOCKET, reason='excludes copy mode'))))


def cases_of(kernel, nic):
    yield from streams_of(kernel, nic)
    yield from faults_of(kernel, nic)
    yield from changes.changes_of(kernel, nic)


def quick_cases_of(kernel, nic):
    yield Case('required', 'zero-copy=require',
               steps=(settle(BY_XDP['zero-copy']),))
