/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of the sequence statistics share: one AfxdpRtpStats, made
 * anew for each test, packets for it, and a comparison of all counters.
 */
#pragma once

#include "rtpstats.h"

G_BEGIN_DECLS

#define RTP_SSRC 0xcafe0001
#define RTP_OCTETS 100 /* of payload in each packet */
#define RTP_STEP 10    /* timestamp units between two numbers */
#define MS G_GUINT64_CONSTANT (1000000)
#define END G_MAXUINT64 /* makes all gaps final */

extern AfxdpRtpStats *stats;

void rtp_set_up (void);
void rtp_tear_down (void);

void packet_full (guint32 ssrc, guint8 payload_type, guint16 seqnum,
    guint32 timestamp, guint64 arrival);

/* Packets of one continuous stream; numbers may go beyond 16 bits. All but
 * the first arrive at time 0, both ends are included. */
void packet_at (guint64 number, guint64 arrival);
void packet (guint64 number);
void packets (guint64 first, guint64 last);
/* The same for "0-9 11 15": numbers and ranges. */
void numbers (const gchar *text);

/* The source must exist. */
AfxdpRtpSource nth_source (guint number);

/* Compares all counters, those not named with 0, and the octets with what so
 * many packets have. */
#define assert_totals(...) \
  assert_totals_at (__LINE__, (AfxdpRtpCounts){ __VA_ARGS__ })
/* The same after numbers(), and when nothing more comes. */
#define after(text, ...)         \
  do {                           \
    numbers (text);              \
    assert_totals (__VA_ARGS__); \
  } while (0)
#define finally(...)                      \
  do {                                    \
    afxdp_rtp_stats_advance (stats, END); \
    assert_totals (__VA_ARGS__);          \
  } while (0)
#define assert_source(number, ...) \
  assert_source_at (__LINE__, number, (AfxdpRtpCounts){ __VA_ARGS__ })

void assert_totals_at (guint line, AfxdpRtpCounts expected);
void assert_source_at (guint line, guint number, AfxdpRtpCounts expected);

G_END_DECLS
