/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element with xsk-map: somebody else's program redirects to it, or does not. */
#include <bpf/bpf.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firewall.h"
#include "generator.h"
#include "network.h"
#include "receiver.h"

#define XSK_MAP "xsk-map=" FIREWALL_MAP

static void
assert_provider (const GstStructure *mode, const gchar *provider)
{
  fail_unless_equals_string (
      gst_structure_get_string (mode, "provider"), provider);
}

/* Until the path is this one, by messages from the n-th on; returns how many there are
 * then. */
static guint
wait_mode (Receiver *receiver, guint n, const gchar *mode)
{
  receiver_wait_mode (receiver, n, mode);
  return receiver->modes->len;
}

/* Sends packets that come by AF_XDP, or by the socket. */
static void
send_and_receive (Receiver *receiver, const gchar *column)
{
  guint64 packets = receiver_stat (receiver, "packets");
  guint64 before = receiver_stat (receiver, column);

  generator_send_exact ("--rate=5000 --packets=1000");
  receiver_wait_stat (receiver, "packets", packets + 1000);
  receiver_assert_stat (receiver, column, before + 1000);
  receiver_assert_stat (receiver, "packets", packets + 1000);
}

static const gchar *const threads[] = { "", "receiver=all",
  "busy-poll-usecs=100", "coalesce=0" };

/* Of two flows that are redirected, its own comes, once; the other is nobody's. */
TABLE_TEST (test_one_flow, threads)
{
  g_autofree gchar *properties =
      g_strdup_printf (XSK_MAP " mode=af-xdp %s", threads[__i__]);
  Receiver *receiver = receiver_start_by (properties, "fakesink", "af-xdp");
  const GstStructure *mode = receiver->modes->pdata[0];
  const GValue *queues = gst_structure_get_value (mode, "queues");

  assert_provider (mode, "xsk-map");
  fail_unless_equals_string (
      gst_structure_get_string (mode, "interface"), "rx0");
  fail_unless_equals_string (
      gst_structure_get_string (mode, "xdp-mode"), "native");
  fail_unless_equals_int (gst_value_array_get_size (queues), 1);
  generator_send_exact ("--destination=239.1.1.1:5000 "
                        "--destination=239.1.1.2:5001 --rate=20000 "
                        "--packets=40000");
  receiver_assert_reaches (receiver, "delivered-xdp", 20000);
  receiver_assert_reaches (receiver, "malformed", 20000);
  receiver_assert_none (receiver, "delivered-socket", "lost", "duplicates",
      "reordered", "pending");
  receiver_assert_no_error (receiver);
  receiver_assert_warnings (receiver, 0);
  g_assert_cmpuint (firewall_n_redirected (), ==, 40000);
  receiver_free (receiver);
  fail_unless (network_has_program () && firewall_entry_is_empty ());
}

/* The program does not know the stream. */
TEST (test_passed)
{
  g_autoptr (Receiver) receiver = receiver_start_by (
      XSK_MAP " multicast-group=239.1.1.1 port=5002", "fakesink", "af-xdp");
  GeneratorReport sent = generator_send_exact (
      "--destination=239.1.1.1:5002 --rate=2000 --packets=4000");

  wait_mode (receiver, 1, "socket");
  fail_unless (strstr (receiver_last (receiver, "reason"), "passes them"), "%s",
      receiver_describe (receiver));
  assert_provider (receiver_wait_modes (receiver, 2), "own");
  receiver_assert_reaches (receiver, "delivered-socket", sent.packets);
  receiver_assert_none (receiver, "delivered-xdp", "lost", "malformed");
}

/* Somebody removes the entry. */
TEST (test_removed)
{
  g_autoptr (Receiver) receiver =
      receiver_start_by (XSK_MAP, "fakesink", "af-xdp");
  Generator *generator = generator_start ("--rate=2000");
  guint64 by_map;
  guint32 key = 0;

  receiver_wait_stat (receiver, "delivered-xdp", 200);
  fail_if (bpf_map_delete_elem (firewall_map (), &key));
  receiver_wait_reason (receiver, 1, "Somebody removed");
  by_map = receiver_stat (receiver, "delivered-xdp");
  receiver_wait_stat (receiver, "delivered-xdp", by_map + 200);
  g_assert_cmpstr (receiver_last (receiver, "mode"), ==, "af-xdp");
  generator_stop_lossy (generator);
  receiver_assert_none (receiver, "duplicates", "reordered", "malformed");
}

/* The program is detached, and attached again. */
TEST (test_detached)
{
  g_autoptr (Receiver) receiver =
      receiver_start_by (XSK_MAP " mode=af-xdp", "fakesink", "af-xdp");
  guint n;

  send_and_receive (receiver, "delivered-xdp");
  firewall_detach ();
  n = wait_mode (receiver, 1, "socket");
  fail_unless (strstr (receiver_last (receiver, "reason"), "No XDP program"));
  receiver_assert_warnings (receiver, 1);
  send_and_receive (receiver, "delivered-socket");
  firewall_attach (XDP_FLAGS_SKB_MODE);
  wait_mode (receiver, n, "af-xdp");
  fail_unless_equals_string (receiver_last (receiver, "xdp-mode"), "generic");
  send_and_receive (receiver, "delivered-xdp");
  receiver_assert_none (receiver, "lost", "duplicates", "reordered");
  receiver_assert_no_error (receiver);
}

