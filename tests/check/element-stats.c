/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the element counts, and how it tells: the property and the messages.
 */
#include "element-fixture.h"
#include "ledger.h"
#include "page.h"

#define MESSAGE "GstAfxdpSrcStats"
#define UNREAD 8

static GstStructure *
stats (void)
{
  GstStructure *structure;

  g_object_get (receiver->src, "stats", &structure, NULL);
  return structure;
}

static guint64
counter (const GstStructure *structure, const gchar *name)
{
  guint64 value = 0;

  fail_unless (gst_structure_get_uint64 (structure, name, &value), "%s", name);
  return value;
}

static guint
n_sources (const GstStructure *structure)
{
  return gst_value_array_get_size (
      gst_structure_get_value (structure, "sources"));
}

static const GstStructure *
source (const GstStructure *structure, guint number)
{
  return gst_value_get_structure (gst_value_array_get_value (
      gst_structure_get_value (structure, "sources"), number));
}

/* The property. */

TEST (test_fields)
{
  g_autoptr (GstStructure) before = NULL;
  g_autoptr (GstStructure) after = NULL;

  element_new ("", "fakesink");
  before = stats ();
  fail_unless (gst_structure_has_name (before, "application/x-afxdp-stats"));
  page_assert_fields (before, NULL);
  fail_unless_equals_string (gst_structure_get_string (before, "mode"), "none");
  fail_unless_equals_int (n_sources (before), 0);
  receiver_play (receiver);
  element_receive (33, 0, 3);
  after = stats ();
  fail_unless_equals_string (
      gst_structure_get_string (after, "mode"), "socket");
  fail_unless_equals_string (
      gst_structure_get_string (after, "xdp-mode"), "none");
  fail_unless_equals_int (n_sources (after), 1);
  fail_unless (gst_structure_has_name (
      source (after, 0), "application/x-rtp-source-stats"));
  page_assert_fields (source (after, 0), NULL);
}

/* Each counter alone, and all others stay at 0. */

static void
send_numbers (const gchar *numbers)
{
  g_auto (GStrv) words = g_strsplit (numbers, " ", -1);

  for (guint i = 0; words[i]; i++)
    loopback_send_rtp (loopback, 33, atoi (words[i]));
}

static const struct
{
  const gchar *name;    /* NULL: none */
  const gchar *numbers; /* of RTP packets */
  guint n;
} numbers[] = {
  { NULL, "65534 65535 0 1 2" },
  { "lost", "0 1 2 4 5", 1 },
  { "lost", "0 1 2 6 7", 3 },
  { "reordered", "0 1 3 2 4", 1 },
  { "duplicates", "0 1 2 2 3", 1 },
};

TABLE_TEST (test_counter, numbers)
{
  static const gchar *const counters[] = { "lost", "reordered", "duplicates",
    "pending", "not-rtp", "malformed", "discarded", "copied", "delivered-xdp" };
  const gchar *name = numbers[__i__].name;

  element_play ("", "fakesink");
  send_numbers (numbers[__i__].numbers);
  element_wait (5);
  receiver_set_state (receiver, GST_STATE_NULL); /* no gap is pending then */
  for (guint i = 0; i < G_N_ELEMENTS (counters); i++)
    receiver_assert_stat (receiver, counters[i],
        g_strcmp0 (counters[i], name) ? 0 : numbers[__i__].n);
  receiver_assert_stat (receiver, "gaps", !g_strcmp0 (name, "lost"));
  receiver_assert_stat (receiver, "packets", 5);
  receiver_assert_stat (receiver, "bytes", 5 * 12);
  receiver_assert_stat (receiver, "delivered-socket", 5);
}

/* An RTP packet of loopback's, with first as its first byte and last as its only
 * byte of payload. */
static void
send_odd_rtp (guint16 seqnum, guint8 first, guint8 last)
{
  const guint8 packet[] = { first, 33, seqnum >> 8, seqnum & 255, 0, 0, 0, 0, 0,
    0, 0, 33, last };

  loopback_send (loopback, packet, sizeof packet);
}

