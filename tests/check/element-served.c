/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The thread that receives for many elements: none of them may hold it up by going
 * from state to state, whoever does that; and what it does where a system call is
 * missing, or where there may be no more threads.
 */
#include "element-fixture.h"

#include <dlfcn.h>
#include <errno.h>
#include <gst/base/gstbasesrc.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PACKETS 100

static gint errnum; /* 0: it is there */
static gint n_calls;

/* In the C library's place, for the plugin too. Kernels before Linux 5.11 do not have
 * it, nor qemu-user, and old filters of system calls (seccomp) forbid it. */
__attribute__ ((visibility ("default"))) int
epoll_pwait2 (int poll, struct epoll_event *events, int n,
    const struct timespec *timeout, const sigset_t *signals)
{
  g_atomic_int_inc (&n_calls);
  if (!errnum)
    return syscall (
        SYS_epoll_pwait2, poll, events, n, timeout, signals, _NSIG / 8);
  errno = errnum;
  return -1;
}

typedef void *(*ThreadFunc) (void *);

static gint refuses; /* the plugin's own threads */

static gboolean
is_plugins (ThreadFunc run)
{
  Dl_info info;

  return dladdr ((gpointer) run, &info) && strstr (info.dli_fname, "gstafxdp");
}

/* In the C library's place, likewise. */
__attribute__ ((visibility ("default"))) int
pthread_create (pthread_t *thread, const pthread_attr_t *attributes,
    ThreadFunc run, void *data)
{
  static int (*next) (pthread_t *, const pthread_attr_t *, ThreadFunc, void *);

  if (g_atomic_int_get (&refuses) && is_plugins (run))
    return EAGAIN;
  if (!next)
    next = dlsym (RTLD_NEXT, "pthread_create");
  return next (thread, attributes, run, data);
}

static gint n_sleeps, longest_sleep; /* ns */

/* In the C library's place, likewise: how threads sleep that gather a batch. */
__attribute__ ((visibility ("default"))) int
clock_nanosleep (clockid_t clock, int flags, const struct timespec *until,
    struct timespec *left)
{
  struct timespec now;
  gint64 length;

  clock_gettime (clock, &now);
  length = (until->tv_sec - now.tv_sec) * G_GINT64_CONSTANT (1000000000) +
      until->tv_nsec - now.tv_nsec;
  g_atomic_int_inc (&n_sleeps);
  longest_sleep = MAX (longest_sleep, length);
  return -syscall (SYS_clock_nanosleep, clock, flags, until, left);
}

static const gint errnums[] = { ENOSYS, EPERM };

/* It is asked for once, and what does the same is taken. */
TABLE_TEST (test_no_epoll_pwait2, errnums)
{
  errnum = errnums[__i__];
  /* Tests may share a process. */
  n_calls = 0;
  element_play ("receiver=one", "fakesink");
  for (guint i = 0; i < PACKETS; i++) {
    loopback_send_pattern (loopback, i, 100 + i);
    tap_wait (tap, i + 1);
  }
  element_wait (PACKETS);
  fail_unless_equals_int (g_atomic_int_get (&n_calls), 1);
}

/* Nothing comes to one of the streams, whose buffer is soon full: a burst must find room
 * there, however long the others would let their thread sleep. */
TEST (test_small_buffer_beside_others)
{
  Loopback *other = loopback_new ();
  g_autofree gchar *properties = g_strdup_printf (
      "%s mode=socket receiver=one buffer-size=9216", other->properties);
  Receiver *small;
  Tap *small_tap;

  errnum = ENOSYS;
  element_play ("receiver=one coalesce=5000000", "fakesink");
  small = receiver_new (properties, "fakesink");
  small_tap = tap_new (small->src);
  receiver_play (small);
  /* The thread has it from then on. */
  loopback_send_many (other, 33, 0, 1);
  tap_wait (small_tap, 1);
  element_pass (33, 0, PACKETS, PACKETS);
  n_sleeps = longest_sleep = 0;
  for (guint i = 1; i < 100; i++)
    element_pass (33, i * PACKETS, PACKETS, (i + 1) * PACKETS);
  fail_unless (g_atomic_int_get (&n_sleeps) > 0);
  /* Twice 9216 bytes are four packets, of which one may come each µs. */
  g_assert_cmpint (longest_sleep, <=, 4000);
  receiver_free (small);
  tap_free (small_tap);
  loopback_free (other);
}

