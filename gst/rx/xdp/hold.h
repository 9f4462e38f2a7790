/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Holds a network interface: its program is attached although no stream is registered
 * there, so that neither the first stream resets the NIC nor anybody else can attach a
 * program between two streams. An interface that is not there is waited for, also one
 * that was removed. What fails is tried again as for streams (attachment.h).
 *
 * A thread of its own waits for the interface, in the network namespace of who makes the
 * hold; all else is done by the interface's control thread.
 */
#pragma once

#include "netdev.h"
#include "xdpprog.h"
#include "xskpool.h"

G_BEGIN_DECLS

/* Those of the streams, which are refused when they demand others: see
 * AfxdpRegistrationSettings. */
typedef struct
{
  gboolean attaches; /* else the interface is only followed */
  AfxdpXdpMode xdp_mode;
  AfxdpZeroCopy zero_copy;
  guint umem_frames; /* 0: automatic */
  guint ring_size;
} AfxdpHoldSettings;

typedef struct
{
  gboolean there;     /* the interface is */
  AfxdpNetdev netdev; /* as it is, or was last; index 0: never seen */
  gboolean attached;
  AfxdpXdpMode xdp_mode; /* while attached */
  guint64 since;         /* it is attached, or is not; ns of CLOCK_MONOTONIC */
  /* Why the program is not attached; NULL: it is, or is about to be, or is not to be. */
  gchar *reason;
} AfxdpHoldState;

typedef struct _AfxdpHold AfxdpHold;

/* Tells that the state is another one: from the control thread or the hold's own, or
 * before new() returns. It must not wait, nor call what is below. */
typedef void (*AfxdpHoldNews) (gpointer user_data, const AfxdpHoldState *state);

/* Returns before the program is attached, and with the state of an interface that is
 * there. Errors: for want of descriptors or threads. */
AfxdpHold *afxdp_hold_new (const gchar *interface,
    const AfxdpHoldSettings *settings, AfxdpHoldNews news, gpointer user_data,
    GError **error);
/* Without streams that registered since, the program is detached when this returns. */
void afxdp_hold_free (AfxdpHold *hold);

/* Any thread, and does not wait for the kernel. clear() what it fills in. */
void afxdp_hold_state (AfxdpHold *hold, AfxdpHoldState *state);
void afxdp_hold_state_clear (AfxdpHoldState *state);

G_END_DECLS
