/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks a running daemon how it is (--status). Waits for its answer, a few seconds. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What it says, with the names of users as they are here, to be freed. Errors: AFXDP_ERROR_NOT_FOUND, no daemon is there;
 * _PERMISSION, one may not connect; _UNSUPPORTED, it is of another release; _FAILED. */
gchar *afxdp_inquire (const gchar *path, gboolean json, GError **error);

G_END_DECLS
