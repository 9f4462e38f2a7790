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
  guint64 unmatched, lost;
  Receiver *receiver = start (WINDOW, &sight);
  GeneratorReport sent[TWOLEGS];

  twolegs_send (
      TENTHS "--rate=18000 --packets=36000 --first-seq=65000", more, 0, sent);
  if (!twolegs_settle (receiver, sent, 40000))
    twolegs_excuse (receiver, sent, LATEST);
  /* Two packets in a row have to agree before the leg is believed, and it may have begun
   * before the other. */
  unmatched = receiver_stat (receiver, "unmatched");
  g_assert_cmpuint (unmatched, <, 10 + LATEST * 18);
  receiver_assert_stat (receiver, "repeated", 32000 - unmatched);
  fail_unless_equals_uint64 (
      receiver_stat (receiver, "packets") + receiver_stat (receiver, "lost"),
      40000);
  g_assert_cmpuint (receiver_stat (receiver, "lost"), <=, unmatched);
  receiver_assert_none (
      receiver, "late", "restarts", "duplicates", "unvalidated");
  twolegs_assert_stat (receiver, 0, "unmatched", 0);
  twolegs_assert_stat (receiver, 1, "unmatched", unmatched);
  for (guint i = 0; i < TWOLEGS; i++) {
    twolegs_assert_stat (receiver, i, "lost", 4000);
    g_assert_cmpuint (
        twolegs_stat (receiver, i, "recovered"), >=, 4000 - unmatched);
    g_assert_cmpuint (
        twolegs_stat (receiver, i, "recovered"), <=, 4000 + unmatched);
    fail_unless (twolegs_text_is (receiver, i, "state", "active"));
  }
  lost = receiver_stat (receiver, "lost");
  receiver_free (receiver);
  fail_unless_equals_uint64 (sight.n[0], 40000 - lost);
  fail_unless_equals_uint64 (sight.wrong, 0);
  fail_unless_equals_int (sight.changes, 0);
}

/* Another stream on the second leg costs the first nothing, and does not leave; but until
 * the first is there nobody knows that it is another. */
static const gint others[] = { 50, -50 }; /* ms that it begins later */

TABLE_TEST (test_other_stream, others)
{
  static const gchar *const more[TWOLEGS] = { "",
    "--ssrc=77 --first-seq=30000 --first-timestamp=1234567890" };
  Sight sight = { .begin = { 0, 30000 } };
  Receiver *receiver = start (WINDOW, &sight);
  const GstStructure *message;
  GeneratorReport sent[TWOLEGS];
  guint64 all, before;

  twolegs_send (
      "--rate=20000 --packets=40000 --gap=20000:7", more, others[__i__], sent);
  all = sent[0].packets;
  twolegs_settle (receiver, sent, all);
  before = receiver_stat (receiver, "packets") - all;
  if (sight.n[0] != all || before > 3000 || (before && !__i__))
    twolegs_excuse (receiver, sent, LATEST);
  fail_unless_equals_uint64 (sight.n[0], all);
  fail_unless_equals_uint64 (sight.n[1], before);
  if (__i__)
    g_assert_cmpuint (before, <=, 3000);
  else
    fail_unless_equals_uint64 (before, 0);
  receiver_assert_stat (receiver, "lost", 7);
  receiver_assert_stat (receiver, "unmatched", sent[1].packets - before);
  receiver_assert_none (receiver, "late", "repeated", "duplicates");
  twolegs_assert_stat (receiver, 0, "packets", all);
  twolegs_assert_stat (receiver, 0, "unmatched", 0);
  twolegs_assert_stat (receiver, 1, "unmatched", sent[1].packets - before);
  message = receiver_wait_leg (receiver, 0, 1, "other-stream");
  fail_unless (strlen (gst_structure_get_string (message, "reason")) > 20);
  receiver_free (receiver);
  fail_unless_equals_uint64 (sight.wrong, 0);
  fail_unless_equals_int (sight.ssrc, GENERATOR_SSRC);
  fail_unless_equals_int (sight.changes, before > 0);
}

