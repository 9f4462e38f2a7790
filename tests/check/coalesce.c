/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long a receiver sleeps: not at all, or as long as is safe. */
#include "coalesce.h"

#include "suite.h"

#define MS G_GUINT64_CONSTANT (1000000)
#define PLENTY 1000000

/* Packets come at this rate until the sleeps have found their length. Returns the
 * longest of the last ones, since they are cut to end together. */
static guint64
settle (AfxdpCoalesce *coalesce, guint64 *now, guint packets_per_ms, guint room)
{
  guint64 longest = 0, interval = MS;

  for (guint i = 0; i < 100; i++) {
    guint64 pause;

    *now += interval;
    afxdp_coalesce_count (coalesce, packets_per_ms * interval / MS + 1);
    pause = afxdp_coalesce_next (coalesce, *now, room);
    if (i >= 50)
      longest = MAX (longest, pause);
    interval = pause + 70 * 1000;
  }
  return longest;
}

TEST (test_silence)
{
  AfxdpCoalesce coalesce = { .longest = 2 * MS };

  fail_unless_equals_uint64 (afxdp_coalesce_next (&coalesce, MS, PLENTY), 0);
  fail_unless_equals_uint64 (
      afxdp_coalesce_next (&coalesce, 1000 * MS, PLENTY), 0);
}

/* Short at first, then longer and longer, never longer than asked for. */
TEST (test_grows)
{
  AfxdpCoalesce coalesce = { .longest = 2 * MS };
  guint64 now = 5 * MS;

  afxdp_coalesce_count (&coalesce, 1);
  fail_unless (
      afxdp_coalesce_next (&coalesce, now += 1000 * MS, PLENTY) <= MS / 10);
  for (guint i = 0, limit = MS / 5; i < 10; i++, limit *= 2) {
    afxdp_coalesce_count (&coalesce, 1);
    fail_unless (afxdp_coalesce_next (&coalesce, now += MS, PLENTY) <=
        MIN (limit, 2 * MS));
  }
  fail_unless (settle (&coalesce, &now, 1, PLENTY) > 1.8 * MS);
  /* Nothing came meanwhile: wait, and then go on as before. */
  fail_unless_equals_uint64 (
      afxdp_coalesce_next (&coalesce, now += 2 * MS, PLENTY), 0);
  now = 3000 * MS;
  coalesce.since = now - 3 * MS;
  afxdp_coalesce_count (&coalesce, 6);
  fail_unless_equals_uint64 (
      afxdp_coalesce_next (&coalesce, now, PLENTY), 2 * MS);
  /* After a silence from the beginning. */
  afxdp_coalesce_count (&coalesce, 1);
  fail_unless (
      afxdp_coalesce_next (&coalesce, now += 1000 * MS, PLENTY) <= MS / 10);
}

/* A quarter of the room at the present rate: 390 packets/ms and 3900 packets of
 * room make 2.5 ms. */
TEST (test_quarter)
{
  AfxdpCoalesce coalesce = { .longest = 100 * MS };
  guint64 now = 0;
  guint64 pause = settle (&coalesce, &now, 390, 3900);

  /* Cut by less than half. */
  fail_unless (pause > 1.25 * MS && pause <= 2.5 * MS,
      "slept %" G_GUINT64_FORMAT " ns", pause);
  /* Ten times the rate: a tenth, at once. */
  now = coalesce.since + MS;
  coalesce.packets = 0;
  afxdp_coalesce_count (&coalesce, 3900);
  pause = afxdp_coalesce_next (&coalesce, now, 3900);
  fail_unless (pause <= 0.25 * MS, "slept %" G_GUINT64_FORMAT " ns", pause);
  /* Without any room there is no time. */
  afxdp_coalesce_count (&coalesce, 1);
  fail_unless_equals_uint64 (afxdp_coalesce_next (&coalesce, now += MS, 0), 0);
}

/* Whenever they begin, sleeps end together. */
TEST (test_together)
{
  for (guint64 now = 1000 * MS; now < 1002 * MS; now += 12345) {
    AfxdpCoalesce coalesce = {
      .longest = 2 * MS, .since = now - MS, .packets = 2, .pause = 2 * MS
    };
    guint64 pause = afxdp_coalesce_next (&coalesce, now, PLENTY);

    fail_unless (pause <= 2 * MS);
    fail_unless_equals_uint64 ((now + pause) % (2 * MS), 0);
  }
}

/* Not for the packets of AES67, one in a millisecond, although they do not come as
 * regularly; for those of 100 Mbit/s, and for 2.5 in a millisecond, of which a sleep
 * gets two or three. */
TEST (test_worth_it)
{
  AfxdpCoalesce coalesce = { .longest = MS };
  guint64 now = 1000 * MS, longest = 0, pause;

  for (guint i = 0; i < 100; i++) {
    afxdp_coalesce_count (&coalesce, 1);
    fail_unless_equals_uint64 (afxdp_coalesce_next (&coalesce,
                                   now += i % 2 ? MS / 2 : 3 * MS / 2, PLENTY),
        0);
  }
  for (guint i = 0; i < 100; i++) {
    afxdp_coalesce_count (&coalesce, 1);
    pause = afxdp_coalesce_next (&coalesce, now += MS / 10, PLENTY);
    longest = MAX (longest, pause);
  }
  fail_unless (longest > MS / 2 && longest <= MS);
  for (guint i = 0; i < 100; i++) {
    afxdp_coalesce_count (&coalesce, 2 + i % 2);
    pause = afxdp_coalesce_next (&coalesce, now += MS, PLENTY);
    fail_unless (pause > 0, "waited for the next packet at %u", i);
    fail_unless (pause <= MS);
  }
}

TEST (test_none)
{
  AfxdpCoalesce coalesce = { 0 };
  guint64 now = 5 * MS;

  fail_unless_equals_uint64 (settle (&coalesce, &now, 200, PLENTY), 0);
}

TEST (test_clock_that_stands_still)
{
  AfxdpCoalesce coalesce = { .longest = MS, .since = 5 * MS, .packets = 1 };

  fail_unless (afxdp_coalesce_next (&coalesce, 5 * MS, PLENTY) <= MS);
}

SUITE ("coalesce", 0, NULL, NULL)
