/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A fault of one of two networks, or of what receives it, costs the stream nothing: the
 * other one is whole.
 *
 * LEG_CUTS is how often a leg is cut (100), SOAK_SEED at which moments.
 */
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "network.h"
#include "soaking.h"
#include "../check/tap.h"
#include "twolegs.h"

#define WINDOW "reorder-window=100000000 "
/* ms: nothing here is so long that a leg would not protect the other. */
#define LATEST 40

/* Both generators, until they are stopped. */
static void
begin (Generator *generators[TWOLEGS], const gchar *options)
{
  const guint64 start = twolegs_start_time ();

  for (guint i = 0; i < TWOLEGS; i++)
    generators[i] = twolegs_generate (
        i, "--start-at=%" G_GUINT64_FORMAT " %s", start, options);
}

/* All that was sent by the whole leg has come, once and in order. Both have sent as
 * much. */
static void
assert_nothing_lost (Receiver *receiver, PayloadWatch *watch, guint whole,
    const GeneratorReport sent[TWOLEGS])
{
  const guint64 n = sent[whole].packets;

  wait_until (
      receiver_arrived (receiver) >= n && !receiver_stat (receiver, "waiting"));
  if (receiver_stat (receiver, "packets") != n ||
      receiver_stat (receiver, "late"))
    twolegs_excuse (receiver, sent, LATEST);
  receiver_assert_stat (receiver, "packets", n);
  receiver_assert_none (receiver, "lost", "late", "waits-cut-short",
      "duplicates", "reordered", "restarts", "discarded");
  twolegs_assert_stat (receiver, whole, "lost", 0);
  twolegs_assert_stat (receiver, whole, "packets", n);
  receiver_assert_no_error (receiver);
  receiver_set_state (receiver, GST_STATE_NULL);
  fail_unless_equals_uint64 (watch->n, n);
  fail_unless_equals_uint64 (watch->wrong, 0);
}

/* Cuts. */

/* By a socket of that host: a shell would take longer than a cut. */
static void
set_up_or_down (int socket, const gchar *interface, gboolean up)
{
  struct ifreq request = { 0 };

  strcpy (request.ifr_name, interface);
  fail_unless (!ioctl (socket, SIOCGIFFLAGS, &request));
  request.ifr_flags &= ~IFF_UP;
  request.ifr_flags |= up ? IFF_UP : 0;
  fail_unless (!ioctl (socket, SIOCSIFFLAGS, &request));
}

LOOP_TEST (test_leg_is_cut_again_and_again, TWOLEGS)
{
  const guint cut = __i__;
  const gchar *asked = g_getenv ("LEG_CUTS");
  const guint cuts = asked ? g_ascii_strtoull (asked, NULL, 10) : 100;
  g_autoptr (GRand) random = soaking_random ();
  g_autofree gchar *interface = g_strdup_printf ("tx%u", cut);
  int socket = network_sender_socket (AF_INET, SOCK_DGRAM, 0);
  PayloadWatch watch = { 0 };
  g_autoptr (Receiver) receiver = twolegs_start (WINDOW, NULL, &watch);
  Generator *generators[TWOLEGS];
  GeneratorReport sent[TWOLEGS];

  begin (generators, "--rate=100000");
  receiver_wait_stat (receiver, "repeated", 1000);
  for (guint i = 0; i < cuts; i++) {
    guint64 packets;

    g_usleep (g_rand_int_range (random, 0, 30000));
    set_up_or_down (socket, interface, FALSE);
    g_usleep (g_rand_int_range (random, 0, 30000));
    set_up_or_down (socket, interface, TRUE);
    packets = twolegs_stat (receiver, cut, "packets");
    wait_until (twolegs_stat (receiver, cut, "packets") > packets);
    receiver_read_bus (receiver);
  }
  close (socket);
  /* The whole one ends last, so that each number has come by it. */
  sent[cut] = generator_stop_lossy (generators[cut]);
  sent[!cut] = generator_stop (generators[!cut]);
  if (sent[!cut].dropped)
    suite_skip ("the wire of the whole leg lost %" G_GUINT64_FORMAT,
        sent[!cut].dropped);
  g_assert_cmpuint (
      twolegs_stat (receiver, !cut, "recovered"), >, 100 * (guint64) cuts);
  assert_nothing_lost (receiver, &watch, !cut, sent);
}

/* What receives it. */

/* Until the n-th message of a path, from 0, or a later one, says so of the leg. */
static void
wait_leg_reason (Receiver *receiver, guint n, guint leg, const gchar *words)
{
  const GstStructure *message;
  gint number;

  do {
    message = receiver_wait_modes (receiver, ++n);
    fail_unless (gst_structure_get_int (message, "leg", &number));
  } while (number != (gint) leg ||
      !strstr (gst_structure_get_string (message, "reason"), words));
}

