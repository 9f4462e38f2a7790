/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UDP checksums: those of a real sender are right, wrong ones are told from them
 * when that is asked for, through both paths. */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "network.h"
#include "packet-table.h"
#include "receiver.h"

#define EACH 20 /* packets of each kind */

static const struct
{
  const gchar *group;
  const gchar *wrong; /* a frame of the table, all of which have wrong ones */
} flows[] = {
  { "239.1.1.1", "IPv4 multicast" },
  { "ff15::1", "IPv6 multicast" },
};

static Receiver *
play (guint flow, const gchar *properties)
{
  g_autofree gchar *all = g_strdup_printf (
      "multicast-group=%s port=%u multicast-iface=rx0 caps=ANY %s",
      flows[flow].group, PACKET_TABLE_PORT, properties);
  Receiver *receiver = receiver_new (all, "fakesink");

  /* Otherwise a veth's sender leaves it to be made. */
  network_run_on_sender ("ethtool -K tx0 tx off");
  receiver_play (receiver);
  if (!strstr (properties, "mode=socket"))
    receiver_assert_served (receiver);
  return receiver;
}

/* Datagrams of odd and of even size, from a socket. checksums: it makes them. */
static void
send_datagrams (guint flow, gboolean checksums)
{
  gboolean ipv6 = strchr (flows[flow].group, ':') != NULL;
  int fd = network_sender_socket (ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in6 to_6 = { .sin6_family = AF_INET6,
    .sin6_port = htons (PACKET_TABLE_PORT) };
  struct sockaddr_in to_4 = { .sin_family = AF_INET,
    .sin_port = htons (PACKET_TABLE_PORT) };
  int none = !checksums;
  guint8 packet[200] = { 0x80, 33 };

  inet_pton (AF_INET6, flows[flow].group, &to_6.sin6_addr);
  inet_pton (AF_INET, flows[flow].group, &to_4.sin_addr);
  fail_if (setsockopt (fd, SOL_SOCKET, SO_NO_CHECK, &none, sizeof none));
  for (guint i = 0; i < EACH; i++) {
    gsize size = sizeof packet - i;

    packet[3] = i;
    fail_unless (
        sendto (fd, packet, size, 0,
            ipv6 ? (struct sockaddr *) &to_6 : (struct sockaddr *) &to_4,
            ipv6 ? sizeof to_6 : sizeof to_4) == (gssize) size,
        "%s", g_strerror (errno));
  }
  close (fd);
}

static void
send_wrong (guint flow)
{
  int fd = network_sender_socket (AF_PACKET, SOCK_RAW, 0);
  struct ifreq request = { .ifr_name = "tx0" };
  struct sockaddr_ll wire = { .sll_family = AF_PACKET };
  guint n_cases;
  const PacketCase *packet = packet_table (&n_cases);

  fail_unless (!ioctl (fd, SIOCGIFINDEX, &request));
  wire.sll_ifindex = request.ifr_ifindex;
  while (!g_str_equal (packet->name, flows[flow].wrong))
    packet++;
  for (guint i = 0; i < EACH; i++)
    fail_unless (sendto (fd, packet->frame, packet->size, 0,
                     (const struct sockaddr *) &wire,
                     sizeof wire) == (gssize) packet->size);
  close (fd);
}

/* The right ones come, and the wrong ones between them are counted. */
TABLE_TEST (test_verified, flows)
{
  g_autoptr (Receiver) receiver =
      play (__i__, "mode=af-xdp verify-checksum=true");

  send_datagrams (__i__, TRUE);
  send_wrong (__i__);
  send_datagrams (__i__, TRUE);
  receiver_assert_reaches (receiver, "delivered-xdp", 2 * EACH);
  receiver_assert_stat (receiver, "delivered-socket", 0);
  receiver_assert_stat (receiver, "malformed", EACH);
}

/* By default they are not. */
TABLE_TEST (test_not_verified, flows)
{
  g_autoptr (Receiver) receiver = play (__i__, "mode=af-xdp");

  send_wrong (__i__);
  send_datagrams (__i__, TRUE);
  receiver_wait_stat (receiver, "delivered-xdp", 2 * EACH);
  receiver_assert_stat (receiver, "malformed", 0);
}

/* The kernel does it for the socket, and does not tell. */
TABLE_TEST (test_socket, flows)
{
  g_autoptr (Receiver) receiver = play (__i__, "mode=socket");

  send_wrong (__i__);
  send_datagrams (__i__, TRUE);
  receiver_assert_reaches (receiver, "delivered-socket", EACH);
  receiver_assert_stat (receiver, "malformed", 0);
}

/* With IPv4 a sender may do without. */
TEST (test_without)
{
  g_autoptr (Receiver) receiver = play (0, "mode=af-xdp verify-checksum=true");

  send_datagrams (0, FALSE);
  receiver_wait_stat (receiver, "delivered-xdp", EACH);
  receiver_assert_stat (receiver, "malformed", 0);
}

/* As the property says of senders on this host: theirs are yet to be made. */
TABLE_TEST (test_left_to_be_made, flows)
{
  g_autoptr (Receiver) receiver =
      play (__i__, "mode=af-xdp verify-checksum=true");

  network_run_on_sender ("ethtool -K tx0 tx on");
  send_datagrams (__i__, TRUE);
  receiver_wait_stat (receiver, "malformed", EACH);
  receiver_assert_stat (receiver, "delivered-xdp", 0);
}

NETNS_SUITE ("checksums", network_up_with_one_queue)
