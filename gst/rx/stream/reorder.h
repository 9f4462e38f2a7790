/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RTP packets in the order of their numbers, and each once, of one leg or of both. Pure:
 * it knows numbers and times of arrival, and of what is handed in no more than its size.
 *
 *   if (afxdp_reorder_look (reorder, leg, rtp, arrival) == AFXDP_REORDER_WANTED)
 *     afxdp_reorder_put (reorder, &entry);    which calls out() for what goes out
 *   afxdp_reorder_advance (reorder, leg, until);    all that arrived by it was put
 *
 * The next number goes out at once. What is behind a gap waits until the missing ones
 * have come, and at most for the window from its arrival on; less when more bytes wait
 * than may, or more numbers than can be told apart, or when the other leg, which could
 * bring them, is silent. What comes after its turn is late. All of that is for each SSRC
 * by itself. What is not RTP goes out at once, and so does what is of more SSRCs than
 * are told apart.
 *
 * A number far from the others is held back, for no longer than the window, until the
 * next one follows it: then the sender has gone on there, or restarted, for which
 * nothing waits. Otherwise it was a stray, and counts as late. Numbers that have come
 * are known by their timestamps: with other ones they are far, too.
 *
 * Two legs bring the same numbers with the same timestamps, but not by the same SSRC
 * necessarily: then the second one's packets get the stream's. Each leg's numbers are
 * extended by themselves, so that it may be behind by any number of packets that is
 * remembered; where a leg begins, or begins again, timestamps tell how far it is. The
 * first leg is the authority: what the second one brings and does not fit is unmatched,
 * until it fits, or the first one is silent.
 *
 * For one thread. Times are ns of any monotonic clock, of which arrivals may go back
 * a little.
 */
#pragma once

#include <glib.h>

#include "legs.h"
#include "rtp.h"

G_BEGIN_DECLS

/* SSRCs of a leg that are told apart; one that is silent for longest makes room for another, but
 * not before so many ns. */
#define AFXDP_REORDER_SOURCES 8
#define AFXDP_REORDER_SILENT G_GUINT64_CONSTANT (1000000000)
/* From the next number to the highest that waits, of the same SSRC: with one leg, or
 * with timestamps that stand still; and with two. */
#define AFXDP_REORDER_MOST 32767
#define AFXDP_REORDER_MOST_OF_TWO 262143
/* Further ahead than this is far; and so is what is further behind than that is
 * remembered, unless timestamps say that it is late, or than the first number of all. */
#define AFXDP_REORDER_JUMP 2999
#define AFXDP_REORDER_PAST 16384
#define AFXDP_REORDER_PAST_OF_TWO 262144
#define AFXDP_REORDER_EARLY 100
/* Of a sender whose timestamps stand still, numbers that came before this many ns of
 * silence are far. */
#define AFXDP_REORDER_SILENCE G_GUINT64_CONSTANT (100000000)

typedef struct
{
  gpointer item; /* the owner's; NULL: its number has come, and that is all */
  guint64 arrival;
  guint size; /* bytes */
  guint8 leg; /* that it came by */
  guint8 tag; /* the owner's */
} AfxdpReorderEntry;

typedef enum
{
  AFXDP_REORDER_WANTED,    /* to be put next */
  AFXDP_REORDER_LATE,      /* its turn is over, and went without it */
  AFXDP_REORDER_REPEATED,  /* its number has come */
  AFXDP_REORDER_UNMATCHED, /* of the second leg, and not the stream's */
} AfxdpReorderVerdict;

typedef struct
{
  /* Its turn has come. Neither may call into the stage. */
  void (*out) (const AfxdpReorderEntry *entry, gpointer user_data);
  /* It was held back, and is a stray. */
  void (*late) (const AfxdpReorderEntry *entry, gpointer user_data);
} AfxdpReorderFuncs;

typedef struct _AfxdpReorder AfxdpReorder;

/* n_legs: 1 or 2. window in ns, max_bytes of all that wait. funcs must outlive it. */
AfxdpReorder *afxdp_reorder_new (guint n_legs, guint64 window,
    guint64 max_bytes, const AfxdpReorderFuncs *funcs, gpointer user_data);
/* Nothing may wait: see end(). */
void afxdp_reorder_free (AfxdpReorder *reorder);

/* The second leg is another one from now on, or there is none any more (1). Of one that
 * began with two. */
void afxdp_reorder_set_legs (AfxdpReorder *reorder, guint n_legs, guint64 now);

/* What becomes of the packet that has arrived. One that is not wanted is only
 * counted by the caller. */
AfxdpReorderVerdict afxdp_reorder_look (
    AfxdpReorder *reorder, guint leg, const AfxdpRtp *rtp, guint64 arrival);
/* Whether the packet that was looked at last, of the stream, is to have another SSRC. */
gboolean afxdp_reorder_has_other_ssrc (
    const AfxdpReorder *reorder, guint32 *ssrc);
/* Takes the packet that was looked at last, and is wanted. */
void afxdp_reorder_put (AfxdpReorder *reorder, const AfxdpReorderEntry *entry);
/* Whether the packet that was looked at last, and is late, is one of those that were
 * waited for: it is not of before the first one. behind: by so many numbers its turn is
 * over. */
gboolean afxdp_reorder_was_wanted (
    const AfxdpReorder *reorder, guint64 *behind);
/* Of the packet that was looked at last, and is repeated, when the first one came.
 * FALSE: by the same leg. */
gboolean afxdp_reorder_first_copy (
    const AfxdpReorder *reorder, guint64 *arrival);
/* All that arrived by leg until now has been put. */
void afxdp_reorder_advance (AfxdpReorder *reorder, guint leg, guint64 now);
/* What the legs are to each other; and until when all that arrived by leg is known. */
const AfxdpLegs *afxdp_reorder_legs (const AfxdpReorder *reorder);
guint64 afxdp_reorder_known (const AfxdpReorder *reorder, guint leg);
/* When something goes out although nothing comes: advance() then. G_MAXUINT64:
 * nothing waits. */
guint64 afxdp_reorder_due (const AfxdpReorder *reorder);
/* All that waits goes out, in order, and strays are late. What went stays known: copies
 * of it may still come. */
void afxdp_reorder_flush (AfxdpReorder *reorder);
/* The same, and nothing comes any more: numbers begin anew. */
void afxdp_reorder_end (AfxdpReorder *reorder);

guint afxdp_reorder_n_waiting (const AfxdpReorder *reorder);
/* How often a gap was not waited for as long as the window, for lack of room. */
guint64 afxdp_reorder_n_cut_short (const AfxdpReorder *reorder);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpReorder, afxdp_reorder_free)

G_END_DECLS
