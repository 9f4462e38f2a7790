/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The XDP program of one interface: attaches it, owns its maps. xdpload.h loads it.
 *
 * Attached by a bpf_link, which the kernel takes down when the process dies,
 * however it dies. A foreign program on the interface is left alone.
 *
 * Everything but the words of a slot is for the control thread: link and map
 * calls may wait for RTNL.
 */
#pragma once

#include <gio/gio.h>

#include "afxdp.h"
#include "netdev.h"
#include "sources.h"

G_BEGIN_DECLS

typedef enum
{
  AFXDP_XDP_MODE_AUTO,
  AFXDP_XDP_MODE_NATIVE,
  AFXDP_XDP_MODE_GENERIC,
} AfxdpXdpMode;

typedef struct _AfxdpXdpProg AfxdpXdpProg;

/* Loads the program for an interface of n_queues RX queues, whose frames have
 * room for packets of longest bytes. Needs CAP_BPF and CAP_NET_ADMIN.
 * Errors: AFXDP_ERROR_PERMISSION, _UNSUPPORTED, _MEMORY, _FAILED. */
AfxdpXdpProg *afxdp_xdpprog_new (guint n_queues, guint longest, GError **error);
void afxdp_xdpprog_free (AfxdpXdpProg *prog);

/* Whether no other program is attached; it may be a moment later. Error:
 * AFXDP_ERROR_FOREIGN, as of attach(). */
gboolean afxdp_xdpprog_check_free (
    int ifindex, const gchar *interface, GError **error);
/* Attaches the program to the interface, which interface names in errors.
 * Needs no capability: may be called again after the link was taken away.
 * Errors: AFXDP_ERROR_FOREIGN names the program that is there, _UNSUPPORTED,
 * _NOT_FOUND. */
gboolean afxdp_xdpprog_attach (AfxdpXdpProg *prog, const AfxdpNetdev *netdev,
    AfxdpXdpMode mode, GError **error);
void afxdp_xdpprog_detach (AfxdpXdpProg *prog);
/* Asks the kernel. FALSE when somebody detached it, or the interface is gone. */
gboolean afxdp_xdpprog_is_attached (const AfxdpXdpProg *prog);
/* NATIVE or GENERIC, while it is attached. */
AfxdpXdpMode afxdp_xdpprog_mode (const AfxdpXdpProg *prog);

/* Whether redirected packets carry struct afxdp_metadata. */
gboolean afxdp_xdpprog_has_metadata (const AfxdpXdpProg *prog);
/* Goes over to the program without metadata, for a driver without room. */
gboolean afxdp_xdpprog_drop_metadata (AfxdpXdpProg *prog, GError **error);

/* The interface's own MAC address: packets to other hosts are passed. */
void afxdp_xdpprog_set_mac (AfxdpXdpProg *prog, const guint8 mac[6]);

void afxdp_xdpprog_flow_key (
    struct afxdp_flow_key *key, GInetAddress *address, guint16 port);
/* Packets of the flow are slot's when they are from sources, whose addresses
 * must be there: add_sources() before, remove_sources() a grace period after the
 * flow. */
gboolean afxdp_xdpprog_set_flow (AfxdpXdpProg *prog,
    const struct afxdp_flow_key *key, guint slot, const AfxdpSources *sources,
    GError **error);
void afxdp_xdpprog_remove_flow (
    AfxdpXdpProg *prog, const struct afxdp_flow_key *key);
/* All of them, or none and an error: there is room for AFXDP_SOURCES. */
gboolean afxdp_xdpprog_add_sources (AfxdpXdpProg *prog, guint slot,
    const AfxdpSources *sources, GError **error);
void afxdp_xdpprog_remove_sources (
    AfxdpXdpProg *prog, guint slot, const AfxdpSources *sources);
/* fd is an AF_XDP socket, bound to queue. */
gboolean afxdp_xdpprog_set_socket (
    AfxdpXdpProg *prog, guint slot, guint queue, int fd, GError **error);
void afxdp_xdpprog_remove_socket (AfxdpXdpProg *prog, guint slot, guint queue);

/* Before a slot is used: its words are made, with those of others. Needs CAP_BPF, but
 * for the first AFXDP_SLOTS_OF_PART, and waits for a grace period then. */
gboolean afxdp_xdpprog_make_room (
    AfxdpXdpProg *prog, guint slot, GError **error);
/* The words of (slot, queue): shared with the program, valid as long as prog.
 * Any thread, without system calls. */
struct afxdp_slot *afxdp_xdpprog_slot (
    const AfxdpXdpProg *prog, guint slot, guint queue);
/* Likewise, those of a queue. */
struct afxdp_queue *afxdp_xdpprog_queue (const AfxdpXdpProg *prog, guint queue);

G_END_DECLS
