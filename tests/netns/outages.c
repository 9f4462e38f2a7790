/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Outages as users have them: the sender is silent while it counts on, or pauses,
 * the receiving process is stopped, or both, with the timestamps of video, audio
 * and of senders that have none. What is told afterwards is the truth, to the packet.
 *
 * OUTAGES=all is every case there is, OUTAGES=3,17 or 3-17 some of them by their
 * numbers, OUTAGES=random:50 so many by chance; a few that stand for all
 * otherwise. A case's number and name are printed first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "generator.h"
#include "network.h"
#include "receiver.h"

#define DROP "fakesink async=false enable-last-sample=false"
#define PAYLOAD 1200

/* Of the stream before and after the outage, in ms. */
#define BEFORE 800
#define AFTER 600
/* The receiver is stopped so long before the sender falls silent, and goes on so
 * long after it speaks again. */
#define AROUND 60

#define TRIES 4
/* All has been judged by then, also on a machine that does something else. */
#define SOON (3 * G_TIME_SPAN_SECOND)

typedef struct
{
  const gchar *name, *options;
} Clock;

static const Clock clocks[] = {
  { "23.976 fps", "--fps=23.976" },
  { "25 fps", "--fps=25" },
  { "29.97 fps", "--fps=29.97 --frame-pacing=gapped" },
  { "50 fps", "--fps=50" },
  { "59.94 fps", "--fps=59.94 --frame-pacing=gapped" },
  { "audio", "--audio" },
  { "constant timestamps", "--constant-timestamps" },
};

static const guint rates[] = { 20000, 40000, 108000, 200000 };
/* What two cores carry where each packet goes through the kernel's stack. */
#define MOST_BY_SOCKET 108000
static const guint times[] = { 50, 100, 200, 500, 1000, 2000, 5000 };

/* Who is silent. */
typedef enum
{
  SENDER = 1,
  RECEIVER = 2,
  PAUSE = 4, /* the sender, and its numbers stand still meanwhile, */
  GO_ON = 8, /* but its timestamps do not */
} Silent;

static const struct
{
  const gchar *name, *mode;
  Silent silent;
} kinds[] = {
  { "sender silent", "auto", SENDER },
  { "receiver stopped", "auto", RECEIVER },
  { "both", "auto", SENDER | RECEIVER },
  { "receiver stopped, socket", "socket", RECEIVER },
  { "both, socket", "socket", SENDER | RECEIVER },
  { "sender pauses", "auto", PAUSE },
  { "sender pauses and its timestamps go on", "auto", PAUSE | GO_ON },
};

typedef struct
{
  guint clock, rate, kind, time;
  gboolean disturbed; /* the sender is held up now and then */
} Case;

#define N_CASES                                                          \
  (G_N_ELEMENTS (clocks) * G_N_ELEMENTS (rates) * G_N_ELEMENTS (kinds) * \
      G_N_ELEMENTS (times) * 2)

static Case
case_of (guint number)
{
  Case one;

  one.disturbed = number % 2;
  number /= 2;
  one.time = number % G_N_ELEMENTS (times);
  number /= G_N_ELEMENTS (times);
  one.kind = number % G_N_ELEMENTS (kinds);
  number /= G_N_ELEMENTS (kinds);
  one.rate = number % G_N_ELEMENTS (rates);
  one.clock = number / G_N_ELEMENTS (rates);
  return one;
}

static guint
number_of (guint clock, guint rate, guint kind, guint time, gboolean disturbed)
{
  guint number = clock;

  number = number * G_N_ELEMENTS (rates) + rate;
  number = number * G_N_ELEMENTS (kinds) + kind;
  number = number * G_N_ELEMENTS (times) + time;
  return number * 2 + disturbed;
}

static guint
rate_of (const Case *one)
{
  return g_str_equal (kinds[one->kind].mode, "socket")
      ? MIN (rates[one->rate], MOST_BY_SOCKET)
      : rates[one->rate];
}

static gchar *
describe (guint number)
{
  const Case one = case_of (number);

  return g_strdup_printf ("case %u: %s, %u packets/s, %s for %u ms%s", number,
      clocks[one.clock].name, rate_of (&one), kinds[one.kind].name,
      times[one.time], one.disturbed ? ", sender held up" : "");
}

/* Packets that are due in so many ms. */
static guint
packets_in (const Case *one, guint ms)
{
  return (guint64) rate_of (one) * ms / 1000;
}

