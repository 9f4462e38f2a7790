/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Beginnings and ends: killed, without privileges, idle, stopped and started
 * again, paused; and what is left behind. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "generator.h"
#include "leftover.h"
#include "network.h"
#include "player.h"
#include "receiver.h"
#include "tasks.h"
#include "../check/tap.h"

static const gchar *const paths[] = { "", "mode=socket" };

static gboolean
has_joined (void)
{
  g_autofree gchar *table = network_output ("cat /proc/net/igmp");

  return strstr (table, "010101EF") != NULL;
}

/* Nothing is left behind, and whoever comes next finds all free, at once. */
TEST (test_killed)
{
  for (guint round = 0; round < 3; round++) {
    Player *player = player_start ("", "stats-interval=50000000");
    GArray *objects;
    Receiver *receiver;
    Generator *generator;
    guint n[LEFTOVER_BPF_KINDS] = { 0 };

    player_wait_line (player, "mode=(string)af-xdp");
    generator = generator_start ("--rate=20000");
    player_wait_stat (player, "delivered-xdp", 5000);
    objects = leftover_find_bpf (player_pid (player));
    for (guint i = 0; i < objects->len; i++) {
      n[g_array_index (objects, LeftoverBpf, i).kind]++;
      fail_unless (leftover_exists (&g_array_index (objects, LeftoverBpf, i)));
    }
    for (guint i = 0; i < G_N_ELEMENTS (n); i++)
      fail_unless (n[i] > 0, "found none of kind %u to look for", i);
    fail_unless (network_has_program ());
    fail_unless (has_joined ());

    player_free (player);
    receiver = receiver_new ("mode=af-xdp", "fakesink");
    receiver_play_by (receiver, "af-xdp");
    leftover_wait_for_bpf (objects);
    generator_stop (generator);
    receiver_set_state (receiver, GST_STATE_NULL);
    fail_if (network_has_program ());
    fail_if (has_joined ());

    receiver_play (receiver);
    generator_send_exact ("--rate=20000 --packets=10000");
    receiver_assert_nothing_lost (receiver, 10000);
    receiver_assert_stat (receiver, "delivered-xdp", 10000);
    receiver_free (receiver);
  }
}

/* Nobody comes next: all goes by itself. */
TEST (test_killed_and_left_alone)
{
  Player *player = player_start ("", "");
  GArray *objects;

  player_wait_line (player, "mode=(string)af-xdp");
  objects = leftover_find_bpf (player_pid (player));
  player_free (player);
  wait_until (!network_has_program ());
  leftover_wait_for_bpf (objects);
  wait_until (!has_joined ());
}

/* Children. */

