/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the frames of an interface are divided among its streams, so that none can
 * starve another even when it takes nothing out of its rings and gives nothing
 * back; and every other part of frames and of credit that decides something.
 * Arithmetic only: any thread.
 *
 * All frames = the NIC's own + slack of each queue in use + a reserve + for each
 * stream: what its reader has in its hands + its credit on each ring + its share
 * downstream. The reserve is what a stream that registers gets while the others keep
 * what was theirs before.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How many frames an interface has. */

/* Where nobody asks for another number: 84 ms of 390,000 packets/s, half in the ring
 * and half downstream, in 64 MiB. */
#define AFXDP_DEFAULT_FRAMES 32768
/* And for longer rings: what fills a ring may also be downstream. */
#define AFXDP_FRAMES_FOR_EACH_RING_PLACE 2
/* With fewer not even one step of a refill could be taken. */
#define AFXDP_FEWEST_FRAMES 64

/* Parts of all frames, or of one stream's part of them: one of so many. */

/* Promised to nobody: whatever the streams hold, another one that registers begins
 * with frames of its own. */
#define AFXDP_RESERVED_PART 8
/* The most that the reserve takes of one stream's part: of few frames an eighth of
 * all would leave nothing to lend. */
#define AFXDP_RESERVED_OF_STREAM_PART 4
/* The most that a reader has in its hands, so that as much is left for its ring and
 * as much for what it has lent, when batches are long and frames are few. */
#define AFXDP_IN_HANDS_PART 3
/* A stream's credit, of what it does not have in its hands: a late reader and a late
 * pipeline are bridged for as long as each other. */
#define AFXDP_CREDIT_PART 2
/* The most slack of one queue: of few frames it must not take the streams'. */
#define AFXDP_SLACK_PART 8
/* What a queue gets when it opens, before anybody has divided the frames: streams
 * on as many queues can begin at the same time. */
#define AFXDP_FIRST_FILL_PART 4
/* The most that one queue takes of the free frames at once: the next queue finds
 * some as well, however many there are. */
#define AFXDP_FREE_PART 2
/* The most of all frames that may be in a NIC's ring for one queue. */
#define AFXDP_NIC_RING_PART 4
/* The most that all the NIC's rings take, of a queue or of the interface: the rest
 * is for what can be redirected. */
#define AFXDP_NIC_PART 2

/* Parts of a ring's credit. */

/* A path that the program closed opens again when so much of the credit is free:
 * with less it would close before it is worth the change, and with more packets go
 * through the socket that the ring has room for. Also, a ring that is used so far
 * does not wait any more for the order of two paths. */
#define AFXDP_REOPEN_PART 2
/* A reader that sleeps to gather a batch sleeps no longer than so much of the room
 * takes to fill up at the present rate: the rate may rise to four times that. */
#define AFXDP_SLEEP_PART 4

/* Refills. */

/* Frames that came out of a queue are replaced in steps of so many: one lock of the
 * free list and one store for the kernel serve them all. */
#define AFXDP_REFILL_STEP 64
/* Or of one of so many parts of what the queue should have, when that is less: a
 * short fill ring must not run dry between two steps. */
#define AFXDP_REFILL_PART 4

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

/* Frames of an interface: as many as are asked for, or 0 for an automatic number
 * where the first stream's rings have ring_size places. */
guint afxdp_budget_frames (guint asked_for, guint ring_size);

/* Frames that a fill ring holds beyond the credits of its rings: it is topped up
 * in steps, and must not run dry before a credit does. */
guint afxdp_budget_slack (guint n_frames);

/* The budget of a stream that has claim, when each of n_streams on n_queues gets
 * the same part of n_frames. */
AfxdpBudget afxdp_budget (
    const AfxdpClaim *claim, guint n_frames, guint n_streams, guint n_queues);

/* Of nic_frames that the NIC would have, as many as it gets of n_frames. */
static inline guint
afxdp_budget_of_nic (guint nic_frames, guint n_frames)
{
  return MIN (nic_frames, n_frames / AFXDP_NIC_PART);
}

/* Fewer missing frames than this are not worth a refill of a queue that should have
 * n_frames. */
static inline guint
afxdp_budget_refill_step (guint n_frames)
{
  return MAX (1, MIN (AFXDP_REFILL_STEP, n_frames / AFXDP_REFILL_PART));
}

/* Whether so little of a ring's credit is free that a closed path stays closed. */
static inline gboolean
afxdp_budget_is_used_up (guint credit, guint64 outstanding)
{
  return outstanding > credit / AFXDP_REOPEN_PART;
}

/* And so few frames of its queue: half of a step, or a small credit's half, would
 * be gone before the next refill. */
static inline gboolean
afxdp_budget_is_dry (guint credit, gint64 frames_left)
{
  return frames_left <= MIN (credit, AFXDP_REFILL_STEP) / AFXDP_REOPEN_PART;
}

G_END_DECLS
