/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rings that are made in a thread: each is handed over once, in order, or is freed. */
#include "distributor/ringmaker.h"

#include <sys/resource.h>
#include <unistd.h>

#include "error.h"
#include "suite.h"

#define SLOT 2048

typedef struct
{
  guint n;
  guint
      slots[4]; /* of each ring, in the order in which they came; 0: none did */
} Made;

static AfxdpRingMaker *maker;

static void
set_up (void)
{
  g_autoptr (GError) error = NULL;

  maker = afxdp_ring_maker_new (&error);
  g_assert_no_error (error);
}

static void
tear_down (void)
{
  afxdp_ring_maker_free (maker);
}

static void
take (gpointer user_data, AfxdpClientRing *ring, const GError *error)
{
  Made *made = user_data;
  AfxdpClientRingCounts counts = { 0 };

  fail_unless (!ring == (error != NULL));
  if (ring)
    afxdp_client_ring_counts (ring, &counts);
  made->slots[made->n++] = counts.n_slots;
  afxdp_client_ring_free (ring);
}

static void
wait_for (const Made *made, guint n)
{
  while (made->n < n)
    g_main_context_iteration (NULL, TRUE);
  fail_unless_equals_int (made->n, n);
}

TEST (test_in_order)
{
  Made made = { 0 };

  for (guint i = 0; i < 3; i++)
    afxdp_ring_maker_order (maker, 64 * (i + 1), SLOT, take, &made);
  fail_unless_equals_int (made.n, 0);
  wait_for (&made, 3);
  /* There are 8 large slots too. */
  for (guint i = 0; i < 3; i++)
    fail_unless_equals_int (made.slots[i], 64 * (i + 1) + 8);
}

TEST (test_cancelled)
{
  Made made = { 0 };
  AfxdpRingOrder *orders[3];

  for (guint i = 0; i < 3; i++)
    orders[i] = afxdp_ring_maker_order (maker, 64 * (i + 1), SLOT, take, &made);
  afxdp_ring_order_cancel (orders[0]);
  afxdp_ring_order_cancel (orders[1]);
  wait_for (&made, 1);
  fail_unless_equals_int (made.slots[0], 64 * 3 + 8);
}

/* What has been made, and nobody has been told of. */
TEST (test_ended)
{
  Made made = { 0 };

  for (guint i = 0; i < 3; i++)
    afxdp_ring_order_cancel (
        afxdp_ring_maker_order (maker, 64, SLOT, take, &made));
  afxdp_ring_maker_free (maker);
  maker = NULL;
  while (g_main_context_iteration (NULL, FALSE))
    ;
  fail_unless_equals_int (made.n, 0);
}

TEST (test_no_descriptors)
{
  Made made = { 0 };
  struct rlimit limit, none;

  fail_if (getrlimit (RLIMIT_NOFILE, &limit));
  /* The lowest that is free. */
  none = (struct rlimit){ dup (STDIN_FILENO), limit.rlim_max };
  close (none.rlim_cur);
  fail_if (setrlimit (RLIMIT_NOFILE, &none));
  afxdp_ring_maker_order (maker, 64, SLOT, take, &made);
  wait_for (&made, 1);
  fail_if (setrlimit (RLIMIT_NOFILE, &limit));
  afxdp_ring_maker_order (maker, 64, SLOT, take, &made);
  wait_for (&made, 2);
  fail_unless_equals_int (made.slots[0], 0);
  fail_unless_equals_int (made.slots[1], 64 + 8);
}

SUITE ("ringmaker", 0, set_up, tear_down)
