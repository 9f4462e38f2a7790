/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's heartbeat: memory that all clients read, in which a thread of its own
 * writes the time, each 10 ms. It has no other work, so that it stands still only when
 * the process does.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _AfxdpBeat AfxdpBeat;

/* Begins. Errors: AFXDP_ERROR_MEMORY, _FAILED (no more threads). */
AfxdpBeat *afxdp_beat_new (GError **error);
void afxdp_beat_free (AfxdpBeat *beat);

/* Of the memory, which cannot be written by anybody else; to be sent to clients. */
int afxdp_beat_memory (const AfxdpBeat *beat);

G_END_DECLS
