/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an application of udpsrc relies on, through AF_XDP as through the socket. */
#include <gio/gio.h>
#include <gst/net/gstnetaddressmeta.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../check/tap.h"
#include "network.h"
#include "receiver.h"

#define PORT 5000
#define GROUP "239.1.1.1"
#define GROUP_6 "ff15::1"
#define TIMEOUT "GstUDPSrcTimeout"

static Receiver *receiver;
static Tap *tap;

static void
play (const gchar *properties, const gchar *mode)
{
  receiver = receiver_new (properties, "fakesink");
  tap = tap_new (receiver->src);
  tap_keep (tap, TRUE);
  receiver_play_by (receiver, mode);
}

static void
end (void)
{

  receiver_free (receiver);
  tap_free (tap);
}

/* Senders: sockets of the sending host. What they send to a group leaves by the
 * interface that has their address. */

static void
set_interface (int fd, GSocketFamily family, int index)
{
  struct ip_mreqn request = { .imr_ifindex = index };

  if (family == G_SOCKET_FAMILY_IPV6)
    fail_if (
        setsockopt (fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index));
  else
    fail_if (
        setsockopt (fd, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request));
}

static GSocket *
new_sender (const gchar *address, guint16 port)
{
  g_autoptr (GInetAddress) inet = g_inet_address_new_from_string (address);
  GSocketFamily family = g_inet_address_get_family (inet);
  int fd = network_sender_socket (family, SOCK_DGRAM, 0);
  gboolean on_tx1 =
      g_str_has_prefix (address, "10.8.") || g_str_has_prefix (address, "fd08");
  struct ifreq request = { 0 };
  g_autoptr (GSocketAddress) local = NULL;
  g_autoptr (GError) error = NULL;
  GSocket *sender;

  g_strlcpy (request.ifr_name, on_tx1 ? "tx1" : "tx0", IFNAMSIZ);
  fail_if (ioctl (fd, SIOCGIFINDEX, &request));
  set_interface (fd, family, request.ifr_ifindex);
  local = g_object_new (G_TYPE_INET_SOCKET_ADDRESS, "address", inet, "port",
      (guint) port, "scope-id",
      g_inet_address_get_is_link_local (inet) ? request.ifr_ifindex : 0, NULL);
  sender = g_socket_new_from_fd (fd, &error);
  g_assert_no_error (error);
  g_socket_bind (sender, local, FALSE, &error);
  g_assert_no_error (error);
  g_socket_set_timeout (sender, 20);
  return sender;
}

static void
send_to (GSocket *sender, const gchar *address, gconstpointer data, gsize size)
{
  g_autoptr (GSocketAddress) to =
      g_inet_socket_address_new_from_string (address, PORT);
  g_autoptr (GError) error = NULL;

  g_socket_send_to (sender, to, data, size, NULL, &error);
  g_assert_no_error (error);
}

/* An RTP packet of payload type 33, behind some bytes. */
static void
send_rtp (GSocket *sender, const gchar *address, guint seqnum, guint behind)
{
  guint8 packet[64] = { 0 };

  packet[behind] = 0x80;
  packet[behind + 1] = 33;
  packet[behind + 3] = seqnum;
  send_to (sender, address, packet, behind + 12);
}

static void
assert_sender (guint number, const gchar *address, guint16 port, guint scope)
{
  GstNetAddressMeta *meta =
      gst_buffer_get_net_address_meta (tap_packet (tap, number)->buffer);
  GInetSocketAddress *sender;
  g_autofree gchar *text = NULL;

  fail_unless (meta != NULL);
  sender = G_INET_SOCKET_ADDRESS (meta->addr);
  text = g_inet_address_to_string (g_inet_socket_address_get_address (sender));
  fail_unless_equals_string (text, address);
  fail_unless_equals_int (g_inet_socket_address_get_port (sender), port);
  if (strchr (address, ':'))
    fail_unless_equals_int (g_inet_socket_address_get_scope_id (sender), scope);
}

static const struct
{
  const gchar *properties, *mode, *delivered;
} paths[] = {
  { "mode=af-xdp ", "af-xdp", "delivered-xdp" },
  { "mode=socket ", "socket", "delivered-socket" },
};

#define N_PATHS G_N_ELEMENTS (paths)

static void
play_on (guint path, const gchar *properties)
{
  g_autofree gchar *all =
      g_strconcat (paths[path].properties, properties, NULL);

  play (all, paths[path].mode);
}

