/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as an Ethernet frame, for the parser in user space. */
#include "packet.h"

#include <string.h>

#include "target.h"

/* Where the headers of both IP versions put the end of the packet; the frame may
 * go on behind it. */
static gsize
packet_end (const AfxdpDatagram *datagram, const guint8 *frame)
{
  const guint8 *udp = datagram->payload - 8;
  const guint8 *ip = udp - (datagram->version == 4 ? 20 : 40);
  gsize length =
      datagram->version == 4 ? ip[2] << 8 | ip[3] : 40 + (ip[4] << 8 | ip[5]);

  return ip - frame + length;
}

static void
check_datagram (const AfxdpDatagram *datagram, const guint8 *frame, gsize size)
{
  const guint8 *udp = datagram->payload - 8;
  gsize address = datagram->version == 4 ? 4 : 16;

  g_assert (datagram->version == 4 || datagram->version == 6);
  g_assert (udp >= frame + 34);
  g_assert (datagram->payload + datagram->payload_size <= frame + size);
  g_assert_cmpuint (datagram->payload_size + 8, ==, udp[4] << 8 | udp[5]);
  g_assert_cmpuint (datagram->source_port, ==, udp[0] << 8 | udp[1]);
  g_assert_cmpuint (datagram->destination_port, ==, udp[2] << 8 | udp[3]);
  /* The destination ends where UDP begins, the source where it begins. */
  g_assert (datagram->destination + address == udp);
  g_assert (datagram->source + address == datagram->destination);
  g_assert_cmpuint (packet_end (datagram, frame), <=, size);
}

/* A frame of a datagram is one until it is cut: then it is cut short, wherever it
 * was cut. What lies behind the packet makes no difference. */
static void
check_cuts (const AfxdpDatagram *datagram, const guint8 *frame, gsize size)
{
  gsize end = packet_end (datagram, frame);
  gsize cuts[] = { end - 1, datagram->payload - frame, 0 };
  AfxdpDatagram again;

  g_assert_cmpint (
      afxdp_packet_parse (frame, end, &again), ==, AFXDP_PACKET_UDP);
  g_assert (again.payload == datagram->payload);
  g_assert_cmpuint (again.payload_size, ==, datagram->payload_size);
  for (guint i = 0; i < G_N_ELEMENTS (cuts); i++) {
    guint8 *copy = g_memdup2 (frame, cuts[i]);

    if (cuts[i] < end)
      g_assert_cmpint (afxdp_packet_parse (copy, cuts[i], &again), ==,
          AFXDP_PACKET_TRUNCATED);
    g_free (copy);
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *bytes, size_t size)
{
  guint8 *misaligned = g_malloc (size + 1);
  AfxdpDatagram datagram, other;
  AfxdpPacketKind kind = afxdp_packet_parse (bytes, size, &datagram);

  g_assert_cmpint (kind, <=, AFXDP_PACKET_NO_CHECKSUM);
  if (size)
    memcpy (misaligned + 1, bytes, size);
  g_assert_cmpint (afxdp_packet_parse (misaligned + 1, size, &other), ==, kind);
  if (kind == AFXDP_PACKET_UDP) {
    check_datagram (&datagram, bytes, size);
    check_cuts (&datagram, bytes, size);
  }
  g_free (misaligned);
  return 0;
}
