/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory of clients that have hung up, for as long as somebody keeps it: buffers that a
 * pipeline still has, or all of it, by a client that means no good. It stays charged to
 * the daemon, and so goes on to count as the stream that it was made for.
 *
 * For the control thread, whose main context is the default one.
 */
#pragma once

#include "clientring.h"
#include "quotas.h"

G_BEGIN_DECLS

typedef struct _AfxdpLeftovers AfxdpLeftovers;

/* quotas must outlive it. */
AfxdpLeftovers *afxdp_leftovers_new (AfxdpQuotas *quotas);
void afxdp_leftovers_free (AfxdpLeftovers *leftovers);

/* Frees ring, which may be NULL, and gives its stream back to the quota of uid: when
 * nobody has its memory any more. */
void afxdp_leftovers_take (
    AfxdpLeftovers *leftovers, AfxdpClientRing *ring, guint32 uid);
/* Finds out now what nobody has any more; else it does so each second. */
void afxdp_leftovers_look (AfxdpLeftovers *leftovers);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpLeftovers, afxdp_leftovers_free)

G_END_DECLS
