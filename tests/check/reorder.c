/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packets in the order of their numbers, and each once. */
#include "reorder.h"

#include <string.h>

#include "../fuzz/ordermodel.h"
#include "suite.h"

#define MS G_GUINT64_CONSTANT (1000000)
#define BEGIN (1000 * MS)
#define WINDOW (10 * MS)
#define PLENTY G_MAXUINT64

/* What came out, as "NUMBER ", and of strays "~NUMBER ". */
static GString *came;

static AfxdpReorder *reorder;
static guint64 now;

static void
note_out (const AfxdpReorderEntry *entry, gpointer user_data)
{
  g_string_append_printf (came, "%u ", GPOINTER_TO_UINT (entry->item));
}

static void
note_late (const AfxdpReorderEntry *entry, gpointer user_data)
{
  g_string_append_printf (came, "~%u ", GPOINTER_TO_UINT (entry->item));
}

static const AfxdpReorderFuncs funcs = { note_out, note_late };

static void
begin (guint64 max_bytes)
{
  reorder = afxdp_reorder_new (1, WINDOW, max_bytes, &funcs, NULL);
  now = BEGIN;
}

static void
set_up (void)
{
  came = g_string_new (NULL);
  begin (PLENTY);
}

static void
tear_down (void)
{
  afxdp_reorder_end (reorder);
  g_clear_pointer (&reorder, afxdp_reorder_free);
  g_string_free (came, TRUE);
}

/* All that came since the last time. */
#define assert_came(text)                        \
  do {                                           \
    fail_unless_equals_string (came->str, text); \
    g_string_truncate (came, 0);                 \
  } while (0)

static AfxdpReorderVerdict
send_as (guint32 ssrc, guint16 number, guint32 timestamp)
{
  const AfxdpRtp rtp = {
    .kind = AFXDP_RTP_DATA,
    .ssrc = ssrc,
    .seqnum = number,
    .timestamp = timestamp,
  };
  const AfxdpReorderEntry entry = {
    .item = GUINT_TO_POINTER (number),
    .arrival = now,
    .size = 100,
  };
  AfxdpReorderVerdict verdict = afxdp_reorder_look (reorder, 0, &rtp, now);

  if (verdict == AFXDP_REORDER_WANTED)
    afxdp_reorder_put (reorder, &entry);
  afxdp_reorder_advance (reorder, 0, now);
  return verdict;
}

/* Of one SSRC, each number with a timestamp of its own. */
#define send(...)                                                              \
  do {                                                                         \
    static const guint16 numbers_[] = { __VA_ARGS__ };                         \
    for (guint i_ = 0; i_ < G_N_ELEMENTS (numbers_); i_++)                     \
      fail_unless_equals_int (send_as (1, numbers_[i_], 5000u + numbers_[i_]), \
          AFXDP_REORDER_WANTED);                                               \
  } while (0)

#define assert_dropped(number, verdict) \
  fail_unless_equals_int (send_as (1, number, 5000u + (number)), verdict)

TEST (test_in_order)
{
  send (1, 2, 3);
  assert_came ("1 2 3 ");
  fail_unless_equals_int (afxdp_reorder_n_waiting (reorder), 0);
  fail_unless_equals_uint64 (afxdp_reorder_due (reorder), G_MAXUINT64);
}

TEST (test_filled_gap)
{
  send (1, 4, 3);
  assert_came ("1 ");
  fail_unless_equals_int (afxdp_reorder_n_waiting (reorder), 2);
  send (6, 2);
  assert_came ("2 3 4 ");
  send (5);
  assert_came ("5 6 ");
}

TEST (test_wrap)
{
  send (65534, 1, 65535);
  assert_came ("65534 65535 ");
  send (0);
  g_string_truncate (came, 0);
  fail_unless_equals_int (afxdp_reorder_n_waiting (reorder), 0);
  send (2);
  assert_came ("2 ");
}

