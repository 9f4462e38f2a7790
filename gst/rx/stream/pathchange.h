/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The path that a stream uses, and why: what is told of a change. For one thread.
 */
#pragma once

#include "input.h"
#include "subscription.h"

G_BEGIN_DECLS

/* Whose program and sockets these are: this process's. */
#define AFXDP_OWN_PROVIDER "own"

typedef struct
{
  AfxdpPath path;
  const gchar
      *provider; /* whose fast path it is; a constant, or NULL: our own */
  AfxdpXdpMode xdp_mode;
  gboolean zero_copy;
  guint n_queues;
  guint queues[AFXDP_STREAM_QUEUES];
  gchar *reason; /* a sentence that a user can act on */
  GError *error; /* why the fast path is not open; NULL when nothing is wrong */
} AfxdpPathChange;

/* Makes change say that path is in use, for the reason that format makes; fast is
 * what the fast path is like. Returns FALSE when change said so already. */
gboolean afxdp_path_change_set (AfxdpPathChange *change, AfxdpPath path,
    const AfxdpFastPath *fast, const GError *error, const gchar *format, ...)
    G_GNUC_PRINTF (5, 6);
void afxdp_path_change_copy (AfxdpPathChange *to, const AfxdpPathChange *from);
void afxdp_path_change_clear (AfxdpPathChange *change);

G_END_DECLS
