/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The report of a run, for people and for programs, and the verdict.
 *
 * No state, any thread.
 */
#pragma once

#include "rtpgen-delivery.h"
#include "rtpgen-job.h"

G_BEGIN_DECLS

/* Also the exit status. */
typedef enum
{
  RTPGEN_VERDICT_OK = 0,
  RTPGEN_VERDICT_DROPPED = 1,
  RTPGEN_VERDICT_ERROR = 2, /* of usage or set-up; there is no report then */
  RTPGEN_VERDICT_SLOW = 3,
} RtpgenVerdict;

RtpgenVerdict rtpgen_report_judge (
    const RtpgenJob *job, const RtpgenRun *run, const RtpgenDelivery *delivery);

/* What is wrong, in sentences that end with a line break; "" if nothing is. */
gchar *rtpgen_report_complain (
    const RtpgenJob *job, const RtpgenRun *run, const RtpgenDelivery *delivery);

gchar *rtpgen_report_to_text (
    const RtpgenJob *job, const RtpgenRun *run, const RtpgenDelivery *delivery);

/* One JSON object, on lines of its own. */
gchar *rtpgen_report_to_json (
    const RtpgenJob *job, const RtpgenRun *run, const RtpgenDelivery *delivery);

G_END_DECLS
