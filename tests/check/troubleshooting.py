#!/usr/bin/python3
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""troubleshooting.py SOURCE: that docs/troubleshooting.md has each text for a user.

A text is a string of gst/ that has three words or more, adjacent strings being one,
that does not go on with another (", since ..."), and that is told to more than the log.
The page quotes its first words, in backticks, in the first column of a table that
begins with "it says"; "..." stands for what is filled in. A quote has three words or
more, too. One that begins no text any more fails as well."""

import pathlib
import re
import sys

TOKEN = re.compile(
    r'/\*.*?\*/|//[^\n]*|\\\n|^#include[^\n]*|'
    r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])+\'|\.?\w+(?:\[\])?|\S',
    re.DOTALL | re.MULTILINE)
CONVERSION = re.compile(r'%[-+#0-9.*]*(?:hh?|ll?|z)?[a-zA-Z]')
WORDS = 3

# A statement with one of these words tells nobody but a reader of the log at INFO and
# below, or a programmer.
QUIET = re.compile(
    r'AFXDP_(INFO|DEBUG|LOG|LOG_AT|TRACE)|GST_(INFO|DEBUG|LOG|TRACE)(_OBJECT)?|g_debug|'
    r'GST_PLUGIN_DEFINE|GST_DEBUG_CATEGORY_INIT|g_assert\w*|g_param_spec_\w+|sscanf|'
    r'gst_element_class_set_static_metadata|afxdp_(engine|grace)_wait\w*|'
    # Causes for the log, and the text of --help.
    r'open_fast_path|close_fast_path|settle|\.about|G_OPTION_ARG_\w+|'
    r'(summary|description)\[\]')

# Files whose strings are no messages.
OTHER = {
    'gst/distributor/statustext.c': 'what --status shows',
    'gst/gstafxdpenums.c': 'descriptions for gst-inspect-1.0',
    'gst/gstafxdplog.c': 'descriptions for GST_DEBUG',
    'gst/metrics/openmetrics.c': 'types of content',
}

# Texts that only a line of the log at INFO or DEBUG takes in, that stand in an answer
# by HTTP, or, of statistics, that go to nobody.
PARTS = {
    'Busy with something else: ask again.',
    '/metrics has them.',
    '/metrics alone is here.',
    'Statistics of the driver of "..."',
    'all but those in multicast-source',
    'as queue asks',
    'cannot be open',
    'has begun anew',
    'has numbers that are no sequence',
    "in time, and may be anybody's",
    'is new, or has come again',
    'may be open',
    'the driver adds RX queues for the program',
    'the driver does not have it',
    'the program runs in generic mode',
    'those in multicast-source',
    'what the driver offers',
    'where the program saw it',
    'which is the only one in use',
}


def unquote(literal):
    return re.sub(r'\\(.)', lambda match: {'n': '\n'}.get(match[1], match[1]),
                  literal[1:-1])


def strings(code):
    """Each string with the words of its statement, of code without comments."""
    found, words, joins = [], set(), False
    for match in TOKEN.finditer(code):
        token = match[0]
        if token.startswith(('/*', '//', '\\\n', '#include')):
            continue
        if token[0] == '"':
            if joins:
                found[-1][0] += unquote(token)
            else:
                found.append([unquote(token), words])
            joins = True
        elif joins and re.fullmatch(r'G_\w+_FORMAT|PRI\w+', token):
            found[-1][0] += 'u'  # as in "%" G_GUINT64_FORMAT
        else:
            joins = False
            words.add(token)
            if token in '#;{}':
                words = set()
    return found


def count_words(text):
    return sum(bool(re.search('[a-zA-Z]', word)) for word in text.split())


def is_told(text, words):
    return (count_words(CONVERSION.sub('', text)) >= WORDS
            and not text.startswith((',', ';', ':', '.'))
            and not any(QUIET.fullmatch(word) for word in words))


def texts_of(source):
    """Each text, and where it is."""
    texts = {}
    for path in sorted((source / 'gst').rglob('*.[ch]')):
        name = str(path.relative_to(source))
        if name in OTHER:
            continue
        for text, words in strings(path.read_text()):
            if is_told(text, words):
                texts[CONVERSION.sub('...', text).strip()] = name
    return texts


def quotes_of(page):
    """What the first cells of the tables of messages quote."""
    quotes, is_table = set(), False
    for line in page.splitlines():
        if not line.startswith('|'):
            is_table = False
        elif line.startswith('| it says'):
            is_table = True
        elif is_table:
            quotes.update(re.findall(r'`([^`]+)`', line.split(' | ')[0]))
    return quotes


def main(source):
    source = pathlib.Path(source)
    texts = texts_of(source)
    quotes = quotes_of((source / 'docs/troubleshooting.md').read_text())
    faults = []

    for quote in sorted(quotes):
        if not any(text.startswith(quote) for text in texts):
            faults.append(f'no text begins so any more: {quote}')
        elif count_words(quote) < WORDS:
            faults.append(f'too short a quote: {quote}')
    for part in sorted(PARTS - set(texts)):
        faults.append(f'no such part any more: {part}')
    for text, name in texts.items():
        if text not in PARTS and not any(text.startswith(quote) for quote in quotes):
            faults.append(f'no entry for a text of {name}: {text}')
    print(f'texts: {len(texts)}, quotes: {len(quotes)}')
    for fault in faults:
        print(f'not so: {fault}')
    return bool(faults)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