static const gchar *const interfaces[TWOLEGS] = { "rx0", "rx1" };

TABLE_TEST (test_link_is_down, interfaces)
{
  const guint down = __i__;
  PayloadWatch watch = { 0 };
  g_autoptr (Receiver) receiver = twolegs_start (WINDOW, NULL, &watch);
  Generator *generators[TWOLEGS];
  GeneratorReport sent[TWOLEGS];
  guint64 packets;

  begin (generators, "--rate=20000");
  receiver_wait_stat (receiver, "repeated", 1000);
  network_run ("ip link set %s down", interfaces[down]);
  packets = receiver_stat (receiver, "packets");
  receiver_wait_stat (receiver, "packets", packets + 10000);
  network_run ("ip link set %s up", interfaces[down]);
  packets = twolegs_stat (receiver, down, "packets");
  wait_until (twolegs_stat (receiver, down, "packets") >= packets + 10000);
  sent[down] = generator_stop_lossy (generators[down]);
  sent[!down] = generator_stop (generators[!down]);
  if (sent[!down].dropped)
    suite_skip ("the other wire lost packets");
  g_assert_cmpuint (twolegs_stat (receiver, !down, "recovered"), >=, 9000);
  assert_nothing_lost (receiver, &watch, !down, sent);
}

/* The leg comes by its socket, and by AF_XDP again. */
TABLE_TEST (test_program_is_detached, interfaces)
{
  const guint leg = __i__;
  PayloadWatch watch = { 0 };
  g_autoptr (Receiver) receiver =
      twolegs_start (WINDOW "buffer-size=67108864", NULL, &watch);
  Generator *generators[TWOLEGS];
  GeneratorReport sent[TWOLEGS];
  const guint n = receiver->modes->len;

  begin (generators, "--rate=50000");
  receiver_wait_stat (receiver, "repeated", 10000);
  network_detach_program_of (interfaces[leg]);
  wait_leg_reason (receiver, n, leg, "Somebody detached");
  wait_until (twolegs_text_is (receiver, leg, "mode", "af-xdp"));
  fail_unless (network_has_program_on (interfaces[leg]));
  receiver_wait_stat (
      receiver, "packets", receiver_stat (receiver, "packets") + 20000);
  sent[leg] = generator_stop_lossy (generators[leg]);
  sent[!leg] = generator_stop (generators[!leg]);
  if (sent[!leg].dropped)
    suite_skip ("the other wire lost packets");
  /* One packet may be lost by a detach. */
  g_assert_cmpuint (
      twolegs_stat (receiver, leg, "lost"), <=, sent[leg].dropped + 1);
  assert_nothing_lost (receiver, &watch, !leg, sent);
}

/* The pipeline. */

/* The sink stands still for longer than a ring's credit lasts: what the ring does not hold
 * waits in that leg's socket. Both legs, or one, while the other has a socket anyway. */
static const gchar *const held_up[][TWOLEGS] = {
  { "af-xdp", "af-xdp" },
  { "af-xdp", "socket" },
  { "socket", "af-xdp" },
};

TABLE_TEST (test_credit_is_used_up, held_up)
{
  const gchar *const *modes = held_up[__i__];
  PayloadWatch watch = { 0 };
  g_autoptr (Receiver) receiver = twolegs_start (
      "reorder-window=500000000 ring-size=256 buffer-size=67108864", modes,
      &watch);
  g_autoptr (Tap) tap = tap_new_counting (receiver->src);
  Generator *generators[TWOLEGS];
  GeneratorReport sent[TWOLEGS];
  guint n;

  begin (generators, "--rate=20000 --packets=40000");
  receiver_wait_stat (receiver, "packets", 5000);
  receiver_read_bus (receiver);
  n = receiver->modes->len;
  tap_hold_for (tap, 100 * G_TIME_SPAN_MILLISECOND);
  for (guint i = 0; i < TWOLEGS; i++)
    sent[i] = generator_finish_exact (generators[i]);
  if (!twolegs_settle (receiver, sent, 40000))
    twolegs_excuse (receiver, sent, LATEST);
  for (guint i = 0; i < TWOLEGS; i++)
    if (g_str_equal (modes[i], "af-xdp")) {
      wait_leg_reason (receiver, n, i, "takes them more slowly");
      wait_until (twolegs_text_is (receiver, i, "mode", "af-xdp"));
    }
  receiver_assert_stat (receiver, "repeated", 40000);
  twolegs_assert_stat (receiver, 1, "lost", 0);
  assert_nothing_lost (receiver, &watch, 0, sent);
}

int
main (int argc, char **argv)
{
  network_require_privileges ();
  return suite_run (
      argc, argv, "legs-faults", 120, network_up_with_two_wires, network_down);
}
