/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Plugins of the system that tests need, each loaded by its name: a test that
 * scanned all that is installed would show their leaks, and take long.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* After gst_init(). names ends with NULL. Ends the process with 77 and the
 * reason when one is not installed. */
void plugins_require (const gchar *const *names);

/* Loads one that only this test needs, or skips it. */
void plugins_need (const gchar *name);

G_END_DECLS
