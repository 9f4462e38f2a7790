/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The caps that a session description tells of one of its media. */
#pragma once

#include <gst/gst.h>
#include <gst/sdp/sdp.h>

G_BEGIN_DECLS

/* One structure for each payload type of which the clock rate is known. Why others are
 * left out is appended to skipped, if that is not NULL. Returns NULL when there is
 * none; problem is why not, of the first. Free it. */
GstCaps *gst_afxdp_sdp_caps (const GstSDPMessage *message,
    const GstSDPMedia *media, GPtrArray *skipped, gchar **problem);

G_END_DECLS
