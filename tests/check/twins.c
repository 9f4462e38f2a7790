/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packets that come twice for a while. */
#include "stream/twins.c"

#include "suite.h"

static AfxdpTwins twins;

static void
set_up (void)
{
  afxdp_twins_begin (&twins);
}

static void
tear_down (void)
{
  afxdp_twins_end (&twins);
}

static void
note (guint32 number)
{
  afxdp_twins_note (&twins, (gconstpointer) &number, sizeof number);
}

static gboolean
take (guint32 number)
{
  return afxdp_twins_take (&twins, (gconstpointer) &number, sizeof number);
}

TEST (test_once)
{
  note (1);
  fail_if (take (2));
  fail_unless (take (1));
  fail_if (take (1));
}

/* As often as it was noted. */
TEST (test_same_bytes_twice)
{
  note (1);
  note (1);
  fail_unless (take (1));
  fail_unless (take (1));
  fail_if (take (1));
}

/* Of each length, bytes behind it make no difference, and its own do. */
TEST (test_lengths)
{
  guint8 bytes[600] = { 0 };

  for (guint size = 0; size < BYTES; size++) {
    afxdp_twins_note (&twins, bytes, size);
    fail_if (afxdp_twins_take (&twins, bytes, size + 1));
    if (size) {
      bytes[size - 1] ^= 1;
      fail_if (afxdp_twins_take (&twins, bytes, size), "of %u bytes", size);
      bytes[size - 1] ^= 1;
    }
    bytes[size] ^= 1;
    fail_unless (afxdp_twins_take (&twins, bytes, size));
    bytes[size] ^= 1;
  }
}

/* The latest are remembered, however many there are, and what they collide with is found
 * although others have been taken out. */
TEST (test_latest_are_remembered)
{
  const guint n = 5 * AFXDP_TWINS_MOST + 17;

  for (guint i = 0; i < n; i++) {
    note (i);
    if (i >= AFXDP_TWINS_MOST && i % 3 == 0)
      fail_unless (take (i - AFXDP_TWINS_MOST / 2), "%u", i);
  }
  for (guint i = n - AFXDP_TWINS_MOST / 2; i < n; i++)
    fail_unless (take (i), "%u", i);
  fail_if (take (0));
}

TEST (test_begins_anew)
{
  note (1);
  afxdp_twins_begin (&twins);
  fail_if (take (1));
  note (2);
  fail_unless (take (2));
  afxdp_twins_end (&twins);
  fail_if (afxdp_twins_are_noted (&twins));
  afxdp_twins_begin (&twins);
}

SUITE ("twins", 0, set_up, tear_down)
