/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How many packets a sender sent while none came. The 16 bits of the sequence number
 * tell it but for a multiple of 65,536; the sender's pace, the time and the RTP
 * timestamps tell the rest. Pure.
 */
#pragma once

#include "pace.h"

G_BEGIN_DECLS

/* What a silence was, by the packet that ended it. */
typedef struct
{
  guint64 ahead; /* by how much its number is higher than the latest before */
  guint64 possible;   /* the most that the pace allows, 0: not known */
  gboolean uncertain; /* ahead may be wrong by a multiple of 65,536 */
} AfxdpOutage;

/* By how much the number of a packet that arrives at arrival can be higher than that
 * of latest, at most; 0: not known. */
guint64 afxdp_outage_possible (
    const AfxdpPace *pace, const AfxdpPacePoint *latest, guint64 arrival);

/* Whether a packet whose number is higher than that of latest by ahead can arrive at
 * arrival, where there was no silence. clock_rate: units of timestamp in a second, 0:
 * not known. */
gboolean afxdp_outage_allows (const AfxdpPace *pace,
    const AfxdpPacePoint *latest, guint ahead, guint32 timestamp,
    guint64 arrival, guint clock_rate);

/* Judges a silence that began after latest, and ended with a packet whose number is
 * ahead of that, in 16 bits. Returns FALSE if that packet cannot continue the same
 * run of numbers, since its number or its timestamp is further ahead than time
 * allows. */
gboolean afxdp_outage_judge (const AfxdpPace *pace,
    const AfxdpPacePoint *latest, guint ahead, guint32 timestamp,
    guint64 arrival, guint clock_rate, AfxdpOutage *outage);

G_END_DECLS
