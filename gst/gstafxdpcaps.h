/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caps from the first packet of a stream, where nobody gave any. */
#pragma once

#include <gst/gst.h>

#include "rtp.h"

G_BEGIN_DECLS

/* The caps for a stream whose first packet is rtp and which goes to peer's
 * sink: of a static payload type by RFC 3551's table, of a dynamic one what
 * downstream accepts, if that fixes the clock rate. A clock rate is never
 * invented: NULL when nothing is known, with *problem a sentence for the user
 * when there is something he can do. */
GstCaps *gst_afxdp_caps_guess (
    GstPad *srcpad, const AfxdpRtp *rtp, gchar **problem);

G_END_DECLS
