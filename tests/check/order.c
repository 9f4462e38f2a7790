/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which packet of several inputs comes next. */
#include "order.h"

#include "suite.h"

#define MOST 8

typedef struct
{
  AfxdpInput input;
  AfxdpPacket packets[MOST];
} Fixture;

/* RTP packets of one SSRC, with these numbers; number 0 ends them. */
static void
fill (Fixture *fixture, guint32 ssrc, const guint16 *numbers, guint64 arrival)
{
  fixture->input = (AfxdpInput){ .packets = fixture->packets };
  for (; numbers[fixture->input.end]; fixture->input.end++)
    fixture->packets[fixture->input.end] = (AfxdpPacket){
      .arrival = arrival + fixture->input.end,
      .rtp = { .kind = AFXDP_RTP_DATA,
          .ssrc = ssrc,
          .seqnum = numbers[fixture->input.end] },
    };
}

#define numbers(...) ((const guint16[]){ __VA_ARGS__, 0 })

static Fixture one, other;
static AfxdpInput *const inputs[] = { &one.input, &other.input };

static void
set (const guint16 *first, const guint16 *second)
{
  fill (&one, 1, first, 1000);
  fill (&other, 1, second, 0);
}

TEST (test_by_number)
{
  set (numbers (10, 11, 12, 15), numbers (13, 14));
  fail_unless (afxdp_order_first (inputs, 2) == inputs[0]);
  fail_unless_equals_int (afxdp_order_run (inputs, 2, inputs[0], MOST), 3);
  fail_unless_equals_int (afxdp_order_run (inputs, 2, inputs[0], 2), 2);
  inputs[0]->first = 3;
  fail_unless (afxdp_order_first (inputs, 2) == inputs[1]);
  fail_unless_equals_int (afxdp_order_run (inputs, 2, inputs[1], MOST), 2);
  inputs[1]->first = 2;
  fail_unless (afxdp_order_first (inputs, 2) == inputs[0]);
  inputs[0]->first = 4;
  fail_unless (afxdp_order_first (inputs, 2) == NULL);
}

TEST (test_wrap)
{
  set (numbers (65534, 65535), numbers (1, 2));
  fail_unless (afxdp_order_first (inputs, 2) == inputs[0]);
  fail_unless_equals_int (afxdp_order_run (inputs, 2, inputs[0], MOST), 2);
}

/* Numbers of different sources say nothing about each other. */
TEST (test_by_time)
{
  set (numbers (1, 2), numbers (9));
  other.packets[0].rtp.ssrc = 2;
  fail_unless (afxdp_order_first (inputs, 2) == inputs[1]);
  other.packets[0].rtp.kind = AFXDP_RTP_NONE;
  fail_unless (afxdp_order_first (inputs, 2) == inputs[1]);
  other.packets[0].arrival = 1001;
  fail_unless (afxdp_order_first (inputs, 2) == inputs[0]);
}

/* 16 bits wrap in an outage: then numbers lie, unless times are of the reading. */
TEST (test_after_an_outage)
{
  set (numbers (5000, 5001), numbers (4900));
  other.packets[0].arrival = 100000000;
  inputs[0]->stamped = inputs[1]->stamped = TRUE;
  fail_unless (afxdp_order_first (inputs, 2) == inputs[0]);
  fail_unless_equals_int (afxdp_order_run (inputs, 2, inputs[0], MOST), 2);
  inputs[0]->stamped = FALSE;
  fail_unless (afxdp_order_first (inputs, 2) == inputs[1]);
}

TEST (test_gap)
{
  set (numbers (1, 2, 4, 5), numbers (9));
  fail_unless_equals_int (afxdp_order_before_gap (one.packets, 4), 2);
  fail_unless_equals_int (afxdp_order_before_gap (one.packets, 2), 2);
  one.packets[2].rtp.ssrc = 7;
  fail_unless_equals_int (afxdp_order_before_gap (one.packets, 4), 4);
  fail_unless (afxdp_order_follows (&one.packets[1].rtp, &one.packets[0].rtp));
  fail_if (afxdp_order_follows (&one.packets[2].rtp, &one.packets[1].rtp));
}

SUITE ("order", 0, NULL, NULL)
