/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A line for each of the two legs of a stream (ST 2022-7), from the element's property
 * stats. No state, any thread.
 */
#pragma once

#include <gst/gst.h>
#include <stdio.h>

G_BEGIN_DECLS

/* Begins each line with prefix. Nothing of a stream that has one leg, or when stats, an
 * application/x-afxdp-stats, is NULL. */
void legs_write (const GstStructure *stats, const gchar *prefix, FILE *out);

G_END_DECLS
