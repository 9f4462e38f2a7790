/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream over two networks (ST 2022-7): each packet once and in order, whichever leg
 * brought it. */
#include "element-fixture.h"
#include "page.h"

#define TYPE 33
/* No test waits for its end, unless it says so. */
#define LONG "reorder-window=100000000000 "

static Loopback *other;

static void
play (const gchar *properties)
{
  g_autofree gchar *all = NULL;

  other = loopback_new ();
  all = g_strdup_printf ("redundant-uri=afxdp://%s:%u %s", other->address_text,
      other->port, properties);
  element_play (all, "fakesink async=false");
}

static void
end (void)
{
  element_end ();
  g_clear_pointer (&other, loopback_free);
}

/* Each number has a timestamp of its own. */
static void
send_one (Loopback *leg, guint16 number)
{
  guint time = number * 90;
  guint8 packet[12] = { 0x80, TYPE, number >> 8, number & 0xff, 0, time >> 16,
    time >> 8, time & 0xff, [11] = 1 };

  loopback_send (leg, packet, sizeof packet);
}

static void
send_many (Loopback *leg, guint16 number, guint n)
{
  for (guint i = 0; i < n; i++)
    send_one (leg, number + i);
}

static guint
number_of (guint i)
{
  const guint8 *bytes = g_bytes_get_data (tap_packet (tap, i)->bytes, NULL);

  return bytes[2] << 8 | bytes[3];
}

static void
assert_in_order (guint n)
{
  tap_wait (tap, n);
  fail_unless_equals_int (tap_n_packets (tap), n);
  for (guint i = 0; i < n; i++) {
    fail_unless_equals_int (number_of (i), i);
    fail_if (i && tap_packet (tap, i)->pts < tap_packet (tap, i - 1)->pts);
  }
}

static guint64
leg_stat (guint leg, const gchar *name)
{
  g_autoptr (GstStructure) stats = receiver_stats (receiver);
  const GValue *legs = gst_structure_get_value (stats, "legs");
  guint64 value;

  fail_unless_equals_int (gst_value_array_get_size (legs), 2);
  fail_unless (gst_structure_get_uint64 (
      gst_value_get_structure (gst_value_array_get_value (legs, leg)), name,
      &value));
  return value;
}

#define assert_leg_stat(leg, name, value)       \
  fail_unless (leg_stat (leg, name) == (value), \
      "leg %u: %s is %" G_GUINT64_FORMAT, leg, name, leg_stat (leg, name))

/* Each loses every tenth, and never the same. */
TEST (test_disjoint_losses)
{
  guint n = 2000;

  play (LONG);
  for (guint i = 0; i < n; i++) {
    if (i % 10 != 3)
      send_one (loopback, i);
    if (i % 10 != 7)
      send_one (other, i);
    if (i % 50 == 0)
      tap_wait (tap, i - 20 * (i > 0));
  }
  assert_in_order (n);
  wait_until (receiver_stat (receiver, "repeated") == n / 10 * 8);
  receiver_assert_none (receiver, "lost", "late", "waiting", "waits-cut-short",
      "reordered", "duplicates", "pending");
  wait_until (leg_stat (0, "lost") == n / 10);
  wait_until (leg_stat (1, "lost") == n / 10);
  for (guint i = 0; i < 2; i++) {
    assert_leg_stat (i, "packets", n / 10 * 9);
    assert_leg_stat (i, "late", 0);
  }
  fail_unless_equals_uint64 (
      leg_stat (0, "recovered") + leg_stat (1, "recovered"), n / 10 * 2);
  end ();
}

TEST (test_page)
{
  g_autoptr (GstStructure) stats = NULL;
  const GValue *legs;

  play ("");
  stats = receiver_stats (receiver);
  legs = gst_structure_get_value (stats, "legs");
  for (guint i = 0; i < 2; i++) {
    const GstStructure *leg =
        gst_value_get_structure (gst_value_array_get_value (legs, i));

    page_assert_fields (leg, NULL);
    wait_until (receiver->modes->len == 2 ||
        (receiver_read_bus (receiver), receiver->modes->len == 2));
    fail_unless_equals_string (
        gst_structure_get_string (leg, "interface"), "lo");
  }
  end ();
}

