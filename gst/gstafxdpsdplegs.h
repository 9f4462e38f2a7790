/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which of a session's media are received, and which of them are the two legs of one
 * stream (ST 2022-7): two media of a group (a=group:DUP, RFC 7104), or one media that
 * is sent to two addresses, or by two senders (a=ssrc-group:DUP).
 */
#pragma once

#include <gio/gio.h>
#include <gst/sdp/sdp.h>

#include "gstafxdpsdpfile.h"

G_BEGIN_DECLS

#define GST_AFXDP_SDP_LEGS 2

/* While it is read. */
typedef struct
{
  const GstAfxdpSdpFile *file;
  GstSDPMessage *message;
  GPtrArray *skipped; /* sentences, which GstAfxdpSdp tells in one */
} GstAfxdpSdpSession;

typedef struct
{
  const GstSDPMedia *media;
  const GstSDPConnection *connection;
} GstAfxdpSdpChosen;

typedef struct
{
  GstAfxdpSdpChosen legs[GST_AFXDP_SDP_LEGS];
  guint n;
  gboolean are_told; /* it has legs, be one alone sent now */
  gboolean
      one_address; /* both are of one media and address: its senders differ */
} GstAfxdpSdpChoice;

/* Returns FALSE, always. */
gboolean gst_afxdp_sdp_complain (
    GError **error, const GstAfxdpSdpSession *session, const gchar *format, ...)
    G_GNUC_PRINTF (3, 4);
/* Notes what is left out, once. */
void gst_afxdp_sdp_skip (GstAfxdpSdpSession *session, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);

gboolean gst_afxdp_sdp_is_word (const gchar *text, const gchar *word);
/* Raw UDP. */
gboolean gst_afxdp_sdp_is_raw (const GstSDPMedia *media);
GSocketFamily gst_afxdp_sdp_family_of_word (const gchar *addrtype);

/* What is borrowed is the message's. Errors: AFXDP_ERROR_SETTINGS. */
gboolean gst_afxdp_sdp_choose (
    GstAfxdpSdpChoice *choice, GstAfxdpSdpSession *session, GError **error);

G_END_DECLS
