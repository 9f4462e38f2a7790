/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One source of a stream's packets: its socket, or one of its rings. */
#include "lane.h"

#include <string.h>

#include "clock.h"
#include "packet.h"

/* A packet that was redirected is in its ring at the end of the driver's poll; a
 * machine may take the processor from that, but hardly for so long. ns. */
#define LONGEST_ON_THE_WAY 50000000
/* No packet is so long between its stamp and its socket; in ns. A clock that is set
 * ahead by less is not noticed: that costs less than a packet that seems to have
 * come later than it did. */
#define LONGEST_IN_THE_STACK 1000000000

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

static void
tell (
    AfxdpLane *lane, AfxdpColumn column, gint64 n, guint64 from, guint64 until)
{
  if (n)
    afxdp_drops_add (lane->drops, column, n, from, until);
}

static void
tell_loss (
    AfxdpLane *lane, const AfxdpXskLoss *loss, guint64 from, guint64 until)
{
  tell (lane, AFXDP_COLUMN_RX_RING, loss->rx_ring, from, until);
  tell (lane, AFXDP_COLUMN_FILL_RING, loss->fill_ring, from, until);
  tell (lane, AFXDP_COLUMN_REDIRECT, loss->redirect, from, until);
  lane->told_redirect += loss->redirect;
}

/* The n next ordinals will not come. */
static void
lose_ordinals (AfxdpLane *lane, guint64 n)
{
  AfxdpXskLoss loss;

  afxdp_xsk_explain_loss (lane->ring->xsk, n, &loss);
  tell_loss (lane, &loss, lane->last_arrival, afxdp_now ());
  lane->next_ordinal += n;
}

/* n ordinals are skipped by the packet that arrived at until. */
static void
add_hole (AfxdpLane *lane, guint64 n, guint64 until)
{
  AfxdpHole *hole = &lane->holes[lane->n_holes];

  if (lane->n_holes < AFXDP_LANE_HOLES) {
    *hole = (AfxdpHole){ n, lane->last_arrival, until };
    lane->n_holes++;
  } else {
    hole[-1].n += n;
    hole[-1].until = until;
  }
}

/* A packet that others have overtaken. */
static void
fill_hole (AfxdpLane *lane, guint64 arrival)
{
  if (lane->n_holes) {
    if (!--lane->holes[lane->n_holes - 1].n)
      lane->n_holes--;
  } else if (lane->told_redirect) {
    lane->told_redirect--;
    tell (lane, AFXDP_COLUMN_REDIRECT, -1, arrival, arrival);
  }
}

static guint64
take (guint64 *from, guint64 most)
{
  guint64 n = MIN (*from, most);

  *from -= n;
  return n;
}

/* The rings' counts explain the holes in their order. */
static void
explain_holes (AfxdpLane *lane)
{
  AfxdpXskLoss loss;
  guint64 n = 0;

  for (guint i = 0; i < lane->n_holes; i++)
    n += lane->holes[i].n;
  afxdp_xsk_explain_loss (lane->ring->xsk, n, &loss);
  for (guint i = 0; i < lane->n_holes; i++) {
    AfxdpHole *hole = &lane->holes[i];
    AfxdpXskLoss part;

    part.rx_ring = take (&loss.rx_ring, hole->n);
    part.fill_ring = take (&loss.fill_ring, hole->n - part.rx_ring);
    part.redirect = hole->n - part.rx_ring - part.fill_ring;
    tell_loss (lane, &part, hole->from, hole->until);
  }
  lane->n_holes = 0;
}

/* The socket has dropped so many, until the packet that arrived then. Counters
 * that were read at different places may be behind what is told. */
static void
follow_dropped (AfxdpLane *lane, guint32 dropped, guint64 until)
{
  guint32 n = dropped - lane->dropped;

  /* After a pause it is never behind, but may be far ahead. */
  if (G_LIKELY (!n) || (n > G_MAXINT32 && !lane->paused))
    return;
  lane->dropped = dropped;
  tell (lane,
      lane->paused || lane->resuming ? AFXDP_COLUMN_PAUSED
                                     : AFXDP_COLUMN_SOCKET_BUFFER,
      n, lane->last_arrival, until);
}

void
afxdp_lane_init_ring (AfxdpLane *lane, const AfxdpRing *ring, AfxdpUmem *umem,
    guint batch, AfxdpDrops *drops)
{
  *lane = (AfxdpLane){ .ring = ring,
    .umem = umem,
    .batch = batch,
    .drops = drops,
    .last_arrival = afxdp_now (),
    .looked_at = afxdp_now () };
  lane->packets = g_new (AfxdpPacket, batch);
  lane->raw = g_new (AfxdpXskPacket, batch);
  lane->next_ordinal = n_redirected (lane);
}