/* What is kept back since its lengths do not add up has come, and so the network
 * has not lost it. Padding of no bytes is GStreamer's, and none. */
TEST (test_malformed_is_not_lost)
{
  static const guint8 malformed[] = { 0x8f, 0x81, 0x90, 0xa0 };
  guint16 n = 0;

  element_play ("caps=application/x-rtp", "fakesink");
  loopback_send_many (loopback, 33, n, 3);
  n += 3;
  for (guint i = 0; i < G_N_ELEMENTS (malformed); i++) {
    send_odd_rtp (n++, malformed[i], 9);
    loopback_send_rtp (loopback, 33, n++);
  }
  send_odd_rtp (n++, 0xa0, 0);
  loopback_send_rtp (loopback, 33, n++);
  element_wait (n - G_N_ELEMENTS (malformed));
  receiver_set_state (receiver, GST_STATE_NULL);
  receiver_assert_stat (
      receiver, "kept-back-malformed", G_N_ELEMENTS (malformed));
  receiver_assert_stat (receiver, "not-rtp", G_N_ELEMENTS (malformed));
  receiver_assert_none (receiver, "kept-back", "malformed", "gaps", "lost");
  receiver_assert_stat (receiver, "packets", n - G_N_ELEMENTS (malformed));
  g_assert_cmpuint (receiver_arrived (receiver), ==, n);
}

/* Without another packet. */
TEST (test_gap_becomes_final)
{
  element_play ("stats-interval=0", "fakesink");
  send_numbers ("0 1 2 5");
  element_wait (4);
  receiver_wait_stat (receiver, "lost", 2);
  receiver_assert_stat (receiver, "pending", 0);
  /* One of them comes late. */
  send_numbers ("4");
  element_wait (5);
  receiver_assert_stat (receiver, "lost", 1);
  receiver_assert_stat (receiver, "reordered", 1);
}

TEST (test_sources)
{
  g_autoptr (GstStructure) all = NULL;
  guint ssrc, highest;
  gint clock_rate, lost, base;

  element_new ("", "fakesink");
  receiver_set_state (receiver, GST_STATE_READY);
  send_numbers ("10 11 12 14");
  loopback_send_many (loopback, 34, 65535, 4);
  receiver_set_state (receiver, GST_STATE_PLAYING);
  element_wait (8);
  receiver_set_state (receiver, GST_STATE_NULL);
  all = stats ();
  fail_unless_equals_int (n_sources (all), 2);
  fail_unless (gst_structure_get (source (all, 0), "ssrc", G_TYPE_UINT, &ssrc,
      "clock-rate", G_TYPE_INT, &clock_rate, "packets-lost", G_TYPE_INT, &lost,
      "seqnum-base", G_TYPE_INT, &base, "extended-highest-seq", G_TYPE_UINT,
      &highest, NULL));
  fail_unless_equals_int (ssrc, 33);
  fail_unless_equals_int (clock_rate, 90000);
  fail_unless_equals_int (lost, 1);
  fail_unless_equals_int (base, 10);
  fail_unless_equals_int (highest, 14);
  fail_unless_equals_uint64 (counter (source (all, 0), "packets-received"), 4);
  fail_unless (gst_structure_get (source (all, 1), "ssrc", G_TYPE_UINT, &ssrc,
      "clock-rate", G_TYPE_INT, &clock_rate, "packets-lost", G_TYPE_INT, &lost,
      "seqnum-base", G_TYPE_INT, &base, "extended-highest-seq", G_TYPE_UINT,
      &highest, NULL));
  fail_unless_equals_int (ssrc, 34);
  fail_unless_equals_int (clock_rate, -1); /* the caps are the other's */
  fail_unless_equals_int (lost, 0);
  fail_unless_equals_int (base, 65535);
  fail_unless_equals_int (highest, 65536 + 2);
  receiver_assert_stat (receiver, "lost", 1);
}

