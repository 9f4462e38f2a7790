#!/usr/bin/env python3
# SPDX-FileCopyrightText: The afxdpsrc authors
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
from fractions import Fraction

SENDER = f"rg-test-s-{os.getpid()}"
RECEIVER = f"rg-test-r-{os.getpid()}"
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
BUFFER = 64 << 20

# Options of rtpgen; a space ends each, for others follow.
G4 = "--destination 239.1.1.1:5000 "
G6 = "--destination [ff15::1]:5000 "
SCRIPT = ("--gap 10:5 --gap 300:1 --duplicate 20 --duplicate 21:2 --reorder 30 "
          "--reorder 40:3 --reorder 41:2 --reorder 60:10 --gap 65:10 ")
CYCLE = "--gap 0:2 --duplicate 9 --reorder 20:5 --script-every 64 "
DELAYS = "--silence 100:50 --pause 800:60 --hold 1100:70 "
GOES_ON = DELAYS + "--timestamps-go-on --first-timestamp 4294960000 "
OPTION = "--marker-every 8 --marker-size 17 --marker-ip-option "

# name, rtpgen's options, settings of the sending end before; --start-at is ms from now
CASES = [
    ("live IPv4", G4 + "--packets 2000 --rate 40000", ""),
    ("live IPv6", G6 + "--packets 1000 --rate 40000", ""),
    ("live, as fast as possible", G4 + "--packets 3000", ""),
    ("live, bursts and flows",
     G4 + G6 + "--flows 3 --packets 999 --rate 40000 --burst 10", ""),
    ("live, short markers with option",
     G4 + OPTION + "--packets 2000 --rate 40000", ""),
    ("live, long markers, both IP",
     G4 + G6 + "--packets 999 --rate 40000 --marker-every 5 --marker-size 1400 "
     "--payload-size 99 --payload-type 96", ""),
    ("live, MPEG TS, longer markers",
     G4 + "--packets 50 --payload-size 188 --marker-every 5 --marker-size 379", ""),
    ("live, script", G4 + SCRIPT + "--packets 1000 --rate 40000 --first-seq 65500", ""),
    ("live, in several calls",
     G4 + "--packets 20000 --rate 40000 --payload-size 188 --call-runs 100000", ""),
    ("live, periodic script",
     G4 + CYCLE + OPTION + "--packets 2011 --rate 40000 --flows 2", ""),
    ("live, 25 fps", G4 + "--packets 3000 --rate 20000 --fps 25", ""),
    ("live, 29.97 fps, gapped, flows",
     G4 + "--packets 4000 --rate 20000 --fps 29.97 --frame-pacing gapped --flows 3 "
     "--first-timestamp 4294967000", ""),
    ("live, 24000/1001 fps in bursts",
     G4 + "--packets 3000 --rate 10000 --fps 24000/1001 --frame-pacing burst "
     "--marker-size 700", ""),
    ("live, 59.94 fps, too fast",
     G4 + "--packets 3000 --rate 20000 --fps 59.94 --timestamp-factor 43", ""),
    ("live, audio",
     G4 + "--packets 200 --rate 1000 --audio --payload-size 288 --payload-type 97", ""),
    ("live, constant timestamps",
     G4 + "--packets 1000 --rate 20000 --constant-timestamps --first-timestamp 77", ""),
    ("live, uncompressed video",
     G4 + "--packets 3000 --rate 14400 --fps 50 --raw-video 64x72 "
     "--payload-type 112 --first-seq 65000", ""),
    ("socket, uncompressed video",
     G4 + "--packets 3000 --rate 14400 --fps 50 --raw-video 64x72 "
     "--payload-type 112 --first-seq 65000 --method socket", "tx off"),
    ("live, silence, pause and hold",
     G4 + DELAYS + "--packets 2000 --rate 10000 --fps 50", ""),
    ("live, timestamps go on, flows",
     G4 + GOES_ON + "--packets 4000 --rate 20000 --flows 2", ""),
    ("live, periodic silence",
     G4 + "--packets 5000 --rate 20000 --silence 10:20 --pause 700:5 --gap 990:10 "
     "--script-every 1000", ""),
    ("socket, 50 fps in bursts",
     G4 + "--packets 3000 --rate 20000 --fps 50 --frame-pacing burst "
     "--method socket", "tx off"),
    ("socket, silence, pause and hold",
     G4 + GOES_ON + "--packets 2000 --rate 10000 --audio --method socket", "tx off"),
    ("socket IPv4", G4 + "--packets 2000 --rate 40000 --method socket", "tx off"),
    ("socket, script, both IP",
     G4 + G6 + SCRIPT + "--packets 2000 --rate 40000 --method socket", "tx off"),
    ("socket, markers with option",
     G4 + OPTION + CYCLE + "--packets 2000 --rate 40000 --method socket "
     "--flows 4", "tx off"),
    ("live, start to come", G4 + "--packets 1000 --rate 20000 --start-at +400", ""),
    ("live, start to come, duration",
     G4 + "--rate 20000 --duration 0.05 --start-at +400", ""),
    ("live, start is over", G4 + "--packets 1000 --rate 20000 --start-at -40", ""),
    ("socket, start to come, duration",
     G4 + "--rate 20000 --duration 0.05 --method socket --start-at +400", "tx off"),
    ("socket, realtime",
     G4 + "--packets 1000 --rate 20000 --method socket --realtime", "tx off"),
    ("socket, partial checksums", G4 + "--packets 10 --method socket", "tx on"),
]