/* With the C library, and behind its back. */
static pid_t
make_child (gboolean by_clone)
{
  pid_t child = by_clone ? syscall (SYS_clone, SIGCHLD, 0, 0, 0, 0) : fork ();

  fail_if (child < 0);
  if (child)
    return child;
  syscall (SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  for (;;)
    syscall (SYS_ppoll, NULL, 0, NULL, NULL, 0);
}

/* A child lives on, as Python's multiprocessing has them, and its parent starts
 * again. */
LOOP_TEST (test_forked, 2)
{
  g_autoptr (Receiver) receiver = receiver_start ("", "fakesink");
  gboolean by_clone = __i__;
  guint n;
  pid_t child;

  receiver_assert_mode (receiver, 0, "af-xdp");
  child = make_child (by_clone);
  generator_send_exact ("--rate=10000 --packets=2000");
  receiver_assert_nothing_lost (receiver, 2000);
  receiver_set_state (receiver, GST_STATE_NULL);
  fail_if (has_joined ());
  fail_if (network_has_program ());

  n = receiver->modes->len;
  receiver_play (receiver);
  if (by_clone) {
    /* What cannot be helped is told, with its cause and cure. */
    receiver_wait_reason (receiver, n, "clone()");
    fail_if (kill (child, SIGKILL));
  }
  receiver_wait_mode (receiver, n, "af-xdp");
  generator_send_exact ("--rate=10000 --packets=2000");
  receiver_assert_nothing_lost (receiver, 2000);
  if (!by_clone)
    fail_if (kill (child, SIGKILL));
  waitpid (child, NULL, 0);
}

/* It is the child that starts another stream, of the same interface and with a receiver
 * of the same name: its threads are its own. */

#define SERVED "receiver=both"
#define STALLS "identity sleep-time=3000000"

/* Only what has received can stall, and only a thread tells of it. */
static gboolean
stalls (GstBus *bus)
{
  GstMessage *message;

  while ((message = gst_bus_timed_pop_filtered (
              bus, 10 * GST_SECOND, GST_MESSAGE_ELEMENT)) &&
      !gst_message_has_name (message, "GstAfxdpSrcStall"))
    gst_message_unref (message);
  return message != NULL;
}

/* GStreamer's tasks run in a pool of GLib's, and a child has no thread of it: GLib
 * gives work to one that waited for some in the parent, and newer ones (2.84) ask a
 * thread of the parent's for each new one. Here each task has a thread of its own. */
struct _Threads
{
  GstTaskPool parent;
};

G_DECLARE_FINAL_TYPE (Threads, threads, TEST, THREADS, GstTaskPool)
G_DEFINE_TYPE (Threads, threads, GST_TYPE_TASK_POOL)

typedef struct
{
  GstTaskPoolFunction func;
  gpointer data;
} Work;

static gpointer
do_work (gpointer data)
{
  g_autofree Work *work = data;

  work->func (work->data);
  return NULL;
}

static gpointer
push_work (
    GstTaskPool *pool, GstTaskPoolFunction func, gpointer data, GError **error)
{
  Work *work = g_new (Work, 1);

  *work = (Work){ func, data };
  return g_thread_new ("task", do_work, work);
}

static void
prepare_nothing (GstTaskPool *pool, GError **error)
{
}

static void
threads_class_init (ThreadsClass *class)
{
  GST_TASK_POOL_CLASS (class)->prepare = prepare_nothing;
  GST_TASK_POOL_CLASS (class)->push = push_work;
}

static void
threads_init (Threads *threads)
{
}

static GstBusSyncReply
give_threads (GstBus *bus, GstMessage *message, gpointer threads)
{
  GstStreamStatusType type;
  GstElement *owner;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_STREAM_STATUS)
    return GST_BUS_PASS;
  gst_message_parse_stream_status (message, &type, &owner);
  if (type == GST_STREAM_STATUS_TYPE_CREATE)
    gst_task_set_pool (
        g_value_get_object (gst_message_get_stream_status_object (message)),
        threads);
  return GST_BUS_PASS;
}

/* Returns what went wrong, or 0. It does not stop what it started. */
static int
receive_in_child (int started)
{
  GstElement *pipeline = gst_parse_launch (
      "afxdpsrc multicast-group=239.1.1.2 port=5002 multicast-iface=rx0 "
      "mode=auto " SERVED " ! " STALLS " ! fakesink async=false",
      NULL);
  GstBus *bus = gst_element_get_bus (pipeline);

  gst_bus_set_sync_handler (
      bus, give_threads, g_object_new (threads_get_type (), NULL), NULL);
  if (gst_element_set_state (pipeline, GST_STATE_PLAYING) ==
      GST_STATE_CHANGE_FAILURE)
    return 1;
  return write (started, "", 1) == 1 && stalls (bus) ? 0 : 2;
}

TEST (test_forked_and_started)
{
  g_autoptr (Receiver) receiver = receiver_start (SERVED, "fakesink");
  int status, started[2];
  pid_t child;
  gchar byte;

  fail_if (pipe (started));
  child = fork ();
  if (!child) {
    alarm (20);
    /* Without waiting for its other threads, which are the parent's. */
    _exit (receive_in_child (started[1]));
  }
  close (started[1]);
  if (read (started[0], &byte, 1) == 1)
    generator_send ("--destination=239.1.1.2:5002 --rate=1000 --packets=2");
  waitpid (child, &status, 0);
  close (started[0]);
  fail_unless (WIFEXITED (status) && !WEXITSTATUS (status), "%x", status);
  generator_send_exact ("--rate=10000 --packets=2000");
  receiver_assert_nothing_lost (receiver, 2000);
  receiver_assert_stat (receiver, "delivered-xdp", 2000);
}