/* Kept after the end, and anew from the next READY on. */
TEST (test_totals_since_ready)
{
  element_play ("", "fakesink");
  send_numbers ("0 1 2 5");
  element_wait (4);
  receiver_set_state (receiver, GST_STATE_READY);
  receiver_assert_stat (receiver, "packets", 4);
  receiver_set_state (receiver, GST_STATE_PLAYING);
  send_numbers ("6");
  tap_wait (tap, 5);
  receiver_assert_stat (receiver, "packets", 5);
  receiver_set_state (receiver, GST_STATE_NULL);
  receiver_assert_stat (receiver, "packets", 5);
  receiver_assert_stat (receiver, "lost", 2);
  fail_unless (receiver_stat (receiver, "frames") > 0);
  receiver_set_state (receiver, GST_STATE_READY);
  receiver_assert_none (receiver, "packets", "lost");
}

/* From another thread, while states change. */

static gint reading; /* atomic */

static gpointer
read_stats (gpointer user_data)
{
  guint n = 0;

  for (; g_atomic_int_get (&reading); n++) {
    g_autoptr (GstStructure) all = stats ();

    g_assert_cmpuint (counter (all, "packets"), ==,
        counter (all, "delivered-xdp") + counter (all, "delivered-socket"));
    g_assert_cmpuint (
        counter (all, "frames-free"), <=, counter (all, "frames"));
    g_assert_cmpuint (
        counter (all, "bytes"), ==, 12 * counter (all, "packets"));
  }
  return GUINT_TO_POINTER (n);
}

TEST (test_read_in_any_state)
{
  static const GstState states[] = { GST_STATE_READY, GST_STATE_PLAYING,
    GST_STATE_NULL, GST_STATE_PLAYING, GST_STATE_PAUSED, GST_STATE_PLAYING };
  GThread *reader;

  element_play ("", "fakesink");
  reading = TRUE;
  reader = g_thread_new ("reader", read_stats, NULL);
  loopback_begin (loopback, 33, NULL);
  for (guint i = 0; i < 60; i++) {
    receiver_set_state (receiver, states[i % G_N_ELEMENTS (states)]);
    if (i % 2)
      tap_wait (tap, tap_n_packets (tap) + 5);
  }
  loopback_end (loopback);
  g_atomic_int_set (&reading, FALSE);
  fail_unless (GPOINTER_TO_UINT (g_thread_join (reader)) > 0);
}

/* Messages. */

static gboolean
is_stats (GstMessage *message)
{
  return GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT &&
      gst_message_has_name (message, MESSAGE);
}

/* How many wait on the bus, after which it is empty. If asked, their deltas of
 * packets, added to sum. */
static guint
read_bus (gint64 *sum)
{
  /* Kept until all are read: each that is let go may be followed by another. */
  g_autoptr (GPtrArray) messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_message_unref);
  GstMessage *next;
  guint n = 0;

  while ((next = gst_bus_pop (receiver->bus)))
    g_ptr_array_add (messages, next);
  for (guint i = 0; i < messages->len; i++) {
    GstMessage *message = messages->pdata[i];
    const GstStructure *structure = gst_message_get_structure (message);
    g_autoptr (GstStructure) delta = NULL;
    gint64 packets;

    if (is_stats (message)) {
      n++;
      fail_unless (gst_structure_get (
          structure, "delta", GST_TYPE_STRUCTURE, &delta, NULL));
      fail_unless (gst_structure_get_int64 (delta, "packets", &packets));
      *sum += packets;
      fail_unless_equals_uint64 (counter (structure, "packets"), *sum);
    }
  }
  return n;
}

/* n packets, each more than a millisecond after the one before. */
static void
send_slowly (guint n)
{
  guint start = tap_n_packets (tap);

  for (guint i = 1; i <= n; i++) {
    gint64 until = g_get_monotonic_time () + 2 * G_TIME_SPAN_MILLISECOND;

    while (g_get_monotonic_time () < until)
      g_usleep (100);
    element_pass (33, start + i, 1, start + i);
  }
}