/* The sender is held up in the middle, just before the outage, and at its end. */
static gchar *
hold_up (const Case *one, guint end)
{
  if (!one->disturbed)
    return g_strdup ("");
  return g_strdup_printf ("--hold=%u:20 --hold=%u:8 --hold=%u:15 --hold=%u:25",
      packets_in (one, BEFORE / 3), packets_in (one, BEFORE / 2),
      packets_in (one, BEFORE - 20), end + 1);
}

static Generator *
start_sender (const Case *one)
{
  const Silent silent = kinds[one->kind].silent;
  const guint time = times[one->time];
  const guint begin = packets_in (one, BEFORE);
  g_autofree gchar *silence = silent & (SENDER | PAUSE)
      ? g_strdup_printf ("--%s=%u:%u %s", silent & PAUSE ? "pause" : "silence",
            begin, time, silent & GO_ON ? "--timestamps-go-on" : "")
      : g_strdup ("");
  /* Frames have whole packets, so that the rate is not quite what is asked: by
   * half a packet of each of 60 frames/s at most. */
  const guint end = silent & SENDER
      ? packets_in (one, BEFORE + time) + 30 * time / 1000 + 1
      : begin;
  g_autofree gchar *held = hold_up (one, end);

  return generator_start ("--rate=%u --packets=%u --payload-size=%u %s %s %s",
      rate_of (one),
      packets_in (one, BEFORE + (silent & PAUSE ? 0 : time) + AFTER), PAYLOAD,
      clocks[one->clock].options, silence, held);
}

static void
stop_receiver (Receiver *receiver, const Case *one)
{
  const gboolean both = kinds[one->kind].silent & SENDER;
  const guint time = times[one->time] + (both ? 2 * AROUND : 0);

  receiver_wait_stat (
      receiver, "packets", packets_in (one, BEFORE - (both ? AROUND : 0)));
  network_run ("kill -STOP %d && sleep %u.%03u; kill -CONT %d", getpid (),
      time / 1000, time % 1000, getpid ());
}

/* The first thing that is not as it was, in words; NULL: all is right. */
static gchar *
find_fault (Receiver *receiver, const GeneratorReport *sent)
{
  static const gchar *const none[] = { "pending", "duplicates", "reordered",
    "restarts", "strays", "lost-unknown", "malformed", "not-rtp", NULL };
  const guint64 dropped = receiver_dropped_in_host (receiver);
  const guint64 outside = receiver_stat (receiver, "lost-network") +
      receiver_stat (receiver, "lost-nic");
  const struct
  {
    const gchar *what;
    guint64 told, least, most;
  } figures[] = {
    { "packets and drops", receiver_stat (receiver, "packets") + dropped,
        sent->packets, sent->packets },
    { "lost", receiver_stat (receiver, "lost"),
        sent->missing + sent->dropped + dropped,
        sent->missing + sent->dropped + dropped },
    { "lost in the host", receiver_lost_in_host (receiver), dropped, dropped },
    { "lost before the host", outside, sent->missing + sent->dropped,
        sent->missing + sent->dropped },
    { "lost-network", receiver_stat (receiver, "lost-network"), sent->missing,
        sent->missing + sent->dropped },
  };

  for (guint i = 0; i < G_N_ELEMENTS (figures); i++)
    if (figures[i].told < figures[i].least || figures[i].told > figures[i].most)
      return g_strdup_printf ("%s: %" G_GUINT64_FORMAT
                              " told, %" G_GUINT64_FORMAT " in truth",
          figures[i].what, figures[i].told, figures[i].least);
  for (guint i = 0; none[i]; i++)
    if (receiver_stat (receiver, none[i]))
      return g_strdup_printf ("%s is not 0 but %" G_GUINT64_FORMAT, none[i],
          receiver_stat (receiver, none[i]));
  return NULL;
}

/* While it plays, and soon, and after it has stopped. */
static gchar *
wait_for_truth (Receiver *receiver, const GeneratorReport *sent)
{
  const gint64 deadline = g_get_monotonic_time () + SOON;
  gchar *fault, *text;

  while ((fault = find_fault (receiver, sent)) &&
      g_get_monotonic_time () < deadline) {
    g_free (fault);
    g_usleep (10000);
  }
  receiver_set_state (receiver, GST_STATE_NULL);
  if (!fault && (fault = find_fault (receiver, sent))) {
    text = g_strconcat ("after it was stopped: ", fault, NULL);
    g_free (fault);
    fault = text;
  }
  return fault;
}

