/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the frames of an interface are divided among its streams, so that none can
 * starve another even when it takes nothing out of its rings and gives nothing
 * back. Arithmetic only: any thread.
 *
 * All frames = slack of each queue in use + a reserve + for each stream: what its
 * reader has in its hands + its credit on each ring + its share downstream. The
 * reserve is what a stream that joins gets while the others keep what was theirs
 * before.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a stream has that needs frames. */
typedef struct
{
  guint n_rings;
  guint ring_size; /* packets */
  guint batch;     /* packets that are read at once from each ring */
} AfxdpClaim;

typedef struct
{
  guint credit; /* packets between the program and the reader, on each ring */
  guint share;  /* frames downstream */
} AfxdpBudget;

/* Frames that a fill ring holds beyond the credits of its rings: it is topped up
 * in steps, and must not run dry before a credit does. */
guint afxdp_budget_slack (guint n_frames);

/* The budget of a stream that has claim, when each of n_streams on n_queues gets
 * the same part of n_frames. */
AfxdpBudget afxdp_budget (
    const AfxdpClaim *claim, guint n_frames, guint n_streams, guint n_queues);

G_END_DECLS
