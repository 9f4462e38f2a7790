/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element afxdpsrc. */
#pragma once

#include <gst/base/gstpushsrc.h>
#include <gst/gst.h>

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (gst_afxdp_src_debug);

#define GST_TYPE_AFXDP_SRC (gst_afxdp_src_get_type ())
G_DECLARE_FINAL_TYPE (GstAfxdpSrc, gst_afxdp_src, GST, AFXDP_SRC, GstPushSrc)

GST_ELEMENT_REGISTER_DECLARE (afxdpsrc);

G_END_DECLS