TEST (test_message)
{
  static const gchar *const only_of_messages[] = { "delta", NULL };
  const GstStructure *structure = NULL;
  GstStructure *totals;
  g_autoptr (GstMessage) message = NULL;

  element_play ("stats-interval=10000000", "fakesink");
  for (guint i = 0; i < 3; i++) {
    gst_clear_message (&message);
    do {
      gst_clear_message (&message);
      message = gst_bus_timed_pop_filtered (
          receiver->bus, 30 * GST_SECOND, GST_MESSAGE_ELEMENT);
      fail_unless (message != NULL);
    } while (!is_stats (message));
    structure = gst_message_get_structure (message);
    totals = gst_structure_copy (structure);
    gst_structure_set_name (totals, "application/x-afxdp-stats");
    page_assert_fields (totals, only_of_messages);
    gst_structure_free (totals);
    fail_unless (
        gst_structure_has_field_typed (structure, "delta", GST_TYPE_STRUCTURE));
    fail_unless (GST_MESSAGE_SRC (message) == GST_OBJECT (receiver->src));
  }
  gst_clear_message (&message);
}

/* An application that never reads its bus. */
TEST (test_unread_messages)
{
  gint64 sum = 0;

  element_play ("stats-interval=1000000", "fakesink");
  send_slowly (50);
  fail_unless_equals_int (read_bus (&sum), UNREAD);
  /* What could not be posted is in the next ones. */
  send_slowly (3);
  fail_unless (read_bus (&sum) > 0);
  send_slowly (1);
  fail_unless (sum >= 50);
  fail_unless (sum <= 54);
}

static const gchar *const never[] = { "stats-interval=0",
  "stats-interval=3600000000000", "stats-interval=18446744073709551615" };

TABLE_TEST (test_no_messages, never)
{
  gint64 sum = 0;

  element_play (never[__i__], "fakesink");
  send_slowly (20);
  fail_unless_equals_int (read_bus (&sum), 0);
}

static void
wait_for_message (void)
{
  gint64 deadline = g_get_monotonic_time () + 30 * G_TIME_SPAN_SECOND;
  gint64 sum = 0;

  while (!read_bus (&sum)) {
    fail_if (g_get_monotonic_time () > deadline, "no message came");
    g_usleep (1000);
  }
}

/* What was due when it was stopped does not count when it starts again. */
TEST (test_interval_after_a_start)
{
  element_play ("stats-interval=18446744073709551615", "fakesink");
  send_slowly (1);
  receiver_set_state (receiver, GST_STATE_NULL);
  g_object_set (receiver->src, "stats-interval", GST_MSECOND, NULL);
  receiver_play (receiver);
  wait_for_message ();
}

/* Also when nothing comes that would wake it. */
TEST (test_interval_changed)
{
  gint64 sum = 0;

  element_play ("stats-interval=3600000000000", "fakesink");
  g_object_set (receiver->src, "stats-interval", GST_MSECOND, NULL);
  wait_for_message ();
  g_object_set (receiver->src, "stats-interval", (guint64) 0, NULL);
  send_slowly (1); /* from here on it is known */
  read_bus (&sum);
  send_slowly (20);
  sum = 0;
  fail_unless_equals_int (read_bus (&sum), 0);
}

/* Measured without messages too. */
TEST (test_rates)
{
  gint64 deadline = g_get_monotonic_time () + 30 * G_TIME_SPAN_SECOND;
  gdouble packets = 0, bits = 0;

  element_play ("stats-interval=0", "fakesink");
  loopback_begin (loopback, 33, tap_counter (tap));
  while (packets <= 0) {
    g_autoptr (GstStructure) all = stats ();

    fail_unless (gst_structure_get (all, "packets-per-second", G_TYPE_DOUBLE,
        &packets, "bitrate", G_TYPE_DOUBLE, &bits, NULL));
    fail_if (g_get_monotonic_time () > deadline, "no rate was measured");
    g_usleep (1000);
  }
  loopback_end (loopback);
  fail_unless (ABS (bits / (packets * 12 * 8) - 1) < 1e-6);
  fail_unless (packets < 1e7);
}

/* Gaps. */

