/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fast path of a stream through somebody else's program, which redirects to an
 * XSKMAP that he has pinned. What that program passes comes by the stream's socket, as
 * does everything while there is no map.
 *
 * new() and free() are for the thread that opens and closes the stream, and wait for
 * RTNL. The rest is for the streaming thread where it does not say otherwise.
 */
#pragma once

#include "framepacket.h"
#include "netdev.h"
#include "provider.h"
#include "settings.h"

G_BEGIN_DECLS

typedef struct _AfxdpMapPath AfxdpMapPath;

/* wake: an eventfd that is signalled when follow() has news. destination and drops must
 * outlive path. Errors: with mode AF_XDP those of afxdp_map_keeper_open(); _FAILED. */
AfxdpMapPath *afxdp_map_path_new (const AfxdpStreamSettings *settings,
    const AfxdpNetdev *netdev, const AfxdpDestination *destination, int wake,
    AfxdpDrops *drops, GError **error);
void afxdp_map_path_free (AfxdpMapPath *path);

AfxdpProvider *afxdp_map_path_provider (AfxdpMapPath *path);

/* Whether the interface was removed, and another one of its name is there, so that the
 * socket has to go over. Any thread. */
gboolean afxdp_map_path_has_moved (const AfxdpMapPath *path);
/* The same, and which; it is news no more. */
gboolean afxdp_map_path_take_netdev (AfxdpMapPath *path, AfxdpNetdev *netdev);

G_END_DECLS
