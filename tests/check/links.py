#!/usr/bin/python3
# SPDX-FileCopyrightText: The afxdpsrc authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether the links of the README and of docs/ lead somewhere: each to a file that is
there, and to a heading that is in it; and whether the README leads to each page.

Links to other sites are not followed. Headings have the names that GitHub gives them.

links.py SOURCE-ROOT
"""
import pathlib
import re
import sys

CODE = re.compile(r'(`+)(?:(?!\1).)+?\1(?!`)')
LINK = re.compile(r'\[[^\]]*\]\(([^)\s]+)\)')
HEADING = re.compile(r'#{1,6} +(.+)')
FENCE = re.compile(r' {0,3}(```|~~~)')


def text_lines(text):
    """Those with their numbers that are not code: neither fenced nor indented. What is
    indented goes on with a list where the line before it is not empty."""
    fenced = code = False
    before = ''
    for number, line in enumerate(text.splitlines(), 1):
        code = line.startswith('    ') and (code or not before)
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced and not code:
            yield number, line
        before = line.strip()


def anchor(heading):
    """As GitHub makes it: small letters, without punctuation, blanks as hyphens."""
    heading = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', heading).strip().lower()
    return re.sub(r'[^\w\- ]', '', heading).replace(' ', '-')


def anchors(text):
    found = set()
    for _, line in text_lines(text):
        heading = HEADING.fullmatch(line)
        if heading:
            name = plain = anchor(heading[1])
            again = 0
            while name in found:
                again += 1
                name = f'{plain}-{again}'
            found.add(name)
    return found


def links(text):
    """(line, target) of each, but for those to other sites."""
    for number, line in text_lines(text):
        for target in LINK.findall(CODE.sub('code', line)):
            if not re.match(r'[a-z]+:', target):
                yield number, target


def main(source):
    source = pathlib.Path(source).resolve()
    readme = source / 'README.md'
    pages = [readme] + sorted((source / 'docs').glob('*.md'))
    known = {page: anchors(page.read_text()) for page in pages}
    faults, n, led_to = [], 0, set()

    for page in pages:
        for number, target in links(page.read_text()):
            name, _, fragment = target.partition('#')
            goal = (page.parent / name).resolve() if name else page
            where = f'{page.relative_to(source)}:{number}: {target}'
            n += 1
            if not goal.is_relative_to(source) or not goal.exists():
                faults.append(f'{where}: no such file')
            elif fragment and fragment not in known.get(goal, ()):
                faults.append(f'{where}: no such heading')
            elif page == readme:
                led_to.add(goal)
    for page in pages:
        if page != readme and page not in led_to:
            faults.append(f'README.md: nothing leads to {page.relative_to(source)}')
    print(f'{n} links of {len(pages)} pages')
    for fault in faults:
        print(f'not so: {fault}')
    return bool(faults or not n)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
