/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * More than the pipeline can take, for a moment or for long. What it can take is
 * measured in the same test, by the processor time of a packet: the rate is a part
 * of that, on whichever machine.
 *
 * By hand, "OVERLOAD=80s,120,200 netns-overload" prints what comes of so many
 * percent, through rtpjitterbuffer too; s: with a stall. OVERLOAD_RPS=1 has the
 * kernel's stack work on the pipeline's processor.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "generator.h"
#include "network.h"
#include "receiver.h"

#define SKIP 77
#define MS G_GUINT64_CONSTANT (1000000)
/* Bytes of RTP payload: few, since it is packets that cost. */
#define PAYLOAD "188"
/* Where rtpgen tells the number of the packet: behind RTP's header, MPEG-TS's, and
 * the number of the flow. */
#define INDEX_AT (12 + 4 + 4)
/* What the pipeline does with each packet, in ns: so much that the sender, whose
 * processor also runs the veth, can send more than that. */
#define WORK 1500
#define MEASURING_RATE 50000
#define STALL (200 * MS)
/* After a stall the stream may lose what comes within. */
#define IN_STEP (200 * MS)
/* A pipeline that waits longer for its processor, while it catches up, shows
 * nothing when it is not in step; nor does a sender that is later. */
#define LONGEST_DISTURBANCE (20 * MS)
#define ATTEMPTS 5

static const gchar *const chains[] = {
  "fakesink async=false enable-last-sample=false",
  "rtpjitterbuffer latency=50 max-dropout-time=0 ! "
  "fakesink async=false enable-last-sample=false",
};

/* What OVERLOAD says; NULL: the tests. */
static const gchar *by_hand;

/* On the source's pad; of the streaming thread while packets come. */
typedef struct
{
  GstElement *src;
  guint64 next;         /* index of the packet that should be next */
  guint64 came, lost;   /* packets */
  guint64 stall_at;     /* index of a packet that stalls; 0: none */
  GstClockTime went_on; /* running time: the stall was over; 0: not yet */
  GstClockTime
      last_loss;      /* running time: the packet behind the last gap came */
  guint64 lost_later; /* so long after the stall that it should not be */
  gint thread;
  guint64 waited;  /* for a processor, until the stall was over */
  gint is_stalled; /* atomic */
} Sight;

static guint64
clock_ns (clockid_t id)
{
  struct timespec time;

  clock_gettime (id, &time);
  return time.tv_sec * 1000 * MS + time.tv_nsec;
}

static GstClockTime
running_time (GstElement *element)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (element);

  return gst_clock_get_time (clock) - gst_element_get_base_time (element);
}

/* How long a thread has waited for a processor. */
static guint64
time_waited (gint thread)
{
  g_autofree gchar *path =
      g_strdup_printf ("/proc/self/task/%d/schedstat", thread);
  g_autofree gchar *text = NULL;
  guint64 waited = 0;

  if (g_file_get_contents (path, &text, NULL, NULL))
    sscanf (text, "%*u %" G_GUINT64_FORMAT, &waited);
  return waited;
}

static void
work (void)
{
  guint64 until = clock_ns (CLOCK_THREAD_CPUTIME_ID) + WORK;

  while (clock_ns (CLOCK_THREAD_CPUTIME_ID) < until)
    ;
}

static void
stall (Sight *sight)
{
  sight->stall_at = 0;
  g_atomic_int_set (&sight->is_stalled, TRUE);
  g_usleep (STALL / 1000);
  g_atomic_int_set (&sight->is_stalled, FALSE);
  sight->went_on = running_time (sight->src);
  sight->thread = gettid ();
  sight->waited = time_waited (sight->thread);
}