void
afxdp_lane_init_socket (
    AfxdpLane *lane, AfxdpSocket *socket, guint batch, AfxdpDrops *drops)
{
  *lane = (AfxdpLane){ .socket = socket,
    .umem = afxdp_socket_umem (socket),
    .batch = batch,
    .drops = drops,
    .stamped = TRUE,
    .last_arrival = afxdp_now (),
    .dropped = afxdp_socket_dropped (socket) };
  lane->packets = g_new (AfxdpPacket, batch);
  lane->raw = g_new (AfxdpSocketPacket, batch);
}

guint
afxdp_lane_discard (AfxdpLane *lane)
{
  guint n = lane->end - lane->first;

  for (; lane->first < lane->end; lane->first++) {
    const AfxdpPacket *packet = afxdp_lane_head (lane);

    if (packet->frame != AFXDP_NO_FRAME)
      afxdp_umem_give (lane->umem, &packet->frame, 1);
  }
  return n;
}

void
afxdp_lane_clear (AfxdpLane *lane)
{
  g_clear_pointer (&lane->packets, g_free);
  g_clear_pointer (&lane->raw, g_free);
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
static void
read_metadata (AfxdpLane *lane, const guint8 *data, AfxdpPacket *packet)
{
  struct afxdp_metadata metadata;
  gint64 ahead;

  memcpy (&metadata, data - sizeof metadata, sizeof metadata);
  /* Behind: in generic mode two CPUs can overtake each other between the
   * program, which numbers, and the ring. */
  ahead = metadata.ordinal - lane->next_ordinal;
  if (G_LIKELY (ahead >= 0))
    lane->next_ordinal = metadata.ordinal + 1;
  if (G_UNLIKELY (ahead > 0))
    add_hole (lane, ahead, metadata.time);
  else if (G_UNLIKELY (ahead < 0))
    fill_hole (lane, metadata.time);
  packet->arrival = lane->last_arrival = metadata.time;
}

/* Without metadata: when it is read, or when the ring's counters were, and it
 * waited there already. */
static void
guess_arrival (AfxdpLane *lane, guint64 now, AfxdpPacket *packet)
{
  packet->arrival = lane->n_waited ? lane->looked_at : now;
  lane->n_waited -= MIN (lane->n_waited, 1);
  lane->last_arrival = packet->arrival;
}

static inline gboolean
take_payload (AfxdpPacket *packet, const guint8 *data, guint size, guint skip)
{
  if (G_UNLIKELY (size < skip))
    return FALSE;
  packet->data = data + skip;
  packet->size = size - skip;
  afxdp_rtp_parse (packet->data, packet->size, &packet->rtp);
  return TRUE;
}

/* fe80::/10, RFC 4291 section 2.5.6. */
static inline gboolean
is_link_local (const AfxdpDatagram *datagram)
{
  return datagram->version == 6 && datagram->source[0] == 0xfe &&
      (datagram->source[1] & 0xc0) == 0x80;
}

static inline void
take_sender (AfxdpSender *sender, const AfxdpDestination *destination,
    const AfxdpDatagram *datagram)
{
  *sender = (AfxdpSender){
    .address = datagram->source,
    .scope = is_link_local (datagram) ? destination->scope : 0,
    .port = datagram->source_port,
    .version = datagram->version,
  };
}

guint
afxdp_lane_read_ring (AfxdpLane *lane, const AfxdpDestination *destination,
    gboolean metadata, guint skip)
{
  AfxdpXskPacket *raw = lane->raw;
  guint n = afxdp_xsk_receive (lane->ring->xsk, raw, lane->batch);
  guint64 now = 0;

  lane->first = lane->end = 0;
  lane->dry = n < lane->batch;
  lane->stamped = metadata;
  if (!n)
    return 0;
  if (!metadata) {
    now = afxdp_now ();
    lane->next_ordinal += n;
  }
  for (guint i = 0; i < n; i++) {
    AfxdpPacket *packet = &lane->packets[lane->end];
    AfxdpDatagram datagram;

    if (metadata)
      read_metadata (lane, raw[i].data, packet);
    else
      guess_arrival (lane, now, packet);
    packet->frame = raw[i].frame;
    if (afxdp_packet_parse (raw[i].data, raw[i].length, &datagram) !=
            AFXDP_PACKET_UDP ||
        !is_for (destination, &datagram) ||
        (G_UNLIKELY (destination->verifies) &&
            !afxdp_packet_has_right_checksum (&datagram)) ||
        !take_payload (packet, datagram.payload, datagram.payload_size, skip)) {
      afxdp_umem_give (lane->umem, &packet->frame, 1);
      continue;
    }
    take_sender (&packet->sender, destination, &datagram);
    lane->end++;
  }
  if (G_UNLIKELY (lane->n_holes))
    explain_holes (lane);
  lane->missing_at = 0;
  release (lane, n);
  return n - lane->end;
}

/* What was dropped until the socket has been read as far as it was full when it
 * was read again is the pause's. */
static void
begin_resuming (AfxdpLane *lane)
{
  lane->paused = FALSE;
  lane->resuming = TRUE;
  lane->resumed_at = afxdp_now ();
}

static void
end_resuming (AfxdpLane *lane)
{
  if (!lane->dry && lane->last_arrival < lane->resumed_at)
    return;
  afxdp_lane_look_for_drops (lane, FALSE);
  lane->resuming = FALSE;
}

/* How long ago real says that stamp was: in a clock that may be set in between. A
 * packet has not waited for longer than since the socket was empty. */
static guint64
time_waited (
    const AfxdpLane *lane, guint64 stamp, guint64 real, guint64 monotonic)
{
  guint64 time = real - stamp;

  if (!stamp || stamp > real || time > monotonic ||
      time > monotonic - lane->dry_at + LONGEST_IN_THE_STACK)
    return 0;
  return time;
}

static void
take_batch (AfxdpLane *lane, guint n, guint skip)
{
  const AfxdpSocketPacket *raw = lane->raw;
  guint64 monotonic, real;

  monotonic = afxdp_now ();
  real = afxdp_clock (CLOCK_REALTIME);
  for (guint i = 0; i < n; i++) {
    AfxdpPacket *packet = &lane->packets[lane->end];

    packet->arrival =
        monotonic - time_waited (lane, raw[i].arrival, real, monotonic);
    follow_dropped (lane, raw[i].dropped, packet->arrival);
    lane->last_arrival = packet->arrival;
    if (G_UNLIKELY (!raw[i].wanted ||
            !take_payload (packet, raw[i].data, raw[i].size, skip))) {
      if (raw[i].frame != AFXDP_NO_FRAME)
        afxdp_umem_give (lane->umem, &raw[i].frame, 1);
      continue;
    }
    packet->frame = raw[i].frame;
    packet->sender = raw[i].sender;
    lane->end++;
  }
}

guint
afxdp_lane_read_socket (AfxdpLane *lane, guint skip)
{
  guint n;

  if (G_UNLIKELY (lane->paused))
    begin_resuming (lane);
  n = afxdp_socket_receive (lane->socket, lane->raw, lane->batch);
  lane->first = lane->end = 0;
  lane->dry = n < lane->batch;
  if (n)
    take_batch (lane, n, skip);
  if (lane->dry)
    lane->dry_at = afxdp_now ();
  if (G_UNLIKELY (lane->resuming))
    end_resuming (lane);
  return n - lane->end;
}

/* Without metadata: what the rings counted. What has waited since they were read
 * last must be read first: its arrival would become a guess of the present, behind
 * the loss that it came before. */
static guint64
look_for_ring_drops (AfxdpLane *lane)
{
  guint64 now = afxdp_now (), n;
  AfxdpXskLoss loss;

  if (lane->n_waited)
    return lane->looked_at;
  n = afxdp_xsk_find_loss (lane->ring->xsk, &loss);
  tell_loss (lane, &loss, lane->looked_at, now);
  lane->looked_at = now;
  lane->n_waited = afxdp_xsk_n_waiting (lane->ring->xsk);
  lane->next_ordinal += n;
  release (lane, 0);
  return G_MAXUINT64;
}

/* With metadata the next ordinal tells, and where; but none may come, since the
 * flow goes on elsewhere. What is neither in the ring nor was for long is lost. */
static guint64
watch_missing (AfxdpLane *lane)
{
  guint64 now = afxdp_now ();

  if (!afxdp_lane_is_empty (lane) || afxdp_xsk_n_waiting (lane->ring->xsk) ||
      n_redirected (lane) == lane->next_ordinal) {
    lane->missing_at = 0;
    return G_MAXUINT64;
  }
  if (!lane->missing_at) {
    lane->missing_at = now;
    lane->missing_end = n_redirected (lane);
  } else if (now - lane->missing_at > LONGEST_ON_THE_WAY) {
    if (lane->missing_end > lane->next_ordinal)
      lose_ordinals (lane, lane->missing_end - lane->next_ordinal);
    release (lane, 0);
    lane->missing_at = 0;
  }
  return lane->missing_at ? lane->last_arrival : G_MAXUINT64;
}

guint64
afxdp_lane_look_for_drops (AfxdpLane *lane, gboolean metadata)
{
  if (lane->ring)
    return metadata ? watch_missing (lane) : look_for_ring_drops (lane);
  follow_dropped (lane, afxdp_socket_dropped (lane->socket), afxdp_now ());
  return G_MAXUINT64;
}

void
afxdp_lane_forget_lost (AfxdpLane *lane)
{
  guint64 end = n_redirected (lane);

  if (end == lane->next_ordinal)
    return;
  lose_ordinals (lane, end - lane->next_ordinal);
  release (lane, 0);
}