/* What neither brings is lost. The window is longer than this thread is held up between
 * two packets. */
TEST (test_overlapping_losses)
{
  guint n = 400;

  play ("reorder-window=500000000 ");
  for (guint i = 0; i < n; i++) {
    if (i % 10 != 3 && i % 100 != 50)
      send_one (loopback, i);
    if (i % 10 != 7 && i % 100 != 50)
      send_one (other, i);
  }
  receiver_wait_stat (receiver, "lost", n / 100);
  receiver_assert_stat (receiver, "packets", n - n / 100);
  receiver_assert_none (receiver, "late");
  fail_unless_equals_int (tap_n_packets (tap), n - n / 100);
  end ();
}

/* The second one is behind; the first one then falls silent. */
TEST (test_skew)
{
  play (LONG);
  send_many (loopback, 0, 50);
  send_many (loopback, 51, 49);
  tap_wait (tap, 50);
  g_usleep (30000);
  receiver_assert_stat (receiver, "waiting", 49);
  send_many (other, 0, 100);
  assert_in_order (100);
  wait_until (receiver_stat (receiver, "repeated") == 99);
  g_assert_cmpuint (leg_stat (1, "skew-min"), >=, 30 * GST_MSECOND);
  assert_leg_stat (1, "recovered", 1);
  /* Of both legs, every packet is in one column. */
  fail_unless_equals_uint64 (receiver_arrived (receiver), 199);
  send_many (other, 100, 100);
  assert_in_order (200);
  end ();
}

/* A silent leg holds nothing up for longer than the window. */
TEST (test_silent_leg)
{
  play ("reorder-window=50000000 ");
  send_many (other, 0, 10);
  tap_wait (tap, 10);
  send_many (other, 11, 10);
  tap_wait (tap, 20);
  fail_unless_equals_int (number_of (10), 11);
  end ();
}

/* What comes after its turn by either leg is late, and so it is not lost. */
TEST (test_late)
{
  play ("reorder-window=20000000 ");
  send_many (other, 0, 3);
  tap_wait (tap, 3);
  send_many (loopback, 0, 10);
  send_many (loopback, 11, 10);
  tap_wait (tap, 20);
  receiver_wait_stat (receiver, "lost", 1);
  send_one (other, 10);
  receiver_wait_stat (receiver, "late", 1);
  receiver_wait_stat (receiver, "lost", 0);
  receiver_assert_none (receiver, "pending", "unmatched");
  assert_leg_stat (1, "late", 1);
  end ();
}

/* The second leg is behind when the element is flushed: what it brings then has left. */
TEST (test_flushed)
{
  play (LONG);
  send_many (other, 0, 2);
  send_many (loopback, 0, 50);
  tap_wait (tap, 50);
  fail_unless (
      gst_element_send_event (receiver->src, gst_event_new_flush_start ()) &&
      gst_element_send_event (receiver->src, gst_event_new_flush_stop (TRUE)));
  send_many (other, 2, 58);
  tap_wait (tap, 60);
  for (guint i = 0; i < 60; i++)
    fail_unless_equals_int (number_of (i), i);
  receiver_assert_none (receiver, "late", "lost", "duplicates");
  end ();
}

/* Without a window nothing waits, and what has come is not pushed again. */
TEST (test_no_window)
{
  play ("reorder-window=0 ");
  send_many (loopback, 0, 10);
  send_many (other, 0, 15);
  tap_wait (tap, 15);
  send_many (loopback, 16, 4);
  tap_wait (tap, 19);
  end ();
}

TEST (test_latency_of_two_legs)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  GstClockTime min;

  play ("");
  fail_unless (gst_element_query (receiver->src, query));
  gst_query_parse_latency (query, NULL, &min, NULL);
  fail_unless_equals_uint64 (min, 11 * GST_MSECOND);
  end ();
}

