/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the senders of two networks may be to each other: of one SSRC or two, started
 * anew, far apart, silent, or not the same stream at all.
 */
#include <string.h>

#include "network.h"
#include "twolegs.h"

#define WINDOW "reorder-window=100000000 "
#define LATEST 40 /* ms */
/* A tenth of each leg is missing, in whole tens; these two share none. */
#define TENTHS "--script-every=10 "
static const gchar *const disjoint[TWOLEGS] = { "--gap=3:1", "--gap=7:1" };

/* Runs of a sender, told apart by the number that they begin with: what leaves of each
 * is in order, and once. */
#define RUNS 2

typedef struct
{
  guint16 begin[RUNS]; /* number, of each run */
  guint64 next[RUNS], n[RUNS];
  guint64 wrong;       /* not behind all before of its run, or of none */
  GstClockTime pts;    /* of the last one; none was before that */
  guint32 ssrcs[RUNS]; /* of the last packet of each run */
  guint changes;       /* of SSRC, from packet to packet */
  guint32 ssrc;
} Sight;

static void
see (Sight *sight, GstBuffer *buffer)
{
  guint8 header[PAYLOAD_RTP_HEADER];
  guint64 index = payload_index_of_buffer (buffer, PAYLOAD_RTP_HEADER);
  guint16 number;
  guint32 ssrc;
  guint run = 0;

  gst_buffer_extract (buffer, 0, header, sizeof header);
  number = GST_READ_UINT16_BE (header + 2);
  ssrc = GST_READ_UINT32_BE (header + 8);
  while (run < RUNS && (guint16) (number - index) != sight->begin[run])
    run++;
  if (index == PAYLOAD_WRONG || run == RUNS || index < sight->next[run] ||
      GST_BUFFER_PTS (buffer) < sight->pts) {
    sight->wrong++;
    return;
  }
  sight->next[run] = index + 1;
  sight->n[run]++;
  sight->pts = GST_BUFFER_PTS (buffer);
  sight->changes += sight->ssrc && ssrc != sight->ssrc;
  sight->ssrc = sight->ssrcs[run] = ssrc;
}

static gboolean
see_one (GstBuffer **buffer, guint i, gpointer user_data)
{
  see (user_data, *buffer);
  return TRUE;
}

static GstPadProbeReturn
see_all (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST)
    gst_buffer_list_foreach (
        gst_pad_probe_info_get_buffer_list (info), see_one, user_data);
  else
    see (user_data, gst_pad_probe_info_get_buffer (info));
  return GST_PAD_PROBE_OK;
}

/* sight must outlive the receiver. */
static Receiver *
start (const gchar *properties, Sight *sight)
{
  Receiver *receiver = twolegs_start (properties, NULL, NULL);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (receiver->src, "src");

  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, see_all,
      sight, NULL);
  return receiver;
}

/* The second leg has another SSRC: it protects, and one SSRC leaves. */
TEST (test_other_ssrc)
{
  static const gchar *const more[TWOLEGS] = { "--gap=3:1",
    "--gap=7:1 --ssrc=77" };
  Sight sight = { .begin = { 65000, 65000 } };
  Receiver *receiver = start (WINDOW, &sight);
  GeneratorReport sent[TWOLEGS];

  twolegs_send (
      TENTHS "--rate=18000 --packets=36000 --first-seq=65000", more, 0, sent);
  if (!twolegs_settle (receiver, sent, 40000))
    twolegs_excuse (receiver, sent, LATEST);
  receiver_assert_stat (receiver, "packets", 40000);
  receiver_assert_stat (receiver, "repeated", 32000);
  receiver_assert_none (receiver, "lost", "late", "unmatched", "restarts",
      "duplicates", "unvalidated");
  for (guint i = 0; i < TWOLEGS; i++) {
    twolegs_assert_stat (receiver, i, "lost", 4000);
    twolegs_assert_stat (receiver, i, "recovered", 4000);
    twolegs_assert_stat (receiver, i, "unmatched", 0);
    fail_unless (twolegs_text_is (receiver, i, "state", "active"));
  }
  receiver_free (receiver);
  fail_unless_equals_uint64 (sight.n[0], 40000);
  fail_unless_equals_uint64 (sight.wrong, 0);
  fail_unless_equals_int (sight.changes, 0);
}

