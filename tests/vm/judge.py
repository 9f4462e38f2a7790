# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is wrong with a run: the account of its packets, and what the kernel says."""

import re

KERNEL_COMPLAINS = re.compile(
    r'WARNING:|BUG:|Oops|general protection|Call Trace|soft lockup|'
    r'unregister_netdevice: waiting|hung_task|blocked for more than')

# What the NIC gave to its driver, or of virtio the driver took. Not of its rings, which
# a driver makes anew with counters at 0.
ARRIVED = {'igb': 'ethtool rx_packets', 'e1000e': 'ethtool rx_packets',
           'virtio': 'rx_packets', 'virtio-mq': 'rx_packets'}


def lost_on_wire(nic, answer, tap_dropped):
    """Packets that the sender sent and the NIC did not take, or None."""
    if nic in ARRIVED:
        arrived = answer['counters'].get(ARRIVED[nic], 0)
        # A driver that was bound again has begun at 0.
        return answer['sent']['packets'] - arrived if arrived >= 0 else None
    return tap_dropped


def behind_the_last(stats, sent, wire):
    """Packets that the wire lost behind the last one that came: nothing shows them."""
    sources = stats['sources']
    if wire is None or len(sources) != 1:
        return 0
    behind = sent['packets'] - 1 - sources[0]['extended-highest-seq']
    return behind if 0 < behind == wire - stats['lost'] else 0


def judge_stream(stats, sent, seconds, loses, wire):
    came = stats['packets'] + stats['kept-back']
    behind = behind_the_last(stats, sent, wire) if loses else 0
    delivered = stats['delivered-xdp'] + stats['delivered-socket']
    charged = sum(value for name, value in stats.items()
                  if name.startswith('lost-'))
    if delivered != stats['packets']:
        yield f'{stats["packets"]} packets, and {delivered} by either path'
    if charged != stats['lost']:
        yield f'{stats["lost"]} lost, and {charged} in all places'
    if loses and stats['restarts']:
        # What waits for a NIC to be reset comes at once with what follows the gap,
        # so that the gap looks longer than time allows: its length is not told.
        if came + stats['lost'] > sent['packets']:
            yield f'{came} came and {stats["lost"]} are lost of {sent["packets"]}'
    elif came + stats['lost'] + behind != sent['packets']:
        yield (f'{sent["packets"]} were sent: {came} came, {stats["lost"]} are '
               f'lost, {sent["packets"] - came - stats["lost"]} missing')
    for name in ('pending', 'duplicates', 'reordered', 'restarts', 'strays',
                 'unvalidated', 'malformed', 'discarded'):
        if stats[name] and not (loses and name == 'restarts'):
            yield f'{name} is {stats[name]}'
    if stats['latency-max'] > seconds * 1e9:
        yield (f'a latency of {stats["latency-max"] / 1e9:.0f} s in a run of '
               f'{seconds:.0f} s')
    if stats['frames'] != stats['frames-free']:
        yield f'{stats["frames"] - stats["frames-free"]} frames are not free'


def complaints(log):
    """Of the kernel."""
    return [line.strip() for line in log if KERNEL_COMPLAINS.search(line)]


def judge(nic, case, answer, tap_dropped):
    """All that is wrong, as texts."""
    if 'broken' in answer:
        yield answer['broken'].strip().splitlines()[-1]
        return
    yield from answer['wrong']
    if answer['exit-status'] or answer['other-lines'] or not answer['stats']:
        yield (f'the receiver ended with {answer["exit-status"]}: '
               f'{answer["other-lines"][:3]}')
        return
    lost = 0
    wire = lost_on_wire(nic, answer, tap_dropped)
    for i, stats in enumerate(answer['stats']):
        lost += stats['lost']
        for text in judge_stream(stats, answer['sent']['flows'][i],
                                 answer['seconds'], case.loses, wire):
            yield text if case.streams == 1 else f'stream {i}: {text}'
    # The receiver knows the payload of rtpgen's flow 0 alone.
    if not case.sizes and answer['stats'][0]['wrong']:
        yield f'{answer["stats"][0]["wrong"]} packets are not as they were sent'
    for field, counter in case.told:
        told = sum(stats[field] for stats in answer['stats'])
        counted = answer['counters'].get(counter, 0)
        if told != counted:
            yield f'{field} is {told}, and {counter} {counted}'
    if not case.loses and lost != wire:
        yield f'{lost} are lost, {wire} of them on the wire'
