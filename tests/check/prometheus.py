#!/usr/bin/env python3
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""prometheus.py SOURCE: that Prometheus itself can read the metrics.

gst-launch-1.0 plays a stream with the tracer afxdpmetrics, and does not know it;
Prometheus scrapes it and answers questions, promtool finds nothing to blame. The
alerts of examples/alerts.yml do what alerts-test.yml says of them. Those, the
dashboard and the page ask for no metric that is not there."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

SKIP = 77
PATIENCE = 60  # s; nothing takes so long
# A network of its own for each process: nobody else listens there.
ADDRESS = f'127.{os.getpid() >> 16 & 63 | 64}.{os.getpid() >> 8 & 255}.' \
          f'{os.getpid() & 255}'
N_PACKETS = 500
N_LOST = 3

faults = []


def expect(is_so, text):
    if not is_so:
        faults.append(text)


def wait_until(what, *processes):
    """Until what() is true, which it returns."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for process in processes:
            if process.poll() is not None:
                sys.exit(f'{process.args[0]} has ended: {process.returncode}')
        with contextlib.suppress(OSError):
            result = what()
            if result:
                return result
        time.sleep(0.1)
    sys.exit(f'it never became so: {what.__name__}')


def fetch(url, accept=None):
    request = urllib.request.Request(url)
    if accept:
        request.add_header('Accept', accept)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return answer.read().decode()


def check(name, *command, **options):
    result = subprocess.run(command, text=True, capture_output=True, **options)
    output = result.stdout + result.stderr
    expect(result.returncode == 0, f'{name}: {output}')
    return output


# The files.

def known_names(source):
    """As samples are called, of the table; histograms by each of their samples."""
    table = (source / 'gst/metrics/metrics.def').read_text()
    names = set()
    for kind, name in re.findall(r'^METRIC \(\w+, (\w+), [^,]+, "(\w+)"', table,
                                 re.MULTILINE):
        suffixes = {'COUNTER': ['_total'], 'INFO': ['_info'],
                    'HISTOGRAM': ['', '_bucket', '_sum', '_count']}
        names.update(name + suffix for suffix in suffixes.get(kind, ['']))
    return names


def names_in(text):
    return set(re.findall(r'\bafxdp_\w+', text))


def queries_of(panel):
    for target in panel.get('targets', []):
        yield target['expr']
    for inner in panel.get('panels', []):
        yield from queries_of(inner)


def check_dashboard(source, names):
    dashboard = json.loads((source / 'examples/grafana.json').read_text())
    expect(dashboard['title'] and dashboard['uid'], 'grafana.json: it has no name')
    queries = [query for panel in dashboard['panels'] for query in queries_of(panel)]
    expect(len(queries) > 10, 'grafana.json: it asks for little')
    identities = [panel['id'] for panel in dashboard['panels']]
    expect(len(set(identities)) == len(identities), 'grafana.json: an id is twice')
    variables = dashboard['templating']['list']
    queries += [variable['definition'] for variable in variables
                if variable['type'] == 'query']
    for query in queries:
        used = names_in(query)
        expect(used, f'grafana.json: {query} asks for none of our metrics')
        expect(used <= names, f'grafana.json: {sorted(used - names)} in {query}')
    return [query for query in queries if not query.startswith('label_values')]


def check_other_files(source, names):
    alerts = (source / 'examples/alerts.yml').read_text()
    tests = (source / 'tests/check/alerts-test.yml').read_text()
    page = (source / 'docs/metrics.md').read_text()
    for where, text in ('alerts.yml', alerts), ('alerts-test.yml', tests), \
            ('metrics.md', page):
        unknown = {name for name in names_in(text) - names
                   if name != 'afxdp_distributor_client_'}
        expect(not unknown, f'{where}: there are no {sorted(unknown)}')
    for alert in re.findall(r'- alert: (\w+)', alerts):
        expect(f'alertname: {alert}\n        exp_alerts' in tests,
               f'alerts-test.yml: {alert} never fires')
    return re.findall(r'^\| .* \| `(.*afxdp_.*)` \|$', page, re.MULTILINE)


def check_rules(source, work):
    for name in 'examples/alerts.yml', 'tests/check/alerts-test.yml':
        shutil.copy(source / name, work)
    check('promtool check rules', 'promtool', 'check', 'rules', work / 'alerts.yml')
    print(check('promtool test rules', 'promtool', 'test', 'rules',
                work / 'alerts-test.yml'))


# The stream.

def packet(number):
    return (b'\x80\x21' + number.to_bytes(2, 'big') +
            (number * 90).to_bytes(4, 'big') + b'\0\0\0\1' + bytes(100))


def send():
    """Some are left out in the middle."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(N_PACKETS + N_LOST):
            if not 200 <= number < 200 + N_LOST:
                sender.sendto(packet(number), (ADDRESS, 5004))
                time.sleep(0.0005)


