/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a session description (RFC 8866) says of one of its media: address, port,
 * senders (RFC 4570) and caps.
 */
#pragma once

#include <gio/gio.h>
#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct
{
  gchar *address;       /* with its zone, or a name */
  GSocketFamily family; /* that a name is resolved to */
  gint port;
  gchar *sources; /* as multicast-source takes them; NULL: any */
} GstAfxdpSdpLeg;

typedef struct
{
  GstAfxdpSdpLeg first;
  GstAfxdpSdpLeg second; /* its address is NULL: there is none */
  gboolean is_one_media; /* both are of one: their senders or SSRCs differ */
  gboolean has_legs; /* the file tells of two, be one of them alone received */
  GstCaps *caps;     /* one structure for each payload type; raw UDP: ANY */
  gchar *skipped;    /* what was left out, and why; NULL: nothing */
} GstAfxdpSdp;

/* Reads the file at location, as the property sdp-location has it, and leniently:
 * what devices write beside the standards, and what does not apply, is skipped.
 * Without #m=N it takes the first of the media that can be received. Of streams that
 * are duplicates of each other (RFC 7104, ST 2022-7) the first two that are sent are
 * the legs, which may be the same in all but what the file does not tell, the interface.
 * Errors: any of AFXDP_ERROR, with a sentence that names the file and the line. */
gboolean gst_afxdp_sdp_read (
    GstAfxdpSdp *sdp, const gchar *location, GError **error);
void gst_afxdp_sdp_clear (GstAfxdpSdp *sdp);

G_END_DECLS
