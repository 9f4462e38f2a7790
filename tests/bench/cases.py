# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is measured: the receivers, what follows them, and one case of a run."""

import dataclasses

# udpsrc cannot know the payload type's clock rate, which the jitterbuffer needs.
CAPS = ('application/x-rtp,media=video,clock-rate=90000,'
        'encoding-name=MP2T,payload=33')
COALESCE_NS = 2000000

# What follows a source. The jitterbuffer holds 32,765 packets at most, 84 ms of
# 390,000/s.
PIPELINES = {
    'fakesink': 'fakesink sync=false async=false',
    'rtpjitterbuffer':
        'rtpjitterbuffer latency=40 ! fakesink sync=false async=false',
}


@dataclasses.dataclass(frozen=True)
class Receiver:
    """A way to receive. bare is the limit that it is compared with."""
    name: str
    bare: str
    source: str = ''
    program: str = ''
    for_latency: str = ''
    for_coalesce: str = ''


def udpsrc(name, buffer_size):
    return Receiver(
        name, 'bare-recvmmsg', f'udpsrc caps="{CAPS}"{buffer_size}',
        for_latency=' socket-timestamp=realtime')


def afxdpsrc(name, bare, settings):
    return Receiver(
        name, bare, f'afxdpsrc {settings}', for_latency=' coalesce=0',
        for_coalesce=f' coalesce={COALESCE_NS}')


REFERENCE = 'udpsrc-64M'
# That of bare-recvmmsg too: how long a receiver may be kept from running without a
# loss decides as much as how fast it is.
BUFFER = ' buffer-size=67108864'

RECEIVERS = {receiver.name: receiver for receiver in (
    udpsrc('udpsrc', ''),
    udpsrc(REFERENCE, BUFFER),
    afxdpsrc('afxdpsrc-socket', 'bare-recvmmsg', f'mode=socket{BUFFER}'),
    afxdpsrc('afxdpsrc-native', 'bare-xsk', 'mode=af-xdp xdp-mode=native'),
    afxdpsrc('afxdpsrc-generic', 'bare-xsk', 'mode=af-xdp xdp-mode=generic'),
    Receiver('bare-recvmmsg', 'bare-recvmmsg', program='bare-recvmmsg'),
    Receiver('bare-xsk', 'bare-xsk', program='bare-xsk'),
)}


@dataclasses.dataclass(frozen=True)
class Case:
    """What one run does. rate is that of all streams together, packets/s."""
    receiver: Receiver
    rate: int
    seconds: float
    pipeline: str = 'fakesink'
    streams: int = 1
    size: int = 1316
    markers: int = 0  # every so manieth packet is short
    latency: bool = False
    coalesce: bool = False

    @property
    def rest(self):
        return PIPELINES[self.pipeline]

    def __str__(self):
        return (f'{self.receiver.name} ! {self.pipeline}, {self.streams} x '
                f'{self.size} bytes, {self.rate}/s')
