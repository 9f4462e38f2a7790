/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element as a GstURIHandler: what others do by its property uri. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* A GInterfaceInitFunc. */
void gst_afxdp_uri_handler_init (gpointer iface, gpointer data);

G_END_DECLS
