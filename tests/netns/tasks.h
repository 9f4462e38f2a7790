/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads of this process by what their names begin with. */
#pragma once

#include <glib.h>

guint tasks_count (const gchar *name);
/* The sum of a number: the one after key in their /proc/self/task/N/file. */
guint64 tasks_sum (const gchar *name, const gchar *file, const gchar *key);