/* Copies of before may still come by the other leg. */
TEST (test_started_again)
{
  static const GstState states[] = { GST_STATE_NULL, GST_STATE_READY,
    GST_STATE_PAUSED };

  play ("reorder-window=20000000 ");
  for (guint i = 0; i < 9; i++) {
    send_many (loopback, 3 * i, 2);
    send_many (other, 3 * i, 3);
    wait_until (tap_n_packets (tap) &&
        number_of (tap_n_packets (tap) - 1) == 3 * i + 2);
    receiver_set_state (receiver, states[i % 3]);
    receiver_set_state (receiver, GST_STATE_PLAYING);
  }
  end ();
}

static const gchar *
read_leg_state (guint leg)
{
  g_autoptr (GstStructure) stats = receiver_stats (receiver);
  const GValue *legs = gst_structure_get_value (stats, "legs");

  return g_intern_string (gst_structure_get_string (
      gst_value_get_structure (gst_value_array_get_value (legs, leg)),
      "state"));
}

/* A message for each change, with what it needs. */
TEST (test_states)
{
  GstMessage *message;
  const GstStructure *structure;
  gint leg;

  play ("");
  for (guint16 i = 0;
       !(message = gst_bus_pop_filtered (receiver->bus, GST_MESSAGE_ELEMENT)) ||
       !gst_message_has_name (message, "GstAfxdpSrcLeg");
       i++) {
    gst_clear_message (&message);
    send_one (loopback, i);
    g_usleep (5000);
  }
  structure = gst_message_get_structure (message);
  page_assert_fields (structure, NULL);
  fail_unless (gst_structure_get_int (structure, "leg", &leg));
  fail_unless_equals_int (leg, 1);
  fail_unless_equals_string (
      gst_structure_get_string (structure, "state"), "silent");
  fail_unless_equals_string (read_leg_state (1), "silent");
  fail_unless_equals_string (read_leg_state (0), "active");
  gst_clear_message (&message);
  end ();
}

static void
assert_leg_message (gint leg, const gchar *state)
{
  GstMessage *message = gst_bus_timed_pop_filtered (
      receiver->bus, 10 * GST_SECOND, GST_MESSAGE_ELEMENT);

  while (message && !gst_message_has_name (message, "GstAfxdpSrcLeg")) {
    gst_message_unref (message);
    message = gst_bus_timed_pop_filtered (
        receiver->bus, 10 * GST_SECOND, GST_MESSAGE_ELEMENT);
  }
  fail_unless (message != NULL, "leg %d is never told to be %s", leg, state);
  fail_unless_equals_string (
      gst_structure_get_string (gst_message_get_structure (message), "state"),
      state);
  gst_message_unref (message);
}

/* Nothing comes at all, and comes again: nobody need send for that to be told. */
TEST (test_both_silent)
{
  play ("stats-interval=0 ");
  for (guint i = 0; i < 2; i++) {
    send_many (loopback, 10 * i, 10);
    send_many (other, 10 * i, 10);
    tap_wait (tap, 10 * (i + 1));
    for (guint leg = 0; leg < 2 && i; leg++)
      assert_leg_message (leg, "active");
    for (guint leg = 0; leg < 2; leg++)
      assert_leg_message (leg, "silent");
  }
  end ();
}

/* A leg of another SSRC is the stream's, if numbers and timestamps are: its packets get
 * the first one's. One with other numbers is none of it. */
static void
send_as (Loopback *leg, guint8 ssrc, guint16 number, guint16 time)
{
  guint8 packet[12] = { 0x80, TYPE, number >> 8, number & 0xff, 0, 0, time >> 8,
    time & 0xff, [11] = ssrc };

  loopback_send (leg, packet, sizeof packet);
}

TEST (test_other_ssrc)
{
  play (LONG);
  for (guint i = 0; i < 100; i++) {
    if (i != 50)
      send_as (loopback, 1, i, i);
    tap_wait (tap, i + (i < 50));
    if (i < 40 || i >= 50)
      send_as (other, 2, i, i);
  }
  tap_wait (tap, 100);
  for (guint i = 0; i < 100; i++) {
    const guint8 *bytes = g_bytes_get_data (tap_packet (tap, i)->bytes, NULL);

    fail_unless_equals_int (number_of (i), i);
    fail_unless_equals_int (bytes[11], 1);
  }
  receiver_assert_none (receiver, "lost", "late");
  end ();
}

