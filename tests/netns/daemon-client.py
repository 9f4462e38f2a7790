#!/usr/bin/env python3
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""daemon-client.py SOCKET TEST...: talks to the distributor daemon at SOCKET by
its protocol (gst/distributor/protocol.h) as no sensible client does. Each TEST is a
function below; the first one that finds what it did not expect ends the program."""

import array
import mmap
import os
import resource
import socket
import struct
import sys
import time

HELLO, WELCOME, OPEN, OPENED, REFUSED, PATH, WAKE, STATUS, STATE = range(1, 10)
VERSION = 1
SOURCES = 64
FAST, SLOW = 1, 2


class Client:
    """A connection to the daemon."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.words = None

    def send(self, kind, body):
        self.socket.send(struct.pack('II', kind, 8 + len(body)) + body)

    def receive(self):
        """Kind, body and descriptors of a message; None: the daemon hung up."""
        try:
            message, parts, _, _ = self.socket.recvmsg(4096, 64)
        except ConnectionResetError:
            return None, b'', []
        fds = array.array('i')
        for _, _, data in parts:
            fds.frombytes(data[:len(data) // 4 * 4])
        if not message:
            return None, b'', []
        kind, size = struct.unpack_from('II', message)
        assert size == len(message), (kind, size, len(message))
        return kind, message[8:], list(fds)

    def hello(self, version=VERSION):
        self.send(HELLO, struct.pack('II', version, 0))
        return self.receive()

    def open(self, address, port, interface=b'', slots=64, own=0, kind=0,
             sources=()):
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        packed = [socket.inet_pton(family, one) for one in (address, *sources)]
        body = struct.pack('II16s16sIIQII', 6 if ':' in address else 4, port,
                           packed[0], interface, slots, 0, own, kind,
                           len(sources))
        body += b''.join(one.ljust(16, b'\0') for one in packed[1:])
        self.send(OPEN, body.ljust(1088, b'\0'))
        kind, body, fds = self.receive()
        if kind == OPENED:
            self.words = mmap.mmap(fds[1], struct.unpack('Q', body[80:])[0])
        for fd in fds:
            os.close(fd)
        return kind, body

    def hang_up(self):
        """And keeps the memory."""
        self.socket.close()

    def close(self):
        if self.words:
            self.words.close()
        self.hang_up()


def greeted(path):
    client = Client(path)
    kind, _, fds = client.hello()
    assert kind == WELCOME and len(fds) == 1, kind
    os.close(fds[0])
    return client


def text_of(body):
    """Of REFUSED or PATH."""
    return body[-512:].split(b'\0')[0].decode()


def expect_refusal(client, part, *arguments, **more):
    kind, body = client.open(*arguments, **more)
    assert kind == REFUSED and part in text_of(body), (kind, body)
    assert client.receive()[0] is None
    client.close()


def expect_hang_up(client):
    kind, body, _ = client.receive()
    assert kind is None, (kind, body)
    client.close()


def test_stream(path):
    """Two clients of one group, which both are told by which path it comes."""
    clients = [greeted(path) for _ in range(2)]
    for client in clients:
        kind, body = client.open('239.1.1.1', 5000, slots=100)
        assert kind == OPENED, text_of(body)
        assert body[:16].rstrip(b'\0') == b'rx0', body
        kind, body, _ = client.receive()
        assert kind == PATH and text_of(body), kind
    return clients


def test_versions(path):
    for version in 0, 2, 0xffffffff:
        client = Client(path)
        kind, body, _ = client.hello(version)
        words = text_of(body).split()
        assert kind == REFUSED and '1' in words, text_of(body)
        assert f'{version}:' in words, text_of(body)
        expect_hang_up(client)


def test_wrong_words(path):
    for message in (b'x', struct.pack('II', 99, 8),
                    struct.pack('IIII', HELLO, 17, 1, 0),
                    struct.pack('IIII', STATUS, 16, 0, 0), b'x' * 5000):
        client = Client(path)
        client.socket.send(message)
        expect_hang_up(client)
    client = greeted(path)
    client.send(HELLO, struct.pack('II', VERSION, 0))
    expect_hang_up(client)
    client = Client(path)
    try:
        with open('/dev/null', 'rb') as file:
            socket.send_fds(client.socket,
                            [struct.pack('IIII', HELLO, 16, VERSION, 0)],
                            [file.fileno()])
        expect_hang_up(client)
    except PermissionError:  # of the kernel, since Linux 6.16
        client.close()
    client = greeted(path)
    kind, _ = client.open('239.1.1.2', 5000)
    assert kind == OPENED
    while client.receive()[0] != PATH:
        pass
    client.send(STATUS, struct.pack('II', 0, 0))
    expect_hang_up(client)


def test_refusals(path):
    expect_refusal(greeted(path), 'nope', '239.1.1.1', 5000, interface=b'nope')
    expect_refusal(greeted(path), '224.0.0.251 port 5353', '224.0.0.251', 5353)
    expect_refusal(greeted(path), '10.0.0.2 port 5000', '10.0.0.2', 5000)


def test_unicast(path):
    """A rule names port 6000. It is nobody's but the client's own."""
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    own.bind(('10.0.0.2', 6000))
    expect_refusal(greeted(path), 'another socket', '10.0.0.2', 6000)
    inode = os.fstat(own.fileno()).st_ino
    client = greeted(path)
    kind, body = client.open('10.0.0.2', 6000, own=inode)
    assert kind == OPENED, text_of(body)
    client.close()


def test_misuse(path):
    """Who returns what it never had is found out, and its neighbour stays."""
    neighbour, client = test_stream(path)
    client.words[128:132] = struct.pack('I', 1)  # returned
    client.words[0:4] = struct.pack('I', 1)  # on
    expect_hang_up(client)
    neighbour.socket.settimeout(0.2)
    try:
        kind = neighbour.receive()[0]
        assert kind == PATH, kind
    except TimeoutError:
        pass
    return [neighbour]


def test_crowd(path):
    """As many as there may be, and one more; and again when they have gone."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    clients = []
    for i in range(64):
        clients.append(greeted(path))
        kind, body = clients[-1].open(f'239.2.0.{i % 4}', 5000)
        assert kind == OPENED, (i, text_of(body))
    expect_refusal(greeted(path), '64 streams', '239.2.0.1', 5000)
    # Whoever goes and keeps memory has not gone.
    for client in clients:
        client.hang_up()
    expect_refusal(greeted(path), '64 streams', '239.2.0.1', 5000)
    for client in clients:
        client.close()
    # Once the daemon has seen them go: by the order of what it looks at.
    limit = time.monotonic() + 20
    while True:
        client = greeted(path)
        kind, _ = client.open('239.2.0.1', 5000)
        client.close()
        if kind == OPENED:
            return
        assert time.monotonic() < limit


def test_silence(path):
    """Who says nothing is not waited for."""
    begin = time.monotonic()
    silent, greeting = Client(path), greeted(path)
    expect_hang_up(silent)
    expect_hang_up(greeting)
    assert 3 < time.monotonic() - begin < 15


def test_user(path):
    """Another user's quota is its own: see max-streams of [user 4242]."""
    clients = []
    for _ in range(2):
        clients.append(greeted(path))
        kind, body = clients[-1].open('239.3.0.1', 5000)
        assert kind == OPENED, text_of(body)
    expect_refusal(greeted(path), '2 streams to user 4242', '239.3.0.1', 5000)


def test_end(path):
    """Clients with a stream, until the daemon hangs up."""
    clients = test_stream(path)
    print('has streams', flush=True)
    for client in clients:
        while client.receive()[0] is not None:
            pass


def main():
    path = sys.argv[1]
    for name in sys.argv[2:]:
        kept = globals()[f'test_{name}'](path)
        for client in kept or ():
            client.close()


main()