/* Another stream on the second leg costs the first nothing, and does not leave. */
TEST (test_other_stream)
{
  static const gchar *const more[TWOLEGS] = { "",
    "--ssrc=77 --first-seq=30000 --first-timestamp=1234567890" };
  Sight sight = { .n = { 0 } };
  Receiver *receiver = start (WINDOW, &sight);
  const GstStructure *message;
  GeneratorReport sent[TWOLEGS];

  twolegs_send ("--rate=20000 --packets=40000 --gap=20000:7", more, 0, sent);
  twolegs_settle (receiver, sent, sent[0].packets);
  if (receiver_stat (receiver, "packets") != sent[0].packets)
    twolegs_excuse (receiver, sent, LATEST);
  receiver_assert_stat (receiver, "packets", sent[0].packets);
  receiver_assert_stat (receiver, "lost", 7);
  receiver_assert_stat (receiver, "unmatched", sent[1].packets);
  receiver_assert_none (receiver, "late", "repeated", "restarts", "duplicates");
  twolegs_assert_stat (receiver, 0, "packets", sent[0].packets);
  twolegs_assert_stat (receiver, 0, "unmatched", 0);
  twolegs_assert_stat (receiver, 1, "unmatched", sent[1].packets);
  twolegs_assert_stat (receiver, 1, "recovered", 0);
  message = receiver_wait_leg (receiver, 0, 1, "other-stream");
  fail_unless (strlen (gst_structure_get_string (message, "reason")) > 20);
  receiver_free (receiver);
  fail_unless_equals_uint64 (sight.n[0], sent[0].packets);
  fail_unless_equals_uint64 (sight.wrong, 0);
  fail_unless_equals_int (sight.ssrc, GENERATOR_SSRC);
  fail_unless_equals_int (sight.changes, 0);
}

/* The sender starts anew, and the second leg is some ms behind with that. Behind the end
 * of the old run nothing is waited for, so that what only the second leg had of its last
 * ms may be lost; nothing of the new one is. */
#define BEHIND 5 /* ms */
#define NS G_GUINT64_CONSTANT (1000000)

static const gchar *const restarts[] = {
  "--first-seq=40000 --ssrc=77",
  "--first-seq=40000 --first-timestamp=987654321",
  /* Right where the old run was. */
  "--first-seq=9000 --first-timestamp=987654321",
};

TABLE_TEST (test_restart, restarts)
{
  const gchar *const options[RUNS] = { "", restarts[__i__] };
  const guint64 n = 10000, seam = BEHIND * 20 / 10 * 2 + 2;
  Sight sight = { .begin = { 0, __i__ < 2 ? 40000 : 9000 } };
  Receiver *receiver = start (WINDOW, &sight);
  const guint64 begin = twolegs_start_time () + 300 * NS;
  Generator *generators[RUNS][TWOLEGS];
  GeneratorReport sent[RUNS][TWOLEGS];

  /* Each begins when the one before it has just ended. */
  for (guint run = 0; run < RUNS; run++)
    for (guint leg = 0; leg < TWOLEGS; leg++)
      generators[run][leg] = twolegs_generate (leg,
          "--method=socket --realtime --rate=18000 --packets=9000 " TENTHS
          "--start-at=%" G_GUINT64_FORMAT " %s %s",
          begin + (run * 500 + leg * BEHIND) * NS, disjoint[leg], options[run]);
  for (guint run = 0; run < RUNS; run++)
    for (guint leg = 0; leg < TWOLEGS; leg++)
      sent[run][leg] = generator_finish_exact (generators[run][leg]);
  wait_until (receiver_arrived (receiver) == 4 * 9000);
  for (guint run = 0; run < RUNS; run++)
    if (sight.n[run] != n)
      twolegs_excuse (receiver, sent[run], BEHIND / 2.);
  receiver_assert_none (receiver, "unmatched", "duplicates", "pending");
  receiver_assert_stat (receiver, "restarts", __i__ > 0);
  receiver_assert_stat (
      receiver, "packets", receiver_stat (receiver, "delivered-xdp"));
  receiver_free (receiver);
  fail_unless_equals_uint64 (sight.wrong, 0);
  g_assert_cmpuint (sight.n[0], >=, n - seam);
  g_assert_cmpuint (sight.n[0], <=, n);
  fail_unless_equals_uint64 (sight.n[1], n);
  fail_unless_equals_int (sight.ssrcs[1], __i__ == 0 ? 77 : GENERATOR_SSRC);
}

/* More numbers apart than 16 bits tell, by timestamps; and as many as they do tell, where
 * timestamps stand still. */
static const struct
{
  const gchar *options;
  guint rate; /* numbers/s */
  gint behind;
} apart[] = {
  { "", 100000, 450 },
  { "", 100000, -450 },
  { "", 200000, 450 },
  { "--constant-timestamps", 60000, 450 },
};

TABLE_TEST (test_far_apart, apart)
{
  const guint rate = apart[__i__].rate;
  const guint64 n = rate * 2;
  Sight sight = { .n = { 0 } };
  g_autofree gchar *options = g_strdup_printf (TENTHS
      "--rate=%u --packets=%" G_GUINT64_FORMAT " --payload-size=188 %s",
      rate / 10 * 9, n / 10 * 9, apart[__i__].options);
  Receiver *receiver =
      start ("reorder-window=550000000 max-held-bytes=268435456", &sight);
  GeneratorReport sent[TWOLEGS];

  twolegs_send (options, disjoint, apart[__i__].behind, sent);
  if (!twolegs_settle (receiver, sent, n))
    twolegs_excuse (receiver, sent, LATEST);
  receiver_assert_stat (receiver, "packets", n);
  receiver_assert_stat (receiver, "repeated", n / 10 * 8);
  receiver_assert_none (receiver, "lost", "late", "unmatched", "restarts",
      "duplicates", "waits-cut-short");
  for (guint i = 0; i < TWOLEGS; i++)
    twolegs_assert_stat (receiver, i, "recovered", n / 10);
  receiver_free (receiver);
  fail_unless_equals_uint64 (sight.n[0], n);
  fail_unless_equals_uint64 (sight.wrong, 0);
}

