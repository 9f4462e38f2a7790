#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds rtpgen to its word: every byte it sends, its report, its exit status.

test-rtpgen.py RTPGEN makes two network namespaces of its own joined by a veth
pair, receives in one of them with a packet socket and with UDP sockets, and
compares with a naive model of the script. Exit status 0, 1, or 77 (skipped).
"""

import ctypes
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

SENDER = f"rg-test-s-{os.getpid()}"
RECEIVER = f"rg-test-r-{os.getpid()}"
SO_RCVBUFFORCE = 33
BUFFER = 64 << 20

G4 = ["--destination", "239.1.1.1:5000"]
G6 = ["--destination", "[ff15::1]:5000"]
SCRIPT = ("--gap 10:5 --gap 300:1 --duplicate 20 --duplicate 21:2 --reorder 30 "
          "--reorder 40:3 --reorder 41:2 --reorder 60:10 --gap 65:10").split()
CYCLE = "--gap 0:2 --duplicate 9 --reorder 20:5 --script-every 64".split()
OPTION = ["--marker-every", "8", "--marker-size", "17", "--marker-ip-option"]

# name, rtpgen's options, settings of the sending end before
CASES = [
    ("live IPv4", G4 + ["--packets", "2000", "--rate", "40000"], ""),
    ("live IPv6", G6 + ["--packets", "1000", "--rate", "40000"], ""),
    ("live, as fast as possible", G4 + ["--packets", "3000"], ""),
    ("live, bursts and flows", G4 + G6 + ["--flows", "3", "--packets", "999",
     "--rate", "40000", "--burst", "10"], ""),
    ("live, short markers with option", G4 + OPTION + ["--packets", "2000",
     "--rate", "40000"], ""),
    ("live, long markers, both IP", G4 + G6 + ["--packets", "999", "--rate",
     "40000", "--marker-every", "5", "--marker-size", "1400",
     "--payload-size", "99", "--payload-type", "96"], ""),
    ("live, MPEG TS, longer markers", G4 + ["--packets", "50", "--payload-size",
     "188", "--marker-every", "5", "--marker-size", "379"], ""),
    ("live, script", G4 + SCRIPT + ["--packets", "1000", "--rate", "40000",
     "--first-seq", "65500"], ""),
    ("live, in several calls", G4 + ["--packets", "20000", "--rate", "40000",
     "--payload-size", "188", "--call-runs", "100000"], ""),
    ("live, periodic script", G4 + CYCLE + OPTION + ["--packets", "2011",
     "--rate", "40000", "--flows", "2"], ""),
    ("socket IPv4", G4 + ["--packets", "2000", "--rate", "40000",
     "--method", "socket"], "tx off"),
    ("socket, script, both IP", G4 + G6 + SCRIPT + ["--packets", "2000",
     "--rate", "40000", "--method", "socket"], "tx off"),
    ("socket, markers with option", G4 + OPTION + CYCLE + ["--packets", "2000",
     "--rate", "40000", "--method", "socket", "--flows", "4"], "tx off"),
    ("socket, partial checksums", G4 + ["--packets", "10", "--method",
     "socket"], "tx on"),
]

# While the host itself sends.
BESIDE = [
    ("live, others dropped", G4 + ["--packets", "2000", "--rate", "2000",
     "--payload-size", "188"]),
]

# name, options, setting of the receiving end before, exit status, complaint
REFUSALS = [
    ("no NAPI", G4 + ["--packets", "100"], "gro off", 1, "ethtool -K"),
    ("too fast", G4 + ["--rate", "100000000", "--packets", "200000"], "gro on",
     3, "packets/s"),
    ("no destination", [], "gro on", 2, "--destination"),
    ("script at odds", G4 + ["--gap", "5:3", "--duplicate", "6"], "gro on", 2,
     "packet 6"),
    ("larger than the MTU", G4 + ["--payload-size", "1500"], "gro on", 2,
     "MTU"),
    ("option and IPv6", G6 + ["--marker-ip-option"], "gro on", 2, "IPv6"),
]


class Failure(Exception):
    """What a case found wrong."""


def require(condition, text):
    if not condition:
        raise Failure(text)


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def enter(name):
    with open(f"/run/netns/{name}", encoding="ascii") as handle:
        if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), 0) < 0:
            raise OSError(ctypes.get_errno(), f"setns {name}")


def make_network():
    for name in (SENDER, RECEIVER):
        run("ip", "netns", "add", name)
    run("ip", "-n", SENDER, "link", "add", "vs", "type", "veth", "peer",
        "name", "vr", "netns", RECEIVER)
    for name, device, host in ((SENDER, "vs", 1), (RECEIVER, "vr", 2)):
        run("ip", "-n", name, "addr", "add", f"10.9.0.{host}/24", "dev", device)
        run("ip", "-n", name, "addr", "add", f"fd09::{host}/64", "dev", device,
            "nodad")
        run("ip", "-n", name, "link", "set", device, "up")


def wait_for_multicast():
    """A host receives IPv6 groups once its interface has the route to them."""
    deadline = time.monotonic() + 10
    for name in (SENDER, RECEIVER):
        while not subprocess.run(
                ["ip", "-n", name, "-6", "route", "show", "table", "local",
                 "ff00::/8"], capture_output=True, check=True).stdout:
            require(time.monotonic() < deadline, f"no multicast route: {name}")
            time.sleep(0.01)


def remove_network():
    for name in (SENDER, RECEIVER):
        subprocess.run(["ip", "netns", "del", name], check=False,
                       stderr=subprocess.DEVNULL)


def in_sender(*command):
    return ["nsenter", f"--net=/run/netns/{SENDER}", *command]


def values(arguments, name):
    """All values of an option."""
    return [arguments[i + 1] for i, word in enumerate(arguments)
            if word == name]


def value(arguments, name, default):
    return int((values(arguments, name) or [default])[-1])


def events(arguments, name):
    pairs = (text.partition(":") for text in values(arguments, name))
    return {int(at): int(amount or 1) for at, _, amount in pairs}


def model(arguments, count):
    """The indices that a flow sends, one packet at a time."""
    gaps = events(arguments, "--gap")
    duplicates = events(arguments, "--duplicate")
    reorders = events(arguments, "--reorder")
    every = value(arguments, "--script-every", 0)
    sent, held, index = [], [], 0
    while len(sent) < count:
        for entry in sorted(held):
            if entry[0] <= index:
                sent.append(entry[1])
                held.remove(entry)
        at = index % every if every else index
        if at in gaps:
            index += gaps[at]
            continue
        if at in reorders:
            held.append((index + reorders[at] + 1, index))
        else:
            sent += [index] * (1 + duplicates.get(at, 0))
        index += 1
    return sent[:count]


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def parse(frame, partial):
    """Checks the headers; returns (destination, port), options, UDP payload."""
    ethertype, = struct.unpack_from("!H", frame, 12)
    if ethertype == 0x0800:
        size = (frame[14] & 15) * 4
        header = frame[14:14 + size]
        total, = struct.unpack_from("!H", header, 2)
        require(checksum(header) == 0xffff, "bad IPv4 header checksum")
        require(header[6:8] == b"\x40\0" and header[9] == 17, "bad IPv4 header")
        addresses, options = header[12:20], header[20:]
        mac = b"\x01\0\x5e" + bytes([header[17] & 0x7f]) + header[18:20]
        group = socket.inet_ntop(socket.AF_INET, header[16:20])
        udp = frame[14 + size:14 + total]
    else:
        addresses, options = frame[22:54], b""
        mac = b"\x33\x33" + frame[50:54]
        group = "[" + socket.inet_ntop(socket.AF_INET6, frame[38:54]) + "]"
        length, = struct.unpack_from("!H", frame, 18)
        udp = frame[54:54 + length]
    require(frame[:6] == mac, "wrong multicast MAC")
    _, port, length, check = struct.unpack_from("!4H", udp)
    require(length == len(udp), "UDP length is not IP's")
    pseudo = addresses + struct.pack("!2H", 17, length)
    require(check != 0, "no UDP checksum")
    require((checksum(pseudo + udp) == 0xffff) != partial,
            "UDP checksum of the wrong kind")
    return (group, port), options, udp[8:]


def payload(size, stream, flow, index):
    pattern = bytearray(i % 251 for i in range(size))
    for at in range(0, size if stream else 1, 188):
        pattern[at:at + 4] = b"\x47\x1f\xff\x10" if stream else b"RTPG"
    pattern[4:16] = struct.pack("!IQ", flow, index)
    return bytes(pattern[:size])


def check_packet(arguments, flow, index, options, datagram):
    flows = len(values(arguments, "--destination")) * value(
        arguments, "--flows", 1)
    every = value(arguments, "--marker-every", 0)
    marker = bool(every) and (index + 1) % every == 0
    ordinary = value(arguments, "--payload-size", 1316)
    size = value(arguments, "--marker-size", 300) if marker else ordinary
    kind = value(arguments, "--payload-type", 33)
    rate = value(arguments, "--rate", 0) or 1000000
    stamp = index * ((90000 * flows << 32) // rate) >> 32
    expected = struct.pack(
        "!BBHII", 0x80, kind | marker << 7,
        (value(arguments, "--first-seq", 0) + index) & 0xffff,
        stamp & 0xffffffff, 0x52545047 + flow)
    expected += payload(size, kind == 33 and ordinary % 188 == 0, flow, index)
    require(datagram == expected, f"flow {flow} packet {index} is not right: "
            f"{datagram[:32].hex()} for {expected[:32].hex()}")
    wanted = marker and "--marker-ip-option" in arguments
    require(options == (b"\1\1\1\0" if wanted else b""), "wrong IP options")


def open_receivers(groups):
    """A packet socket that sees all, and UDP sockets that check as hosts do."""
    packet = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    packet.bind(("vr", 0))
    receivers = [packet]
    index = socket.if_nametoindex("vr")
    for group, port in groups:
        if group.startswith("["):
            address = socket.inet_pton(socket.AF_INET6, group[1:-1])
            udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            udp.bind((group[1:-1], port, 0, index))
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                           address + struct.pack("@I", index))
        else:
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            udp.bind((group, port))
            udp.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                           socket.inet_aton(group)
                           + struct.pack("@4xI", index))
        receivers.append(udp)
    for receiver in receivers:
        receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        receiver.setblocking(False)
    return receivers


def drain(receiver):
    packets = []
    try:
        while True:
            packets.append(receiver.recv(65536))
    except BlockingIOError:
        return packets


def get_groups(arguments):
    """The flows' destinations; the groups of the cases end in a digit."""
    groups = []
    for text in values(arguments, "--destination"):
        host, _, port = text.rpartition(":")
        close = "]" if host.endswith("]") else ""
        start = host.rstrip("]")
        for flow in range(value(arguments, "--flows", 1)):
            groups.append((f"{start[:-1]}{int(start[-1]) + flow}{close}",
                           int(port)))
    return groups


