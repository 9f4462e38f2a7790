/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which packet of several lanes comes next. */
#include "order.h"

#include <gst/check/gstcheck.h>

#define MOST 8

typedef struct
{
  AfxdpLane lane;
  AfxdpPacket packets[MOST];
} Fixture;

/* RTP packets of one SSRC, with these numbers; number 0 ends them. */
static void
fill (Fixture *fixture, guint32 ssrc, const guint16 *numbers, guint64 arrival)
{
  fixture->lane = (AfxdpLane){ .packets = fixture->packets };
  for (; numbers[fixture->lane.end]; fixture->lane.end++)
    fixture->packets[fixture->lane.end] = (AfxdpPacket){
      .arrival = arrival + fixture->lane.end,
      .rtp = { .kind = AFXDP_RTP_DATA,
          .ssrc = ssrc,
          .seqnum = numbers[fixture->lane.end] },
    };
}

#define numbers(...) ((const guint16[]){ __VA_ARGS__, 0 })

static AfxdpLane lanes[2];
static Fixture one, other;

static void
set (const guint16 *first, const guint16 *second)
{
  fill (&one, 1, first, 1000);
  fill (&other, 1, second, 0);
  lanes[0] = one.lane;
  lanes[1] = other.lane;
}

GST_START_TEST (test_by_number)
{
  set (numbers (10, 11, 12, 15), numbers (13, 14));
  fail_unless (afxdp_order_first (lanes, 2) == &lanes[0]);
  fail_unless_equals_int (afxdp_order_run (lanes, 2, &lanes[0], MOST), 3);
  fail_unless_equals_int (afxdp_order_run (lanes, 2, &lanes[0], 2), 2);
  lanes[0].first = 3;
  fail_unless (afxdp_order_first (lanes, 2) == &lanes[1]);
  fail_unless_equals_int (afxdp_order_run (lanes, 2, &lanes[1], MOST), 2);
  lanes[1].first = 2;
  fail_unless (afxdp_order_first (lanes, 2) == &lanes[0]);
  lanes[0].first = 4;
  fail_unless (afxdp_order_first (lanes, 2) == NULL);
}
GST_END_TEST

GST_START_TEST (test_wrap)
{
  set (numbers (65534, 65535), numbers (1, 2));
  fail_unless (afxdp_order_first (lanes, 2) == &lanes[0]);
  fail_unless_equals_int (afxdp_order_run (lanes, 2, &lanes[0], MOST), 2);
}
GST_END_TEST

/* Numbers of different sources say nothing about each other. */
GST_START_TEST (test_by_time)
{
  set (numbers (1, 2), numbers (9));
  other.packets[0].rtp.ssrc = 2;
  fail_unless (afxdp_order_first (lanes, 2) == &lanes[1]);
  other.packets[0].rtp.kind = AFXDP_RTP_NONE;
  fail_unless (afxdp_order_first (lanes, 2) == &lanes[1]);
  other.packets[0].arrival = 1001;
  fail_unless (afxdp_order_first (lanes, 2) == &lanes[0]);
}
GST_END_TEST

/* 16 bits wrap in an outage: then numbers lie, unless times are of the reading. */
GST_START_TEST (test_after_an_outage)
{
  set (numbers (5000, 5001), numbers (4900));
  other.packets[0].arrival = 100000000;
  lanes[0].stamped = lanes[1].stamped = TRUE;
  fail_unless (afxdp_order_first (lanes, 2) == &lanes[0]);
  fail_unless_equals_int (afxdp_order_run (lanes, 2, &lanes[0], MOST), 2);
  lanes[0].stamped = FALSE;
  fail_unless (afxdp_order_first (lanes, 2) == &lanes[1]);
}
GST_END_TEST

GST_START_TEST (test_gap)
{
  set (numbers (1, 2, 4, 5), numbers (9));
  fail_unless_equals_int (afxdp_order_before_gap (one.packets, 4), 2);
  fail_unless_equals_int (afxdp_order_before_gap (one.packets, 2), 2);
  one.packets[2].rtp.ssrc = 7;
  fail_unless_equals_int (afxdp_order_before_gap (one.packets, 4), 4);
  fail_unless (afxdp_order_follows (&one.packets[1].rtp, &one.packets[0].rtp));
  fail_if (afxdp_order_follows (&one.packets[2].rtp, &one.packets[1].rtp));
}
GST_END_TEST

static Suite *
order_suite (void)
{
  Suite *suite = suite_create ("order");
  TCase *tcase = tcase_create ("order");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_by_number);
  tcase_add_test (tcase, test_wrap);
  tcase_add_test (tcase, test_by_time);
  tcase_add_test (tcase, test_after_an_outage);
  tcase_add_test (tcase, test_gap);
  return suite;
}

GST_CHECK_MAIN (order);
