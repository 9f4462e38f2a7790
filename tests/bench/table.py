# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The figures as text. Columns "x udpsrc" and "x bare" are the figure's ratio to
that of udpsrc with a large buffer, and of the bare loop of the same kind."""

from cases import RECEIVERS


def grouped(number):
    return f'{number:,.0f}'


def times(value):
    return '-' if value is None else f'{value:.2f}'


def text_of(title, header, rows):
    if not rows:
        return ''
    cells = [header] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = [title, '']
    for row in cells:
        first = row[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append('  ' + '  '.join([first] + rest).rstrip())
    return '\n'.join(lines) + '\n\n'


def highest(figures):
    rows = []
    for (receiver, pipeline), entry in figures.highest.items():
        # Where the wire ended first, the receiver may hold more.
        sign = '>=' if entry['limit'] == 'sender' else ''
        rate = grouped(entry['rate']) if entry['rate'] else 'none'
        rows.append([receiver, pipeline, sign + rate,
                     times(entry['to-udpsrc']), times(entry['to-bare'])])
    return text_of(
        'Highest rate without a loss, packets/s (>=: the sender\'s limit)',
        ['receiver', 'into', 'packets/s', 'x udpsrc', 'x bare'], rows)


def by_rate(figures, title, section, pipeline, cell):
    """A line for each receiver, a column for each rate."""
    rates = sorted({figure['rate'] for figure in figures.all.values()
                    if figure['section'] == section and
                    figure['pipeline'] == pipeline})
    rows = []
    for receiver in RECEIVERS:
        found = [figures.find(section, receiver, rate, pipeline) for rate in rates]
        if any(found):
            rows.append([receiver] + [
                cell(figure) if figure else 'not sent' for figure in found])
    return text_of(title, ['packets/s'] + [grouped(rate) for rate in rates], rows)


def loss(figure):
    if figure['lost'] <= 0:
        return '0'
    percent = 100 * figure['lost'] / figure['sent']
    return f'{percent:.3f}' if percent < 0.1 else f'{percent:.1f}'


def cost(figure):
    return f'{figure["user-ns"]:.0f}+{figure["system-ns"]:.0f}'


def cost_ratios(figure):
    return (f'{times(figure["to-udpsrc"].get("cpu-ns"))} '
            f'{times(figure["to-bare"].get("cpu-ns"))}')


def softirq(figure):
    return f'{figure["sending-core-softirq-ns"]:.0f}'


def rates(figures):
    text = ''
    for pipeline in ('fakesink', 'rtpjitterbuffer'):
        for title, cell in (
                ('Lost, % of the packets sent', loss),
                ('Processor time of the receiver, ns a packet, user+system',
                 cost),
                ('The same, x udpsrc and x bare', cost_ratios),
                ('Softirqs of the sending core, ns a packet', softirq)):
            text += by_rate(figures, f'{title}; into {pipeline}', 'rates',
                            pipeline, cell)
    return text


def latency(figures):
    rows = []
    for figure in figures.all.values():
        if figure['section'] != 'latency' or 'latency' not in figure:
            continue
        micros = [f'{figure["latency"][name] / 1000:,.0f}'
                  for name in ('p50-ns', 'p99-ns', 'max-ns')]
        ratios = [
            f'{times(figure[other].get("latency-p50-ns"))} '
            f'{times(figure[other].get("latency-p99-ns"))}'
            for other in ('to-udpsrc', 'to-bare')]
        rows.append([figure['receiver'], grouped(figure['rate'])] + micros +
                    ratios + [loss(figure)])
    return text_of(
        'Latency from the host\'s arrival to the pad, µs (ratios: p50 p99)',
        ['receiver', 'packets/s', 'p50', 'p99', 'max', 'x udpsrc', 'x bare',
         'lost %'], rows)


def memory(figures):
    rows = []
    for receiver in RECEIVERS:
        found = [figure for figure in figures.all.values()
                 if figure['section'] == 'rates' and
                 figure['receiver'] == receiver and
                 figure['pipeline'] == 'fakesink']
        if not found:
            continue
        figure = max(found, key=lambda figure: figure['resident-bytes'])
        rows.append([
            receiver, f'{figure["resident-bytes"] / 2**20:.1f}',
            f'{figure.get("umem-bytes", 0) / 2**20:.1f}',
            times(figure['to-udpsrc'].get('resident-bytes')),
            times(figure['to-bare'].get('resident-bytes'))])
    return text_of(
        'Resident memory, most of all rates, MiB',
        ['receiver', 'resident', 'of it frames', 'x udpsrc', 'x bare'], rows)


def streams(figures):
    found = sorted(
        (figure for figure in figures.all.values()
         if figure['section'] == 'streams'),
        key=lambda figure: (figure['rate'], figure['receiver'],
                            figure['streams']))
    ones = {(figure['receiver'], figure['rate']): figure for figure in found
            if figure['streams'] == 1}
    rows = []
    for figure in found:
        one = ones.get((figure['receiver'], figure['rate']))
        rows.append([
            figure['receiver'], grouped(figure['rate']), figure['streams'],
            cost(figure), f'{figure["cpu-ns"]:.0f}',
            times(figure['cpu-ns'] / one['cpu-ns'] if one else None),
            times(figure['to-udpsrc'].get('cpu-ns')),
            times(figure['to-bare'].get('cpu-ns')), loss(figure)])
    return text_of(
        'Processor time with many streams, ns a packet (coalesce 2 ms)',
        ['receiver', 'packets/s', 'streams', 'user+system', 'ns',
         'x one stream', 'x udpsrc', 'x bare', 'lost %'], rows)


def sizes(figures):
    rows = [
        [figure['receiver'], figure['payload-size'], cost(figure),
         times(figure['to-udpsrc'].get('cpu-ns')),
         times(figure['to-bare'].get('cpu-ns')), loss(figure)]
        for figure in figures.all.values() if figure['section'] == 'sizes']
    return text_of(
        'Sizes of packets, at 200,000/s, into fakesink; 1400: every 100th 300',
        ['receiver', 'payload bytes', 'user+system ns', 'x udpsrc', 'x bare',
         'lost %'], rows)


def text(figures):
    return ''.join(part(figures) for part in (
        highest, rates, latency, memory, streams, sizes))
