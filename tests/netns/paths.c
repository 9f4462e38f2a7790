/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Law 1: two paths, one stream; the fast one opens and closes in mid-stream. */
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "generator.h"
#include "network.h"
#include "receiver.h"
#include "tasks.h"

/* Everything that was sent arrives, once, whichever way it takes. */
static void
assert_complete (Receiver *receiver, const GeneratorReport *sent)
{
  receiver_assert_reaches (receiver, "packets", sent->packets);
  fail_unless (receiver_stat (receiver, "lost") <= sent->dropped);
  fail_unless (receiver_stat (receiver, "pending") <= sent->dropped);
  receiver_assert_none (receiver, "duplicates", "malformed");
  receiver_assert_no_error (receiver);
}

TEST (test_all_through_af_xdp)
{
  g_autoptr (Receiver) receiver = receiver_start ("", "fakesink");
  GeneratorReport sent;
  const GstStructure *mode = receiver->modes->pdata[0];

  receiver_assert_mode (receiver, 0, "af-xdp");
  fail_unless_equals_string (
      gst_structure_get_string (mode, "previous-mode"), "none");
  fail_unless_equals_string (
      gst_structure_get_string (mode, "interface"), "rx0");
  fail_unless_equals_string (
      gst_structure_get_string (mode, "xdp-mode"), "native");
  sent = generator_send ("--rate=100000 --packets=200000 --first-seq=65000");
  assert_complete (receiver, &sent);
  receiver_assert_stat (receiver, "delivered-xdp", sent.packets);
  receiver_assert_none (receiver, "delivered-socket", "reordered");
}

static GSocket *
bind_another_socket (const gchar *address)
{
  g_autoptr (GInetAddress) inet = g_inet_address_new_from_string (address);
  g_autoptr (GSocketAddress) local = g_inet_socket_address_new (inet, 5000);
  GSocket *socket = g_socket_new (g_inet_address_get_family (inet),
      G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);

  fail_unless (socket && g_socket_bind (socket, local, TRUE, NULL));
  return socket;
}

static const struct
{
  const gchar *address;
  gboolean is_told; /* of a stream on 239.1.1.1 */
} other_sockets[] = {
  { "239.1.1.1", TRUE },
  { "0.0.0.0", TRUE },
  { "::", TRUE },
  { "239.1.1.2", FALSE },
  { "fd09::2", FALSE },
};

/* Who else wants the packets, and gets none. */
TABLE_TEST (test_other_sockets_are_told, other_sockets)
{
  g_autoptr (GSocket) other =
      bind_another_socket (other_sockets[__i__].address);
  Receiver *receiver = receiver_new ("", "fakesink");
  const gchar *reason;

  receiver_play_by (receiver, "af-xdp");
  reason = receiver_reason (receiver, 0);
  fail_unless ((strstr (reason, "does not reach 1 other socket") != NULL) ==
          other_sockets[__i__].is_told,
      "%s", reason);
  receiver_free (receiver);
}

/* The streaming thread alone goes to the sending host's namespace. */
static GstBusSyncReply
go_away (GstBus *bus, GstMessage *message, gpointer user_data)
{
  int there = GPOINTER_TO_INT (user_data);
  GstStreamStatusType type;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_STREAM_STATUS)
    return GST_BUS_PASS;
  gst_message_parse_stream_status (message, &type, NULL);
  if (type == GST_STREAM_STATUS_TYPE_ENTER)
    fail_if (setns (there, CLONE_NEWNET), "%s", g_strerror (errno));
  return GST_BUS_PASS;
}

static const gboolean others_are_here[] = { TRUE, FALSE };

/* Those of the interface's host, wherever a thread of the application is. */
TABLE_TEST (test_other_sockets_of_another_namespace, others_are_here)
{
  struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons (5000) };
  int there = open (network_sender (), O_RDONLY | O_CLOEXEC);
  int other = others_are_here[__i__]
      ? socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)
      : network_sender_socket (AF_INET, SOCK_DGRAM, 0);
  Receiver *receiver = receiver_new ("", "fakesink");
  int on = 1;
  const gchar *reason;

  setsockopt (other, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  fail_if (bind (other, (struct sockaddr *) &any, sizeof any), "%s",
      g_strerror (errno));
  gst_bus_set_sync_handler (
      receiver->bus, go_away, GINT_TO_POINTER (there), NULL);
  receiver_play_by (receiver, "af-xdp");
  reason = receiver_reason (receiver, 0);
  fail_unless ((strstr (reason, "does not reach 1 other socket") != NULL) ==
          others_are_here[__i__],
      "%s", reason);
  receiver_free (receiver);
  close (other);
  close (there);
}

