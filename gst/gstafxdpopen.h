/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream from what an application has set. May wait for DNS and for RTNL. */
#pragma once

#include "gstafxdpsettings.h"
#include "stream.h"

G_BEGIN_DECLS

/* Takes what the SDP file says into settings. FALSE: element has posted an error
 * that says why. */
gboolean gst_afxdp_open_sdp (GstElement *element, GstAfxdpSettings *settings);
/* Likewise NULL. */
AfxdpStream *gst_afxdp_open (
    GstElement *element, const GstAfxdpSettings *settings);
/* Likewise, the stream of the second leg. */
AfxdpStream *gst_afxdp_open_second_leg (
    GstElement *element, const GstAfxdpSettings *settings);

G_END_DECLS