/* The ledger's table is that of the page, and of the structure. */
TEST (test_places)
{
  g_autoptr (GstStructure) structure = NULL;
  g_auto (GStrv) places = page_places ();
  guint n = 0;

  element_new ("", "fakesink");
  structure = stats ();
  for (guint i = 0; i < AFXDP_N_COLUMNS; i++) {
    if (afxdp_column_name (i))
      fail_unless (gst_structure_has_field_typed (
          structure, afxdp_column_name (i), G_TYPE_UINT64));
    if (i < AFXDP_FIRST_LOSS) {
      fail_if (afxdp_column_where (i));
      continue;
    }
    fail_unless_equals_string (afxdp_column_where (i), places[n++]);
    fail_unless (gst_structure_has_field_typed (
        structure, afxdp_column_lost_name (i), G_TYPE_UINT64));
  }
  fail_if (places[n]);
}

/* Sends packets with a gap of one in front of each, behind first. */
static void
send_gaps (guint16 first, guint n)
{
  loopback_send_many (loopback, 33, first, 2);
  for (guint i = 1; i <= n; i++)
    loopback_send_rtp (loopback, 33, first + 2 * i + 1);
}

TEST (test_every_gap_is_told)
{
  g_autoptr (GstStructure) structure = NULL;
  const GstStructure *gap;
  guint64 missing, lost = 0;
  guint number;

  element_play ("gap-interval=0", "fakesink");
  send_gaps (10, 5);
  for (guint i = 1; i <= 5; i++) {
    gap = receiver_wait_gaps (receiver, i);
    page_assert_fields (gap, NULL);
    gst_structure_get (gap, "first-missing", G_TYPE_UINT, &number, "missing",
        G_TYPE_UINT64, &missing, NULL);
    fail_unless_equals_int (number, 10 + 2 * i);
    fail_unless_equals_uint64 (missing, 1);
    fail_unless_equals_string (
        gst_structure_get_string (gap, "where"), "network");
  }
  structure = stats ();
  fail_unless_equals_uint64 (counter (structure, "lost"), 5);
  for (guint i = AFXDP_FIRST_LOSS; i < AFXDP_N_COLUMNS; i++)
    lost += counter (structure, afxdp_column_lost_name (i));
  fail_unless_equals_uint64 (lost, 5);
  fail_unless_equals_uint64 (counter (structure, "pending"), 0);
  page_assert_fields (
      gst_value_get_structure (gst_value_array_get_value (
          gst_structure_get_value (source (structure, 0), "latest-gaps"), 4)),
      NULL);
}

/* The second message says how many were not told. */
TEST (test_gaps_are_limited)
{
  guint64 suppressed;

  element_play ("gap-interval=3600000000000", "fakesink");
  send_gaps (10, 5);
  gst_structure_get_uint64 (
      receiver_wait_gaps (receiver, 1), "suppressed", &suppressed);
  fail_unless_equals_uint64 (suppressed, 0);
  wait_until (receiver_stat (receiver, "lost") == 5);
  fail_unless_equals_int (receiver->gaps->len, 1);
  g_object_set (receiver->src, "gap-interval", G_GUINT64_CONSTANT (0), NULL);
  send_gaps (21, 1);
  gst_structure_get_uint64 (
      receiver_wait_gaps (receiver, 2), "suppressed", &suppressed);
  fail_unless_equals_uint64 (suppressed, 4);
}

/* What stopping leaves pending is told before READY. */
TEST (test_gap_at_the_end)
{
  element_play ("gap-interval=0", "fakesink");
  send_gaps (10, 1);
  element_wait (3);
  receiver_set_state (receiver, GST_STATE_READY);
  fail_unless_equals_uint64 (receiver_stat (receiver, "lost"), 1);
  fail_unless_equals_uint64 (receiver_stat (receiver, "pending"), 0);
  receiver_wait_gaps (receiver, 1);
}

/* What is told of SSRCs. */

static GstStructure *
next_source (void)
{
  for (;;) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
        receiver->bus, 30 * GST_SECOND, GST_MESSAGE_ELEMENT);

    fail_unless (message != NULL);
    if (gst_message_has_name (message, "GstAfxdpSrcSource"))
      return gst_structure_copy (gst_message_get_structure (message));
  }
}

