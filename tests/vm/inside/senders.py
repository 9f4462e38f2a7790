# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who sends, until told to end: rtpgen, or datagrams of every size."""

import json
import os
import signal
import subprocess

PATIENCE = 60
LONGEST = 900  # seconds that one sends at most


class Sender:
    """A process that ends by SIGINT, and then prints a report."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end(self):
        """Returns the report."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        out, errors = self.process.communicate(timeout=PATIENCE)
        if self.process.returncode not in (0, 1, 3):
            raise RuntimeError(f'the sender: {errors.strip()}')
        return json.loads(out)


def start(job, end, build):
    if job['sizes']:
        sizes = os.path.join(os.path.dirname(__file__), 'sizes.py')
        return Sender(end.inside + ['python3', sizes, str(job['sizes']),
                                    str(job['rate'])])
    return Sender(end.inside + [
        f'{build}/tests/tools/rtpgen', '--interface=tx', '--method=socket',
        '--json', '--batch=8', '--destination=239.1.1.1:5000',
        f'--flows={job["streams"]}', f'--packets={LONGEST * job["rate"]}',
        f'--rate={job["rate"]}', *job['sender']])
