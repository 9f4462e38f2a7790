/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A job: the command line worked out into what is sent, flow by flow, and what
 * was sent of it. Both methods send from it; each fills in a run.
 *
 * Single-threaded. The options must outlive it.
 */
#pragma once

#include "rtpgen-interface.h"
#include "rtpgen-packet.h"

G_BEGIN_DECLS

typedef struct
{
  const RtpgenOptions *options;
  RtpgenInterface *interface;
  struct rtpgen_plan plan;
  struct rtpgen_stretch *stretches; /* RTPGEN_STRETCHES of them */
  RtpgenRoute *routes;              /* plan.flows of them */
  struct rtpgen_flow *flows;        /* plan.flows of them; counts at the end */
  guint8 *payload;                  /* of the longest packet */
  gsize payload_size;
  gsize headers; /* room for them in front of the live frames' payload */
} RtpgenJob;

/* How a run went, besides the counts of its flows. Times are ns of
 * CLOCK_MONOTONIC. */
typedef struct
{
  guint64 start_ns;    /* when packet 0 was due */
  guint64 last_ns;     /* when the last turn was */
  guint64 late_max_ns; /* the longest that a packet was sent after it was due */
  guint64 failed;      /* packets that could not be made: a bug of rtpgen */
  guint64 calls;       /* system calls it took */
} RtpgenRun;

RtpgenJob *rtpgen_job_new (const RtpgenOptions *options, GError **error);
void rtpgen_job_free (RtpgenJob *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RtpgenJob, rtpgen_job_free)

/* Of all flows: packets, and turns, which packets left out at their time are,
 * too. */
guint64 rtpgen_job_count_packets (const RtpgenJob *self);
guint64 rtpgen_job_count_turns (const RtpgenJob *self);

G_END_DECLS
