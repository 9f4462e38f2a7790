/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which of GStreamer's objects are alive, by the tracer "leaks".
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* After gst_init(), before there are any. Needs the plugin "coretracers". */
void leaks_trace (void);

/* Skips the test where the tracer cannot say what is alive. Where nothing is, it can:
 * leaks_assert_none() works. */
void leaks_need_names (void);

/* How many objects of the type named live. Objects that some other thread is
 * just dropping may count. */
guint leaks_n_alive (const gchar *type_name);

/* Fails the test when buffers, memories, messages, or objects of the plugin
 * live. */
void leaks_assert_none (void);

G_END_DECLS
