# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest: QEMU with a pair of NICs, and what its agent is asked to do.

Each NIC has a tap, and the two taps are joined by a bridge, all in a network
namespace of the host's that goes with the guest. The agent (inside/agent.py) takes
jobs from a directory that both see.
"""

import json
import os
import socket
import subprocess
import time

BOOT_SECONDS = 180
TAP_QUEUE = 10000  # packets that may wait for QEMU
SENDERS = 'virtio-net-pci'
VIRTIO = 'iommu_platform=on,disable-legacy=on'

# What receives: QEMU's device, its options, and queues of the tap.
NICS = {
    'virtio': ('virtio-net-pci', VIRTIO, 1),
    'virtio-mq': ('virtio-net-pci', f'mq=on,vectors=10,{VIRTIO}', 4),
    'igb': ('igb', '', 1),
    'e1000e': ('e1000e', '', 1),
    'vmxnet3': ('vmxnet3', '', 1),
}


class Broken(Exception):
    """The lab itself does not work."""


class Hung(Exception):
    """The guest does not answer any more."""


class Interrupted(Exception):
    """Somebody wants the lab to end."""


def address(nic, end):
    return f'52:54:00:00:{list(NICS).index(nic):02x}:{end:02x}'


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise Broken(f'{" ".join(command)}: {done.stdout.strip()}')
    return done.stdout


def tell_qemu(path, name, arguments):
    """A command of QMP, alone on its connection."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        with connection.makefile('rw', encoding='utf-8') as stream:
            stream.readline()
            for command in ({'execute': 'qmp_capabilities'},
                            {'execute': name, 'arguments': arguments}):
                stream.write(json.dumps(command) + '\n')
                stream.flush()
                answer = {}
                while 'return' not in answer:
                    answer = json.loads(stream.readline())
                    if 'error' in answer:
                        raise Broken(f'QEMU: {answer["error"]["desc"]}')


class Wires:
    """The namespace of the host's in which the taps are."""

    def __init__(self, kernel, nic):
        self.name = f'afxdp-vm-{kernel}-{nic}-{os.getpid()}'
        run('ip', 'netns', 'add', self.name)
        self.inside = ['nsenter', f'--net=/run/netns/{self.name}']
        self.add_pair(nic)

    def add_pair(self, nic):
        bridge = f'b-{nic}'
        self.ip('link', 'add', bridge, 'type', 'bridge', 'mcast_snooping', '0',
                'stp_state', '0', 'forward_delay', '0')
        for end, queues in (('t', 1), ('r', NICS[nic][2])):
            tap = f'{end}-{nic}'
            self.ip('tuntap', 'add', 'dev', tap, 'mode', 'tap', 'vnet_hdr',
                    *(['multi_queue'] if queues > 1 else []))
            run(*self.inside, 'sysctl', '-qw',
                f'net.ipv6.conf.{tap}.disable_ipv6=1')
            self.ip('link', 'set', tap, 'txqueuelen', str(TAP_QUEUE), 'master',
                    bridge, 'up')
        run(*self.inside, 'sysctl', '-qw',
            f'net.ipv6.conf.{bridge}.disable_ipv6=1')
        self.ip('link', 'set', bridge, 'up')

    def ip(self, *words):
        return run(*self.inside, 'ip', *words)

    def dropped(self, nic):
        """Packets that no NIC was ready to take from its tap, and those that found this
        host busy before that: its backlog has room for 1,000."""
        return self.counter(f'r-{nic}', 'tx') + self.counter(f't-{nic}', 'rx')

    def counter(self, tap, direction):
        link = json.loads(self.ip('-s', '-j', 'link', 'show', tap))[0]
        return link['stats64'][direction]['dropped']

    def close(self):
        run('ip', 'netns', 'del', self.name)