static void
see (Sight *sight, GstBuffer *buffer)
{
  guint8 bytes[8];
  guint64 index;

  g_assert (gst_buffer_extract (buffer, INDEX_AT, bytes, sizeof bytes) ==
      sizeof bytes);
  index = GST_READ_UINT64_BE (bytes);
  work ();
  sight->came++;
  if (index > sight->next) {
    sight->lost += index - sight->next;
    sight->last_loss = GST_BUFFER_PTS (buffer);
    if (sight->went_on && sight->last_loss > sight->went_on + IN_STEP)
      sight->lost_later += index - sight->next;
  }
  sight->next = MAX (sight->next, index + 1);
  if (sight->stall_at && index >= sight->stall_at)
    stall (sight);
}

static GstPadProbeReturn
see_all (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    GstBufferList *list = GST_PAD_PROBE_INFO_BUFFER_LIST (info);

    for (guint i = 0; i < gst_buffer_list_length (list); i++)
      see (data, gst_buffer_list_get (list, i));
  } else {
    see (data, GST_PAD_PROBE_INFO_BUFFER (info));
  }
  return GST_PAD_PROBE_OK;
}

static Receiver *
receive (const gchar *chain, const gchar *properties, Sight *sight)
{
  g_autofree gchar *all = g_strconcat (
      "gap-interval=1000000000 "
      "caps=application/x-rtp,media=video,clock-rate=90000,encoding-name=MP2T ",
      properties, NULL);
  Receiver *receiver = receiver_new (all, chain);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (receiver->src, "src");

  *sight = (Sight){ .src = receiver->src };
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, see_all,
      sight, NULL);
  receiver_play_by (receiver, "af-xdp");
  return receiver;
}

static Generator *
generate (guint rate, guint packets)
{
  return generator_start (
      "--rate=%u --packets=%u --payload-size=" PAYLOAD, rate, packets);
}

/* Until all that the wire delivered is somewhere. */
static void
wait_for_end (Receiver *receiver, const GeneratorReport *sent)
{
  wait_until (receiver_arrived (receiver) >= sent->packets);
}

/* Packets/s for which the pipeline needs all of one processor. */
static guint
measure (const gchar *chain)
{
  Sight sight;
  Receiver *receiver = receive (chain, "", &sight);
  guint64 used = clock_ns (CLOCK_PROCESS_CPUTIME_ID);
  GeneratorReport sent =
      generator_finish (generate (MEASURING_RATE, MEASURING_RATE));

  wait_for_end (receiver, &sent);
  used = clock_ns (CLOCK_PROCESS_CPUTIME_ID) - used;
  receiver_free (receiver);
  return sent.packets * 1000 * MS / used;
}

/* Sender and pipeline share no processor. */
static void
pin (void)
{
  cpu_set_t set;

  CPU_ZERO (&set);
  CPU_SET (sysconf (_SC_NPROCESSORS_ONLN) - 1, &set);
  fail_if (sched_setaffinity (0, sizeof set, &set));
}

/* After a stall of 200 ms at 80 % of what the pipeline can take, nothing is lost
 * that comes later than 200 ms. Returns FALSE when the machine was busy with
 * something else. */
static gboolean
try_stall (void)
{
  guint rate = measure (chains[0]) * 8 / 10;
  Sight sight;
  Receiver *receiver = receive (chains[0], "", &sight);
  GeneratorReport sent;
  guint64 waited;

  sight.stall_at = rate / 10;
  sent = generator_finish_lossy (generate (rate, rate));
  wait_for_end (receiver, &sent);
  fail_unless (sight.went_on);
  waited = time_waited (sight.thread) - sight.waited;
  g_print ("# %u packets/s: in step %" G_GINT64_FORMAT
           " ms after the stall; waited %" G_GUINT64_FORMAT
           " ms for a processor, sender %.0f ms late, wire lost "
           "%" G_GUINT64_FORMAT "\n",
      rate, ((gint64) (sight.last_loss - sight.went_on)) / (gint64) MS,
      waited / MS, sent.late * 1000, sent.dropped);
  /* What disturbs makes it harder, but for the wire's losses. */
  if (sent.dropped ||
      ((waited > LONGEST_DISTURBANCE ||
           sent.late * 1000 * MS > LONGEST_DISTURBANCE) &&
          (!sight.lost || sight.lost_later))) {
    receiver_free (receiver);
    return FALSE;
  }
  /* It was long enough to lose some. */
  fail_unless (sight.lost > 0);
  fail_unless_equals_uint64 (sight.lost_later, 0);
  receiver_free (receiver);
  return TRUE;
}