def check_flow(arguments, flow, seen, report):
    indices = model(arguments, report["packets"])
    require(len(seen) == len(indices),
            f"flow {flow}: {len(seen)} packets, reported {len(indices)}")
    for index, (options, datagram) in zip(indices, seen):
        check_packet(arguments, flow, index, options, datagram)
    highest, late = -1, 0
    for place, index in enumerate(indices):
        late += index < highest and index not in indices[:place]
        highest = max(highest, index)
    distinct = set(indices)
    expected = {
        "duplicates": len(indices) - len(distinct),
        "reordered": late,
        "missing": highest + 1 - min(distinct) - len(distinct),
        "first-index": indices[0],
        "last-index": indices[-1],
        "highest-index": highest,
        "last-seq": (indices[-1] + value(arguments, "--first-seq", 0)) % 65536,
        "markers": sum(datagram[1] >> 7 for _, datagram in seen),
    }
    for name, number in expected.items():
        require(report[name] == number,
                f"flow {flow}: {name} {report[name]}, should be {number}")


def run_case(rtpgen, arguments, setting):
    if setting:
        run(*in_sender("ethtool", "-K", "vs", *setting.split()))
    groups = get_groups(arguments)
    receivers = open_receivers(groups)
    done = subprocess.run(
        in_sender(rtpgen, "--interface", "vs", "--json", *arguments),
        capture_output=True, text=True, check=False)
    # Slow is no failure here: the machine may have other work.
    require(done.returncode in (0, 3),
            f"exit status {done.returncode}: {done.stderr}")
    report = json.loads(done.stdout)
    frames = [frame for frame in drain(receivers[0])
              if frame[6:12] != b"\0" * 6 and frame[36:38] == b"\x13\x88"
              or frame[40:42] == b"\x13\x88" or frame[56:58] == b"\x13\x88"]
    require(report["packets"] == len(frames) == report["delivered"],
            f"{len(frames)} frames arrived, {report['packets']} reported")
    require(report["calls"] > 1 or "--call-runs" not in arguments,
            "made only one call")
    require(report["bytes"] == sum(map(len, frames)), "wrong number of bytes")
    seen = {group: [] for group in groups}
    for frame in frames:
        group, options, datagram = parse(
            frame, report["checksums"] == "partial")
        seen[group].append((options, datagram))
    for flow, group in enumerate(groups):
        check_flow(arguments, flow, seen[group], report["flows"][flow])
        require(drain(receivers[1 + flow]) == [d for _, d in seen[group]],
                f"the UDP socket of flow {flow} got something else")
    for receiver in receivers:
        receiver.close()