# While the host itself sends.
BESIDE = [
    ("live, others dropped", G4 + "--packets 2000 --rate 2000 --payload-size 188"),
]

# name, options, setting of the receiving end before, exit status, complaint
REFUSALS = [
    ("no NAPI", G4 + "--packets 100", "gro off", 1, "ethtool -K"),
    ("too fast", G4 + "--rate 100000000 --packets 200000", "gro on", 3, "packets/s"),
    ("no destination", "", "gro on", 2, "--destination"),
    ("script at odds", G4 + "--gap 5:3 --duplicate 6", "gro on", 2, "packet 6"),
    ("larger than the MTU", G4 + "--payload-size 1500", "gro on", 2, "MTU"),
    ("frames without rate", G4 + "--fps 25", "gro on", 2, "--rate"),
    ("frames and audio", G4 + "--fps 25 --rate 1000 --audio", "gro on", 2, "--audio"),
    ("frames of nothing", G4 + "--fps 0 --rate 1000", "gro on", 2, "30000/1001"),
    ("unknown pacing",
     G4 + "--fps 25 --rate 1000 --frame-pacing wide", "gro on", 2, "gapped"),
    ("silence without rate", G4 + "--silence 5:3", "gro on", 2, "--rate"),
    ("pause at the start", G4 + "--pause 0:3", "gro on", 2, "packet 0"),
    ("only silence",
     G4 + "--silence 0:100 --rate 1000 --script-every 100", "gro on", 2,
     "leaves out all"),
    ("video of no whole lines", G4 + "--fps 50 --rate 20000 --raw-video 1920x1080",
     "gro on", 2, "each line"),
    ("realtime that never sleeps",
     G4 + "--realtime --rate 20000", "gro on", 2, "never sleeps"),
    ("option and IPv6", G6 + "--marker-ip-option", "gro on", 2, "IPv6"),
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
        run("ip", "-n", name, "addr", "add", f"fd09::{host}/64", "dev", device, "nodad")
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
    return [arguments[i + 1] for i, word in enumerate(arguments) if word == name]


def value(arguments, name, default):
    return int((values(arguments, name) or [default])[-1])


def events(arguments, name):
    pairs = (text.partition(":") for text in values(arguments, name))
    return {int(at): int(amount or 1) for at, _, amount in pairs}


def get_frames(arguments):
    """Frames/s, exactly, or None."""
    text = (values(arguments, "--fps") or [None])[0]
    if text and "." in text:
        return Fraction(round(float(text)) * 1000, 1001)
    return Fraction(text) if text else None


def count_flows(arguments):
    return (len(values(arguments, "--destination")) * value(arguments, "--flows", 1))


def get_frame_packets(arguments):
    """Of one flow."""
    rate = Fraction(value(arguments, "--rate", 0), count_flows(arguments))
    return int(rate / get_frames(arguments) + Fraction(1, 2))


def get_rate(arguments):
    """Packets/s of all flows that are really sent."""
    if "--fps" not in arguments:
        return value(arguments, "--rate", 0) or 1000000
    return (get_frame_packets(arguments) * count_flows(arguments)
            * get_frames(arguments))


def model(arguments, count):
    """The indices that a flow sends in so many turns, one at a time; None is a
    turn at which it is silent."""
    rate = Fraction(get_rate(arguments), count_flows(arguments))
    silences = {at: round(rate * time / 1000) for at, time
                in events(arguments, "--silence").items()}
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
        if at in silences:
            index += silences[at]
            sent += [None] * silences[at]
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


def video_payload(arguments, index):
    """RFC 4175: a part of one line."""
    width, height = map(int, values(arguments, "--raw-video")[0].split("x"))
    packets = get_frame_packets(arguments) // height
    pixels = width // packets
    place = index % get_frame_packets(arguments)
    number = value(arguments, "--first-seq", 0) + index
    pattern = bytearray(i % 251 for i in range(8 + 2 * pixels))
    pattern[:16] = struct.pack("!4HQ", number >> 16 & 0xffff, 2 * pixels,
                               place // packets, place % packets * pixels, index)
    return bytes(pattern)


def get_timestamp(arguments, index):
    clock = 48000 if "--audio" in arguments else 90000
    factor = value(arguments, "--timestamp-factor", 1)
    first = value(arguments, "--first-timestamp", 0)
    if "--constant-timestamps" in arguments:
        return first
    if "--fps" in arguments:
        index //= get_frame_packets(arguments)
        step = clock / get_frames(arguments)
    else:
        step = Fraction(clock * count_flows(arguments), get_rate(arguments))
    ticks = index * (int(step * (1 << 32)) * factor) >> 32
    if "--timestamps-go-on" in arguments:
        ticks += sum(clock * time // 1000 for at, time
                     in events(arguments, "--pause").items() if at <= index)
    return first + ticks


def check_packet(arguments, flow, index, options, datagram):
    fps = "--fps" in arguments
    every = (get_frame_packets(arguments) if fps
             else value(arguments, "--marker-every", 0))
    marker = bool(every) and (index + 1) % every == 0
    ordinary = value(arguments, "--payload-size", 1316)
    size = (value(arguments, "--marker-size", ordinary if fps else 300)
            if marker else ordinary)
    kind = value(arguments, "--payload-type", 33)
    stamp = get_timestamp(arguments, index)
    expected = struct.pack(
        "!BBHII", 0x80, kind | marker << 7,
        (value(arguments, "--first-seq", 0) + index) & 0xffff,
        stamp & 0xffffffff, 0x52545047 + flow)
    if "--raw-video" in arguments:
        expected += video_payload(arguments, index)
    else:
        expected += payload(size, kind == 33 and ordinary % 188 == 0, flow, index)
    require(datagram == expected, f"flow {flow} packet {index} is not right: "
            f"{datagram[:32].hex()} for {expected[:32].hex()}")
    wanted = marker and "--marker-ip-option" in arguments
    require(options == (b"\1\1\1\0" if wanted else b""), "wrong IP options")


def open_receivers(groups):
    """A packet socket that sees all, and UDP sockets that check as hosts do."""
    packet = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    packet.bind(("vr", 0))
    packet.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
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


def drain_stamped(receiver):
    """(when it came in s, packet)"""
    packets = []
    try:
        while True:
            data, control, _, _ = receiver.recvmsg(65536, 64)
            seconds, rest = struct.unpack("@qq", control[0][2])
            packets.append((seconds + rest / 1e9, data))
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
            groups.append((f"{start[:-1]}{int(start[-1]) + flow}{close}", int(port)))
    return groups


def check_flow(arguments, flow, seen, report):
    turns = model(arguments, report["packets"] + report["silent"])
    indices = [index for index in turns if index is not None]
    require(report["silent"] == len(turns) - len(indices), "wrong silence")
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


def check_time(arguments, report):
    """All that was asked for has passed; more may have on a busy machine."""
    if "--rate" not in arguments or "--script-every" in arguments:
        return
    turns = report["packets"] + report["silent"]
    pauses = sum(events(arguments, "--pause").values()) / 1e3
    needed = float((turns - 1) / get_rate(arguments)) + pauses
    # A frame's packets come in front of its time.
    if "--frame-pacing" in arguments:
        needed -= float(1 / get_frames(arguments))
    passed = (report["last-ns"] - report["start-ns"]) / 1e9
    require(needed - 0.001 < passed < needed + 5,
            f"took {passed:.3f} s, should be {needed:.3f}")


def check_schedule(arguments, due_from, arrivals):
    """No packet of a flow came before its time, which silence, pause and hold put
    off. Later it may be, on a busy machine, and then silence seems shorter."""
    if "--script-every" in arguments or "--frame-pacing" in arguments:
        return
    turns = model(arguments, len(arrivals) + sum(
        round(get_rate(arguments) / count_flows(arguments) * time / 1000)
        for time in events(arguments, "--silence").values()))
    step = float(count_flows(arguments) / get_rate(arguments))
    pauses, holds = events(arguments, "--pause"), events(arguments, "--hold")
    sent = [(turn, at) for turn, at in enumerate(turns) if at is not None]
    for (turn, at), arrival in zip(sent, arrivals):
        put_off = sum(time for first, time in pauses.items() if first <= at)
        put_off += holds.get(at, 0)
        due = due_from + turn * step + put_off / 1e3
        require(arrival > due - 0.01, f"{at} came {due - arrival:.3f} s too early")


def check_bursts(arguments, times):
    """Frames that are sent at once are apart."""
    if "burst" not in values(arguments, "--frame-pacing"):
        return
    packets = get_frame_packets(arguments)
    frames = times[packets::packets]
    apart = [b - a for a, b in zip(times[packets - 1::packets], frames)]
    middle = sorted(apart)[len(apart) // 2]
    require(middle > float(0.5 / get_frames(arguments)),
            f"frames in bursts are {middle:.4f} s apart")


def set_start(arguments):
    """Makes --start-at ns of the clock. Returns it, or None."""
    if "--start-at" not in arguments:
        return None
    at = arguments.index("--start-at") + 1
    start = time.monotonic_ns() + int(arguments[at]) * 1000000
    arguments[at] = str(start)
    return start


def run_case(rtpgen, arguments, setting):
    if setting:
        run(*in_sender("ethtool", "-K", "vs", *setting.split()))
    groups = get_groups(arguments)
    receivers = open_receivers(groups)
    start_at = set_start(arguments)
    done = subprocess.run(
        in_sender(rtpgen, "--interface", "vs", "--json", *arguments),
        capture_output=True, text=True, check=False)
    # Slow is no failure here: the machine may have other work.
    require(done.returncode in (0, 3), f"exit status {done.returncode}: {done.stderr}")
    report = json.loads(done.stdout)
    require(start_at in (None, report["start-ns"]), "started at another time")
    stamped = [(arrival, frame) for arrival, frame in drain_stamped(receivers[0])
               if frame[6:12] != b"\0" * 6 and frame[36:38] == b"\x13\x88"
               or frame[40:42] == b"\x13\x88" or frame[56:58] == b"\x13\x88"]
    frames = [frame for _, frame in stamped]
    check_bursts(arguments, [arrival for arrival, _ in stamped])
    require(report["packets"] == len(frames) == report["delivered"],
            f"{len(frames)} frames arrived, {report['packets']} reported")
    require(report["calls"] > 1 or "--call-runs" not in arguments, "made only one call")
    check_time(arguments, report)
    require(report["bytes"] == sum(map(len, frames)), "wrong number of bytes")
    seen = {group: [] for group in groups}
    arrivals = {group: [] for group in groups}
    for arrival, frame in stamped:
        group, options, datagram = parse(frame, report["checksums"] == "partial")
        seen[group].append((options, datagram))
        arrivals[group].append(arrival)
    start = report["start-ns"] / 1e9 + time.time() - time.monotonic()
    for flow, group in enumerate(groups):
        if "--rate" in arguments:
            check_schedule(arguments, start, arrivals[group])
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
    missing = [tool for tool in ("ip", "ethtool", "nsenter") if not shutil.which(tool)]
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
            for name, options, *case in cases:
                try:
                    function(os.path.abspath(sys.argv[1]), options.split(), *case)
                    print(f"ok: {name}")
                except Failure as failure:
                    print(f"FAILED: {name}: {failure}")
                    failures += 1
    finally:
        remove_network()
    return 1 if failures else 0


sys.exit(main())