/* Both come by one socket, and their SSRCs differ (a=ssrc-group:DUP): the first that is
 * heard is the first leg's. The sender begins anew with two others. */
TEST (test_one_stream)
{
  g_autofree gchar *all = NULL;
  guint n, ssrc = 1;

  all = g_strdup_printf (LONG "redundant-uri=afxdp://%s:%u",
      loopback->address_text, loopback->port);
  element_play (all, "fakesink async=false");
  for (guint run = 0; run < 2; run++) {
    for (guint i = 0; i < 200; i++) {
      if (i % 10 != 3)
        send_as (loopback, 10 * run + 1, i, i);
      if (i % 10 != 7)
        send_as (loopback, 10 * run + 2, i, i);
    }
    wait_until (
        (n = tap_n_packets (tap)) > 200 * run && number_of (n - 1) == 199);
  }
  receiver_assert_none (receiver, "lost", "late");
  /* A few packets of the new ones show that the old ones are over. */
  n = tap_n_packets (tap);
  g_assert_cmpuint (n, >=, 390);
  for (guint i = 0; i < n; i++) {
    const guint8 *bytes = g_bytes_get_data (tap_packet (tap, i)->bytes, NULL);

    fail_unless_equals_int (number_of (i), i < 200 ? i : 200 - (n - i));
    /* Whichever of the new ones is heard first then. */
    ssrc = i == 200 ? bytes[11] : ssrc;
    fail_unless_equals_int (bytes[11], ssrc);
  }
  g_assert_cmpuint (ssrc, >, 10);
  wait_until (leg_stat (0, "lost") + leg_stat (1, "lost") >= 40);
  for (guint i = 0; i < 2; i++)
    g_assert_cmpuint (leg_stat (i, "packets"), >=, 340);
  /* Of one leg again, nothing of the second is left. */
  receiver_set_state (receiver, GST_STATE_NULL);
  g_object_set (receiver->src, "redundant-uri", NULL, NULL);
  receiver_set_state (receiver, GST_STATE_PLAYING);
  send_many (loopback, 0, 10);
  tap_wait (tap, n + 10);
  element_end ();
}

TEST (test_other_stream)
{
  play ("");
  for (guint i = 0; g_strcmp0 (read_leg_state (1), "other-stream"); i++) {
    send_as (loopback, 1, i, i);
    tap_wait (tap, i + 1);
    send_as (other, 2, 30000 + i, i);
    g_usleep (2000);
  }
  g_assert_cmpuint (receiver_stat (receiver, "unmatched"), >=, 20);
  for (guint i = 0; i < tap_n_packets (tap); i++)
    fail_unless_equals_int (number_of (i), i);
  end ();
}

static const gchar *const refused[] = {
  "redundant-uri=afxdp://239.1.1.1",
  "redundant-uri=nonsense",
  "redundant-uri=afxdp://239.1.1.1:5000?multicast-iface=nosuchthing",
};

TABLE_TEST (test_refused, refused)
{
  element_new (refused[__i__], "fakesink");
  receiver_assert_refused (receiver, GST_STATE_READY);
  receiver_wait_error (receiver);
  g_clear_pointer (&receiver->error, g_free);
}

/* Where each leg lost what neither brought. */
static void
assert_places (
    const GstStructure *gap, const gchar *on_first, const gchar *on_second)
{
  static const gchar *const of_two_legs[] = { "legs", NULL };
  const GValue *legs = gst_structure_get_value (gap, "legs");

  page_assert_fields (gap, of_two_legs);
  fail_unless (legs && GST_VALUE_HOLDS_ARRAY (legs));
  fail_unless_equals_int (gst_value_array_get_size (legs), 2);
  fail_unless_equals_string (
      g_value_get_string (gst_value_array_get_value (legs, 0)), on_first);
  fail_unless_equals_string (
      g_value_get_string (gst_value_array_get_value (legs, 1)), on_second);
}