def count_dropped():
    """By the sending end, whoever sent."""
    shown = subprocess.run(
        ["ip", "-n", SENDER, "-s", "-j", "link", "show", "vs"],
        capture_output=True, check=True)
    return json.loads(shown.stdout)[0]["stats64"]["tx"]["dropped"]


def send_too_long():
    """Packets of a socket that the other end drops, since its MTU is smaller."""
    code = ("import socket\n"
            "sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
            "sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,"
            " socket.inet_aton('10.9.0.1'))\n"
            "for _ in range(5):\n"
            "    sender.sendto(bytes(1200), ('239.1.1.9', 9))\n")
    run(*in_sender(sys.executable, "-c", code))


def run_beside(rtpgen, arguments):
    run("ip", "link", "set", "vr", "mtu", "1000")
    receivers = open_receivers(get_groups(arguments))
    before = count_dropped()
    with subprocess.Popen(
            in_sender(rtpgen, "--interface", "vs", "--json", *arguments),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True) as sender:
        receivers[1].settimeout(10)
        receivers[1].recv(65536)
        send_too_long()
        text, complaint = sender.communicate()
    run("ip", "link", "set", "vr", "mtu", "1500")
    require(sender.returncode in (0, 3),
            f"exit status {sender.returncode}: {complaint}")
    require(count_dropped() - before == 5, "the others were not dropped")
    report = json.loads(text)
    require(report["dropped"] == 0 and report["delivered"] == 2000,
            f"dropped {report['dropped']}, delivered {report['delivered']}")
    for receiver in receivers:
        receiver.close()