static gint
current_mode (Receiver *receiver)
{
  gint mode;

  g_object_get (receiver->src, "current-mode", &mode, NULL);
  return mode;
}

/* Of those that were not posted, since there are enough, the last one comes when there
 * is room. */
TEST (test_warnings_that_nobody_reads)
{
  g_autoptr (Receiver) receiver = receiver_new ("mode=af-xdp", "fakesink");
  g_autoptr (Receiver) other = receiver_new ("mode=socket", "fakesink");
  gint by_af_xdp;

  receiver_play (receiver);
  by_af_xdp = current_mode (receiver);
  for (guint i = 0; i < 20; i++) {
    receiver_set_state (other, GST_STATE_READY);
    wait_until (current_mode (receiver) != by_af_xdp);
    if (i == 19)
      break;
    receiver_set_state (other, GST_STATE_NULL);
    wait_until (current_mode (receiver) == by_af_xdp);
  }
  receiver_assert_warnings (receiver, 8);
  wait_until ((receiver_read_bus (receiver), receiver->warnings->len == 9));
}

TEST (test_all_through_socket)
{
  g_autoptr (Receiver) receiver =
      receiver_start_by ("mode=socket", "fakesink", "socket");
  GeneratorReport sent;

  fail_if (network_has_program ());
  sent = generator_send ("--rate=50000 --packets=100000");
  assert_complete (receiver, &sent);
  receiver_assert_stat (receiver, "delivered-socket", sent.packets);
  receiver_assert_stat (receiver, "reordered", 0);
}

/* How often the streaming thread has gone to sleep. */
static guint64
n_sleeps (void)
{
  return tasks_sleeps (0, "src:src");
}

/* How often it sleeps while 500 packets come, one in a millisecond. */
static guint64
n_sleeps_of (const gchar *properties)
{
  Receiver *receiver = receiver_start (properties, "fakesink");
  GeneratorReport sent;
  guint64 n;

  generator_send ("--rate=1000 --packets=1");
  receiver_wait_stat (receiver, "packets", 1);
  n = n_sleeps ();
  sent = generator_send ("--rate=1000 --packets=500 --first-seq=1");
  receiver_wait_stat (receiver, "packets", sent.packets + 1);
  n = n_sleeps () - n;
  receiver_free (receiver);
  return n;
}

/* It looks on for longer than it takes until the next packet comes. */
TEST (test_busy_poll)
{
  const gchar *modes[] = { "mode=af-xdp", "mode=socket" };

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
    g_autofree gchar *busy =
        g_strdup_printf ("busy-poll-usecs=1000000 %s", modes[i]);

    g_autofree gchar *hardly =
        g_strdup_printf ("busy-poll-usecs=100 %s", modes[i]);

    g_assert_cmpuint (n_sleeps_of (busy), <, 20);
    g_assert_cmpuint (n_sleeps_of (hardly), >, 100);
    g_assert_cmpuint (n_sleeps_of (modes[i]), >, 100);
  }
}

TEST (test_generic_mode)
{
  g_autoptr (Receiver) receiver =
      receiver_start_by ("xdp-mode=generic", "fakesink", "af-xdp");
  GeneratorReport sent;

  fail_unless_equals_string (
      gst_structure_get_string (receiver->modes->pdata[0], "xdp-mode"),
      "generic");
  sent = generator_send ("--rate=50000 --packets=100000");
  assert_complete (receiver, &sent);
  receiver_assert_stat (receiver, "delivered-xdp", sent.packets);
}

TEST (test_ipv6)
{
  g_autoptr (Receiver) receiver = receiver_start_by (
      "multicast-group=ff15::1 port=5000 multicast-iface=rx0", "fakesink",
      "af-xdp");
  GeneratorReport sent = generator_send (
      "--destination=[ff15::1]:5000 --rate=50000 --packets=50000");

  assert_complete (receiver, &sent);
  receiver_assert_stat (receiver, "delivered-xdp", sent.packets);
}