/* The sender starts anew, and one leg is some ms behind with that. Until both have shown it,
 * the second leg is unmatched, and so what only that had of these ms may be lost: of the
 * old run, where the second is behind, and of the new one, where the first is. */
#define BEHIND 5 /* ms */
#define BATCH 64 /* packets */
#define NS G_GUINT64_CONSTANT (1000000)

static const struct
{
  guint16 first;
  const gchar *options;
  guint32 ssrc;
} restarts[] = {
  { 40000, "--ssrc=77", 77 },
  { 40000, "--first-timestamp=987654321", GENERATOR_SSRC },
  /* Right where the old run was. */
  { 9000, "--first-timestamp=987654321", GENERATOR_SSRC },
};

static void
restart (guint number, guint later)
{
  const guint rate = 18; /* packets/ms of one leg */
  const guint64 n = 10000;
  g_autofree gchar *numbers =
      g_strdup_printf ("--first-seq=%u", restarts[number].first);
  Sight sight = { .begin = { 0, restarts[number].first } };
  Receiver *receiver = start (WINDOW, &sight);
  const guint64 begin = twolegs_start_time () + 300 * NS;
  Generator *generators[RUNS][TWOLEGS];
  GeneratorReport sent[RUNS][TWOLEGS];
  gdouble late = 0;
  guint64 seam, overlap;

  /* Each begins when the one before it has just ended. */
  for (guint run = 0; run < RUNS; run++)
    for (guint leg = 0; leg < TWOLEGS; leg++)
      generators[run][leg] = twolegs_generate (leg,
          TWOLEGS_STEADY "--rate=18000 --packets=9000 " TENTHS
                         "--start-at=%" G_GUINT64_FORMAT " %s %s %s",
          begin + (run * 500 + (leg == later) * BEHIND) * NS, disjoint[leg],
          run ? numbers : "", run ? restarts[number].options : "");
  for (guint run = 0; run < RUNS; run++)
    for (guint leg = 0; leg < TWOLEGS; leg++) {
      sent[run][leg] = generator_finish_exact (generators[run][leg]);
      late = MAX (late, sent[run][leg].late * 1e3);
    }
  wait_until (receiver_arrived (receiver) == 4 * 9000);
  /* The thread takes a batch of one leg, and then of the other. */
  seam = (BEHIND + late) * rate + 2 * BATCH;
  /* What leaves late may come behind the first batch of the next run. */
  overlap = late * rate + BATCH;
  if (sight.n[0] + sight.n[1] != 2 * n)
    receiver_excuse (receiver);
  receiver_assert_none (receiver, "duplicates", "pending");
  g_assert_cmpuint (receiver_stat (receiver, "unmatched"), <=, seam);
  g_assert_cmpuint (receiver_stat (receiver, "late"), <=, seam);
  receiver_assert_stat (
      receiver, "restarts", restarts[number].ssrc == GENERATOR_SSRC);
  receiver_free (receiver);
  fail_unless_equals_uint64 (sight.wrong, 0);
  for (guint run = 0; run < RUNS; run++) {
    g_assert_cmpuint (sight.n[run], <=, n);
    g_assert_cmpuint (
        sight.n[run], >=, n - (run != later ? seam : overlap) / 9 - 2);
  }
  fail_unless_equals_int (sight.ssrcs[1], restarts[number].ssrc);
}

TABLE_TEST (test_restart_second_behind, restarts)
{
  restart (__i__, 1);
}

TABLE_TEST (test_restart_first_behind, restarts)
{
  restart (__i__, 0);
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
    generators[i] = twolegs_generate (i,
        TWOLEGS_STEADY "--start-at=%" G_GUINT64_FORMAT " --rate=20000 %s",
        begin, more[i]);
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
    generators[i] = twolegs_generate (i,
        TWOLEGS_STEADY "--start-at=%" G_GUINT64_FORMAT " --rate=20000", begin);
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