@contextlib.contextmanager
def running(work, name, *command, **options):
    with open(work / f'{name}.log', 'w') as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, **options)
        try:
            yield process
        finally:
            process.terminate()
            process.wait()
    print(f'{name}:', (work / f'{name}.log').read_text()[-2000:])


def play(work):
    environment = dict(
        os.environ, GST_TRACERS=f'afxdpmetrics(listen={ADDRESS}:9464,'
        f'file={work}/afxdp.prom,log={work}/samples,interval=0.2)')
    return running(work, 'gst-launch', 'gst-launch-1.0', 'afxdpsrc', 'mode=socket',
                   f'address={ADDRESS}', 'port=5004', '!', 'fakesink',
                   env=environment)


def sample(text, name, label):
    for line in text.splitlines():
        if line.startswith(name + '{') and label in line:
            return float(line.rsplit(' ', 1)[1])
    return None


def check_texts(work, player):
    url = f'http://{ADDRESS}:9464/metrics'
    wait_until(lambda: 'afxdp_playing' in fetch(url), player)
    send()
    wait_until(lambda: sample(fetch(url), 'afxdp_packets_total', 'socket') ==
               N_PACKETS, player)
    wait_until(lambda: sample(fetch(url), 'afxdp_lost_packets_total', 'network') ==
               N_LOST, player)
    text = fetch(url, 'text/plain')
    print(check('promtool check metrics', 'promtool', 'check', 'metrics', input=text))
    wait_until(lambda: sample((work / 'afxdp.prom').read_text(),
                              'afxdp_packets_total', 'socket') == N_PACKETS, player)
    check('promtool check metrics of the file', 'promtool', 'check', 'metrics',
          input=(work / 'afxdp.prom').read_text())
    line = wait_until(lambda: (work / 'samples').read_text(), player).splitlines()[0]
    names = {one['name'] for one in json.loads(line)['samples']}
    expect('afxdp_latency_seconds' in names, f'the log has {sorted(names)}')


# Prometheus.

CONFIGURATION = '''
global:
  scrape_interval: 500ms
  evaluation_interval: 500ms
rule_files: [alerts.yml]
scrape_configs:
  - job_name: afxdp
    static_configs:
      - targets: ['{address}:9464']
'''


def ask(what, **parameters):
    answer = json.loads(fetch(f'http://{ADDRESS}:9090/api/v1/{what}?' +
                              urllib.parse.urlencode(parameters)))
    if answer['status'] != 'success':
        sys.exit(f'Prometheus: {answer}')
    return answer['data']


def value_of(query):
    results = ask('query', query=query)['result']
    return float(results[0]['value'][1]) if len(results) == 1 else None


def check_target():
    target, = ask('targets')['activeTargets']
    expect(target['health'] == 'up', f'the target is {target}')
    about = ask('metadata', metric='afxdp_latency_seconds')['afxdp_latency_seconds']
    expect(about[0]['type'] == 'histogram' and about[0]['unit'] == 'seconds',
           f'it was not read as OpenMetrics: {about}')


def check_scraped(work, player, queries):
    (work / 'prometheus.yml').write_text(CONFIGURATION.format(address=ADDRESS))
    with running(work, 'prometheus', 'prometheus',
                 f'--config.file={work}/prometheus.yml',
                 f'--storage.tsdb.path={work}/data',
                 f'--web.listen-address={ADDRESS}:9090') as prometheus:
        wait_until(lambda: value_of('sum(afxdp_packets_total)') == N_PACKETS,
                   prometheus, player)
        check_target()
        expect(value_of('afxdp_lost_packets_total{place="network"}') == N_LOST,
               'what was lost')
        expect(value_of('afxdp_latency_seconds_count') == N_PACKETS,
               'the histogram has not all packets')
        # Grafana fills in what it knows.
        for query in queries:
            for name, value in ('$__rate_interval', '1m'), ('$__range', '1h'), \
                    ('$instance', '.*'), ('$group', '.*'):
                query = query.replace(name, value)
            ask('query', query=query)


def main(source):
    source = pathlib.Path(source)
    names = known_names(source)
    queries = check_dashboard(source, names) + check_other_files(source, names)
    missing = [name for name in ('prometheus', 'promtool', 'gst-launch-1.0')
               if not shutil.which(name)]
    if missing and not faults:
        print(f'skipped: there is no {" and no ".join(missing)}')
        return SKIP
    if not missing:
        with tempfile.TemporaryDirectory() as name:
            work = pathlib.Path(name)
            check_rules(source, work)
            with play(work) as player:
                check_texts(work, player)
                check_scraped(work, player, queries)
    for fault in faults:
        print(f'not so: {fault}')
    return bool(faults)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