TEST (test_unicast)
{
  g_autoptr (Receiver) receiver =
      receiver_start_by ("address=10.9.0.2 port=5000", "fakesink", "af-xdp");
  GeneratorReport sent = generator_send (
      "--method=socket --destination=10.9.0.2:5000 --rate=20000 "
      "--packets=20000");

  assert_complete (receiver, &sent);
  receiver_assert_stat (receiver, "delivered-xdp", sent.packets);
}

/* Sends packets to port 5000 of address, and returns how many. */
static guint64
send_to (const gchar *address, guint packets)
{
  return generator_send ("--method=socket --destination=%s:5000 --rate=20000 "
                         "--packets=%u",
      address, packets)
      .packets;
}

/* All addresses of the interface, those that come later too. */
TEST (test_any_address)
{
  g_autoptr (Receiver) receiver = receiver_start_by (
      "address=0.0.0.0 port=5000 multicast-iface=rx0", "fakesink", "af-xdp");
  guint64 sent, by_xdp;

  sent = send_to ("10.9.0.2", 10000);
  receiver_wait_stat (receiver, "delivered-xdp", sent);

  network_run ("ip addr add 10.9.0.3/24 dev rx0");
  /* Until the control thread has heard of it. */
  by_xdp = receiver_stat (receiver, "delivered-xdp");
  do {
    sent += send_to ("10.9.0.3", 10);
    receiver_wait_stat (receiver, "packets", sent);
  } while (receiver_stat (receiver, "delivered-xdp") == by_xdp);
  by_xdp = receiver_stat (receiver, "delivered-xdp");
  sent += send_to ("10.9.0.3", 10000);
  receiver_wait_stat (receiver, "packets", sent);
  receiver_assert_stat (receiver, "delivered-xdp", by_xdp + 10000);

  network_run ("ip addr del 10.9.0.3/24 dev rx0");
  sent += send_to ("10.9.0.2", 10000);
  receiver_wait_stat (receiver, "packets", sent);
  receiver_assert_stat (receiver, "delivered-xdp", by_xdp + 20000);
  receiver_assert_stat (receiver, "malformed", 0);
  receiver_read_bus (receiver);
  fail_unless_equals_int (receiver->modes->len, 1);
}

/* Without an interface there is only the socket, and the reason says what to
 * do. */
TEST (test_any_address_anywhere)
{
  g_autoptr (Receiver) receiver =
      receiver_start_by ("address=0.0.0.0 port=5000", "fakesink", "socket");

  receiver_assert_reason (receiver, 0, "multicast-iface");
  receiver_wait_stat (receiver, "delivered-socket", send_to ("10.9.0.2", 5000));
}

/* An IPv6 socket that is bound to any address receives both families, and so does
 * the fast path; a stream that is bound to one of them goes first. */
TEST (test_any_and_one_address)
{
  Receiver *any =
      receiver_new ("address=:: port=5000 multicast-iface=rx0", "fakesink");
  g_autoptr (Receiver) one =
      receiver_new ("address=10.9.0.2 port=5000", "fakesink");
  guint64 four, six;

  receiver_play (any);
  receiver_play (one);
  receiver_assert_mode (any, 0, "af-xdp");
  receiver_assert_mode (one, 0, "af-xdp");
  four = send_to ("10.9.0.2", 5000);
  six = send_to ("[fd09::2]", 4000);
  receiver_wait_stat (one, "delivered-xdp", four);
  receiver_wait_stat (any, "delivered-xdp", six);
  receiver_assert_stat (one, "packets", four);
  receiver_assert_stat (any, "packets", six);
  receiver_set_state (one, GST_STATE_NULL);
  four = send_to ("10.9.0.2", 5000);
  receiver_wait_stat (any, "delivered-xdp", six + four);
  receiver_free (any);
}

/* The motivating case: short marker packets that XDP never sees. */
TEST (test_markers_by_the_socket)
{
  g_autoptr (Receiver) receiver = receiver_start ("", "fakesink");
  GeneratorReport sent = generator_send (
      "--rate=100000 --packets=300000 --marker-every=100 --marker-ip-option");

  assert_complete (receiver, &sent);
  fail_unless_equals_int (sent.markers, 3000);
  fail_unless (receiver_stat (receiver, "delivered-socket") + sent.dropped >=
      sent.markers);
  /* They are no reason to give up the fast path; a machine that stops for
   * 160 ms is, and then more than they come by the socket. */
  if (receiver->modes->len == 1)
    fail_unless (receiver_stat (receiver, "delivered-socket") <= sent.markers);
  fail_unless (receiver_stat (receiver, "delivered-xdp") > sent.packets / 2);
}

