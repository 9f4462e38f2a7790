/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Divides the frames of an interface among its streams, as budget.h says, as far
 * as they are there: what one stream had before others came, it keeps until its
 * packets are taken and its buffers freed. For the control thread.
 */
#pragma once

#include "registration.h"

G_BEGIN_DECLS

/* Tells the program, the fill rings of n_queues queues and the streams what each
 * of registrations may have. Returns whether they all have got what is due to them;
 * otherwise divide again before long. */
gboolean afxdp_rebalance (
    GPtrArray *registrations, AfxdpEngine *engine, guint n_queues);

G_END_DECLS