/* Privileges. */

#define KEEP                                                   \
  "prlimit --memlock=8388608:8388608 setpriv --inh-caps=-all " \
  "--bounding-set=-all"

static const struct
{
  const gchar *prefix;
  const gchar *properties;
  const gchar *missing; /* NULL: nothing */
  const gchar *present; /* that is not to be blamed */
} privileges[] = {
  { KEEP ",+net_raw,+bpf,+net_admin,+ipc_lock", "", NULL, NULL },
  /* Less than the limit needs no privilege. */
  { KEEP ",+net_raw,+bpf,+net_admin", "umem-frames=2048 ring-size=512", NULL,
      NULL },
  { KEEP ",+bpf,+net_admin,+ipc_lock", "", "CAP_NET_RAW", "CAP_BPF" },
  { KEEP ",+net_raw,+net_admin,+ipc_lock", "", "CAP_BPF", "CAP_NET_ADMIN" },
  { KEEP ",+net_raw,+bpf,+ipc_lock", "", "CAP_NET_ADMIN", "CAP_BPF" },
  { KEEP ",+net_raw,+bpf,+net_admin", "", "CAP_IPC_LOCK", "CAP_BPF" },
  { KEEP, "", "CAP_NET_RAW", NULL },
};

static void
assert_blames (const gchar *line, guint i)
{
  fail_unless (strstr (line, privileges[i].missing), "%s", line);
  fail_if (privileges[i].present && strstr (line, privileges[i].present), "%s",
      line);
}

/* It plays all the same, by the socket, and says what is missing. */
TABLE_TEST (test_without_privileges, privileges)
{
  g_autofree gchar *properties = g_strconcat (
      privileges[__i__].properties, " stats-interval=50000000", NULL);
  g_autoptr (Player) player =
      player_start (privileges[__i__].prefix, properties);
  const gchar *line = player_wait_line (player, "GstAfxdpSrcMode");

  if (privileges[__i__].missing) {
    fail_unless (strstr (line, "mode=(string)socket"), "%s", line);
    assert_blames (line, __i__);
  } else {
    fail_unless (strstr (line, "mode=(string)af-xdp"), "%s", line);
  }
  generator_send_exact ("--rate=10000 --packets=5000");
  line = player_wait_stat (player, "packets", 5000);
  fail_unless (player_stat (line, "lost") == 0, "%s", line);
  fail_unless (player_stat (line,
                   privileges[__i__].missing ? "delivered-socket"
                                             : "delivered-xdp") == 5000,
      "%s", line);
}

/* Where nothing but AF_XDP will do, that is the first error. */
TABLE_TEST (test_without_privileges_it_insists, privileges)
{
  g_autofree gchar *properties =
      g_strconcat (privileges[__i__].properties, " mode=af-xdp", NULL);
  g_autoptr (Player) player =
      player_start (privileges[__i__].prefix, properties);

  if (privileges[__i__].missing) {
    assert_blames (player_wait_line (player, "ERROR"), __i__);
    fail_unless (player_wait_end (player) != 0);
  } else {
    player_wait_line (player, "mode=(string)af-xdp");
  }
}

/* All threads of this process: the C library sees to that. */
static void
become (uid_t user)
{
  fail_if (setresuid (user, user, 0), "%s", g_strerror (errno));
}

#define NOBODY 65534

