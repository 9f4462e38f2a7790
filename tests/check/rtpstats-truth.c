/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sequence statistics of random senders, held against the truth: tests/fuzz/truth.h
 * says what holds. RTPSTATS_TRUTH_SEED is the first of so many seeds.
 */
#include "../fuzz/truth.h"
#include "suite.h"

LOOP_TEST (test_truth, 10)
{
  suite_run_scripts ("RTPSTATS_TRUTH_SEED", __i__, 60, 20, 120, truth_run);
}

SUITE ("rtpstats_truth", 0, NULL, NULL)
