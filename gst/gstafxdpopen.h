/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream from what an application has set. May wait for DNS and for RTNL. */
#pragma once

#include "gstafxdpsettings.h"
#include "stream.h"

G_BEGIN_DECLS

/* Errors: any of AFXDP_ERROR. */
AfxdpStream *gst_afxdp_open_stream (
    const GstAfxdpSettings *settings, GError **error);

/* The GstResourceError that such an error is for an application. */
gint gst_afxdp_resource_error (const GError *error);

G_END_DECLS
