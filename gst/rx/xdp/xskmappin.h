/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A pinned XSKMAP: opening it, and who has one of its entries. Owns the descriptor of
 * the map and that of a probe.
 *
 * An XSKMAP cannot be read from user space (Linux 6.18,
 * xsk_map_lookup_elem_sys_only(): EOPNOTSUPP), and xsk_map_update_elem() says 0 with
 * BPF_NOEXIST not only when the entry was empty but also when it is the same socket
 * already. Another socket, which is bound to nothing, tells the two apart: it is
 * entered where there is nothing, and refused where there is something.
 *
 * For one thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  int map;   /* -1: not open */
  int probe; /* AF_XDP, not bound; -1 likewise */
  guint id;  /* the kernel's number of the map */
  guint n_entries;
  gchar name[16]; /* "": it has none */
} AfxdpXskMapPin;

typedef enum
{
  AFXDP_XSK_MAP_ENTRY_OURS,
  AFXDP_XSK_MAP_ENTRY_RETURNED, /* it was empty, and is ours again */
  AFXDP_XSK_MAP_ENTRY_OTHER,    /* of another socket */
  AFXDP_XSK_MAP_ENTRY_UNKNOWN,  /* the kernel refused to tell */
} AfxdpXskMapEntry;

/* Needs CAP_NET_RAW, and the right to read and write the pin. Errors:
 * AFXDP_ERROR_NOT_FOUND, _PERMISSION, _SETTINGS: it is no XSKMAP, or has no entry for
 * queue. */
gboolean afxdp_xsk_map_pin_open (
    AfxdpXskMapPin *pin, const gchar *path, guint queue, GError **error);
/* Also of one that was not opened. */
void afxdp_xsk_map_pin_close (AfxdpXskMapPin *pin);

/* Whether another map is pinned at path now. */
gboolean afxdp_xsk_map_pin_is_other (
    const AfxdpXskMapPin *pin, const gchar *path);

/* Enters xsk, a descriptor, at queue. Errors: AFXDP_ERROR_QUEUE_BUSY when there is
 * another one. */
gboolean afxdp_xsk_map_pin_enter (AfxdpXskMapPin *pin, const gchar *path,
    guint queue, int xsk, GError **error);
/* Removes xsk from there, and leaves any other. */
void afxdp_xsk_map_pin_remove (AfxdpXskMapPin *pin, guint queue, int xsk);
/* Whose the entry is; enters xsk where there is none. */
AfxdpXskMapEntry afxdp_xsk_map_pin_check (
    AfxdpXskMapPin *pin, guint queue, int xsk);

G_END_DECLS
