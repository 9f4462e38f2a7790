# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One run: streams from a NIC's sender to its receiver, what is done meanwhile, and
what became of the packets.

The sender sends until all steps are done; so no run depends on how fast anything is.
"""

import json
import os
import subprocess
import time

import senders
from hosts import PATIENCE, Pair
from receiver import Receiver

SHARE = '/mnt'


def difference(before, after):
    return {name: value - before.get(name, 0) for name, value in after.items()
            if value != before.get(name, 0)}


def ask_host(request):
    """What only the host can do; guest.py has what it does."""
    path = os.path.join(SHARE, 'request')
    with open(path + '.new', 'w', encoding='utf-8') as file:
        json.dump(request, file)
    os.rename(path + '.new', path)
    deadline = time.monotonic() + PATIENCE
    while os.path.exists(path):
        if time.monotonic() > deadline:
            raise RuntimeError('the host does not do it')
        time.sleep(0.05)


def command(end, words, may_fail=False):
    """Returns what the command complains of, or None."""
    done = subprocess.run(end.inside + words.split(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True,
                          timeout=PATIENCE, check=False)
    if done.returncode == 0 or may_fail:
        return None
    return f'{words}: {done.stdout.strip()}'


def take_step(step, pair, receiver):
    """Returns what went wrong, or None."""
    if 'receiver' in step:
        return command(pair.receiver, step['receiver'], 'may-fail' in step)
    if 'sender' in step:
        return command(pair.sender, step['sender'])
    if 'mode' in step:
        return receiver.wait_for(step['mode'], step['packets'])
    if 'tell' in step:
        receiver.tell(step['tell'])
    elif 'seconds' in step:
        time.sleep(step['seconds'])
    elif 'host' in step:
        ask_host(step['host'])
    elif step.get('do') == 'unbind':
        pair.receiver.unbind()
    elif step.get('do') == 'bind':
        pair.receiver.bind()
    else:
        return f'there is no step {step}'
    return None


def take_steps(steps, pair, receiver):
    """Up to the first that goes wrong."""
    for step in steps:
        error = take_step(step, pair, receiver)
        if error:
            return [error]
    return []


def run(job):
    build = f'/src/{job["build"]}'
    pair = Pair.get(job['nic'], job['macs'])
    wrong = take_steps(job['before'], pair, None)
    counted = pair.receiver.counters()
    receiver = Receiver(pair.receiver.inside, build, job['streams'],
                        job['properties'])
    try:
        sender = senders.start(job, pair.sender, build)
        try:
            wrong += take_steps(job['steps'], pair, receiver)
        finally:
            receiver.tell('go')
            sent = sender.end()
        receiver.wait_for_silence()
        playing = receiver.ask_stats()
    finally:
        stats = receiver.close()
        counted = difference(counted, pair.receiver.counters())
        wrong += take_steps(job['after'], pair, None)
    return {
        'sent': sent,
        'wrong': wrong,
        'playing': playing,
        'stats': stats,
        'seconds': time.monotonic() - receiver.started,
        'messages': receiver.messages,
        'other-lines': receiver.others,
        'exit-status': receiver.process.returncode,
        'counters': counted,
    }