LOOP_TEST (test_senders, N_PATHS)
{
  g_autoptr (GSocket) one = new_sender ("10.9.0.1", 4000);
  g_autoptr (GSocket) other = new_sender ("10.9.0.1", 4002);

  play_on (__i__, "");
  for (guint i = 0; i < 20; i++)
    send_rtp (i % 3 ? one : other, GROUP, i, 0);
  tap_wait (tap, 20);
  for (guint i = 0; i < 20; i++)
    assert_sender (i, "10.9.0.1", i % 3 ? 4000 : 4002, 0);
  receiver_assert_stat (receiver, paths[__i__].delivered, 20);
  /* And without. */
  g_object_set (receiver->src, "retrieve-sender-address", FALSE, NULL);
  send_rtp (one, GROUP, 20, 0);
  tap_wait (tap, 21);
  fail_if (gst_buffer_get_net_address_meta (tap_packet (tap, 20)->buffer));
  end ();
}

/* A link-local one is told with the interface, or nobody could answer. */
LOOP_TEST (test_senders_ipv6, N_PATHS)
{
  g_autoptr (GSocket) global = NULL;
  g_autoptr (GSocket) local = NULL;

  network_run_on_sender ("ip addr add fe80::9/64 dev tx0 nodad");
  global = new_sender ("fd09::1", 4000);
  local = new_sender ("fe80::9", 4002);
  play_on (__i__, "multicast-group=" GROUP_6 " port=5000 multicast-iface=rx0");
  send_rtp (global, GROUP_6, 0, 0);
  send_rtp (local, GROUP_6, 1, 0);
  tap_wait (tap, 2);
  assert_sender (0, "fd09::1", 4000, 0);
  assert_sender (1, "fe80::9", 4002, if_nametoindex ("rx0"));
  receiver_assert_stat (receiver, paths[__i__].delivered, 2);
  end ();
}

LOOP_TEST (test_skip, N_PATHS)
{
  g_autoptr (GSocket) sender = new_sender ("10.9.0.1", 4000);

  play_on (__i__, "skip-first-bytes=6");
  for (guint i = 0; i < 10; i++)
    send_rtp (sender, GROUP, i, 6);
  send_to (sender, GROUP, "short", 5);
  send_to (sender, GROUP, "", 0);
  tap_wait (tap, 10);
  wait_until (receiver_stat (receiver, "malformed") == 2);
  g_object_set (receiver->src, "skip-first-bytes", 8, NULL);
  send_rtp (sender, GROUP, 10, 8);
  tap_wait (tap, 11);
  for (guint i = 0; i < 11; i++) {
    const TapPacket *packet = tap_packet (tap, i);
    const guint8 *bytes = g_bytes_get_data (packet->bytes, NULL);

    fail_unless_equals_int (g_bytes_get_size (packet->bytes), 12);
    fail_unless (bytes[0] == 0x80 && bytes[3] == i);
  }
  receiver_assert_stat (receiver, paths[__i__].delivered, 11);
  receiver_assert_stat (receiver, "malformed", 2);
  receiver_assert_stat (receiver, "not-rtp", 0);
  end ();
}

LOOP_TEST (test_timeout, N_PATHS)
{
  g_autoptr (GSocket) sender = new_sender ("10.9.0.1", 4000);
  g_autoptr (GstMessage) message = NULL;

  play_on (__i__, "timeout=200000000");
  send_rtp (sender, GROUP, 0, 0);
  tap_wait (tap, 1);
  do {
    gst_clear_message (&message);
    message = gst_bus_timed_pop_filtered (
        receiver->bus, 20 * GST_SECOND, GST_MESSAGE_ELEMENT);
    fail_unless (message != NULL);
  } while (!gst_message_has_name (message, TIMEOUT));
  send_rtp (sender, GROUP, 1, 0);
  tap_wait (tap, 2);
  receiver_assert_stat (receiver, paths[__i__].delivered, 2);
  end ();
}

