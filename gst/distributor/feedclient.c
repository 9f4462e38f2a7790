/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One client of a feed: what is put into its ring, and its wake-ups. */
#include "feedclient.h"

#include <errno.h>
#include <sys/socket.h>

/* EAGAIN: the socket is full, and so the client has wake-ups to read. After any other
 * error but these it has gone, and the control thread will know. */
static void
wake (AfxdpFeedClient *client)
{
  static const struct afxdp_wake message = { { AFXDP_MESSAGE_WAKE,
      sizeof message } };

  client->owes_wake = send (client->socket, &message, sizeof message,
                          MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
      (errno == ENOBUFS || errno == ENOMEM);
}

static gboolean
is_wanted (const AfxdpFeedClient *client, const AfxdpPacket *packet)
{
  return G_LIKELY (!client->sources) ||
      (packet->sender.version == afxdp_sources_version (client->sources) &&
          afxdp_sources_match (client->sources, packet->sender.address));
}

/* Behind the first n of drops, how many were dropped before a packet that arrived then;
 * in the order in which they were noticed. */
static guint
pass_drops (const AfxdpDrops *drops, guint n, guint64 arrival)
{
  while (n < drops->n && drops->drops[n].until <= arrival)
    n++;
  return n;
}

guint
afxdp_feed_client_n_drops (const AfxdpDrops *drops, const AfxdpBatch *batch)
{
  guint n = 0;

  for (guint i = 0; i < batch->n && G_UNLIKELY (n < drops->n); i++)
    n = pass_drops (drops, n, batch->packets[i].arrival);
  return n;
}

static void
tell_drops (AfxdpClientRing *ring, const AfxdpDrops *drops, guint from, guint n)
{
  AfxdpDrops some;

  some.n = n - from;
  for (guint i = 0; i < some.n; i++)
    some.drops[i] = drops->drops[from + i];
  afxdp_client_ring_add_drops (ring, &some);
}

gboolean
afxdp_feed_client_copy (AfxdpFeedClient *client, const AfxdpBatch *batch,
    const AfxdpDrops *drops, guint n_drops)
{
  AfxdpClientRing *ring = client->ring;
  gboolean on = afxdp_client_ring_begin (ring);
  guint told = 0;

  for (guint i = 0; i < batch->n; i++) {
    const AfxdpPacket *packet = &batch->packets[i];

    if (G_UNLIKELY (told < n_drops)) {
      guint n = pass_drops (drops, told, packet->arrival);

      tell_drops (ring, drops, told, n);
      told = n;
    }
    if (on && is_wanted (client, packet))
      afxdp_client_ring_put (ring, packet, batch->path, batch->stamped);
  }
  if (on && afxdp_client_ring_end (ring))
    client->owes_wake = TRUE;
  if (G_UNLIKELY (client->owes_wake))
    wake (client);
  client->broken = G_UNLIKELY (!on && afxdp_client_ring_violation (ring));
  return !client->broken;
}
