/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control thread of one distributor: does all that may wait, when somebody wants
 * it or when it is time, and tells the streams what came of it.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the thread does until it is to quit; for afxdp_registry_get(). */
gpointer afxdp_control_run (gpointer distributor);

G_END_DECLS