TEST (test_queue_found)
{
  g_autoptr (Receiver) receiver = NULL;
  GeneratorReport sent;

  network_down ();
  network_up (2);
  receiver = receiver_start_by ("", "fakesink", "socket");
  sent = generator_send ("--rate=20000 --packets=60000 --cpu=1");
  assert_complete (receiver, &sent);
  fail_unless_equals_int (receiver->modes->len, 2);
  receiver_assert_mode (receiver, 1, "af-xdp");
  fail_unless (receiver_stat (receiver, "delivered-xdp") >
      receiver_stat (receiver, "delivered-socket"));
}

/* It comes back by itself. What the kernel lost in the race that its own
 * detaching is (docs/architecture.md), it owns up to. */
TEST (test_program_detached)
{
  /* The socket has the stream for a second: with 16 MiB, 160 ms in which this
   * process does not run were seen to lose 618 packets. */
  g_autoptr (Receiver) receiver =
      receiver_start ("buffer-size=67108864", "fakesink");
  GeneratorReport sent;
  guint64 before, drops;
  Generator *generator = generator_start ("--rate=50000");

  receiver_wait_stat (receiver, "packets", 20000);
  network_detach_program ();
  receiver_assert_mode (receiver, 1, "socket");
  receiver_assert_mode (receiver, 2, "af-xdp");
  fail_unless (network_has_program ());
  before = receiver_stat (receiver, "delivered-xdp");
  receiver_wait_stat (receiver, "delivered-xdp", before + 50000);
  sent = generator_stop (generator);
  drops = network_counter ("rx_queue_0_drops");
  fail_unless (drops <= 1, "the kernel lost %" G_GUINT64_FORMAT, drops);
  receiver_assert_reaches (receiver, "packets", sent.packets - drops);
  receiver_assert_none (receiver, "reordered", "duplicates");
}

TEST (test_link_down_and_up)
{
  g_autoptr (Receiver) receiver = receiver_start ("", "fakesink");
  GeneratorReport sent;
  guint64 before;
  Generator *generator = generator_start ("--rate=10000");

  receiver_wait_stat (receiver, "packets", 5000);
  network_run ("ip link set rx0 down");
  network_run ("ip link set rx0 up");
  before = receiver_stat (receiver, "delivered-xdp");
  receiver_wait_stat (receiver, "delivered-xdp", before + 5000);
  sent = generator_stop_lossy (generator);
  fail_unless (receiver_stat (receiver, "packets") <= sent.packets);
  receiver_assert_no_error (receiver);
}

TEST (test_started_while_down)
{
  g_autoptr (Receiver) receiver = NULL;
  GeneratorReport sent;

  network_run ("ip link set rx0 down");
  receiver = receiver_new ("multicast-iface=rx0", "fakesink");
  receiver_set_state (receiver, GST_STATE_PLAYING);
  receiver_assert_warnings (receiver, 1);
  fail_unless (strstr (receiver->warnings->pdata[0], "rx0 is down"));
  network_link_up ();
  receiver_wait_mode (receiver, 0, "af-xdp");
  sent = generator_send ("--rate=10000 --packets=10000");
  assert_complete (receiver, &sent);
}

/* While it is paused the socket holds the stream: nothing is lost. */
TEST (test_pause)
{
  g_autoptr (Receiver) receiver = receiver_start ("", "fakesink");
  GeneratorReport sent;
  Generator *generator = generator_start ("--rate=10000");

  for (guint i = 1; i <= 10; i++) {
    receiver_wait_stat (receiver, "packets", 1000 * i);
    receiver_restart (receiver, GST_STATE_PAUSED);
  }
  receiver_wait_stat (receiver, "delivered-xdp", 10001);
  sent = generator_stop (generator);
  assert_complete (receiver, &sent);
  receiver_assert_none (receiver, "reordered", "discarded");
}