/* All that needs privileges is done when it is READY; but for new sockets. */
TEST (test_privileges_dropped)
{
  g_autoptr (Receiver) receiver =
      receiver_new ("buffer-size=67108864", "fakesink");
  Receiver *later[3];
  GeneratorReport sent;
  Generator *generator;
  const gchar *reason;

  receiver_set_state (receiver, GST_STATE_READY);
  become (NOBODY);
  fail_unless (socket (AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0) < 0);
  receiver_play_by (receiver, "af-xdp");
  become (0);
  generator = generator_start ("--rate=20000");
  become (NOBODY);
  receiver_wait_stat (receiver, "delivered-xdp", 10000);
  receiver_restart (receiver, GST_STATE_PAUSED);
  become (0);
  network_detach_program ();
  become (NOBODY);
  receiver_wait_modes (receiver, 2);
  receiver_wait_mode (receiver, 2, "af-xdp");
  receiver_wait_stat (receiver, "delivered-xdp",
      receiver_stat (receiver, "delivered-xdp") + 10000);

  /* Sockets that were kept in reserve may serve some. */
  for (guint i = 0; i < G_N_ELEMENTS (later); i++) {
    later[i] = receiver_new ("multicast-group=239.1.1.2 port=5000", "fakesink");
    g_object_set (later[i]->src, "port", 5001 + i, NULL);
    receiver_play (later[i]);
  }
  receiver_assert_mode (later[2], 0, "socket");
  reason = receiver_reason (later[2], 0);
  fail_unless (strstr (reason, "CAP_NET_RAW is missing"), "%s", reason);

  become (0);
  sent = generator_stop (generator);
  /* One packet may be lost by a detach. */
  receiver_wait_stat (receiver, "packets", sent.packets - 1);
  fail_unless (receiver_stat (receiver, "lost") <= sent.dropped + 1);
  receiver_assert_no_error (receiver);
  for (guint i = 0; i < G_N_ELEMENTS (later); i++)
    receiver_free (later[i]);
}

/* What it costs, and what it leaves. */

/* Ten a second are the control thread's. */
#define MOST_SLEEPS 100
/* Of a thread that spins it is 3 s. */
#define MOST_TIME (600 * GST_MSECOND)

/* Three seconds of all threads, with a message in each: what a thread does when it is
 * woken for nothing costs more or less, as the machine has it. */
TABLE_TEST (test_idle, paths)
{
  g_autoptr (Player) player = player_start ("", paths[__i__]);
  guint64 sleeps, used;

  player_wait_line (player, "GstAfxdpSrcMode");
  player_wait_line (player, "GstAfxdpSrcStats");
  sleeps = tasks_sleeps (player_pid (player), "");
  used = tasks_sum (player_pid (player), "", "schedstat", "");
  for (guint i = 0; i < 3; i++)
    player_wait_line (player, "GstAfxdpSrcStats");
  sleeps = tasks_sleeps (player_pid (player), "") - sleeps;
  used = tasks_sum (player_pid (player), "", "schedstat", "") - used;
  printf ("idle, %s: %" G_GUINT64_FORMAT " sleeps, %" G_GUINT64_FORMAT
          " ms of processor time in 3 s\n",
      *paths[__i__] ? "socket" : "AF_XDP", sleeps, used / GST_MSECOND);
  g_assert_cmpuint (sleeps, <, MOST_SLEEPS);
  g_assert_cmpuint (used, <, MOST_TIME);
}

/* The kernel releases queues some time after their sockets were closed. */
LOOP_TEST (test_started_again_and_again, 2)
{
  g_autoptr (Receiver) receiver =
      receiver_new (__i__ ? "mode=af-xdp" : "", "fakesink");

  for (guint i = 0; i < 20; i++) {
    guint n = receiver->modes->len;

    receiver_set_state (receiver, GST_STATE_PLAYING);
    receiver_wait_mode (receiver, n, "af-xdp");
    receiver_set_state (receiver, GST_STATE_NULL);
    fail_if (network_has_program ());
  }
  receiver_play (receiver);
  receiver_wait_mode (receiver, receiver->modes->len - 1, "af-xdp");
  generator_send_exact ("--rate=20000 --packets=10000");
  receiver_assert_nothing_lost (receiver, 10000);
  receiver_assert_stat (receiver, "delivered-xdp", 10000);
}

/* The socket keeps what comes meanwhile: all of it, or, when the streaming
 * thread is caught in the sink and cannot shut the fast path, what comes when
 * the ring's credit is used up. */
