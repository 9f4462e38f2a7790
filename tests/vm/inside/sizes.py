# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""sizes.py MOST RATE: sends datagrams of MOST bytes down to 0, and again, to
239.1.1.1:5000, until SIGINT; then reports as rtpgen does. From 12 bytes on they are
RTP."""

import json
import signal
import socket
import struct
import sys
import time

HEADER = 12
DESTINATION = ('239.1.1.1', 5000)
is_over = []


def datagram(size, sequence, timestamp):
    if size < HEADER:
        return bytes(size)
    return struct.pack('>BBHII', 0x80, 33, sequence, timestamp,
                       0x52545047) + bytes(i % 251 for i in range(size - HEADER))


def main():
    most, rate = int(sys.argv[1]), int(sys.argv[2])
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 16)
    packets = sequence = 0
    started = time.monotonic()
    while not is_over:
        size = most - packets % (most + 1)
        timestamp = packets * 90000 // rate & 0xffffffff
        sender.sendto(datagram(size, sequence & 0xffff, timestamp), DESTINATION)
        sequence += size >= HEADER
        packets += 1
        time.sleep(max(0, started + packets / rate - time.monotonic()))
    json.dump({'packets': packets, 'flows': [{'packets': packets}]}, sys.stdout)


signal.signal(signal.SIGINT, lambda *_: is_over.append(True))
main()
