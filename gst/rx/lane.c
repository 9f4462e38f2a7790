/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One source of a stream's packets: its socket, or one of its rings. */
#include "lane.h"

#include <string.h>

#include "clock.h"
#include "packet.h"

static guint64
n_redirected (const AfxdpLane *lane)
{
  return afxdp_ring_word (&lane->ring->words->redirected);
}

/* Of what the program redirected, all below next_ordinal is accounted for, n
 * packets of it by having arrived since the last time. The others took no frame.
 * Gives credit and frames back to the program. */
static void
release (AfxdpLane *lane, guint n)
{
  struct afxdp_slot *words = lane->ring->words;
  guint64 before = afxdp_ring_word (&words->released);

  afxdp_xsk_took_no_frame (
      lane->ring->xsk, (gint64) (lane->next_ordinal - before) - n);
  __atomic_store_n (&words->released, lane->next_ordinal, __ATOMIC_RELEASE);
}

void
afxdp_lane_init_ring (
    AfxdpLane *lane, const AfxdpRing *ring, AfxdpUmem *umem, guint batch)
{
  *lane = (AfxdpLane){ .ring = ring, .umem = umem, .batch = batch };
  lane->packets = g_new (AfxdpPacket, batch);
  lane->raw = g_new (AfxdpXskPacket, batch);
  lane->next_ordinal = n_redirected (lane);
}

void
afxdp_lane_init_socket (AfxdpLane *lane, AfxdpSocket *socket, guint batch)
{
  *lane = (AfxdpLane){
    .socket = socket, .umem = afxdp_socket_umem (socket), .batch = batch
  };
  lane->packets = g_new (AfxdpPacket, batch);
  lane->raw = g_new (AfxdpSocketPacket, batch);
}

guint
afxdp_lane_clear (AfxdpLane *lane)
{
  guint n = lane->end - lane->first;

  for (; lane->first < lane->end; lane->first++) {
    const AfxdpPacket *packet = afxdp_lane_head (lane);

    if (packet->frame != AFXDP_NO_FRAME)
      afxdp_umem_give (lane->umem, &packet->frame, 1);
  }
  g_clear_pointer (&lane->packets, g_free);
  g_clear_pointer (&lane->raw, g_free);
  return n;
}

static gboolean
is_for (const AfxdpDestination *destination, const AfxdpDatagram *datagram)
{
  if (datagram->destination_port != destination->port)
    return FALSE;
  if (!destination->any &&
      (datagram->version != destination->version ||
          memcmp (datagram->destination, destination->address,
              datagram->version == 4 ? 4 : 16)))
    return FALSE;
  return G_LIKELY (!destination->sources) ||
      afxdp_sources_match (destination->sources, datagram->source);
}

/* Takes the arrival time and the ordinal from in front of a packet. */
static guint64
read_metadata (AfxdpLane *lane, const guint8 *data)
{
  struct afxdp_metadata metadata;
  gint32 ahead;

  memcpy (&metadata, data - sizeof metadata, sizeof metadata);
  /* Behind: in generic mode two CPUs can overtake each other between the
   * program, which numbers, and the ring. */
  ahead = metadata.ordinal - (guint32) lane->next_ordinal;
  if (G_LIKELY (ahead >= 0))
    lane->next_ordinal += (guint64) ahead + 1;
  return metadata.time;
}

guint
afxdp_lane_read_ring (
    AfxdpLane *lane, const AfxdpDestination *destination, gboolean metadata)
{
  AfxdpXskPacket *raw = lane->raw;
  guint n = afxdp_xsk_receive (lane->ring->xsk, raw, lane->batch);
  guint64 now = 0;

  lane->first = lane->end = 0;
  lane->dry = n < lane->batch;
  if (!n)
    return 0;
  if (!metadata) {
    now = afxdp_now ();
    lane->next_ordinal += n;
  }
  for (guint i = 0; i < n; i++) {
    AfxdpPacket *packet = &lane->packets[lane->end];
    AfxdpDatagram datagram;

    packet->arrival = metadata ? read_metadata (lane, raw[i].data) : now;
    packet->frame = raw[i].frame;
    if (afxdp_packet_parse (raw[i].data, raw[i].length, &datagram) !=
            AFXDP_PACKET_UDP ||
        !is_for (destination, &datagram) ||
        (G_UNLIKELY (destination->verifies) &&
            !afxdp_packet_has_right_checksum (&datagram))) {
      afxdp_umem_give (lane->umem, &packet->frame, 1);
      continue;
    }
    packet->data = datagram.payload;
    packet->size = datagram.payload_size;
    afxdp_rtp_parse (packet->data, packet->size, &packet->rtp);
    lane->end++;
  }
  release (lane, n);
  return n - lane->end;
}

guint
afxdp_lane_read_socket (AfxdpLane *lane)
{
  AfxdpSocketPacket *raw = lane->raw;
  guint n = afxdp_socket_receive (lane->socket, raw, lane->batch);
  guint64 monotonic, real;

  lane->first = lane->end = 0;
  lane->dry = n < lane->batch;
  if (!n)
    return 0;
  monotonic = afxdp_now ();
  real = afxdp_clock (CLOCK_REALTIME);
  for (guint i = 0; i < n; i++) {
    AfxdpPacket *packet = &lane->packets[lane->end];
    guint64 age = real - raw[i].arrival;

    if (G_UNLIKELY (!raw[i].wanted)) {
      if (raw[i].frame != AFXDP_NO_FRAME)
        afxdp_umem_give (lane->umem, &raw[i].frame, 1);
      continue;
    }
    /* No stamp, or the clock was set back meanwhile. */
    if (!raw[i].arrival || raw[i].arrival > real || age > monotonic)
      age = 0;
    packet->arrival = monotonic - age;
    packet->data = raw[i].data;
    packet->size = raw[i].size;
    packet->frame = raw[i].frame;
    afxdp_rtp_parse (packet->data, packet->size, &packet->rtp);
    lane->end++;
  }
  return n - lane->end;
}

void
afxdp_lane_forget_lost (AfxdpLane *lane)
{
  lane->next_ordinal = n_redirected (lane);
  release (lane, 0);
}
