/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sender's clock: parses its options, and works it out into the plan.
 */
#include "rtpgen-clock.h"

#define NS G_GINT64_CONSTANT (1000000000)

/* Ticks/s of video (RFC 3551 5) and of studio audio (AES67 7.3), and the
 * packets/s that are assumed at rate 0. */
#define VIDEO_CLOCK 90000
#define AUDIO_CLOCK 48000
#define NOMINAL_RATE 1000000

/* With a denominator of 1001 their product still fits 32 bits. */
#define FASTEST_CLOCK 4000000

void
rtpgen_clock_add_options (RtpgenClock *self, GOptionContext *context)
{
#define OPTION(name, type, target, text, value)          \
  {                                                      \
    name, 0, 0, G_OPTION_ARG_##type, target, text, value \
  }
  const GOptionEntry entries[] = {
    OPTION ("fps", STRING, &self->fps_text,
        "Video: all packets of a frame have one timestamp, the last one the "
        "marker. --rate becomes that of whole packets in each frame",
        "25|29.97|30000/1001|..."),
    OPTION ("frame-pacing", STRING, &self->pacing_text,
        "A frame's packets are spread over its time (default), over 24/25 of "
        "it, or sent at once",
        "linear|gapped|burst"),
    OPTION ("audio", NONE, &self->audio,
        "Timestamps of studio audio, 48000 ticks/s unless --clock-rate says "
        "otherwise",
        NULL),
    OPTION ("constant-timestamps", NONE, &self->constant,
        "All packets have the timestamp of the first", NULL),
    OPTION ("clock-rate", INT64, &self->rate,
        "Ticks/s of the timestamps (default 90000)", "HZ"),
    OPTION ("timestamp-factor", DOUBLE, &self->factor,
        "Timestamps run so many times too fast (default 1)", "FACTOR"),
    OPTION ("first-timestamp", INT64, &self->first,
        "RTP timestamp of a flow's packet 0 (default 0)", "N"),
    OPTION ("timestamps-go-on", NONE, &self->go_on,
        "During a --pause timestamps go on, and numbers do not", NULL),
    { NULL },
  };
#undef OPTION

  g_option_context_add_main_entries (context, entries, NULL);
  self->factor = 1;
}

void
rtpgen_clock_clear (RtpgenClock *self)
{
  g_clear_pointer (&self->fps_text, g_free);
  g_clear_pointer (&self->pacing_text, g_free);
}

/* "25", "12.5", "30000/1001"; and what is written with two or three digits for
 * a thousand of 1001. */
static gboolean
parse_fps (RtpgenClock *self, GError **error)
{
  static const struct
  {
    const gchar *text;
    guint64 n;
  } broadcast[] = { { "23.976", 24000 }, { "23.98", 24000 }, { "29.97", 30000 },
    { "47.95", 48000 }, { "59.94", 60000 }, { "119.88", 120000 } };
  g_auto (GStrv) parts = NULL;
  const gchar *text = self->fps_text;
  gchar *end;
  gdouble fps;

  if (!text)
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (broadcast); i++)
    if (g_str_equal (text, broadcast[i].text)) {
      self->fps_n = broadcast[i].n;
      self->fps_d = 1001;
      return TRUE;
    }
  parts = g_strsplit (text, "/", 2);
  if (parts[0] && parts[1]) {
    if (g_ascii_string_to_unsigned (
            parts[0], 10, 1, 10000000, &self->fps_n, NULL) &&
        g_ascii_string_to_unsigned (parts[1], 10, 1, 1001, &self->fps_d, NULL))
      return TRUE;
  } else {
    fps = g_ascii_strtod (text, &end);
    if (end != text && !*end && fps >= 0.001 && fps <= 10000) {
      self->fps_n = fps * 1000 + 0.5;
      self->fps_d = 1000;
      return TRUE;
    }
  }
  return rtpgen_refuse (error,
      "Cannot read --fps %s: it wants frames/s, such as 25, 29.97 or "
      "30000/1001 (of at most 1001)",
      text);
}