/* The socket works in the other direction, whichever way packets come. */
LOOP_TEST (test_answer, N_PATHS)
{
  g_autoptr (GSocket) sender = new_sender ("10.9.0.1", 4000);
  g_autoptr (GSocketAddress) from = NULL;
  g_autoptr (GSocket) used = NULL;
  GstNetAddressMeta *meta;
  gchar answer[16];

  play_on (__i__, "address=10.9.0.2 port=5000");
  send_rtp (sender, "10.9.0.2", 0, 0);
  tap_wait (tap, 1);
  receiver_assert_stat (receiver, paths[__i__].delivered, 1);
  g_object_get (receiver->src, "used-socket", &used, NULL);
  meta = gst_buffer_get_net_address_meta (tap_packet (tap, 0)->buffer);
  fail_unless_equals_int (
      g_socket_send_to (used, meta->addr, "answer", 6, NULL, NULL), 6);
  fail_unless_equals_int (
      g_socket_receive_from (sender, &from, answer, sizeof answer, NULL, NULL),
      6);
  fail_unless_equals_int (
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (from)), PORT);
  end ();
}

/* Sockets of the application. */

static GSocket *
new_socket (const gchar *address)
{
  g_autoptr (GSocketAddress) local =
      g_inet_socket_address_new_from_string (address, PORT);
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (g_socket_address_get_family (local),
      G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, &error);

  g_assert_no_error (error);
  g_socket_bind (socket, local, TRUE, &error);
  g_assert_no_error (error);
  return socket;
}

static gboolean
has_joined (const gchar *interface, const gchar *group)
{
  g_autofree gchar *output = network_output ("ip maddr show dev %s", interface);
  g_autofree gchar *line = g_strdup_printf (" %s\n", group);

  return strstr (output, line) != NULL;
}

static const struct
{
  const gchar *bound, *properties;
  const gchar *sent_to;
  gboolean joins;
} given[] = {
  { GROUP, "address=0.0.0.0", GROUP, TRUE },
  { GROUP, "address=0.0.0.0 auto-multicast=false", GROUP, FALSE },
  { "10.9.0.2", "address=0.0.0.0", "10.9.0.2", FALSE },
  { "0.0.0.0", "address=" GROUP, GROUP, TRUE },
  { "0.0.0.0", "address=0.0.0.0 multicast-iface=rx0", "10.9.0.2", FALSE },
};

TABLE_TEST (test_given, given)
{
  g_autoptr (GSocket) sender = new_sender ("10.9.0.1", 4000);
  g_autoptr (GSocket) socket = new_socket (given[__i__].bound);
  gint port;

  receiver = receiver_new (given[__i__].properties, "fakesink");
  g_object_set (receiver->src, "socket", socket, "close-socket", FALSE, NULL);
  tap = tap_new (receiver->src);
  receiver_play_by (receiver, "af-xdp");
  g_object_get (receiver->src, "port", &port, NULL);
  fail_unless_equals_int (port, PORT);
  fail_unless_equals_int (has_joined ("rx0", GROUP), given[__i__].joins);
  for (guint i = 0; i < 10; i++)
    send_rtp (sender, given[__i__].sent_to, i, 0);
  tap_wait (tap, 10);
  receiver_assert_stat (receiver, "delivered-xdp", 10);
  receiver_set_state (receiver, GST_STATE_NULL);
  fail_if (g_socket_is_closed (socket));
  fail_if (has_joined ("rx0", GROUP));
  end ();
}

/* One that is connected receives from its peer alone. */
TEST (test_given_that_is_connected)
{
  g_autoptr (GSocket) peer = new_sender ("10.9.0.1", 4000);
  g_autoptr (GSocket) other = new_sender ("10.9.0.1", 4002);
  g_autoptr (GSocket) socket = new_socket ("10.9.0.2");
  g_autoptr (GSocketAddress) address =
      g_inet_socket_address_new_from_string ("10.9.0.1", 4000);

  fail_unless (g_socket_connect (socket, address, NULL, NULL));
  receiver = receiver_new ("address=0.0.0.0", "fakesink");
  g_object_set (receiver->src, "socket", socket, NULL);
  tap = tap_new (receiver->src);
  receiver_play_by (receiver, "socket");
  receiver_assert_reason (receiver, 0, "is connected");
  for (guint i = 0; i < 10; i++)
    send_rtp (i % 2 ? peer : other, "10.9.0.2", i, 0);
  tap_wait (tap, 5);
  receiver_assert_stat (receiver, "packets", 5);
  receiver_assert_stat (receiver, "delivered-socket", 5);
  end ();
}

/* What its owner joined stays joined. */
TEST (test_given_that_has_joined)
{
  g_autoptr (GSocket) socket = new_socket (GROUP);
  g_autoptr (GInetAddress) group = g_inet_address_new_from_string (GROUP);
  g_autoptr (GError) error = NULL;

  g_socket_join_multicast_group (socket, group, FALSE, "rx0", &error);
  g_assert_no_error (error);
  receiver = receiver_new ("address=0.0.0.0 multicast-iface=rx0", "fakesink");
  g_object_set (receiver->src, "socket", socket, "close-socket", FALSE, NULL);
  receiver_play (receiver);
  receiver_free (receiver);
  fail_unless (has_joined ("rx0", GROUP));
}