def run_refusal(rtpgen, arguments, setting, status, complaint):
    run("ethtool", "-K", "vr", *setting.split())
    done = subprocess.run(
        in_sender(rtpgen, "--interface", "vs", *arguments),
        capture_output=True, text=True, check=False)
    require(done.returncode == status,
            f"exit status {done.returncode} for {status}: {done.stderr}")
    require(complaint in done.stderr, f"does not say so: {done.stderr}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    missing = [tool for tool in ("ip", "ethtool", "nsenter")
               if not shutil.which(tool)]
    if os.geteuid() != 0 or missing:
        print("skipped: needs root, for network namespaces and BPF"
              if not missing else f"skipped: needs {', '.join(missing)}")
        return 77
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    failures = 0
    try:
        make_network()
        wait_for_multicast()
        enter(RECEIVER)
        run("ethtool", "-K", "vr", "gro", "on")
        for function, cases in ((run_case, CASES), (run_beside, BESIDE),
                                (run_refusal, REFUSALS)):
            for name, *case in cases:
                try:
                    function(os.path.abspath(sys.argv[1]), *case)
                    print(f"ok: {name}")
                except Failure as failure:
                    print(f"FAILED: {name}: {failure}")
                    failures += 1
    finally:
        remove_network()
    return 1 if failures else 0


sys.exit(main())