TABLE_TEST (test_paused_for_long, paths)
{
  g_autofree gchar *properties =
      g_strconcat (paths[__i__], " ring-size=512", NULL);
  g_autoptr (Receiver) receiver = receiver_start (properties, "fakesink");
  GeneratorReport sent;
  Generator *generator = generator_start ("--rate=10000");

  for (guint i = 1; i <= 3; i++) {
    guint64 packets;

    receiver_wait_stat (receiver, "packets", 10000 * i);
    receiver_set_state (receiver, GST_STATE_PAUSED);
    packets = receiver_stat (receiver, "packets");
    network_wait_for_backlog (5000, 8 << 20);
    fail_unless (receiver_stat (receiver, "packets") <= packets + 64);
    receiver_set_state (receiver, GST_STATE_PLAYING);
  }
  sent = generator_stop (generator);
  receiver_assert_nothing_lost (receiver, sent.packets);
}

static void
play_for_a_moment (const gchar *properties)
{
  g_autoptr (Receiver) receiver = receiver_start (properties, "fakesink");

  generator_send_exact ("--rate=10000 --packets=2000");
  receiver_assert_nothing_lost (receiver, 2000);
}

TABLE_TEST (test_nothing_is_left, paths)
{
  Leftover before;

  /* What GStreamer and GLib open once; through the socket, so that all of AF_XDP
   * counts. */
  play_for_a_moment ("mode=socket");
  leftover_begin (&before);
  for (guint i = 0; i < 5; i++) {
    play_for_a_moment (paths[__i__]);
    leftover_end (&before);
  }
}

/* Page faults of the streaming thread between its first packet and the one that
 * brings it to enough: it runs into them where something was not made before. */
typedef struct
{
  guint64 packets, enough;
  guint64 before, after;
} Faults;

static GstPadProbeReturn
count_faults (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Faults *faults = data;
  struct rusage usage;

  getrusage (RUSAGE_THREAD, &usage);
  if (!faults->packets)
    faults->before = usage.ru_minflt;
  if (faults->packets < faults->enough)
    faults->after = usage.ru_minflt;
  faults->packets += GST_IS_BUFFER_LIST (GST_PAD_PROBE_INFO_DATA (info))
      ? gst_buffer_list_length (GST_PAD_PROBE_INFO_BUFFER_LIST (info))
      : 1;
  return GST_PAD_PROBE_OK;
}

/* Whoever joins a stream that runs gets its full rate at once, and nothing that a
 * packet needs may be made or touched for the first time then; all that comes is
 * kept, so that no frame is used again. Beside AF_XDP the socket's frames are not
 * prepared, and when we get no processor for a while it has many. */
TABLE_TEST (test_joins_a_running_stream, paths)
{
  static const guint kept[] = { 10000, 3000 };
  Faults faults = { .enough = kept[__i__] };
  Generator *generator = generator_start ("--rate=50000");
  g_autoptr (Receiver) receiver = receiver_new (paths[__i__], "fakesink");
  g_autoptr (Tap) tap = tap_new_counting (receiver->src);
  GstPad *pad = gst_element_get_static_pad (receiver->src, "src");
  GeneratorReport sent;
  guint64 allowed;

  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, count_faults,
      &faults, NULL);
  gst_object_unref (pad);
  tap_keep (tap, TRUE);
  receiver_play (receiver);
  receiver_wait_stat (receiver, "packets", faults.enough + 1000);
  receiver_set_state (receiver, GST_STATE_NULL);
  sent = generator_stop (generator);
  g_assert_cmpuint (receiver_stat (receiver, "lost"), <=, sent.dropped);
  allowed = faults.enough / 20;
  if (receiver_stat (receiver, "delivered-xdp"))
    allowed += 2 * receiver_stat (receiver, "delivered-socket");
  fail_unless (faults.after - faults.before < allowed,
      "%" G_GUINT64_FORMAT " page faults in %" G_GUINT64_FORMAT " packets: %s",
      faults.after - faults.before, faults.enough,
      receiver_describe (receiver));
}

NETNS_SUITE ("life", network_up_with_one_queue)