/* The element says so; the process lives, and the next one gets its receiver. */
TEST (test_no_thread)
{
  errnum = ENOSYS;
  g_atomic_int_set (&refuses, TRUE);
  element_new ("receiver=one", "fakesink");
  fail_unless_equals_int (
      gst_element_set_state (receiver->pipeline, GST_STATE_READY),
      GST_STATE_CHANGE_FAILURE);
  g_atomic_int_set (&refuses, FALSE);
  fail_unless_equals_string (receiver_wait_error (receiver),
      "The receiver \"one\": Could not start the thread afxdp-receiver, since "
      "there may be no more threads: raise RLIMIT_NPROC (ulimit -u), TasksMax= "
      "of systemd or pids.max of the cgroup: Resource temporarily unavailable.");
  fail_unless_equals_int (receiver->n_errors, 1);
  element_end ();
  element_play ("receiver=one", "fakesink");
  element_receive (33, 0, PACKETS);
}

/* The thread that watches for stalls: the stream does without. */
TEST (test_no_thread_that_watches)
{
  element_new ("", "fakesink");
  receiver_set_state (receiver, GST_STATE_READY);
  g_atomic_int_set (&refuses, TRUE);
  receiver_play (receiver);
  element_receive (33, 0, PACKETS);
  g_atomic_int_set (&refuses, FALSE);
}

/* Two elements of one receiver. */

#define ONE "receiver=one "

/* The other one, which has a right to its turns. */
static Loopback *other_loopback;
static Receiver *other;
static Tap *other_tap;

static void
other_play (const gchar *properties)
{
  g_autofree gchar *all = NULL;

  errnum = 0;
  other_loopback = loopback_new ();
  all = g_strdup_printf (
      "%s mode=socket " ONE "%s", other_loopback->properties, properties);
  other = receiver_new (all, "fakesink");
  other_tap = tap_new (other->src);
  receiver_play (other);
}

static void
other_end (void)
{
  receiver_free (other);
  tap_free (other_tap);
  loopback_free (other_loopback);
}

static void
other_receives (guint n)
{
  guint before = tap_n_packets (other_tap);

  loopback_send_many (other_loopback, 33, before, n);
  tap_wait (other_tap, before + n);
}

static gpointer
play (gpointer data)
{
  receiver_set_state (receiver, GST_STATE_PLAYING);
  return NULL;
}

/* While the base class has not gone to PLAYING it would wait for that, and the others
 * with it. The lock is its own, which it takes for that. */
TEST (test_no_turn_before_playing)
{
  GMutex *live_lock;
  GThread *player;

  other_play ("");
  /* A sink that is paused keeps the thread that pushes into it. */
  element_play (ONE, "queue ! fakesink");
  element_receive (33, 0, 1);
  live_lock = &GST_BASE_SRC_CAST (receiver->src)->live_lock;
  receiver_set_state (receiver, GST_STATE_PAUSED);
  loopback_send_many (loopback, 33, 1, 1);
  g_mutex_lock (live_lock);
  player = g_thread_new ("player", play, NULL);
  /* Long enough for a turn that must not be. */
  g_usleep (50000);
  other_receives (3);
  g_mutex_unlock (live_lock);
  g_thread_join (player);
  element_wait (2);
  other_end ();
}

/* Whoever hears of a path, in the thread of the receiver, pauses the element. */
static gint pauses;

static GstBusSyncReply
pause_at_mode (GstBus *bus, GstMessage *message, gpointer user_data)
{
  gint64 before = g_get_monotonic_time ();

  if (!gst_message_has_name (message, "GstAfxdpSrcMode"))
    return GST_BUS_PASS;
  gst_element_set_state (receiver->src, GST_STATE_PAUSED);
  g_atomic_int_set (&pauses, g_get_monotonic_time () - before);
  return GST_BUS_PASS;
}

