/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads the differences of an interface's counters as the fate of packets.
 */
#include "rtpgen-delivery.h"

/* How often to look whether the peer's ring is empty, and for how long. */
#define LOOK_USECS 1000
#define LOOKS 1000

typedef struct
{
  goffset offset;
  const gchar *name;
  const gchar *cause;
} Place;

/* Since Linux 6.3 a veth whose peer has no NAPI does not offer to transmit XDP
 * frames (veth_set_xdp_features()), so that they are refused before it; earlier
 * it took them and dropped them. */
#define NEEDS_NAPI                                                             \
  "live frames need NAPI at the receiving end: turn on GRO there (ethtool -K " \
  "DEV gro on) or attach an XDP program"

static const Place places[] = {
  {
      G_STRUCT_OFFSET (RtpgenDelivery, ring_full),
      "the peer's receive ring was full",
      "another generator sends into the same queue; or the peer's NAPI did not "
      "keep up: make --batch smaller than 256, and do not make it threaded",
  },
  {
      G_STRUCT_OFFSET (RtpgenDelivery, no_receiver),
      "the peer did not take them",
      NEEDS_NAPI "; or it went down; or packets of a socket came faster than "
                 "the peer's ring or "
                 "backlog was emptied: make --burst or --batch smaller, or "
                 "give the sending end a queue (tc qdisc add dev DEV root "
                 "pfifo limit 10000)",
  },
  {
      G_STRUCT_OFFSET (RtpgenDelivery, refused),
      "they were refused in front of the veth",
      NEEDS_NAPI "; or the interface went down during the run",
  },
  {
      G_STRUCT_OFFSET (RtpgenDelivery, vanished),
      "the peer's receive ring was thrown away with them in it",
      "the peer went down, or an XDP program was detached there with GRO off",
  },
};

static guint64
above (guint64 larger, guint64 smaller)
{
  return larger > smaller ? larger - smaller : 0;
}

/* Others on the interface can only raise what it has counted. Of live frames no
 * more met no receiver than were neither put into the ring nor found it full: the
 * rest is what the host itself sent, unless another generator is counted, too. */
static void
judge (RtpgenMethod method, const RtpgenCounters *before,
    const RtpgenCounters *after, guint64 handed, RtpgenDelivery *delivery)
{
  const guint64 errors = after->xdp_xmit_errors - before->xdp_xmit_errors;
  const guint64 dropped = after->tx_dropped - before->tx_dropped;
  const guint64 taken = after->tx_packets - before->tx_packets;
  const guint64 put = after->xdp_xmit - before->xdp_xmit;

  *delivery = (RtpgenDelivery){ .handed = handed };
  delivery->ring_full = errors;
  delivery->no_receiver = above (dropped, errors);
  if (method == RTPGEN_METHOD_LIVE) {
    if (put + errors <= handed)
      delivery->no_receiver =
          MIN (delivery->no_receiver, handed - put - errors);
    delivery->refused = above (
        above (handed, put), delivery->ring_full + delivery->no_receiver);
  }
  delivery->vanished = above (handed,
      taken + delivery->ring_full + delivery->no_receiver + delivery->refused);
}

gboolean
rtpgen_delivery_judge (const RtpgenInterface *interface, RtpgenMethod method,
    const RtpgenCounters *before, guint64 handed, RtpgenDelivery *delivery,
    GError **error)
{
  for (guint look = 0;; look++) {
    RtpgenCounters after;

    if (!rtpgen_interface_read_counters (interface, &after, error))
      return FALSE;
    if (!interface->is_veth) {
      /* Its live frames, if it counts them, have counters of other names. */
      after.xdp_xmit = before->xdp_xmit +
          above (handed, after.tx_dropped - before->tx_dropped);
    }
    judge (method, before, &after, handed, delivery);
    if (!delivery->vanished || look == LOOKS)
      break;
    g_usleep (LOOK_USECS);
  }
  if (!interface->is_veth)
    delivery->vanished = 0;
  return TRUE;
}

guint64
rtpgen_delivery_count_dropped (const RtpgenDelivery *self)
{
  return self->ring_full + self->no_receiver + self->refused + self->vanished;
}

gchar *
rtpgen_delivery_explain (
    const RtpgenDelivery *self, const RtpgenInterface *interface)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    const guint64 packets = G_STRUCT_MEMBER (guint64, self, places[i].offset);

    if (packets)
      g_string_append_printf (text,
          "%s dropped %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
          " packets: %s. Likely: %s.\n",
          interface->name, packets, self->handed, places[i].name,
          places[i].cause);
  }
  return g_string_free (text, FALSE);
}