/* Its owner starts it again, with another map. */
TEST (test_renewed)
{
  g_autoptr (Receiver) receiver =
      receiver_start_by (XSK_MAP, "fakesink", "af-xdp");

  send_and_receive (receiver, "delivered-xdp");
  firewall_detach ();
  firewall_renew ();
  firewall_attach (XDP_FLAGS_DRV_MODE);
  receiver_wait_reason (receiver, 1, "another map is pinned");
  wait_mode (receiver, 2, "af-xdp");
  send_and_receive (receiver, "delivered-xdp");
  receiver_assert_none (receiver, "lost", "duplicates", "reordered");
}

static const gboolean goes_on[] = { TRUE, FALSE };

/* The same while nobody reads, so that nobody gives the former map back. */
TABLE_TEST (test_renewed_in_pause, goes_on)
{
  Receiver *receiver = receiver_start_by (XSK_MAP, "fakesink", "af-xdp");

  send_and_receive (receiver, "delivered-xdp");
  receiver_set_state (receiver, GST_STATE_PAUSED);
  firewall_detach ();
  firewall_renew ();
  firewall_attach (XDP_FLAGS_DRV_MODE);
  /* It looks once a second. */
  g_usleep (1500 * G_TIME_SPAN_MILLISECOND);
  fail_unless (firewall_entry_is_empty ());
  if (goes_on[__i__]) {
    receiver_set_state (receiver, GST_STATE_PLAYING);
    receiver_wait_reason (receiver, 1, "another map is pinned");
    wait_mode (receiver, 2, "af-xdp");
    send_and_receive (receiver, "delivered-xdp");
    receiver_assert_none (receiver, "lost", "duplicates", "reordered");
  }
  receiver_free (receiver);
  fail_unless (firewall_entry_is_empty ());
}

/* The interface is removed and made again. */
TEST (test_interface_again)
{
  g_autoptr (Receiver) receiver =
      receiver_start_by (XSK_MAP, "fakesink", "af-xdp");

  send_and_receive (receiver, "delivered-xdp");
  network_run ("ip link del rx0");
  wait_mode (receiver, 1, "socket");
  network_up_again ();
  firewall_attach (XDP_FLAGS_DRV_MODE);
  receiver_wait_reason (receiver, 2, "Packets come through AF_XDP");
  send_and_receive (receiver, "delivered-xdp");
  /* The socket has gone over, too. */
  firewall_detach ();
  receiver_wait_reason (receiver, 3, "No XDP program");
  send_and_receive (receiver, "delivered-socket");
}

/* Nothing is pinned at first. */
TEST (test_pinned_later)
{
  g_autoptr (Receiver) receiver = NULL;

  fail_if (rename (FIREWALL_MAP, FIREWALL_PINS "elsewhere"));
  receiver = receiver_start_by (XSK_MAP, "fakesink", "socket");
  receiver_assert_reason (receiver, 0, "nothing is pinned there");
  assert_provider (receiver->modes->pdata[0], "own");
  send_and_receive (receiver, "delivered-socket");
  fail_if (rename (FIREWALL_PINS "elsewhere", FIREWALL_MAP));
  wait_mode (receiver, 1, "af-xdp");
  send_and_receive (receiver, "delivered-xdp");
  receiver_assert_none (receiver, "lost", "duplicates", "reordered");
  receiver_assert_warnings (receiver, 0);
}

static void
assert_refused (const gchar *properties, const gchar *words)
{
  g_autoptr (Receiver) receiver = receiver_new (properties, "fakesink");

  receiver_assert_refused (receiver, GST_STATE_READY);
  fail_unless (
      strstr (receiver_wait_error (receiver), words), "%s", receiver->error);
  fail_unless_equals_int (receiver->n_errors, 1);
}

static const struct
{
  const gchar *properties, *words;
} refused[] = {
  { "xsk-map=" FIREWALL_PINS "nothing", "nothing is pinned there" },
  { XSK_MAP " queue=1", "rx0 has no RX queue 1" },
  { XSK_MAP " multicast-iface=rx0,lo", "several interfaces" },
};

/* With mode=af-xdp that is an error, and with auto a reason. */
TABLE_TEST (test_refused, refused)
{
  g_autofree gchar *properties =
      g_strdup_printf ("mode=af-xdp %s", refused[__i__].properties);
  g_autoptr (Receiver) receiver = NULL;

  assert_refused (properties, refused[__i__].words);
  receiver =
      receiver_start_by (refused[__i__].properties, "fakesink", "socket");
  receiver_assert_reason (receiver, 0, refused[__i__].words);
}

