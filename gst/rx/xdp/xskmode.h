/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an interface can have of AF_XDP, before anything is set up there: whether at
 * all, whether zero-copy may be had, and how large the frames must be. Owns nothing.
 *
 * May wait for RTNL: not for streaming threads.
 */
#pragma once

#include <glib.h>

#include "netdev.h"
#include "xskpool.h"

G_BEGIN_DECLS

/* FALSE, and AFXDP_ERROR_UNSUPPORTED: AF_XDP does not work on this kind of interface. */
gboolean afxdp_xskmode_check_kind (const AfxdpNetdev *netdev, GError **error);
/* NULL: it may be had. generic: the program runs in generic mode, or is to. */
const gchar *afxdp_xskmode_why_no_zero_copy (
    const AfxdpNetdev *netdev, AfxdpZeroCopy zero_copy, gboolean generic);
/* In bytes. zero_copy: it may be had. */
guint afxdp_xskmode_frame_size (const AfxdpNetdev *netdev, gboolean zero_copy);

G_END_DECLS