class Guest:
    """Boots when it is made. log: the file of its console."""

    def __init__(self, lab, kernel, nic, work):
        self.interrupted = lab.interrupted
        self.work = work
        self.log = os.path.join(work, 'console.log')
        self.share = os.path.join(work, 'share')
        self.jobs = 0
        self.warnings = 0  # characters of the log that were looked at
        os.makedirs(self.share)
        self.wires = Wires(kernel, nic)
        try:
            with open(os.path.join(work, 'qemu.log'), 'w',
                      encoding='utf-8') as log:
                self.process = subprocess.Popen(
                    self.wires.inside + self.command(lab, lab.kernels[kernel], nic),
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            self.wait('booted', BOOT_SECONDS)
        except BaseException:
            self.close()
            raise

    def command(self, lab, kernel, nic):
        """kernel: the directory of one."""
        libraries = os.path.join(lab.qemu, 'usr/lib/x86_64-linux-gnu')
        share = 'local,security_model=passthrough'
        return [
            'setpriv', '--pdeathsig', 'KILL', 'nice', '-n', '10',
            os.path.join(libraries, 'ld-linux-x86-64.so.2'), '--library-path',
            f'{libraries}:{lab.qemu}/lib/x86_64-linux-gnu',
            os.path.join(lab.qemu, 'usr/bin/qemu-system-x86_64'),
            '-L', os.path.join(lab.qemu, 'usr/share/qemu'),
            '-L', os.path.join(lab.qemu, 'usr/share/seabios'),
            '-M', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max',
            '-smp', '2', '-m', '3G', '-no-reboot', '-display', 'none',
            '-nodefaults', '-serial', f'file:{self.log}',
            '-qmp', f'unix:{self.work}/qmp,server=on,wait=off',
            '-kernel', os.path.join(kernel, 'vmlinuz'),
            '-initrd', os.path.join(kernel, 'initrd.gz'),
            '-append', 'console=ttyS0 panic=-1 mitigations=off nokaslr '
            'tsc=reliable clocksource=tsc',
            '-drive', f'file={lab.image},format=raw,if=virtio,snapshot=on,'
            'cache=unsafe',
            '-virtfs', f'{share},path={lab.top},mount_tag=src,readonly=on',
            '-virtfs', f'{share},path={kernel}/lib/modules,'
            'mount_tag=modules,readonly=on',
            '-virtfs', f'{share},path={self.share},mount_tag=lab',
            *self.nic_options(f't-{nic}', SENDERS, VIRTIO, 1, address(nic, 1)),
            *self.nic_options(f'r-{nic}', *NICS[nic], address(nic, 2))]

    @staticmethod
    def nic_options(tap, device, options, queues, mac):
        several = f',queues={queues}' if queues > 1 else ''
        return ['-netdev', f'tap,id={tap},ifname={tap},script=no,'
                f'downscript=no,vhost=off{several}',
                '-device', f'{device},id=nic-{tap},netdev={tap},mac={mac},'
                'romfile=' + (f',{options}' if options else '')]

    def wait(self, name, seconds):
        path = os.path.join(self.share, name)
        deadline = time.monotonic() + seconds
        while not os.path.exists(path):
            self.serve()
            if self.interrupted.is_set():
                raise Interrupted
            if self.process.poll() is not None:
                raise Broken(f'QEMU ended; see {self.work}')
            if time.monotonic() > deadline:
                raise Hung(f'no {name} after {seconds} s; see {self.log}')
            time.sleep(0.05)
        return path

    def serve(self):
        """What the guest asks for: {"carrier": "on" or "off", "nic": ...}."""
        path = os.path.join(self.share, 'request')
        if not os.path.exists(path):
            return
        with open(path, encoding='utf-8') as file:
            request = json.load(file)
        tell_qemu(os.path.join(self.work, 'qmp'), 'set_link', {
            'name': f'nic-r-{request["nic"]}',
            'up': request['carrier'] == 'on'})
        os.remove(path)

    def ask(self, job, seconds):
        """Returns what the agent answers to the job, a dictionary."""
        name = f'job-{self.jobs}'
        self.jobs += 1
        path = os.path.join(self.share, name)
        with open(path + '.new', 'w', encoding='utf-8') as file:
            json.dump(job, file)
        os.rename(path + '.new', path)
        with open(self.wait(f'{name}.answer', seconds),
                  encoding='utf-8') as file:
            return json.load(file)

    def new_log_lines(self):
        """What the kernel has printed since the last call."""
        with open(self.log, encoding='utf-8', errors='replace') as file:
            file.seek(self.warnings)
            text = file.read()
            self.warnings = file.tell()
        return text.splitlines()

    def close(self):
        if hasattr(self, 'process'):
            self.process.kill()
            self.process.wait()
        self.wires.close()