/* It does not wait for itself, and what is at hand then is not pushed before
 * PLAYING. */
TEST (test_paused_in_its_turn)
{
  const guint n = 200;

  other_play ("");
  /* A sink that prerolls would have the pipeline go to PLAYING again. */
  element_new (ONE, "fakesink async=false");
  receiver_set_state (receiver, GST_STATE_READY);
  loopback_send_many (loopback, 33, 0, n);
  gst_bus_set_sync_handler (receiver->bus, pause_at_mode, NULL, NULL);
  pauses = 0;
  receiver_set_state (receiver, GST_STATE_PLAYING);
  wait_until (g_atomic_int_get (&pauses));
  fail_unless (g_atomic_int_get (&pauses) < 50 * G_TIME_SPAN_MILLISECOND,
      "%d us", g_atomic_int_get (&pauses));
  other_receives (3);
  fail_unless (tap_n_packets (tap) < n);
  receiver_set_state (receiver, GST_STATE_PAUSED);
  receiver_set_state (receiver, GST_STATE_PLAYING);
  element_wait (n);
  other_end ();
}

/* The same, of the error that ends the stream: the end is not told before PLAYING, which
 * the thread must not wait for. */
static GstBusSyncReply
pause_at_error (GstBus *bus, GstMessage *message, gpointer user_data)
{
  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR)
    return GST_BUS_PASS;
  gst_element_set_state (receiver->src, GST_STATE_PAUSED);
  g_atomic_int_inc (&pauses);
  return GST_BUS_PASS;
}

TEST (test_paused_by_its_error)
{
  g_autoptr (GSocket) socket = NULL;

  other_play ("");
  element_play (ONE, "fakesink async=false");
  g_object_get (receiver->src, "used-socket", &socket, NULL);
  gst_bus_set_sync_handler (receiver->bus, pause_at_error, NULL, NULL);
  pauses = 0;
  shutdown (g_socket_get_fd (socket), SHUT_RD);
  wait_until (g_atomic_int_get (&pauses));
  other_receives (3);
  gst_bus_set_sync_handler (receiver->bus, NULL, NULL, NULL);
  other_end ();
}

static gboolean
was_told (Receiver *whom, const gchar *name)
{
  g_autoptr (GstMessage) message = NULL;

  while ((message = gst_bus_pop_filtered (whom->bus, GST_MESSAGE_ELEMENT))) {
    if (gst_message_has_name (message, name))
      return TRUE;
    gst_clear_message (&message);
  }
  return FALSE;
}

/* The thread was with another element when the packet came, and comes to it only when
 * the time is over: that is no silence. */
TEST (test_timeout_behind_a_push)
{
  /* A turn every 10 ms, which sees that time begins. */
  other_play ("stats-interval=10000000 timeout=500000000");
  element_play (ONE, "fakesink");
  tap_hold (tap);
  other_receives (1);
  g_usleep (50000);
  loopback_send_many (loopback, 33, 0, 1);
  tap_wait_held (tap);
  while (was_told (other, "GstUDPSrcTimeout"))
    ;
  loopback_send_many (other_loopback, 33, 1, 1);
  g_usleep (600000);
  tap_let_go (tap);
  tap_wait (other_tap, 2);
  fail_if (was_told (other, "GstUDPSrcTimeout"));
  /* And this is one. */
  wait_until (was_told (other, "GstUDPSrcTimeout"));
  element_wait (1);
  other_end ();
}

/* The element behind is named, and not a bin that it is in. */
TEST (test_long_push_into_a_bin)
{
  errnum = 0;
  element_play (ONE, "( identity name=slow ! fakesink )");
  element_receive (33, 0, 1);
  tap_hold_for (tap, 200 * G_TIME_SPAN_MILLISECOND);
  loopback_send_many (loopback, 33, 1, 1);
  wait_until ((receiver_read_bus (receiver), receiver->warnings->len));
  fail_unless (g_str_has_prefix (receiver->warnings->pdata[0], "slow took"),
      "%s", (gchar *) receiver->warnings->pdata[0]);
}

ELEMENT_SUITE ("element-served", NULL)