/* While the second leg is silent, no gap is waited for; when it is back, it protects. */
TEST (test_silence)
{
  static const gchar *const more[TWOLEGS] = {
    "--packets=59930 --gap=24000:10 --gap=26000:10 --gap=28000:10 "
    "--gap=30000:10 --gap=32000:10 --gap=34000:10 --gap=45000:10",
    "--packets=60000 --silence=20000:1000",
  };
  const guint64 lost = 60, window = GST_SECOND;
  Sight sight = { .n = { 0 } };
  g_autofree gchar *properties =
      g_strdup_printf ("reorder-window=%" G_GUINT64_FORMAT, window);
  Receiver *receiver = start (properties, &sight);
  const guint64 begin = twolegs_start_time ();
  Generator *generators[TWOLEGS];
  GeneratorReport sent[TWOLEGS];
  const GstStructure *message;
  guint64 since = 0;
  guint n;

  for (guint i = 0; i < TWOLEGS; i++)
    generators[i] = twolegs_generate (
        i, "--start-at=%" G_GUINT64_FORMAT " --rate=20000 %s", begin, more[i]);
  message = receiver_wait_leg (receiver, 0, 1, "silent");
  fail_unless (gst_structure_get_uint64 (message, "since", &since));
  fail_unless (since > 0 && GST_CLOCK_TIME_IS_VALID (since));
  n = receiver->legs->len;
  /* In the window there would be 20,000. */
  while (receiver_stat (receiver, "packets") < 36000) {
    g_assert_cmpuint (receiver_stat (receiver, "waiting"), <, 5000);
    g_usleep (5000);
  }
  receiver_wait_leg (receiver, n, 1, "active");
  for (guint i = 0; i < TWOLEGS; i++)
    sent[i] = generator_finish_exact (generators[i]);
  twolegs_settle (receiver, sent, 60000);
  if (receiver_stat (receiver, "lost") != lost)
    twolegs_excuse (receiver, sent, LATEST);
  receiver_assert_stat (receiver, "packets", 60000 - lost);
  receiver_assert_stat (receiver, "lost", lost);
  receiver_assert_none (receiver, "late", "unmatched", "restarts");
  twolegs_assert_stat (receiver, 1, "recovered", 10);
  twolegs_assert_stat (receiver, 0, "recovered", 20000 - lost);
  receiver_free (receiver);
  fail_unless_equals_uint64 (sight.n[0], 60000 - lost);
  fail_unless_equals_uint64 (sight.wrong, 0);
}

/* The second leg is taken away while the stream plays, and given back. */
TEST (test_second_leg_is_set_while_playing)
{
  Sight sight = { .n = { 0 } };
  Receiver *receiver = start (WINDOW, &sight);
  const guint64 begin = twolegs_start_time ();
  Generator *generators[TWOLEGS];
  GeneratorReport sent[TWOLEGS];
  g_autofree gchar *uri = NULL;
  guint64 packets;

  for (guint i = 0; i < TWOLEGS; i++)
    generators[i] = twolegs_generate (
        i, "--start-at=%" G_GUINT64_FORMAT " --rate=20000", begin);
  receiver_wait_stat (receiver, "repeated", 5000);
  g_object_get (receiver->src, "redundant-uri", &uri, NULL);
  g_object_set (receiver->src, "redundant-uri", NULL, NULL);
  packets = receiver_stat (receiver, "packets");
  receiver_wait_stat (receiver, "packets", packets + 10000);
  packets = receiver_stat (receiver, "repeated");
  receiver_wait_stat (
      receiver, "packets", receiver_stat (receiver, "packets") + 2000);
  receiver_assert_stat (receiver, "repeated", packets);
  g_object_set (receiver->src, "redundant-uri", uri, NULL);
  receiver_wait_stat (receiver, "repeated", packets + 10000);
  wait_until (twolegs_text_is (receiver, 1, "mode", "af-xdp"));
  sent[1] = generator_stop (generators[1]);
  sent[0] = generator_stop (generators[0]);
  if (sent[0].dropped)
    suite_skip ("the first wire lost packets");
  wait_until (receiver_arrived (receiver) >= sent[0].packets &&
      !receiver_stat (receiver, "waiting"));
  if (receiver_stat (receiver, "packets") != sent[0].packets)
    twolegs_excuse (receiver, sent, LATEST);
  receiver_assert_stat (receiver, "packets", sent[0].packets);
  receiver_assert_none (receiver, "lost", "late", "restarts", "duplicates");
  receiver_free (receiver);
  fail_unless_equals_uint64 (sight.wrong, 0);
}

NETNS_SUITE ("legs-senders", network_up_with_two_wires)
