/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keeps the XDP program attached to an interface: makes the engine, attaches,
 * looks whether it still is, and tries again with growing patience when what
 * went wrong may heal.
 *
 * For the control thread, but afxdp_attachment_engine(). Times are in ns of
 * CLOCK_MONOTONIC.
 */
#pragma once

#include "engine.h"

G_BEGIN_DECLS

#define AFXDP_NEVER G_MAXUINT64

typedef struct
{
  AfxdpEngine *engine; /* made once, kept until the end; atomic */
  gboolean attached;
  gboolean swapping; /* doors are being closed: the program will change */
  GError *error;     /* why it is not attached */
  guint64 retry_at;  /* while it is not attached */
  guint64 check_at;  /* while it is */
  guint64 attached_at, backoff;
} AfxdpAttachment;

void afxdp_attachment_init (AfxdpAttachment *attachment);
/* Detaches, and frees the engine. */
void afxdp_attachment_clear (AfxdpAttachment *attachment);

/* The engine, or NULL before the first success. Any thread. */
AfxdpEngine *afxdp_attachment_engine (AfxdpAttachment *attachment);

/* Attaches now. settings are for the engine, where there is none. */
void afxdp_attachment_try (AfxdpAttachment *attachment,
    const AfxdpNetdev *netdev, const AfxdpEngineSettings *settings,
    guint64 now);
/* Does what is due. doubt: somebody thinks that the program does not run.
 * Returns whether anything changed. */
gboolean afxdp_attachment_work (AfxdpAttachment *attachment,
    const AfxdpNetdev *netdev, const AfxdpEngineSettings *settings,
    gboolean doubt, guint64 now);
/* When something will be due. */
guint64 afxdp_attachment_next_time (const AfxdpAttachment *attachment);

/* The interface came up: what failed may work. */
void afxdp_attachment_interface_up (AfxdpAttachment *attachment);
/* It was removed, or moved to another network namespace, program and all, where
 * the program would redirect into sockets that cannot receive. */
void afxdp_attachment_interface_gone (
    AfxdpAttachment *attachment, const AfxdpNetdev *netdev);

/* Whether what error names can end without anybody starting anew. */
gboolean afxdp_attachment_may_heal (const GError *error);

G_END_DECLS
