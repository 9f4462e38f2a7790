/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The debug categories of what is below the element, one for each room: afxdp-xdp,
 * afxdp-stream, afxdp-stats. GST_DEBUG=afxdp*:5 shows them beside the element's own,
 * afxdpsrc.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

void gst_afxdp_log_init (void);

G_END_DECLS
