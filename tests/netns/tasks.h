/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads of a process by what their names begin with; pid 0: of this one. */
#pragma once

#include <glib.h>

guint tasks_count (GPid pid, const gchar *name);
/* The sum of a number: the one after key in their /proc/PID/task/N/file. */
guint64 tasks_sum (
    GPid pid, const gchar *name, const gchar *file, const gchar *key);
/* The largest of them, of one thread. */
guint64 tasks_most (
    GPid pid, const gchar *name, const gchar *file, const gchar *key);
/* How often they went to sleep. */
guint64 tasks_sleeps (GPid pid, const gchar *name);