/* Runs the case once. Returns what was wrong, or NULL. */
static gchar *
run_case (const Case *one, GeneratorReport *sent)
{
  g_autofree gchar *properties = g_strdup_printf (
      "mode=%s multicast-iface=rx0 gap-interval=0", kinds[one->kind].mode);
  Receiver *receiver = receiver_start (properties, DROP);
  gchar *fault, *text;
  Generator *generator = start_sender (one);

  if (kinds[one->kind].silent & RECEIVER)
    stop_receiver (receiver, one);
  *sent = generator_finish_lossy (generator);
  fault = wait_for_truth (receiver, sent);
  if (fault) {
    text = g_strdup_printf ("%s. %" G_GUINT64_FORMAT " sent, %" G_GUINT64_FORMAT
                            " left out, the wire dropped %" G_GUINT64_FORMAT
                            ", at most %.1f ms late; %s",
        fault, sent->sent[0], sent->missing, sent->dropped, sent->late * 1e3,
        receiver_describe (receiver));
    g_free (fault);
    fault = text;
  }
  receiver_free (receiver);
  return fault;
}

static guint *chosen;
static guint n_chosen;

LOOP_TEST (test_outage, n_chosen)
{
  const guint number = chosen[__i__];
  const Case one = case_of (number);
  g_autofree gchar *name = describe (number);
  GeneratorReport sent;

  for (guint i = 0; i < TRIES; i++) {
    g_autofree gchar *fault = run_case (&one, &sent);

    printf ("%s: %s\n", name, fault ? fault : "right");
    fflush (stdout);
    if (!fault)
      return;
    fail_unless (sent.late > GENERATOR_STEADY, "%s: %s", name, fault);
    printf ("the generator did not keep up: another try\n");
  }
  suite_skip ("%s: in %u tries the generator did not keep up", name, TRIES);
}

/* Which ones. */

/* Each clock, kind, time and rate, and what the issue was found with. */
static void
choose_few (GArray *numbers)
{
  static const Case few[] = {
    { 1, 1, 0, 5, FALSE }, /* 25 fps, 40,000/s, 2 s */
    { 1, 2, 0, 3, FALSE }, /* ST 2110-20 of 1080p25, 0.5 s */
    { 1, 2, 0, 4, TRUE },
    { 1, 2, 1, 5, FALSE },
    { 0, 0, 0, 6, FALSE },
    { 0, 3, 0, 1, TRUE },
    { 2, 3, 0, 4, FALSE },
    { 2, 1, 2, 3, FALSE },
    { 3, 2, 0, 4, FALSE },
    { 3, 2, 3, 3, FALSE },
    { 4, 3, 0, 2, TRUE },
    { 4, 2, 4, 3, FALSE },
    { 5, 1, 0, 5, FALSE },
    { 5, 3, 1, 4, TRUE },
    { 6, 2, 0, 4, FALSE },
    { 2, 3, 2, 2, TRUE },
    { 1, 1, 3, 6, TRUE },
    { 1, 2, 5, 4, FALSE },
    { 5, 1, 6, 3, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (few); i++) {
    guint number = number_of (
        few[i].clock, few[i].rate, few[i].kind, few[i].time, few[i].disturbed);

    g_array_append_val (numbers, number);
  }
}

static void
choose_by_chance (GArray *numbers, guint n)
{
  for (guint i = 0; i < n; i++) {
    guint number = g_random_int_range (0, N_CASES);

    g_array_append_val (numbers, number);
  }
}

static void
choose_range (GArray *numbers, const gchar *text)
{
  guint first, last;

  if (sscanf (text, "%u-%u", &first, &last) < 2)
    last = first = atoi (text);
  for (; first <= last && first < N_CASES; first++)
    g_array_append_val (numbers, first);
}

static void
choose (void)
{
  GArray *numbers = g_array_new (FALSE, FALSE, sizeof (guint));
  const gchar *words = g_getenv ("OUTAGES");

  if (!words)
    choose_few (numbers);
  else if (g_str_equal (words, "all"))
    choose_range (numbers, "0-4294967295");
  else if (g_str_has_prefix (words, "random:"))
    choose_by_chance (numbers, atoi (words + strlen ("random:")));
  else {
    g_auto (GStrv) ranges = g_strsplit (words, ",", -1);

    for (guint i = 0; ranges[i]; i++)
      choose_range (numbers, ranges[i]);
  }
  n_chosen = numbers->len;
  chosen = (guint *) g_array_free (numbers, FALSE);
}

int
main (int argc, char **argv)
{
  network_require_privileges ();
  choose ();
  return suite_run (
      argc, argv, "outages", 60, network_up_with_one_queue, network_down);
}