TEST (test_refused_without_program)
{
  firewall_detach ();
  assert_refused (XSK_MAP " mode=af-xdp", "No XDP program is attached");
}

/* A queue is one element's, until that ends. */
TEST (test_second)
{
  Receiver *first = receiver_start_by (XSK_MAP, "fakesink", "af-xdp");
  g_autoptr (Receiver) second = receiver_start_by (
      XSK_MAP " multicast-group=239.1.1.2 port=5001", "fakesink", "socket");

  receiver_assert_reason (second, 0, "Another element of this process");
  assert_refused (XSK_MAP " mode=af-xdp", "Another element of this process");
  send_and_receive (first, "delivered-xdp");
  receiver_free (first);
  wait_mode (second, 1, "af-xdp");
  generator_send_exact (
      "--destination=239.1.1.2:5001 --rate=5000 --packets=1000");
  receiver_assert_reaches (second, "delivered-xdp", 1000);
}

/* What nobody reads for a while is the pause's. */
TEST (test_paused)
{
  Receiver *receiver =
      receiver_start_by (XSK_MAP " ring-size=64", "fakesink", "af-xdp");

  receiver_set_state (receiver, GST_STATE_PAUSED);
  generator_send_exact ("--rate=20000 --packets=2000");
  receiver_set_state (receiver, GST_STATE_PLAYING);
  receiver_wait_stat (receiver, "packets", 1);
  generator_send_exact ("--rate=2000 --packets=100 --first-seq=2000");
  receiver_wait_stat (receiver, "delivered-xdp", 100);
  receiver_set_state (receiver, GST_STATE_READY);
  receiver_assert_balanced (receiver);
  receiver_assert_none (receiver, "lost-rx-ring", "lost-fill-ring");
  receiver_free (receiver);
}

static Receiver *as_nobody;

static void
receive_as_nobody (void)
{
  /* Fewer bytes than RLIMIT_MEMLOCK is, as a rule. */
  as_nobody = receiver_new (
      XSK_MAP " mode=af-xdp ring-size=64 umem-frames=256", "fakesink");
  fail_if (chown (FIREWALL_MAP, FIREWALL_NOBODY, FIREWALL_NOBODY) ||
      chmod (FIREWALL_MAP, 0600));
  firewall_become_nobody (1 << CAP_NET_RAW);
  receiver_play_by (as_nobody, "af-xdp");
  receiver_wait_stat (as_nobody, "delivered-xdp", 200);
  firewall_become_nobody (0);
  receiver_set_state (as_nobody, GST_STATE_READY);
  receiver_assert_no_error (as_nobody);
  assert_refused (XSK_MAP " mode=af-xdp", "CAP_NET_RAW");
}

/* What it takes: CAP_NET_RAW and the pin. */
TEST (test_privileges)
{
  Generator *generator = generator_start ("--rate=1000");

  firewall_in_child (receive_as_nobody);
  generator_stop_lossy (generator);
}

static guint
count_descriptors (void)
{
  g_autoptr (GDir) directory = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (directory))
    n++;
  return n;
}

/* Rings of sockets, in this process's memory. */
static guint
count_rings (void)
{
  g_autofree gchar *maps = NULL;
  g_auto (GStrv) lines = NULL;
  guint n = 0;

  g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL);
  lines = g_strsplit (maps, "\n", -1);
  for (gchar **line = lines; *line; line++)
    n += strstr (*line, "socket:") != NULL;
  return n;
}

/* In MiB, as far as there is something in it: what malloc() only reserves for each new
 * thread is not. */
static guint
count_memory (void)
{
  g_autofree gchar *text = NULL;
  gchar *resident;

  g_file_get_contents ("/proc/self/statm", &text, NULL, NULL);
  resident = strchr (text, ' ');
  return g_ascii_strtoull (resident, NULL, 10) * sysconf (_SC_PAGESIZE) >> 20;
}

/* Nothing is left of a stream that has ended. */
TEST (test_again_and_again)
{
  Receiver *receiver = receiver_new (XSK_MAP " mode=af-xdp", "fakesink");
  guint descriptors = 0, memory = 0, of_one = 0;

  for (guint i = 0; i < 11; i++) {
    receiver_set_state (receiver, GST_STATE_PLAYING);
    send_and_receive (receiver, "delivered-xdp");
    if (!i)
      of_one = count_memory ();
    receiver_set_state (receiver, GST_STATE_NULL);
    fail_unless (firewall_entry_is_empty ());
    fail_unless_equals_int (count_rings (), 0);
    if (i)
      continue;
    descriptors = count_descriptors ();
    memory = count_memory ();
    of_one -= memory;
    g_assert_cmpuint (of_one, >, 48);
  }
  fail_unless_equals_int (count_descriptors (), descriptors);
  g_assert_cmpuint (count_memory (), <, memory + 48);
  receiver_free (receiver);
}

int
main (int argc, char **argv)
{
  network_require_privileges ();
  return suite_run (
      argc, argv, "xskmap-element", 60, firewall_up, firewall_down);
}