/* Several interfaces. */

/* A second wire, from tx1 (10.8.0.1, fd08::1) to rx1 (10.8.0.2, fd08::2). */
static void
add_wire (void)
{
  int holder = 0;

  fail_unless_equals_int (sscanf (network_sender (), "/proc/%d", &holder), 1);
  network_run ("ip link add rx1 type veth peer name tx1 netns %d && "
               "ip addr add 10.8.0.2/24 dev rx1 && "
               "ip addr add fd08::2/64 dev rx1 nodad && ip link set rx1 up",
      holder);
  network_run_on_sender (
      "ip addr add 10.8.0.1/24 dev tx1 && "
      "ip addr add fd08::1/64 dev tx1 nodad && ip link set tx1 up");
}

static const struct
{
  const gchar *group, *one, *other;
} wires[] = {
  { GROUP, "10.9.0.1", "10.8.0.1" },
  { GROUP_6, "fd09::1", "fd08::1" },
};

TABLE_TEST (test_interfaces, wires)
{
  const gchar *group = wires[__i__].group;
  g_autofree gchar *on_rx0 = g_strdup_printf (
      "multicast-group=%s port=5000 multicast-iface=rx0", group);
  g_autofree gchar *on_both = g_strconcat (on_rx0, ",rx1", NULL);
  g_autoptr (GSocket) one = NULL;
  g_autoptr (GSocket) other = NULL;
  Receiver *neighbour;

  add_wire ();
  one = new_sender (wires[__i__].one, 4000);
  other = new_sender (wires[__i__].other, 4000);
  play (on_both, "socket");
  receiver_assert_reason (receiver, 0, "several interfaces");
  fail_unless (has_joined ("rx0", group));
  fail_unless (has_joined ("rx1", group));
  fail_if (network_has_program ());
  /* Somebody who could have AF_XDP, but must not take packets away. */
  neighbour = receiver_start (on_rx0, "fakesink");
  for (guint i = 0; i < 10; i++)
    send_rtp (i % 2 ? one : other, group, i, 0);
  tap_wait (tap, 10);
  for (guint i = 0; i < 10; i++)
    assert_sender (i, i % 2 ? wires[__i__].one : wires[__i__].other, 4000, 0);
  receiver_wait_stat (neighbour, "packets", 5);
  receiver_assert_mode (neighbour, 0, "socket");
  receiver_set_state (receiver, GST_STATE_NULL);
  fail_if (has_joined ("rx1", group));
  /* Now it may. */
  receiver_assert_mode (neighbour, 1, "af-xdp");
  receiver_free (neighbour);
  end ();
}

/* Routing leads to rx0, but the socket is bound to the other one. */
TEST (test_given_on_interface)
{
  g_autoptr (GSocket) sender = NULL;
  g_autoptr (GSocket) socket = new_socket (GROUP);

  add_wire ();
  sender = new_sender ("10.8.0.1", 4000);
  fail_if (setsockopt (g_socket_get_fd (socket), SOL_SOCKET, SO_BINDTODEVICE,
      "rx1", sizeof "rx1"));
  receiver = receiver_new ("address=0.0.0.0", "fakesink");
  g_object_set (receiver->src, "socket", socket, NULL);
  tap = tap_new (receiver->src);
  receiver_play_by (receiver, "af-xdp");
  fail_unless (has_joined ("rx1", GROUP));
  for (guint i = 0; i < 10; i++)
    send_rtp (sender, GROUP, i, 0);
  tap_wait (tap, 10);
  receiver_assert_stat (receiver, "delivered-xdp", 10);
  end ();
}

/* Demanded, AF_XDP is an error that says what to do. */
TEST (test_interfaces_of_af_xdp)
{
  add_wire ();
  receiver = receiver_new ("mode=af-xdp multicast-group=" GROUP
                           " port=5000 multicast-iface=rx0,rx1",
      "fakesink");
  receiver_assert_refused (receiver, GST_STATE_READY);
  fail_unless (strstr (receiver_wait_error (receiver), "several interfaces"));
  receiver_free (receiver);
}

NETNS_SUITE ("udpsrc", network_up_with_one_queue)
