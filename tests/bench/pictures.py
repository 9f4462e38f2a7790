# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The figures as SVG, drawn by gnuplot."""

import os
import subprocess

from cases import RECEIVERS

HEAD = '''\
set terminal svg size 800,480 dynamic font "sans-serif,13" background "white"
set grid lc rgb "#dddddd"
set border 3
set tics nomirror
set key outside right top
'''
COLOURS = {
    'udpsrc': '#d98880',
    'udpsrc-64M': '#c0392b',
    'afxdpsrc-socket': '#7fb3d5',
    'afxdpsrc-native': '#1f618d',
    'afxdpsrc-generic': '#17a589',
    'bare-recvmmsg': '#b0a090',
    'bare-xsk': '#606060',
}


def blocks(lines):
    """Data of gnuplot's, one named block for each line."""
    text = ''
    for i, (_, points, _) in enumerate(lines):
        text += f'$line{i} << END\n'
        text += ''.join(' '.join(map(str, point)) + '\n' for point in points)
        text += 'END\n'
    return text


def plot(path, settings, lines):
    """lines: title, points, colour."""
    lines = [line for line in lines if line[1]]
    if not lines:
        return
    text = f'{HEAD}set output "{path}"\n{blocks(lines)}{settings}\nplot '
    text += ', '.join(
        f'$line{i} using 1:2 with linespoints lw 2 pt 7 ps 0.5 '
        f'lc rgb "{colour}" title "{title}"'
        for i, (title, _, colour) in enumerate(lines))
    subprocess.run(['gnuplot'], input=text + '\n', text=True, check=True)


def by_rate(figures, pipeline, value):
    lines = []
    for receiver in RECEIVERS:
        points = sorted(
            (figure['rate'] / 1000, value(figure))
            for figure in figures.all.values()
            if figure['section'] == 'rates' and
            figure['receiver'] == receiver and
            figure['pipeline'] == pipeline)
        lines.append((receiver, points, COLOURS[receiver]))
    return lines


def draw_loss(figures, path, pipeline):
    settings = f'''\
set title "Packets lost, into {pipeline}"
set xlabel "thousand packets/s"
set ylabel "% lost"
set logscale x 2
set xrange [90:2200]
set xtics (100, 150, 200, 290, 390, 520, 700, 1000, 1500, 2000)
set yrange [0:*]'''
    plot(path, settings, by_rate(
        figures, pipeline,
        lambda figure: max(0, 100 * figure['lost'] / figure['sent'])))


def draw_cost(figures, path, pipeline):
    settings = f'''\
set title "Processor time of the receiver, into {pipeline}"
set xlabel "thousand packets/s"
set ylabel "ns a packet received"
set logscale x 2
set xrange [90:2200]
set xtics (100, 150, 200, 290, 390, 520, 700, 1000, 1500, 2000)
set yrange [0:*]'''
    plot(path, settings, by_rate(figures, pipeline, lambda figure: figure['cpu-ns']))


def draw_latency(figures, path):
    found = [figure for figure in figures.all.values()
             if figure['section'] == 'latency' and 'latency' in figure]
    if not found:
        return
    rates = sorted({figure['rate'] for figure in found})
    text = f'''{HEAD}set output "{path}"
set title "From the host's arrival to the pad: p50 to p99, and the longest"
set ylabel "µs"
set logscale y
set xtics rotate by -30
set xrange [-0.6:{len(RECEIVERS) - 0.4}]
'''
    plots = []
    for i, rate in enumerate(rates):
        text += f'$rate{i} << END\n'
        for place, receiver in enumerate(RECEIVERS):
            for figure in found:
                if (figure['receiver'], figure['rate']) == (receiver, rate):
                    times = [figure['latency'][name] / 1000
                             for name in ('p50-ns', 'p99-ns', 'max-ns')]
                    text += (f'{place + 0.25 * (i - 0.5)} {times[0]} '
                             f'{times[1]} {times[2]} {receiver}\n')
        text += 'END\n'
        colour = ('#1f618d', '#c0392b')[i % 2]
        plots += [
            f'$rate{i} using 1:2:2:3:3 with candlesticks fs solid 0.5 '
            f'lc rgb "{colour}" title "{rate:,}/s"',
            f'$rate{i} using 1:4 with points pt 2 lc rgb "{colour}" notitle',
        ]
    names = ', '.join(f'"{name}" {i}' for i, name in enumerate(RECEIVERS))
    text += f'set boxwidth 0.2\nset xtics ({names})\nplot ' + ', '.join(plots)
    subprocess.run(['gnuplot'], input=text + '\n', text=True, check=True)


def draw_streams(figures, path):
    settings = '''\
set title "Processor time of many streams together, coalesce 2 ms"
set xlabel "streams"
set ylabel "ns a packet received"
set logscale x 2
set xrange [0.9:300]
set xtics (1, 4, 16, 64, 256)
set yrange [0:*]'''
    lines = []
    found = [figure for figure in figures.all.values()
             if figure['section'] == 'streams']
    for receiver, rate in sorted({
            (figure['receiver'], figure['rate']) for figure in found}):
        points = sorted(
            (figure['streams'], figure['cpu-ns']) for figure in found
            if (figure['receiver'], figure['rate']) == (receiver, rate))
        colour = COLOURS[receiver]
        if rate < 200000 and receiver != 'udpsrc-64M':
            colour = '#7fb3d5'
        lines.append((f'{receiver}, {rate // 1000},000/s', points, colour))
    plot(path, settings, lines)


def draw(figures, directory):
    os.makedirs(directory, exist_ok=True)
    for pipeline in ('fakesink', 'rtpjitterbuffer'):
        draw_loss(figures, os.path.join(directory, f'loss-{pipeline}.svg'), pipeline)
        draw_cost(figures, os.path.join(directory, f'cost-{pipeline}.svg'), pipeline)
    draw_latency(figures, os.path.join(directory, 'latency.svg'))
    draw_streams(figures, os.path.join(directory, 'streams.svg'))
