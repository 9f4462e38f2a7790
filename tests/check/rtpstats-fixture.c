/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fixture of the tests of the sequence statistics.
 */
#include "rtpstats-fixture.h"

#include <gst/check/gstcheck.h>

AfxdpRtpStats *stats;

void
rtp_set_up (void)
{
  stats = afxdp_rtp_stats_new ();
}

void
rtp_tear_down (void)
{
  g_clear_pointer (&stats, afxdp_rtp_stats_free);
}

void
packet_full (guint32 ssrc, guint8 payload_type, guint16 seqnum,
    guint32 timestamp, guint64 arrival)
{
  AfxdpRtp rtp = {
    .kind = AFXDP_RTP_DATA,
    .ssrc = ssrc,
    .timestamp = timestamp,
    .seqnum = seqnum,
    .payload_type = payload_type,
    .payload_size = RTP_OCTETS,
  };

  afxdp_rtp_stats_packet (stats, &rtp, arrival);
}

void
packet_at (guint64 number, guint64 arrival)
{
  packet_full (RTP_SSRC, 96, number, number * RTP_STEP, arrival);
}

void
packet (guint64 number)
{
  packet_at (number, 0);
}

void
packets (guint64 first, guint64 last)
{
  for (guint64 number = first; number <= last; number++)
    packet (number);
}

void
numbers (const gchar *text)
{
  for (gchar *at = (gchar *) text; *at;) {
    guint64 first = g_ascii_strtoull (at, &at, 10);

    packets (first, *at == '-' ? g_ascii_strtoull (at + 1, &at, 10) : first);
    fail_unless (!*at || *at++ == ' ', "numbers: %s", text);
  }
}

AfxdpRtpSource
nth_source (guint number)
{
  AfxdpRtpSource source;

  fail_unless (number < afxdp_rtp_stats_n_sources (stats));
  afxdp_rtp_stats_source (stats, number, &source);
  return source;
}

/* One row for each counter. */
#define COUNTER(registration)                                    \
  {                                                              \
#registration, G_STRUCT_OFFSET(AfxdpRtpCounts, registration) \
  }

static const struct
{
  const gchar *name;
  gsize offset;
} counters[] = {
  COUNTER (packets),
  COUNTER (octets),
  COUNTER (gaps),
  COUNTER (lost),
  COUNTER (pending),
  COUNTER (reordered),
  COUNTER (duplicates),
  COUNTER (restarts),
  COUNTER (strays),
  COUNTER (unvalidated),
};

G_STATIC_ASSERT (
    G_N_ELEMENTS (counters) * sizeof (guint64) == sizeof (AfxdpRtpCounts));

static void
compare (guint line, const gchar *what, const AfxdpRtpCounts *counts,
    AfxdpRtpCounts *expected)
{
  expected->octets = expected->packets * RTP_OCTETS;
  for (guint i = 0; i < G_N_ELEMENTS (counters); i++) {
    guint64 is = G_STRUCT_MEMBER (guint64, counts, counters[i].offset);
    guint64 should_be = G_STRUCT_MEMBER (guint64, expected, counters[i].offset);

    fail_unless (is == should_be,
        "line %u: %s: %s is %" G_GUINT64_FORMAT
        " instead of %" G_GUINT64_FORMAT,
        line, what, counters[i].name, is, should_be);
  }
}

void
assert_totals_at (guint line, AfxdpRtpCounts expected)
{
  AfxdpRtpCounts totals;

  afxdp_rtp_stats_totals (stats, &totals);
  compare (line, "totals", &totals, &expected);
}

void
assert_source_at (guint line, guint number, AfxdpRtpCounts expected)
{
  AfxdpRtpSource source = nth_source (number);

  compare (line, "source", &source.counts, &expected);
}