LOOP_TEST (test_in_step_after_a_stall, !by_hand)
{
  pin ();
  for (guint i = 0; i < ATTEMPTS; i++)
    if (try_stall ())
      return;
  suite_skip ("the machine was busy with something else each time");
}

/* Packets/s of the pipeline's processor time while so many come in a second, of
 * which it cannot take all. 0: it took nearly all. */
static guint
try_overload (guint rate, guint at_ease)
{
  Sight sight;
  g_autoptr (Receiver) receiver = receive (chains[0], "", &sight);
  guint64 used = clock_ns (CLOCK_PROCESS_CPUTIME_ID);
  GeneratorReport sent = generator_finish_lossy (generate (rate, rate));
  guint64 dropped;
  guint taken;

  wait_for_end (receiver, &sent);
  used = clock_ns (CLOCK_PROCESS_CPUTIME_ID) - used;
  dropped = receiver_stat (receiver, "dropped-overload");
  taken = sight.came * 1000 * MS / used;
  g_print (
      "# %u packets/s of processor time, %u at ease; of %u %" G_GUINT64_FORMAT
      " came, %" G_GUINT64_FORMAT " lost, %" G_GUINT64_FORMAT
      " dropped by the program\n",
      taken, at_ease, rate, sight.came, sight.lost, dropped);
  g_assert_cmpuint (receiver_arrived (receiver), ==, sent.packets);
  if (sight.lost < sent.packets / 10)
    return 0;
  fail_unless (dropped > 0);
  return taken;
}

/* A packet costs the pipeline no more than at ease, or an overload would feed
 * itself. Each that was sent is in one column. Packets are cheaper in large batches
 * than at ease, at which a busy machine makes them dearer still: the rate rises
 * until it is too much. */
LOOP_TEST (test_overload, !by_hand)
{
  guint at_ease = (pin (), measure (chains[0])), rate = at_ease, taken = 0;

  for (guint i = 0; i < ATTEMPTS && !taken; i++) {
    rate = rate / 2 * 3;
    taken = try_overload (rate, at_ease);
  }
  if (!taken)
    suite_skip ("%u packets/s were not too many", rate);
  fail_unless (taken >= at_ease * 0.8,
      "%u packets in a second of processor time, %u at ease", taken, at_ease);
}

/* Who else could get what the program passes. */

/* A ring and a buffer that are soon full. */
#define SHORT "ring-size=1024 buffer-size=200000"

static int
capture (void)
{
  return socket (AF_PACKET, SOCK_RAW, htons (ETH_P_ALL));
}

static int
receive_too (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
    .sin_port = htons (5000) };
  int fd = socket (AF_INET, SOCK_DGRAM, 0), on = 1;

  setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  fail_if (bind (fd, (struct sockaddr *) &address, sizeof address));
  return fd;
}

static const struct
{
  const gchar *name;
  const gchar *command; /* that makes it so, or */
  int (*open) (void);   /* what does */
} onlookers[] = {
  { "nobody", NULL, NULL },
  { "a router", "echo 1 >/proc/sys/net/ipv4/conf/rx0/forwarding", NULL },
  { "a promiscuous interface", "ip link set rx0 promisc on", NULL },
  { "a macvlan", "ip link add link rx0 name up0 type macvlan", NULL },
  { "a program that captures", NULL, capture },
  { "a socket of the same port", NULL, receive_too },
};

