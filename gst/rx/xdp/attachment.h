/* SPDX-FileCopyrightText: The afxdpsrc authors */
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
/* So that streams read why the program changes, and close their paths, before it does;
 * in ns. */
#define AFXDP_TIME_TO_TELL (50 * AFXDP_MS)

typedef struct
{
  const AfxdpNetdev *netdev;    /* the interface's, which follows it */
  AfxdpEngineSettings settings; /* the first stream's, or the holder's, */
  gboolean has_settings;        /* if there has been one */
  AfxdpEngine *engine;          /* made once, kept until the end; atomic */
  gboolean attached;
  gboolean swapping; /* paths are being closed: the program will change */
  GError *error;     /* why it is not attached */
  guint64 retry_at;  /* while it is not attached */
  guint64 check_at;  /* while it is */
  guint64 attached_at, backoff;
} AfxdpAttachment;

/* netdev must outlive it. */
void afxdp_attachment_init (
    AfxdpAttachment *attachment, const AfxdpNetdev *netdev);
/* Detaches, and frees the engine. */
void afxdp_attachment_clear (AfxdpAttachment *attachment);

/* The engine, or NULL before the first success. Any thread. */
AfxdpEngine *afxdp_attachment_engine (AfxdpAttachment *attachment);

/* Attaches now. There must be settings. */
void afxdp_attachment_try (AfxdpAttachment *attachment, guint64 now);
/* Does what is due. recheck: a stream thinks that the program does not run.
 * Returns whether anything changed. */
gboolean afxdp_attachment_work (
    AfxdpAttachment *attachment, gboolean recheck, guint64 now);
/* When something will be due. */
guint64 afxdp_attachment_next_time (const AfxdpAttachment *attachment);

/* The interface came up: what failed may work. */
void afxdp_attachment_interface_up (AfxdpAttachment *attachment);
/* Detaches the program, for good. Takes error, which says why: it must be one that
 * may not heal. */
void afxdp_attachment_give_up (AfxdpAttachment *attachment, GError *error);
/* Detaches it and attaches it again at the next work(). Takes error. */
void afxdp_attachment_renew (
    AfxdpAttachment *attachment, GError *error, guint64 now);
/* It was removed, or moved to another network namespace, program and all, where
 * the program would redirect into sockets that cannot receive. */
void afxdp_attachment_interface_gone (AfxdpAttachment *attachment);

/* Whether what error names can end without anybody starting anew. */
gboolean afxdp_attachment_may_heal (const GError *error);

G_END_DECLS