static void
assert_source_message (const gchar *state, guint ssrc, guint first_sequence)
{
  g_autoptr (GstStructure) structure = next_source ();
  g_autofree gchar *begin = g_strdup_printf ("%s:", loopback->address_text);
  guint value;

  page_assert_fields (structure, NULL);
  fail_unless_equals_string (
      gst_structure_get_string (structure, "state"), state);
  fail_unless (gst_structure_get_uint (structure, "ssrc", &value));
  fail_unless_equals_int (value, ssrc);
  fail_unless (gst_structure_get_uint (structure, "first-sequence", &value));
  fail_unless_equals_int (value, first_sequence);
  fail_unless (
      g_str_has_prefix (gst_structure_get_string (structure, "sender"), begin));
}

TEST (test_source_messages)
{
  element_play ("", "fakesink");
  loopback_send_many (loopback, 33, 500, 20);
  assert_source_message ("new", 33, 500);
  /* From the same number again, after a silence. */
  g_usleep (150 * G_TIME_SPAN_MILLISECOND);
  loopback_send_many (loopback, 33, 500, 20);
  assert_source_message ("restarted", 33, 500);
  for (guint i = 0; i < 200; i++)
    loopback_send_rtp (loopback, 34, 4711);
  assert_source_message ("unvalidated", 34, 4711);
  element_wait (240);
  receiver_assert_stat (receiver, "restarts", 1);
  receiver_assert_stat (receiver, "duplicates", 0);
  receiver_assert_stat (receiver, "unvalidated", 200);
  receiver_assert_stat (receiver, "lost", 0);
}

/* As many SSRCs as anybody sends, and nobody who reads. */
TEST (test_unread_sources)
{
  guint n = 0;
  GstMessage *message;

  element_play ("", "fakesink");
  for (guint i = 0; i < 100; i++)
    loopback_send_many (loopback, i, 0, 2);
  element_wait (200);
  while ((message = gst_bus_pop (receiver->bus))) {
    n += GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT &&
        gst_message_has_name (message, "GstAfxdpSrcSource");
    gst_message_unref (message);
  }
  fail_unless (n > 0);
  fail_unless (n <= UNREAD + 1, "%u", n);
}

/* An SSRC that had to make room, and came again, has no bits of before. */
TEST (test_bitrate_of_the_evicted)
{
  guint8 packet[100] = { 0x80, 33 };
  guint64 rate = 0;

  element_play ("stats-interval=1100000000", "fakesink");
  loopback_send_many (loopback, 33, 0, 4);
  for (guint round = 0; round < 2; round++) {
    for (guint i = 0; i < 300 * 2; i++) {
      packet[3] = i % 2;
      packet[9] = i / 2;
      packet[10] = i / 512 + 1;
      loopback_send (loopback, packet, round ? 40 : sizeof packet);
      if (i % 100 == 99)
        tap_wait (tap, 4 + round * 600 + i + 1);
    }
    for (guint k = 0; k < 120; k++) {
      g_autoptr (GstStructure) all = stats ();

      for (guint i = 0; i < n_sources (all); i++)
        rate = MAX (rate, counter (source (all, i), "bitrate"));
      g_usleep (10 * G_TIME_SPAN_MILLISECOND);
    }
  }
  fail_unless (rate > 0);
  fail_unless (rate < 1000000, "%" G_GUINT64_FORMAT, rate);
}

TEST (test_latency)
{
  g_autoptr (GstStructure) structure = NULL;

  element_play ("", "fakesink");
  element_receive (33, 0, 50);
  structure = stats ();
  fail_unless (counter (structure, "latency-min") > 0);
  fail_unless (
      counter (structure, "latency-min") <= counter (structure, "latency-p50"));
  fail_unless (
      counter (structure, "latency-p50") <= counter (structure, "latency-p99"));
  fail_unless (
      counter (structure, "latency-p99") <= counter (structure, "latency-max"));
  fail_unless (
      counter (structure, "latency-avg") <= counter (structure, "latency-max"));
  fail_unless (counter (structure, "latency-max") < 10 * GST_SECOND);
}

ELEMENT_SUITE ("element-stats", NULL)
