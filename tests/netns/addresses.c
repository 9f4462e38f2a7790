/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses as applications write them: with a zone, and without a route. */
#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemon.h"
#include "network.h"
#include "receiver.h"

#define OWN "fe80::9:2"
#define GROUP "ff02::5:1"

/* Sends n RTP packets to port 5000 of address, which is on the sender's wire. */
static void
send_rtp (const gchar *address, guint n)
{
  int fd = network_sender_socket (AF_INET6, SOCK_DGRAM, 0);
  struct sockaddr_in6 to = { .sin6_family = AF_INET6,
    .sin6_port = g_htons (5000) };
  struct ifreq request = { .ifr_name = "tx0" };
  guint8 packet[12] = { 0x80, 33, [11] = 7 };

  /* The number of tx0 on the sending host. */
  fail_if (ioctl (fd, SIOCGIFINDEX, &request));
  to.sin6_scope_id = request.ifr_ifindex;
  fail_unless (inet_pton (AF_INET6, address, &to.sin6_addr) == 1);
  for (guint i = 0; i < n; i++) {
    packet[3] = i;
    fail_unless (sendto (fd, packet, sizeof packet, 0, (struct sockaddr *) &to,
                     sizeof to) == sizeof packet,
        "%s: %m", address);
  }
  close (fd);
}

static gboolean
has_joined (const gchar *interface)
{
  g_autofree gchar *table = network_output ("cat /proc/net/igmp6");
  g_autofree gchar *line =
      g_strdup_printf ("%s ff020000000000000000000000050001", interface);

  g_strdelimit (table, "\t", ' ');
  for (gchar *at = table; (at = strstr (at, "  "));)
    memmove (at, at + 1, strlen (at));
  return strstr (table, line) != NULL;
}

static void
assert_on (Receiver *receiver, const gchar *interface)
{
  const GstStructure *mode;

  receiver_play (receiver);
  mode = receiver->modes->pdata[0];
  receiver_assert_served (receiver);
  /* A daemon may say first that it looks for the queue. */
  if (daemon_is_wanted ())
    receiver_wait_mode (receiver, 0, "af-xdp");
  else
    receiver_assert_mode (receiver, 0, "af-xdp");
  fail_unless_equals_string (
      gst_structure_get_string (mode, "interface"), interface);
}

/* Another interface, where routing does not lead. */
static void
add_interface (void)
{
  network_run ("ip link add rx1 index 77 type veth peer name tx1 && "
               "ip link set tx1 up && ip link set rx1 up");
}

/* Behind the last one, the location of an SDP file for the group on rx1. */
static const gchar *const zones[] = {
  "address=" GROUP "%rx1 port=5000",
  "multicast-group=" GROUP "%77 port=5000",
  "uri=afxdp://[" GROUP "%rx1]:5000?address=",
  "uri=afxdp://[" GROUP "%25rx1]:5000?address=",
  "address=" GROUP "%rx1 port=5000 multicast-iface=rx1",
  "port=9 address=none sdp-location=",
};

static gchar *
write_sdp (void)
{
  gchar *location =
      g_strdup_printf ("%s/afxdp-%d.sdp", g_get_tmp_dir (), getpid ());

  fail_unless (g_file_set_contents (location,
      "v=0\no=- 1 1 IN IP6 fe80::1\ns=-\nc=IN IP6 " GROUP "%rx1\nt=0 0\n"
      "m=video 5000 RTP/AVP 33\n",
      -1, NULL));
  return location;
}

TABLE_TEST (test_zone_of_a_group, zones)
{
  const gchar *zone = zones[__i__];
  g_autofree gchar *location = write_sdp ();
  g_autofree gchar *properties = g_strconcat (
      zone, g_str_has_suffix (zone, "sdp-location=") ? location : "", NULL);
  Receiver *receiver;

  add_interface ();
  receiver = receiver_new (properties, "fakesink");
  assert_on (receiver, "rx1");
  fail_unless (has_joined ("rx1"));
  fail_if (has_joined ("rx0"));
  receiver_free (receiver);
  g_remove (location);
}

TEST (test_zone_of_an_address)
{
  Receiver *receiver =
      receiver_new ("uri=afxdp://[" OWN "%rx0]:5000?address=", "fakesink");

  network_run ("ip addr add " OWN "/64 dev rx0 nodad");
  network_run_on_sender ("ip addr add fe80::9:1/64 dev tx0 nodad");
  assert_on (receiver, "rx0");
  send_rtp (OWN, 100);
  receiver_wait_stat (receiver, "delivered-xdp", 100);
  receiver_free (receiver);
}

static void
assert_refused (const gchar *properties, const gchar *words)
{
  g_autoptr (Receiver) receiver = receiver_new (properties, "fakesink");

  receiver_assert_refused (receiver, GST_STATE_READY);
  fail_unless (
      strstr (receiver_wait_error (receiver), words), "%s", receiver->error);
}

TEST (test_wrong_zone)
{
  add_interface ();
  assert_refused ("address=" GROUP "%rx1 port=5000 multicast-iface=rx0",
      "names the interface rx1, but multicast-iface is \"rx0\"");
  assert_refused ("address=" GROUP "%rx1 port=5000 multicast-iface=rx0,rx1",
      "multicast-iface is \"rx0,rx1\"");
  assert_refused ("address=" GROUP "%rx9 port=5000", "\"rx9\"");
  assert_refused ("address=" GROUP "%99 port=5000", "interface number 99");
}

/* Where no route leads, the kernel's socket may receive all the same. A daemon that has
 * one interface needs no route: there is nothing to see of it. */

static const gchar *const unrouted[] = {
  "address=239.7.7.7 port=5000 auto-multicast=false",
  "address=239.7.7.7 port=5000 auto-multicast=false mode=socket",
  "address=10.77.0.1 port=5000",
  "address=10.77.0.1 port=5000 mode=socket",
  "address=255.255.255.255 port=5000 mode=socket",
};

static void
forget_routes (void)
{
  network_run ("ip route flush 224.0.0.0/4 && "
               "echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind");
}

OWN_TABLE_TEST (test_no_route, unrouted)
{
  g_autoptr (Receiver) receiver = receiver_new (unrouted[__i__], "fakesink");

  forget_routes ();
  receiver_play_by (receiver, "socket");
  receiver_assert_no_error (receiver);
}

OWN_TEST (test_no_route_is_told)
{
  Receiver *receiver = receiver_new (
      "address=239.7.7.7 port=5000 auto-multicast=false", "fakesink");

  forget_routes ();
  receiver_play (receiver);
  receiver_assert_reason (receiver, 0, "No route to 239.7.7.7");
  receiver_free (receiver);
  assert_refused (
      "address=239.7.7.7 port=5000 mode=af-xdp", "No route to 239.7.7.7");
  assert_refused ("address=239.7.7.7 port=5000", "set multicast-iface");
  receiver = receiver_new (
      "address=239.7.7.7 port=5000 multicast-iface=rx0", "fakesink");
  assert_on (receiver, "rx0");
  receiver_free (receiver);
}

NETNS_SUITE ("addresses", network_up_with_one_queue)
