/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The threads that we start. They get no signals: those are the application's, whose
 * handlers must not run in a thread that it does not know of. Any thread may start one.
 */
#pragma once

#include <glib.h>
#include <pthread.h>

G_BEGIN_DECLS

/* Starts a thread, which is to be joined or detached. name: up to 15 bytes. Errors:
 * AFXDP_ERROR_FAILED, there may be no more threads. */
gboolean afxdp_thread_start (pthread_t *thread, const gchar *name,
    gpointer (*run) (gpointer), gpointer data, GError **error);

G_END_DECLS
