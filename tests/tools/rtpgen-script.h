/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A script: what a flow leaves out, repeats, reorders and delays, as asked for on
 * the command line. It is compiled once into the stretches of a plan; after a run
 * the same stretches say what a flow that sent so many packets has done.
 *
 * Positions are packet indices within each flow, from 0. All flows follow the
 * same script. No state, any thread.
 */
#pragma once

#include <glib.h>

#include "rtpgen-clock.h"
#include "rtpgen-plan.h"

G_BEGIN_DECLS

typedef enum
{
  RTPGEN_EVENT_GAP,       /* amount packets from position on are not sent */
  RTPGEN_EVENT_DUPLICATE, /* amount more copies follow the packet */
  RTPGEN_EVENT_REORDER,   /* the packet leaves after packet position + amount */
  RTPGEN_EVENT_SILENCE,   /* those of amount ms are not sent, and time passes */
  RTPGEN_EVENT_PAUSE,     /* nothing is sent or counted for amount ms */
  RTPGEN_EVENT_HOLD,      /* what is due in amount ms leaves after them */
} RtpgenEventKind;

#define RTPGEN_EVENT_KINDS (RTPGEN_EVENT_HOLD + 1)

typedef struct
{
  RtpgenEventKind kind;
  guint64 position;
  guint64 amount;
} RtpgenEvent;

/* What became of the packets that a flow has sent. */
typedef struct
{
  guint64 first;   /* index of the first packet sent */
  guint64 last;    /* index of the last one, in the order of sending */
  guint64 highest; /* the highest index sent */
  guint64 missing; /* indices below the highest, above the lowest, not sent */
  guint64 duplicates; /* packets sent before */
  guint64 silent;     /* turns at which nothing was sent */
  guint64 reordered;  /* packets sent after a higher one */
} RtpgenTally;

/* Parses "POSITION" or "POSITION:AMOUNT"; the amount is 1 when left out. */
gboolean rtpgen_event_parse (RtpgenEventKind kind, const gchar *text,
    RtpgenEvent *event, GError **error);

/*
 * Fills in the plan's stretches and cycle; stretches has room for RTPGEN_STRETCHES.
 * The plan's rate and flows are known. events is an array of RtpgenEvent, and is left
 * sorted. cycle: packets after which the script starts again, 0 = it runs once. Fails
 * if two events concern the same packet, or the script is too long.
 */
gboolean rtpgen_script_compile (GArray *events, guint64 cycle,
    const RtpgenClock *clock, struct rtpgen_plan *plan,
    struct rtpgen_stretch *stretches, GError **error);

/* Fills in what a flow has done in so many turns. */
void rtpgen_script_tally (const struct rtpgen_plan *plan,
    const struct rtpgen_stretch *stretches, guint64 turns, RtpgenTally *tally);

/* How long all its pauses are in so many turns, in ns. */
guint64 rtpgen_script_pauses (const struct rtpgen_plan *plan,
    const struct rtpgen_stretch *stretches, guint64 turns);

G_END_DECLS
