/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The addresses that packets came from, as objects, and on buffers. A stream has few
 * senders: each has its object once, and a packet costs a comparison and the
 * meta.
 *
 * All zeros is one that knows nobody. For the streaming thread.
 */
#pragma once

#include <gio/gio.h>
#include <gst/gst.h>

#include "input.h"

G_BEGIN_DECLS

/* Senders that are remembered. */
#define GST_AFXDP_SENDERS 16

typedef struct
{
  struct GstAfxdpSender
  {
    AfxdpSender key; /* its address points to bytes */
    guint8 bytes[16];
    GSocketAddress *object; /* NULL: nobody */
  } known[GST_AFXDP_SENDERS];
  guint last; /* of the packet before */
  guint next; /* to be forgotten for somebody new */
} GstAfxdpSenders;

/* Gives buffer a GstNetAddressMeta of sender. */
void gst_afxdp_senders_mark (
    GstAfxdpSenders *senders, const AfxdpSender *sender, GstBuffer *buffer);
/* Takes the one away that buffer may have, from when it was another packet's. */
void gst_afxdp_senders_unmark (GstBuffer *buffer);
void gst_afxdp_senders_clear (GstAfxdpSenders *senders);

G_END_DECLS