LOOP_TEST (test_onlookers, by_hand ? 0 : G_N_ELEMENTS (onlookers))
{
  int fd = -1;
  guint rate;
  Sight sight;
  Receiver *receiver;
  GeneratorReport sent;

  pin ();
  rate = 3 * measure (chains[0]);
  if (onlookers[__i__].command)
    network_run ("%s", onlookers[__i__].command);
  receiver = receive (chains[0], SHORT, &sight);
  if (onlookers[__i__].open)
    fd = onlookers[__i__].open ();
  sent = generator_finish_lossy (generate (rate, rate / 2));
  wait_for_end (receiver, &sent);
  g_print ("# %s: %" G_GUINT64_FORMAT " dropped by the program, "
           "%" G_GUINT64_FORMAT " by the socket\n",
      onlookers[__i__].name, receiver_stat (receiver, "dropped-overload"),
      receiver_stat (receiver, "dropped-socket-buffer"));
  g_assert_cmpuint (receiver_arrived (receiver), ==, sent.packets);
  fail_unless (receiver_stat (receiver, "dropped-socket-buffer") > 0);
  fail_unless (
      (receiver_stat (receiver, "dropped-overload") > 0) == (__i__ == 0));
  receiver_free (receiver);
  if (fd >= 0)
    close (fd);
}

/* A pipeline that is held up does not say any more that the program may drop: it
 * soon passes again. */
LOOP_TEST (test_lease, !by_hand)
{
  guint rate;
  Sight sight;
  g_autoptr (Receiver) receiver = NULL;
  Generator *generator;
  GeneratorReport sent;
  guint64 dropped, later;
  gboolean stalled;

  pin ();
  rate = 3 * measure (chains[0]);
  receiver = receive (chains[0], SHORT, &sight);
  sight.stall_at = rate / 4;
  generator = generate (rate, rate);
  wait_until (g_atomic_int_get (&sight.is_stalled));
  fail_unless (receiver_queue_sum (receiver, "dropped") > 0);
  g_usleep (50000);
  dropped = receiver_queue_sum (receiver, "dropped");
  g_usleep (50000);
  later = receiver_queue_sum (receiver, "dropped");
  stalled = g_atomic_int_get (&sight.is_stalled);
  sent = generator_finish_lossy (generator);
  wait_for_end (receiver, &sent);
  g_assert_cmpuint (receiver_arrived (receiver), ==, sent.packets);
  fail_unless (receiver_queue_sum (receiver, "dropped") > dropped);
  receiver_assert_stat (
      receiver, "dropped-overload", receiver_queue_sum (receiver, "dropped"));
  receiver_set_state (receiver, GST_STATE_NULL);
  g_assert_cmpuint (receiver_arrived (receiver), ==, sent.packets);
  if (!stalled)
    suite_skip ("this test was held up for longer than the pipeline");
  g_assert_cmpuint (later, ==, dropped);
}

/* What is told of a path that changes all the time. */

typedef struct
{
  guint n;       /* messages */
  guint changes; /* that they told of */
  gchar last[8];
} Told;

static GMutex told_lock;

/* In the thread that posts it, so that none waits unread. */
static GstBusSyncReply
note_mode (GstBus *bus, GstMessage *message, gpointer user_data)
{
  const GstStructure *structure = gst_message_get_structure (message);
  const gchar *mode, *reason;
  Told *told = user_data;
  gboolean same;
  guint changes;

  if (!gst_message_has_name (message, "GstAfxdpSrcMode"))
    return GST_BUS_PASS;
  mode = gst_structure_get_string (structure, "mode");
  reason = gst_structure_get_string (structure, "reason");
  same =
      !g_strcmp0 (mode, gst_structure_get_string (structure, "previous-mode"));
  fail_unless (gst_structure_get_uint (structure, "changes", &changes));
  /* From one path to the other and back. */
  fail_unless (same == !(changes % 2), "%s, %u changes", mode, changes);
  fail_unless (changes < 2 || strstr (reason, "more slowly"), "%s", reason);
  g_mutex_lock (&told_lock);
  told->n++;
  told->changes += changes;
  g_strlcpy (told->last, mode, sizeof told->last);
  g_mutex_unlock (&told_lock);
  gst_message_unref (message);
  return GST_BUS_DROP;
}

