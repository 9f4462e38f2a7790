/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sequence statistics of random senders, held against the truth: tests/fuzz/truth.h
 * says what holds. RTPSTATS_TRUTH_SEED is the first of so many seeds.
 */
#include <stdlib.h>

#include "../fuzz/truth.h"
#include "suite.h"

#define SCRIPTS 60
#define LONGEST 120

LOOP_TEST (test_truth, 10)
{
  const gchar *given = g_getenv ("RTPSTATS_TRUTH_SEED");
  guint seed = (given ? atoi (given) : 1) + __i__;
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);

  for (guint i = 0; i < SCRIPTS; i++) {
    guint8 bytes[LONGEST];
    guint size = g_rand_int_range (random, 20, LONGEST);

    for (guint j = 0; j < size; j++)
      bytes[j] = g_rand_int (random);
    g_test_message ("seed %u, script %u", seed, i);
    truth_run (bytes, size);
  }
}

SUITE ("rtpstats_truth", 0, NULL, NULL)
