/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream from what an application has set. May wait for DNS and for RTNL. */
#pragma once

#include "gstafxdpsettings.h"
#include "gstafxdpsplit.h"
#include "stream.h"

G_BEGIN_DECLS

/* Takes what the SDP file says into settings. FALSE: element has posted an error
 * that says why. */
gboolean gst_afxdp_open_sdp (GstElement *element, GstAfxdpSettings *settings);
/* The stream of the first leg, or, if both come by it, of both: then split begins.
 * Likewise NULL. */
AfxdpStream *gst_afxdp_open (GstElement *element,
    const GstAfxdpSettings *settings, GstAfxdpSplit *split);
/* The stream of the second leg. Errors: any of AFXDP_ERROR. */
AfxdpStream *gst_afxdp_try_second_leg (
    GstElement *element, const GstAfxdpSettings *settings, GError **error);
/* The same, but element has posted an error. */
AfxdpStream *gst_afxdp_open_second_leg (
    GstElement *element, const GstAfxdpSettings *settings);
/* Posts a warning that tells why the second leg could not be opened while playing. */
void gst_afxdp_open_refused (
    GstElement *element, const GstAfxdpSettings *settings, const GError *error);

G_END_DECLS
