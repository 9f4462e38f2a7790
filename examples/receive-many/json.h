/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A run's summary for programs: one JSON object,
 *
 *   interface, mode, pipeline, coalesce-ms   as asked for
 *   seconds, cpu-seconds, cpu-ns-per-packet, exit-status
 *   total      the counters of the summary, added up
 *   streams    for each one stream, group, port, sources, state ("running" to
 *              the end, "ended", "failed"), failure (null when none), path and
 *              queues (the last ones), jitter-seconds (null when not known),
 *              stats (all of the element's property, under its own names)
 *
 * One thread.
 */
#pragma once

#include "summary.h"

G_BEGIN_DECLS

gboolean json_write (const Summary *summary, FILE *file, GError **error);

G_END_DECLS