/* The window is of what has waited longest, also where another gap shows then. */
TEST (test_window)
{
  send (1, 5);
  now += MS;
  send (3, 9);
  fail_unless_equals_uint64 (afxdp_reorder_due (reorder), BEGIN + WINDOW);
  afxdp_reorder_advance (reorder, 0, BEGIN + WINDOW - 1);
  assert_came ("1 ");
  afxdp_reorder_advance (reorder, 0, BEGIN + WINDOW);
  assert_came ("3 5 ");
  fail_unless_equals_uint64 (afxdp_reorder_due (reorder), BEGIN + MS + WINDOW);
  assert_dropped (2, AFXDP_REORDER_LATE);
  assert_dropped (4, AFXDP_REORDER_LATE);
  assert_dropped (3, AFXDP_REORDER_REPEATED);
  assert_dropped (9, AFXDP_REORDER_REPEATED);
  send (6);
  assert_came ("6 ");
  /* A packet that arrives then shows that it is over. */
  now = BEGIN + MS + WINDOW;
  send (10);
  assert_came ("9 10 ");
  fail_unless_equals_uint64 (afxdp_reorder_n_cut_short (reorder), 0);
}

/* What is missing counts although the window has passed, if nobody knew of that. */
TEST (test_missing_one_at_last)
{
  send (1, 3);
  now += 2 * WINDOW;
  send (2);
  assert_came ("1 2 3 ");
}

TEST (test_no_room)
{
  tear_down ();
  came = g_string_new (NULL);
  begin (250);
  send (1, 3, 5);
  assert_came ("1 ");
  send (7);
  assert_came ("3 ");
  fail_unless_equals_uint64 (afxdp_reorder_n_cut_short (reorder), 1);
  send (4);
  assert_came ("4 5 ");
  send (9);
  assert_came ("");
  afxdp_reorder_end (reorder);
  assert_came ("7 9 ");
}

/* More numbers than 16 bits tell apart do not wait, whatever the window. */
TEST (test_too_many_numbers)
{
  send (0, 2);
  for (guint i = 3; i <= AFXDP_REORDER_MOST + 1; i++)
    send_as (1, i, 5000 + i);
  assert_came ("0 ");
  fail_unless_equals_int (
      afxdp_reorder_n_waiting (reorder), AFXDP_REORDER_MOST);
  send_as (1, AFXDP_REORDER_MOST + 2, 5000 + AFXDP_REORDER_MOST + 2);
  fail_unless_equals_int (afxdp_reorder_n_waiting (reorder), 0);
  fail_unless_equals_uint64 (afxdp_reorder_n_cut_short (reorder), 1);
  g_string_truncate (came, 0);
  send (AFXDP_REORDER_MOST + 3);
  assert_came ("32770 ");
}

TEST (test_not_rtp)
{
  static const AfxdpRtp control = { .kind = AFXDP_RTP_CONTROL, .seqnum = 9 };
  const AfxdpReorderEntry entry = {
    .item = GUINT_TO_POINTER (77),
    .arrival = BEGIN,
  };

  send (1, 3);
  fail_unless_equals_int (
      afxdp_reorder_look (reorder, 0, &control, BEGIN), AFXDP_REORDER_WANTED);
  afxdp_reorder_put (reorder, &entry);
  assert_came ("1 77 ");
  fail_unless_equals_int (afxdp_reorder_n_waiting (reorder), 1);
}

TEST (test_several_ssrcs)
{
  send (1, 3);
  send_as (2, 50, 0);
  send_as (2, 52, 0);
  assert_came ("1 50 ");
  send (2);
  assert_came ("2 3 ");
  send_as (2, 51, 0);
  assert_came ("51 52 ");
}

/* The one too many goes out as it comes; the one silent for longest makes room. */
TEST (test_too_many_ssrcs)
{
  for (guint i = 0; i < AFXDP_REORDER_SOURCES; i++)
    send_as (100 + i, 10 + i, 0);
  g_string_truncate (came, 0);
  send_as (1, 5, 0);
  send_as (1, 4, 0);
  assert_came ("5 4 ");
  send_as (100, 20, 0);
  now += AFXDP_REORDER_SILENT;
  for (guint i = 1; i < AFXDP_REORDER_SOURCES; i++)
    send_as (100 + i, 11 + i, 0);
  g_string_truncate (came, 0);
  send_as (100, 23, 0);
  now += AFXDP_REORDER_SILENT;
  for (guint i = 1; i < AFXDP_REORDER_SOURCES; i++)
    send_as (100 + i, 12 + i, 0);
  g_string_truncate (came, 0);
  send_as (1, 5, 0);
  send_as (1, 7, 0);
  assert_came ("5 ");
  send_as (1, 6, 0);
  assert_came ("6 7 ");
}