TEST (test_stop_and_start)
{
  Receiver *receiver = receiver_new ("", "fakesink");
  Generator *generator = generator_start ("--rate=10000");
  guint64 lost = 0;

  for (guint i = 0; i < 5; i++) {
    receiver_play (receiver);
    receiver_wait_stat (receiver, "delivered-xdp", 1000);
    receiver_set_state (receiver, GST_STATE_NULL);
    fail_if (network_has_program ());
    fail_unless (receiver_stat (receiver, "packets") >= 1000);
    lost += receiver_stat (receiver, "lost");
  }
  receiver_free (receiver);
  g_assert_cmpuint (lost, <=, generator_stop_lossy (generator).dropped);
}

/* Another program is left alone and named, whether it was there first or came when
 * ours had been detached; when it goes, ours takes over. */
LOOP_TEST (test_foreign_program, 2)
{
  gboolean later = __i__;
  int foreign = later ? -1 : network_attach_program ("foreign");
  g_autoptr (Receiver) receiver =
      receiver_start_by ("", "fakesink", later ? "af-xdp" : "socket");
  GeneratorReport sent;

  if (later) {
    network_detach_program ();
    foreign = network_attach_program ("foreign");
  }
  receiver_wait_reason (receiver, 0, "\"foreign\"");
  sent = generator_send ("--rate=10000 --packets=10000");
  assert_complete (receiver, &sent);
  receiver_assert_stat (receiver, "delivered-socket", sent.packets);
  close (foreign);
  receiver_wait_modes (receiver, receiver->modes->len + 1);
  receiver_assert_mode (receiver, receiver->modes->len - 1, "af-xdp");
}

/* XDP would take the flow away from the socket of the other: both get all by
 * their sockets, and say so; when one leaves, the fast path opens. */
static void
check_two_takers (const gchar *other_properties, const gchar *other_reason)
{
  g_autoptr (Receiver) receiver = receiver_new ("", "fakesink");
  Receiver *other = receiver_new (other_properties, "fakesink");
  GeneratorReport sent;

  receiver_play_by (receiver, "af-xdp");
  receiver_play_by (other, "socket");
  fail_unless (strstr (receiver_reason (other, 0), other_reason));
  receiver_assert_mode (receiver, 1, "socket");
  sent = generator_send ("--rate=10000 --packets=5000");
  receiver_wait_stat (receiver, "delivered-socket", sent.packets);
  receiver_wait_stat (other, "delivered-socket", sent.packets);
  receiver_free (other);
  receiver_assert_mode (receiver, 2, "af-xdp");
}

TEST (test_two_takers)
{
  check_two_takers ("", "Another afxdpsrc");
}

TEST (test_two_takers_one_by_socket)
{
  check_two_takers ("mode=socket", "mode=socket");
}

/* Each has joined on its own interface, and gets nothing of the other's. */
LOOP_TEST (test_one_group_on_two_interfaces, 2)
{
  static const gchar *const paths[] = { "mode=socket", "" };
  Receiver *receivers[2];
  Generator *generators[2];

  network_run ("ip link add rx1 type veth peer name tx1 netns %s && "
               "ethtool -K rx1 gro on && ip addr add 10.9.1.2/24 dev rx1 && "
               "ip link set rx1 up",
      network_sender ());
  network_run_on_sender ("ip addr add 10.9.1.1/24 dev tx1 && "
                         "ip link set tx1 up");
  for (guint i = 0; i < 2; i++) {
    g_autofree gchar *properties =
        g_strdup_printf ("multicast-iface=rx%u %s", i, paths[__i__]);

    receivers[i] = receiver_new (properties, "fakesink");
    receiver_play (receivers[i]);
  }
  for (guint i = 0; i < 2; i++)
    generators[i] = generator_start ("--interface=tx%u --method=socket "
                                     "--source=10.9.%u.1 --ssrc=%u --burst=10 "
                                     "--rate=5000 --packets=%u",
        i, i, i + 1, 5000 * (i + 1));
  for (guint i = 0; i < 2; i++) {
    GeneratorReport sent = generator_finish (generators[i]);

    assert_complete (receivers[i], &sent);
  }
  for (guint i = 0; i < 2; i++)
    receiver_free (receivers[i]);
}

