/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The histogram of times. */
#include "latency.h"

#include <string.h>

#include "suite.h"

static AfxdpLatency latency;

static void
set_up (void)
{
  memset (&latency, 0, sizeof latency);
}

/* To a step, upwards. */
#define assert_near(is, should_be)                                         \
  do {                                                                     \
    guint64 is_ = (is), should_be_ = (should_be);                          \
    fail_unless (is_ >= should_be_ && is_ - should_be_ <= should_be_ / 16, \
        "%" G_GUINT64_FORMAT " instead of %" G_GUINT64_FORMAT, is_,        \
        should_be_);                                                       \
  } while (0)

TEST (test_none)
{
  fail_unless_equals_uint64 (afxdp_latency_quantile (&latency, 990), 0);
  fail_unless_equals_uint64 (afxdp_latency_average (&latency), 0);
}

TEST (test_quantiles)
{
  for (guint64 i = 1; i <= 1000; i++)
    afxdp_latency_add (&latency, i * 1000);
  fail_unless_equals_uint64 (latency.shortest, 1000);
  fail_unless_equals_uint64 (latency.longest, 1000000);
  fail_unless_equals_uint64 (afxdp_latency_average (&latency), 500500);
  assert_near (afxdp_latency_quantile (&latency, 500), 500000);
  assert_near (afxdp_latency_quantile (&latency, 990), 990000);
  fail_unless_equals_uint64 (afxdp_latency_quantile (&latency, 1000), 1000000);
}

/* A part of a packet is a packet. */
TEST (test_rounding)
{
  for (guint i = 0; i < 99; i++)
    afxdp_latency_add (&latency, 10);
  afxdp_latency_add (&latency, 1000);
  fail_unless_equals_uint64 (afxdp_latency_quantile (&latency, 990), 10);
  fail_unless_equals_uint64 (afxdp_latency_quantile (&latency, 991), 1000);
}

/* Each time is told to a sixteenth, from 0 to the longest there is. */
TEST (test_all_sizes)
{
  for (guint bit = 0; bit < 64; bit++)
    for (gint near = -1; near <= 1; near++) {
      guint64 time = (G_GUINT64_CONSTANT (1) << bit) + near;

      set_up ();
      afxdp_latency_add (&latency, time);
      afxdp_latency_add (&latency, time);
      fail_unless_equals_uint64 (afxdp_latency_quantile (&latency, 500), time);
      afxdp_latency_add (&latency, G_MAXUINT64);
      latency.shortest = 0;
      assert_near (afxdp_latency_quantile (&latency, 500), time);
    }
}

/* None is told to have been faster than it was, and slower by a sixteenth at most. */
TEST (test_up_to)
{
  fail_unless_equals_uint64 (afxdp_latency_up_to (&latency, G_MAXUINT64), 0);
  for (guint64 i = 1; i <= 1000; i++)
    afxdp_latency_add (&latency, i * 1000);
  fail_unless_equals_uint64 (afxdp_latency_up_to (&latency, 0), 0);
  for (guint64 i = 1; i < 1000; i++) {
    guint64 n = afxdp_latency_up_to (&latency, i * 1000);

    fail_unless (n <= i && n + i / 16 + 1 >= i,
        "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT, n, i);
  }
  fail_unless_equals_uint64 (afxdp_latency_up_to (&latency, 1000000), 1000);
}

SUITE ("latency", 0, set_up, NULL)