/* Restarts: nothing waits for the numbers in between, no packet is lost. */

static const struct
{
  guint first, last; /* of the former run, which misses the last but one */
  guint16 anew;      /* first of the new one */
} restarts[] = {
  { 50, 102, 20000 },
  { 50, 102, 45000 },
  { 50, 102, 80 },
  { 50, 20002, 49 },
  { 5000, 5010, 3000 },
};

TABLE_TEST (test_restart, restarts)
{
  guint16 anew = restarts[__i__].anew;
  guint last = restarts[__i__].last;
  g_autofree gchar *expected =
      g_strdup_printf ("%u %u %u ", last, anew, anew + 1);

  for (guint i = restarts[__i__].first; i < last - 1; i++)
    send_as (1, i, 5000 + i);
  send_as (1, last, 5000 + last);
  g_string_truncate (came, 0);
  fail_unless_equals_int (send_as (1, anew, 900000), AFXDP_REORDER_WANTED);
  fail_unless_equals_int (send_as (1, anew + 1, 900001), AFXDP_REORDER_WANTED);
  if (__i__ == 0)
    afxdp_reorder_advance (reorder, 0, now + WINDOW);
  assert_came (expected);
  send_as (1, anew + 2, 900002);
  fail_unless_equals_int (afxdp_reorder_n_waiting (reorder), 0);
}

TEST (test_stray)
{
  send (1, 2);
  fail_unless_equals_int (send_as (1, 9000, 0), AFXDP_REORDER_WANTED);
  fail_unless_equals_int (afxdp_reorder_n_waiting (reorder), 1);
  assert_came ("1 2 ");
  send (3);
  assert_came ("~9000 3 ");
  /* One whose number has come, with another timestamp. */
  send_as (1, 2, 77);
  send_as (1, 9001, 77);
  send (4);
  assert_came ("~2 ~9001 4 ");
  /* Nothing else comes: then it is not held back for long. */
  send_as (1, 9000, 0);
  fail_unless_equals_uint64 (afxdp_reorder_due (reorder), now + WINDOW);
  afxdp_reorder_advance (reorder, 0, now + WINDOW);
  assert_came ("9000 ");
}

/* Timestamps that say nothing: only after a silence is it a restart. */
TEST (test_still_timestamps)
{
  for (guint i = 1; i <= 9; i++)
    send_as (1, i, 0);
  fail_unless_equals_int (send_as (1, 3, 0), AFXDP_REORDER_REPEATED);
  fail_unless_equals_int (send_as (1, 4, 0), AFXDP_REORDER_REPEATED);
  g_string_truncate (came, 0);
  now += AFXDP_REORDER_SILENCE + 1;
  fail_unless_equals_int (send_as (1, 3, 0), AFXDP_REORDER_WANTED);
  now += AFXDP_REORDER_SILENCE + 1;
  fail_unless_equals_int (send_as (1, 4, 0), AFXDP_REORDER_WANTED);
  assert_came ("3 4 ");
}

TEST (test_end)
{
  send (10, 12, 15);
  send_as (1, 9000, 0);
  g_string_truncate (came, 0);
  afxdp_reorder_end (reorder);
  assert_came ("~9000 12 15 ");
  send (3, 5);
  assert_came ("3 ");
}

/* A window without end. */
TEST (test_endless_window)
{
  tear_down ();
  came = g_string_new (NULL);
  reorder = afxdp_reorder_new (1, G_MAXUINT64 - 1, PLENTY, &funcs, NULL);
  now = BEGIN;
  send (1, 3);
  fail_unless_equals_uint64 (afxdp_reorder_due (reorder), G_MAXUINT64);
  now += 3600 * 1000 * MS;
  send (4);
  assert_came ("1 ");
}

/* REORDER_SEED is the first of so many seeds. */
LOOP_TEST (test_model, 10)
{
  suite_run_scripts ("REORDER_SEED", __i__, 300, 20, 600, order_model_run);
}

SUITE ("reorder", 0, set_up, tear_down)