/* Two CPUs number packets and put them into the ring in another order. */
TEST (test_generic_mode_from_two_cpus)
{
  g_autoptr (Receiver) receiver =
      receiver_start ("xdp-mode=generic", "fakesink");
  Generator *generators[2];
  guint64 sent = 0;

  for (guint i = 0; i < 2; i++)
    generators[i] = generator_start (
        "--method=socket --rate=20000 --packets=40000 --cpu=%u --ssrc=%u", i,
        i + 1);
  for (guint i = 0; i < 2; i++)
    sent += generator_finish (generators[i]).packets;
  receiver_wait_stat (receiver, "packets", sent);
  receiver_assert_stat (receiver, "delivered-xdp", sent);
  receiver_read_bus (receiver);
  fail_unless_equals_int (receiver->modes->len, 1);
}

/* A bridge that a port leaves says RTM_DELLINK, which is not the interface's. */
TEST (test_leaving_a_bridge)
{
  g_autoptr (Receiver) receiver = NULL;
  GeneratorReport sent;

  network_run ("ip link add br0 type bridge && ip link set rx0 master br0");
  receiver = receiver_start ("multicast-iface=rx0", "fakesink");
  network_run ("ip link set rx0 nomaster && ip link set rx0 mtu 1400");
  sent = generator_send ("--rate=10000 --packets=10000");
  assert_complete (receiver, &sent);
  receiver_assert_stat (receiver, "delivered-xdp", sent.packets);
  fail_unless_equals_int (receiver->modes->len, 1);
}

/* Somebody else has joined the group. */
TEST (test_without_joining)
{
  g_autoptr (Receiver) other = receiver_start ("mode=socket", "fakesink");
  Receiver *receiver =
      receiver_new ("mode=socket auto-multicast=false", "fakesink");
  GeneratorReport sent;

  receiver_play (receiver);
  sent = generator_send ("--rate=10000 --packets=5000");
  receiver_wait_stat (receiver, "packets", sent.packets);
  receiver_wait_stat (other, "packets", sent.packets);
  receiver_free (receiver);
}

/* Another process that keeps a queue, although its program is gone. */
static GSubprocess *
take_queue (const gchar *queue)
{
  g_autofree gchar *setting = g_strconcat ("queue=", queue, NULL);
  GSubprocess *process;

  network_down ();
  network_up (2);
  process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE, NULL,
      "gst-launch-1.0", "-q", "afxdpsrc", "multicast-group=239.1.1.2", setting,
      "!", "fakesink", NULL);
  wait_until (network_has_program ());
  network_detach_program ();
  return process;
}

static void
give_queue_back (GSubprocess *process)
{
  g_subprocess_send_signal (process, SIGKILL);
  g_subprocess_wait (process, NULL, NULL);
}

/* A queue that another process has costs the others nothing. */
TEST (test_busy_queue)
{
  g_autoptr (GSubprocess) foreign = take_queue ("1");
  g_autoptr (Receiver) receiver =
      receiver_start_by ("queue=0", "fakesink", "af-xdp");
  GeneratorReport sent = generator_send ("--rate=10000 --packets=5000 --cpu=0");

  receiver_wait_stat (receiver, "delivered-xdp", sent.packets);
  sent = generator_send ("--rate=10000 --packets=5000 --cpu=1");
  receiver_wait_stat (receiver, "delivered-socket", sent.packets);
  /* And it says where they come. */
  fail_unless (strstr (receiver_reason (receiver, 1), "RX queue 1"));
  receiver_read_bus (receiver);
  fail_unless_equals_int (receiver->modes->len, 2);
  give_queue_back (foreign);
}

/* A queue that cannot be had is no reason to go without the others. */
TEST (test_busy_queue_beside_another)
{
  g_autoptr (GSubprocess) foreign = take_queue ("0");
  g_autoptr (Receiver) receiver = receiver_start ("", "fakesink");
  const gchar *reason;
  GeneratorReport sent = generator_send ("--rate=10000 --packets=5000 --cpu=0");

  receiver_wait_stat (receiver, "delivered-socket", sent.packets);
  receiver_assert_stat (receiver, "delivered-xdp", 0);
  sent = generator_send ("--rate=10000 --packets=20000 --cpu=1");
  receiver_wait_stat (receiver, "delivered-xdp", sent.packets / 2);
  g_assert_cmpstr (receiver_last (receiver, "mode"), ==, "af-xdp");
  reason = receiver_last (receiver, "reason");
  fail_unless (strstr (reason, "RX queue 0 of rx0"), "%s", reason);
  give_queue_back (foreign);
}

NETNS_SUITE ("paths", network_up_with_one_queue)