#define SECONDS 3

/* Some at once, then one a second, which has the number of all. Where it has come to is
 * told within a second. */
LOOP_TEST (test_messages, !by_hand)
{
  guint rate = (pin (), 3 * measure (chains[0]));
  Sight sight;
  g_autoptr (Receiver) receiver = receive (chains[0], SHORT, &sight);
  guint64 begin = clock_ns (CLOCK_MONOTONIC);
  Told told = { .n = 0 };
  g_auto (GValue) mode = G_VALUE_INIT;
  g_autofree gchar *now = NULL;
  GeneratorReport sent;
  guint64 seconds;

  gst_bus_set_sync_handler (receiver->bus, note_mode, &told, NULL);
  sent = generator_finish_lossy (generate (rate, SECONDS * rate));
  wait_for_end (receiver, &sent);
  /* Longer than a second: what is to be told is. */
  g_usleep (1200000);
  seconds = (clock_ns (CLOCK_MONOTONIC) - begin) / (1000 * MS) + 1;
  gst_bus_set_sync_handler (receiver->bus, NULL, NULL, NULL);
  g_print ("# %u messages in %" G_GUINT64_FORMAT " s, %u changes\n", told.n,
      seconds, told.changes);
  fail_unless (told.n <= 4 + seconds, "%u messages", told.n);
  g_object_get_property (G_OBJECT (receiver->src), "current-mode", &mode);
  now = gst_value_serialize (&mode);
  fail_unless_equals_string (told.last, now);
  /* It was one. */
  fail_unless (told.changes > 10 * told.n, "%u changes", told.changes);
}

/* By hand. */

static void
look_at (guint chain, guint capacity, const gchar *percent)
{
  guint rate = capacity * atof (percent) / 100;
  Sight sight;
  g_autoptr (Receiver) receiver = receive (chains[chain], "", &sight);
  guint64 used = clock_ns (CLOCK_PROCESS_CPUTIME_ID);
  GeneratorReport sent;

  if (strchr (percent, 's'))
    sight.stall_at = rate / 2;
  sent = generator_finish_lossy (generate (rate, 2 * rate));
  wait_for_end (receiver, &sent);
  used = clock_ns (CLOCK_PROCESS_CPUTIME_ID) - used;
  g_print ("%s: can take %u/s, %s %%: sent %" G_GUINT64_FORMAT
           ", %.3f s late; came %" G_GUINT64_FORMAT " (%" G_GUINT64_FORMAT
           " by the socket) in %.2f s of processor time",
      chains[chain], capacity, percent, sent.packets, sent.late, sight.came,
      receiver_stat (receiver, "delivered-socket"), used / 1e9);
  if (sight.went_on)
    g_print (", in step after %" G_GINT64_FORMAT " ms",
        ((gint64) (sight.last_loss - sight.went_on)) / (gint64) MS);
  g_print ("\n");
}

LOOP_TEST (test_by_hand, !!by_hand)
{
  g_auto (GStrv) percents = g_strsplit (by_hand, ",", -1);

  pin ();
  if (g_getenv ("OVERLOAD_RPS"))
    network_run ("unshare -m sh -c 'mount -t sysfs sysfs /sys && "
                 "echo 2 >/sys/class/net/rx0/queues/rx-0/rps_cpus'");
  for (guint i = 0; i < G_N_ELEMENTS (chains); i++) {
    guint capacity = measure (chains[i]);

    for (guint j = 0; percents[j]; j++)
      look_at (i, capacity, percents[j]);
  }
}

int
main (int argc, char **argv)
{
  by_hand = g_getenv ("OVERLOAD");
  network_require_privileges ();
  if (sysconf (_SC_NPROCESSORS_ONLN) < 2) {
    printf ("skipped: sender and pipeline need a processor each\n");
    return SKIP;
  }
  return suite_run (
      argc, argv, "overload", 120, network_up_with_one_queue, network_down);
}
