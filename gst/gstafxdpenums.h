/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The enumerations among the element's properties, as GTypes. */
#pragma once

#include <gst/gst.h>

#include "stream.h"

G_BEGIN_DECLS

#define GST_TYPE_AFXDP_MODE (gst_afxdp_mode_get_type ())
#define GST_TYPE_AFXDP_CURRENT_MODE (gst_afxdp_current_mode_get_type ())
#define GST_TYPE_AFXDP_XDP_MODE (gst_afxdp_xdp_mode_get_type ())
#define GST_TYPE_AFXDP_ZERO_COPY (gst_afxdp_zero_copy_get_type ())
#define GST_TYPE_AFXDP_SOCKET_TIMESTAMP (gst_afxdp_socket_timestamp_get_type ())

typedef enum
{
  GST_AFXDP_SOCKET_TIMESTAMP_DISABLED,
  GST_AFXDP_SOCKET_TIMESTAMP_REALTIME,
} GstAfxdpSocketTimestamp;

GType gst_afxdp_mode_get_type (void);
GType gst_afxdp_current_mode_get_type (void);
GType gst_afxdp_xdp_mode_get_type (void);
GType gst_afxdp_zero_copy_get_type (void);
GType gst_afxdp_socket_timestamp_get_type (void);

/* The short name of value, as gst-launch-1.0 takes it. Static memory. */
const gchar *gst_afxdp_enum_nick (GType type, gint value);

/* Where the program runs, as statistics and messages call it: "none" without the
 * fast path. */
const gchar *gst_afxdp_xdp_mode_name (AfxdpPath path, AfxdpXdpMode mode);

G_END_DECLS
