/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A sender that is known to the last packet, and what the sequence statistics say of
 * it. Bytes are a script: which sender (rate, timestamps, bursts, how steady), and what
 * happens (packets, cuts, pauses, restarts, strays, late ones, duplicates, scattered
 * loss). Any bytes are one.
 *
 * What holds, or it aborts: lost is the truth, and so are restarts, as long as the pace
 * is steady within 10 %; no packet changes lost and pending together by more than the
 * time since the last one that was believed allows, or any other counter by more than
 * one.
 */
#pragma once

#include <glib.h>

void truth_run (const guint8 *bytes, gsize size);
