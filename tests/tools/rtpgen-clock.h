/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sender's clock: how RTP timestamps go from packet to packet, and when the
 * packets of a video frame leave. Knows nothing of what is in the packets.
 *
 * Add its options to the command line's, parse that, then check; then it is
 * read-only.
 */
#pragma once

#include <glib.h>

#include "rtpgen-plan.h"

G_BEGIN_DECLS

/* What is wrong with the options, in words. FALSE. */
#define rtpgen_refuse(error, ...)                                              \
  (g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, __VA_ARGS__), \
      FALSE)

/* How the packets of a frame are spread over its time. */
typedef enum
{
  RTPGEN_PACING_LINEAR,
  RTPGEN_PACING_GAPPED, /* over 1080 of 1125 lines: ST 2110-21, type N */
  RTPGEN_PACING_BURST,  /* at once */
} RtpgenPacing;

typedef struct
{
  gchar *fps_text;
  gchar *pacing_text;
  gboolean audio;
  gboolean constant;
  gboolean go_on; /* timestamps go on during a pause */
  gint64 rate;    /* ticks/s */
  gint64 first;   /* timestamp of packet 0 */
  gdouble factor; /* how many times too fast they are */

  /* Filled in by rtpgen_clock_check(): frames are fps_n / fps_d a second, none
   * where fps_n is 0. */
  guint64 fps_n, fps_d;
  RtpgenPacing pacing;
} RtpgenClock;

/* The context must not outlive the clock, which must be all zero. */
void rtpgen_clock_add_options (RtpgenClock *self, GOptionContext *context);
void rtpgen_clock_clear (RtpgenClock *self);

/* packet_rate: of all flows; 0 = as fast as possible. */
gboolean rtpgen_clock_check (
    RtpgenClock *self, guint64 packet_rate, GError **error);

/* Fills in what the plan says of timestamps and frames, from its rate, which
 * becomes one of whole packets in each frame, its burst and its flows. */
void rtpgen_clock_fill_plan (const RtpgenClock *self, struct rtpgen_plan *plan);

/* The ticks of so long a time. */
guint32 rtpgen_clock_ticks (const RtpgenClock *self, guint64 time_ns);

G_END_DECLS