/* The second leg is behind, and knows of its gap only when that of the stream has been
 * judged. */
TEST (test_gap_of_a_leg_behind)
{
  play ("reorder-window=50000000 gap-interval=0 ");
  send_many (loopback, 0, 10);
  send_many (other, 0, 10);
  send_many (loopback, 11, 140);
  send_many (other, 11, 10);
  assert_places (receiver_wait_gaps (receiver, 1), "network", "network");
  fail_unless_equals_int (receiver->gaps->len, 1);
  assert_leg_stat (0, "lost-network", 1);
  assert_leg_stat (1, "lost-network", 1);
  end ();
}

/* The same, and the pipeline stands still before the second leg's gap is judged: what is
 * known by then is told, however long that took. */
TEST (test_gap_of_a_leg_behind_a_stall)
{
  play ("reorder-window=50000000 gap-interval=0 ");
  send_many (loopback, 0, 10);
  send_many (other, 0, 10);
  send_many (loopback, 11, 140);
  send_many (other, 11, 10);
  wait_until (receiver_stat (receiver, "lost-network") == 1);
  tap_hold_for (tap, 500 * G_TIME_SPAN_MILLISECOND);
  send_one (loopback, 151);
  assert_places (receiver_wait_gaps (receiver, 1), "network", "network");
  assert_leg_stat (1, "lost-network", 1);
  end ();
}

/* What a leg would have brought that is silent nobody knows. */
TEST (test_gap_beside_a_silent_leg)
{
  play ("reorder-window=20000000 gap-interval=0 ");
  send_many (loopback, 0, 10);
  send_many (other, 0, 10);
  send_many (loopback, 11, 140);
  assert_places (receiver_wait_gaps (receiver, 1), "network", "unknown");
  end ();
}

/* The second leg has its numbers under another SSRC. */
TEST (test_gap_of_a_leg_with_other_ssrc)
{
  play ("reorder-window=50000000 gap-interval=0 ");
  for (guint i = 0; i < 250; i++) {
    if (i == 100)
      continue;
    send_as (loopback, 1, i, i / 4 * 90);
    send_as (other, 2, i, i / 4 * 90);
  }
  assert_places (receiver_wait_gaps (receiver, 1), "network", "network");
  end ();
}

/* Until senders that sent 20 packets in the time that was spent can have sent n more,
 * however slow the machine made them: of what they cannot have sent nothing is missing,
 * but they began anew. */
static void
rest (gint64 spent, guint n)
{
  g_usleep (MAX (50 * G_TIME_SPAN_MILLISECOND, spent * n / 20 * 2));
}

/* The streaming thread is held up, and the first leg's socket is too small; the second
 * leg's network has lost the same packets. */
TEST (test_gap_of_two_places)
{
  guint64 dropped;
  gint64 spent;

  play ("reorder-window=20000000 gap-interval=0 buffer-size=20000 ");
  spent = -g_get_monotonic_time ();
  send_many (loopback, 0, 20);
  send_many (other, 0, 20);
  tap_wait (tap, 20);
  tap_hold (tap);
  send_one (loopback, 20);
  send_one (other, 20);
  spent += g_get_monotonic_time ();
  tap_wait_held (tap);
  send_many (loopback, 21, 200);
  tap_let_go (tap);
  tap_wait (tap, 22);
  rest (spent, 200);
  send_many (loopback, 221, 3);
  send_many (other, 221, 3);
  assert_places (receiver_wait_gaps (receiver, 1), "socket-buffer", "network");
  dropped = receiver_stat (receiver, "dropped-socket-buffer");
  g_assert_cmpuint (dropped, >, 0);
  receiver_assert_stat (receiver, "lost-socket-buffer", dropped);
  assert_leg_stat (0, "lost-socket-buffer", dropped);
  assert_leg_stat (0, "lost", dropped);
  assert_leg_stat (1, "lost-network", 200);
  assert_leg_stat (1, "lost", 200);
  end ();
}

