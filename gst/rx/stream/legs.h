/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What two legs of a stream are to each other (ST 2022-7): whether a leg delivers, how
 * far it is behind, and whether it is the same stream at all. Pure: it is told of
 * packets and times, and tells states. For one thread; times are ns of CLOCK_MONOTONIC.
 *
 * A leg is silent when the other one has delivered for AFXDP_LEG_SILENCE, or for
 * AFXDP_LEG_INTERVALS of the mean intervals of its packets, whichever is longer, and it
 * has not (at first for the window, if that is longer: so much it may be behind). That
 * time begins with the first packet that it misses, since a sender that pauses is no
 * fault of the network. Where neither delivers it is silent after AFXDP_LEG_PAUSE.
 *
 * It is late when for AFXDP_LEG_SILENCE all of its packets that the other one brought,
 * too, came later than the window.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The networks that a stream may come by. */
#define AFXDP_LEGS 2

#define AFXDP_LEG_SILENCE G_GUINT64_CONSTANT (100000000)
#define AFXDP_LEG_INTERVALS 20
#define AFXDP_LEG_PAUSE G_GUINT64_CONSTANT (1000000000)
/* A leg of which nothing matches for so long is another stream. */
#define AFXDP_LEG_STRANGE G_GUINT64_CONSTANT (500000000)
/* So many packets at least have to say that it is late, or another stream. */
#define AFXDP_LEG_PROOF 20

typedef enum
{
  AFXDP_LEG_ACTIVE,
  AFXDP_LEG_SILENT,
  AFXDP_LEG_LATE,
  AFXDP_LEG_OTHER_STREAM,
} AfxdpLegState;

/* Packets in a row of which the same holds. */
typedef struct
{
  guint n;
  guint64 since; /* arrival of the first */
} AfxdpLegStreak;

typedef struct
{
  guint64 last;         /* the latest arrival; 0: none */
  guint64 missed_since; /* the first of the other leg behind that; 0: none */
  guint64 total;
  guint64 total_of_other; /* by then */

  /* How often they come. */
  guint64 begin; /* of what is counted */
  guint n;
  guint64 interval; /* mean, of the last time; 0: not known yet */

  AfxdpLegStreak beyond, within; /* the window */
  gboolean late;
  guint64 skew; /* of the last packet that both brought, and it later */
  AfxdpLegStreak unmatched;
} AfxdpLeg;

/* All zeros, but for the window, is one of which nothing is known. */
typedef struct
{
  guint64 window;
  guint64 begin; /* the first arrival by any leg; 0: none */
  AfxdpLeg legs[AFXDP_LEGS];
} AfxdpLegs;

/* Forgets what is known of leg: it is another one from here on, since now. */
void afxdp_legs_forget (AfxdpLegs *legs, guint leg, guint64 now);

/* A packet has arrived by leg. */
void afxdp_legs_note_arrival (AfxdpLegs *legs, guint leg, guint64 arrival);
/* It is part of the stream; or not. */
void afxdp_legs_note_matched (AfxdpLegs *legs, guint leg, gboolean matched);
/* It came by so much later than by the other leg. */
void afxdp_legs_note_skew (AfxdpLegs *legs, guint leg, guint64 skew);

/* Whether leg was silent when a packet arrived by the other one: a gap needs not be
 * waited for. */
gboolean afxdp_legs_is_silent (
    const AfxdpLegs *legs, guint leg, guint64 arrival);
/* Whether leg was in the middle of delivering then. */
gboolean afxdp_legs_is_present (
    const AfxdpLegs *legs, guint leg, guint64 arrival);

/* The state of leg, of which all is known that arrived until known; since: when that
 * began. */
AfxdpLegState afxdp_legs_state (
    const AfxdpLegs *legs, guint leg, guint64 known, guint64 *since);
/* When one of them may be silent, if nothing comes: look then. G_MAXUINT64: both are. */
guint64 afxdp_legs_due (const AfxdpLegs *legs, guint64 now);

G_END_DECLS
