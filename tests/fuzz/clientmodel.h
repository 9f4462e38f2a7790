/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes as a script of what a hostile distributor daemon says, writes and sends by
 * descriptors, and of what its client does meanwhile. The process ends if the client takes
 * what it must not, or keeps a descriptor. Any bytes are a script.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

void client_model_run (const guint8 *bytes, gsize size);

G_END_DECLS