static void
send_as_both (guint16 number, guint n)
{
  for (guint i = number; i < number + n; i++)
    for (guint leg = 1; leg <= 2; leg++)
      send_as (loopback, leg, i, i * 90);
}

/* Both come by one socket, which is too small: what it drops is lost on both legs, and
 * each is told of all drops. */
TEST (test_gap_of_a_shared_socket)
{
  const guint n = 200;
  g_autofree gchar *both =
      g_strdup_printf ("reorder-window=20000000 gap-interval=0 "
                       "buffer-size=20000 redundant-uri=afxdp://%s:%u",
          loopback->address_text, loopback->port);
  guint64 lost;
  gint64 spent;

  element_play (both, "fakesink async=false");
  spent = -g_get_monotonic_time ();
  send_as_both (0, 20);
  spent += g_get_monotonic_time ();
  tap_wait (tap, 20);
  tap_hold (tap);
  send_as_both (20, 1);
  tap_wait_held (tap);
  send_as_both (21, n);
  tap_let_go (tap);
  rest (spent, n);
  send_as_both (21 + n, 3);
  assert_places (
      receiver_wait_gaps (receiver, 1), "socket-buffer", "socket-buffer");
  lost = receiver_stat (receiver, "lost");
  g_assert_cmpuint (lost, >, 0);
  receiver_assert_stat (receiver, "lost-socket-buffer", lost);
  receiver_assert_stat (receiver, "dropped-socket-buffer",
      leg_stat (0, "lost-socket-buffer") + leg_stat (1, "lost-socket-buffer"));
  for (guint i = 0; i < 2; i++)
    assert_leg_stat (i, "lost", leg_stat (i, "lost-socket-buffer"));
  element_end ();
}

/* What this host drops of one leg is no loss of the stream: the other has brought it. */
TEST (test_drops_of_one_leg)
{
  play ("reorder-window=20000000 buffer-size=20000 ");
  send_many (loopback, 0, 20);
  for (guint i = 0; i < 220; i += 20) {
    send_many (other, i, 20);
    tap_wait (tap, i + 20);
  }
  tap_hold (tap);
  send_one (other, 220);
  tap_wait_held (tap);
  send_many (loopback, 20, 200);
  wait_until (receiver_stat (receiver, "dropped-socket-buffer"));
  receiver_assert_none (receiver, "lost", "pending");
  tap_let_go (tap);
  assert_in_order (221);
  receiver_set_state (receiver, GST_STATE_NULL);
  receiver_assert_none (receiver, "lost", "pending");
  fail_unless_equals_uint64 (leg_stat (0, "lost-socket-buffer"),
      receiver_stat (receiver, "dropped-socket-buffer"));
  end ();
}

/* What stopping leaves pending of a leg is told before READY. */
TEST (test_gaps_of_both_legs_at_the_end)
{
  play (LONG);
  send_many (loopback, 0, 10);
  send_many (loopback, 11, 5);
  send_many (other, 0, 12);
  send_many (other, 14, 2);
  assert_in_order (16);
  wait_until (leg_stat (1, "packets") == 14);
  receiver_set_state (receiver, GST_STATE_READY);
  for (guint i = 0; i < 2; i++) {
    assert_leg_stat (i, "pending", 0);
    assert_leg_stat (i, "lost", i + 1);
  }
  receiver_assert_none (receiver, "lost", "pending");
  end ();
}

/* Both have frames of their own. */
TEST (test_frames_of_both_legs)
{
  guint64 n_frames;

  play ("");
  n_frames = receiver_stat (receiver, "frames");
  g_assert_cmpuint (n_frames, >, 0);
  receiver_assert_stat (receiver, "frames-free", n_frames);
  tap_keep (tap, TRUE);
  send_many (loopback, 0, 5);
  tap_wait (tap, 5);
  send_many (other, 5, 7);
  tap_wait (tap, 12);
  receiver_assert_stat (receiver, "frames-free", n_frames - 12);
  tap_drop (tap);
  /* The sink keeps the last one. */
  receiver_wait_stat (receiver, "frames-free", n_frames - 1);
  end ();
}

ELEMENT_SUITE ("element-legs", NULL)
