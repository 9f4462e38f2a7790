/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames that no socket would send. */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gst/check/gstcheck.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>

#include "network.h"

int
wire_open (void)
{
  int fd = network_sender_socket (AF_PACKET, SOCK_RAW, 0);
  struct ifreq request = { .ifr_name = "tx0" };
  struct sockaddr_ll address = { .sll_family = AF_PACKET };

  fail_unless (!ioctl (fd, SIOCGIFINDEX, &request));
  address.sll_ifindex = request.ifr_ifindex;
  fail_if (bind (fd, (struct sockaddr *) &address, sizeof address));
  return fd;
}

void
wire_send (int fd, gconstpointer frame, gsize size)
{
  fail_unless (send (fd, frame, size, 0) == (gssize) size,
      "a frame of %" G_GSIZE_FORMAT " bytes: %s", size, g_strerror (errno));
}

static void
append (GByteArray *frame, guint64 value, guint width)
{
  guint64 big = GUINT64_TO_BE (value << 8 * (8 - width));

  g_byte_array_append (frame, (const guint8 *) &big, width);
}

GByteArray *
wire_make_frame (
    const guint32 *tags, guint n_tags, const guint8 *payload, gsize size)
{
  GByteArray *frame = g_byte_array_new ();
  struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 4, .protocol = 17 };
  struct udphdr udp = { .source = htons (40000), .dest = htons (5000) };
  guint32 sum = 0;

  ip.tot_len = htons (sizeof ip + sizeof udp + size);
  ip.saddr = htonl (0x0a090001);
  ip.daddr = htonl (0xef010101);
  for (guint i = 0; i < sizeof ip; i += 2)
    sum += GST_READ_UINT16_LE ((const guint8 *) &ip + i);
  sum = (sum & 0xffff) + (sum >> 16);
  ip.check = ~(sum + (sum >> 16));
  udp.len = htons (sizeof udp + size);

  append (frame, G_GUINT64_CONSTANT (0x01005e010101), 6);
  append (frame, G_GUINT64_CONSTANT (0x020000000009), 6);
  for (guint i = 0; i < n_tags; i++)
    append (frame, tags[i], 4);
  append (frame, ETHERTYPE_IP, 2);
  g_byte_array_append (frame, (const guint8 *) &ip, sizeof ip);
  g_byte_array_append (frame, (const guint8 *) &udp, sizeof udp);
  g_byte_array_append (frame, payload, size);
  return frame;
}
