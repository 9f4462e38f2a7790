/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel gives this process: file descriptors and processor time.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Makes room for the file descriptors of so many streams, which have so many legs in
 * all. Before the first is made. */
gboolean process_raise_files (guint streams, guint legs, GError **error);

/* Processor time that all threads have used, user and system, in ns. */
guint64 process_cpu_time (void);

G_END_DECLS
