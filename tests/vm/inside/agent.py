# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The agent in a guest: takes jobs from the directory that the host sees too, one
after the other, and puts the answers there."""

import json
import os
import sys
import time
import traceback

import stream

SHARE = '/mnt'
JOBS = {'stream': stream.run}


def put(name, value):
    path = os.path.join(SHARE, name)
    with open(path + '.new', 'w', encoding='utf-8') as file:
        json.dump(value, file)
    os.rename(path + '.new', path)


def answer(name):
    with open(os.path.join(SHARE, name), encoding='utf-8') as file:
        job = json.load(file)
    try:
        return JOBS[job['job']](job)
    except Exception:  # whatever it is, the host has to hear of it
        return {'broken': traceback.format_exc()}


def main():
    put('booted', os.uname().release)
    number = 0
    while True:
        name = f'job-{number}'
        if os.path.exists(os.path.join(SHARE, name)):
            put(f'{name}.answer', answer(name))
            number += 1
        else:
            time.sleep(0.1)


sys.exit(main())
