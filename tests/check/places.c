/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a leg has lost packets lately. */
#include "places.h"

#include <string.h>

#include "suite.h"

#define MS G_GUINT64_CONSTANT (1000000)
#define SSRC 7

static AfxdpPlaces places;

static void
set_up (void)
{
  memset (&places, 0, sizeof places);
}

/* shown is in ms. */
static AfxdpRtpGap
make_gap (guint32 ssrc, guint64 first, guint64 missing, guint64 shown)
{
  return (AfxdpRtpGap){
    .ssrc = ssrc,
    .first = first,
    .end = first + missing,
    .missing = missing,
    .shown = shown * MS,
  };
}

static void
add (guint32 ssrc, guint64 first, guint64 missing, guint64 shown,
    AfxdpColumn column)
{
  AfxdpVerdict verdict = { .gap = make_gap (ssrc, first, missing, shown) };

  verdict.lost[column] = missing;
  afxdp_places_add (&places, &verdict);
}

static const gchar *
find (guint32 ssrc, guint64 first, guint64 missing, guint64 shown)
{
  AfxdpRtpGap gap = make_gap (ssrc, first, missing, shown);
  AfxdpColumn column;

  return afxdp_places_find (&places, &gap, &column)
      ? afxdp_column_where (column)
      : "none";
}

#define assert_found(where, ...) \
  fail_unless_equals_string (find (__VA_ARGS__), where)

/* Numbers of the stream's gap that the leg's has, or not. */
TEST (test_numbers)
{
  assert_found ("none", SSRC, 10, 5, 100);
  add (SSRC, 10, 5, 100, AFXDP_COLUMN_NETWORK);
  assert_found ("network", SSRC, 10, 5, 100);
  assert_found ("network", SSRC, 14, 1, 100);
  assert_found ("network", SSRC, 0, 11, 100);
  assert_found ("none", SSRC, 15, 9, 100);
  assert_found ("none", SSRC, 0, 10, 100);
}

/* The leg began before its numbers wrapped, or behind that. */
TEST (test_cycles)
{
  add (SSRC, 2 * 65536 - 2, 4, 100, AFXDP_COLUMN_NIC);
  assert_found ("nic", SSRC, 65535, 1, 100);
  assert_found ("nic", SSRC, 1, 1, 100);
  assert_found ("none", SSRC, 2, 1, 100);
  add (SSRC, 500, 70000, 200, AFXDP_COLUMN_REDIRECT);
  assert_found ("redirect", SSRC, 30, 1, 200);
}

/* The numbers come again and again. */
TEST (test_time)
{
  add (SSRC, 10, 1, 1000, AFXDP_COLUMN_NIC);
  add (SSRC, 65536 + 10, 1, 1200, AFXDP_COLUMN_NETWORK);
  add (SSRC, 2 * 65536 + 10, 1, 1400, AFXDP_COLUMN_REDIRECT);
  assert_found ("nic", SSRC, 10, 1, 1050);
  assert_found ("network", SSRC, 10, 1, 1250);
  assert_found ("redirect", SSRC, 10, 1, 1900);
  assert_found ("none", SSRC, 10, 1, 2401);
}

/* Of two SSRCs each has its own gaps; a leg may call the only one differently. */
TEST (test_ssrc)
{
  add (SSRC, 10, 1, 100, AFXDP_COLUMN_NIC);
  assert_found ("nic", SSRC + 1, 10, 1, 100);
  add (SSRC + 1, 20, 1, 100, AFXDP_COLUMN_NETWORK);
  assert_found ("none", SSRC + 1, 10, 1, 100);
  assert_found ("network", SSRC + 1, 20, 1, 100);
}

TEST (test_most_packets)
{
  AfxdpVerdict verdict = { .gap = make_gap (SSRC, 10, 9, 100) };

  verdict.lost[AFXDP_COLUMN_NETWORK] = 2;
  verdict.lost[AFXDP_COLUMN_SOCKET_BUFFER] = 4;
  verdict.lost[AFXDP_COLUMN_UNKNOWN] = 3;
  afxdp_places_add (&places, &verdict);
  assert_found ("socket-buffer", SSRC, 10, 1, 100);
}

/* The oldest are forgotten, and what came after all never is a place. */
TEST (test_memory)
{
  for (guint i = 0; i <= AFXDP_PLACES_MOST; i++)
    add (SSRC, 10 * i, 1, 100, AFXDP_COLUMN_NETWORK);
  assert_found ("none", SSRC, 0, 1, 100);
  assert_found ("network", SSRC, 10, 1, 100);
  assert_found ("network", SSRC, 10 * AFXDP_PLACES_MOST, 1, 100);
  add (SSRC, 5, 0, 100, AFXDP_COLUMN_NETWORK);
  assert_found ("none", SSRC, 5, 1, 100);
  assert_found ("network", SSRC, 10, 1, 100);
}

SUITE ("places", 0, set_up, NULL)
