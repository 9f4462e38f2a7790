/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tree of status.h for people to read. Any thread. */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* To be freed. */
gchar *afxdp_status_to_text (JsonNode *status);

G_END_DECLS