static gboolean
parse_pacing (RtpgenClock *self, GError **error)
{
  static const gchar *const names[] = {
    [RTPGEN_PACING_LINEAR] = "linear",
    [RTPGEN_PACING_GAPPED] = "gapped",
    [RTPGEN_PACING_BURST] = "burst",
  };

  if (!self->pacing_text)
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (self->pacing_text, names[i])) {
      self->pacing = i;
      return TRUE;
    }
  return rtpgen_refuse (error,
      "--frame-pacing %s is unknown: there are linear, gapped and burst",
      self->pacing_text);
}

gboolean
rtpgen_clock_check (RtpgenClock *self, guint64 packet_rate, GError **error)
{
  const gchar *fault = NULL;

  if (!parse_fps (self, error) || !parse_pacing (self, error))
    return FALSE;
  if (!self->rate)
    self->rate = self->audio ? AUDIO_CLOCK : VIDEO_CLOCK;
  if (self->rate < 1 || self->rate > FASTEST_CLOCK)
    fault = "--clock-rate is out of range: it goes from 1 to 4000000";
  else if (self->first < 0 || self->first > G_MAXUINT32)
    fault = "--first-timestamp is out of range: it goes from 0 to 4294967295";
  else if (!(self->factor >= 0 && self->factor <= 1000000))
    fault = "--timestamp-factor is out of range: it goes from 0 to 1000000";
  else if (self->audio && self->fps_n)
    fault = "--audio and --fps: timestamps are either of audio or of frames";
  else if (self->fps_n && !packet_rate)
    fault = "--fps needs --rate: it says how many packets a frame has";
  else if (self->pacing_text && !self->fps_n)
    fault = "--frame-pacing needs --fps: without there are no frames";
  if (!fault)
    return TRUE;
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, fault);
  return FALSE;
}

static guint64
make_step (const RtpgenClock *self, guint64 numerator, guint64 denominator)
{
  guint64 step = (numerator << 32) / denominator;

  if (self->constant)
    return 0;
  return self->factor == 1 ? step : (guint64) (step * self->factor);
}

static void
fill_frames (const RtpgenClock *self, struct rtpgen_plan *plan)
{
  const gdouble fps = (gdouble) self->fps_n / self->fps_d;
  gdouble share = 1;

  plan->frame_packets = MAX (plan->rate / fps / plan->flows + 0.5, 1);
  plan->frame_turns = plan->frame_packets * plan->flows;
  plan->rate = MAX (plan->frame_turns * fps + 0.5, 1);
  plan->frame_ns = self->fps_d * NS / self->fps_n;
  plan->frame_rest = self->fps_d * NS % self->fps_n;
  plan->frame_unit = self->fps_n;
  plan->timestamp_step =
      make_step (self, self->rate * self->fps_d, self->fps_n);
  if (!plan->marker_every)
    plan->marker_every = plan->frame_packets;
  if (self->pacing == RTPGEN_PACING_GAPPED)
    share = 1080. / 1125;
  else if (self->pacing == RTPGEN_PACING_BURST)
    share = 0;
  /* Each frame begins on time, whatever has been rounded off here. */
  plan->burst_ns = share * plan->burst * plan->frame_ns / plan->frame_turns;
}

void
rtpgen_clock_fill_plan (const RtpgenClock *self, struct rtpgen_plan *plan)
{
  plan->first_timestamp = self->first;
  if (self->fps_n) {
    fill_frames (self, plan);
    return;
  }
  plan->frame_packets = 1;
  plan->timestamp_step = make_step (
      self, self->rate * plan->flows, plan->rate ? plan->rate : NOMINAL_RATE);
  if (plan->rate) {
    plan->burst_ns = plan->burst * NS / plan->rate;
    plan->burst_rest = plan->burst * NS % plan->rate;
  }
}

guint32
rtpgen_clock_ticks (const RtpgenClock *self, guint64 time_ns)
{
  if (self->constant)
    return 0;
  return (guint64) (time_ns / 1e9 * self->rate * self->factor + 0.5);
}
