/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How many streams are given to clients, in all and of each user, against how many may
 * be; and how large a client's ring may be. For one thread.
 */
#pragma once

#include "rules.h"

G_BEGIN_DECLS

typedef struct _AfxdpQuotas AfxdpQuotas;

AfxdpQuotas *afxdp_quotas_new (guint max_clients);
void afxdp_quotas_free (AfxdpQuotas *quotas);

/* Counts one stream of peer, or, by what the rules say, does not. Errors:
 * AFXDP_ERROR_PERMISSION, a sentence for the user. */
gboolean afxdp_quotas_take (AfxdpQuotas *quotas, const AfxdpRules *rules,
    const AfxdpPeer *peer, GError **error);
void afxdp_quotas_give_back (AfxdpQuotas *quotas, guint32 uid);

/* What a ring may have of n_slots, each of which is given; at least so many as the
 * protocol has it. bytes tells what a ring takes (clientring.h). Errors:
 * AFXDP_ERROR_MEMORY, a sentence for the user. */
gboolean afxdp_quotas_slots (const AfxdpRules *rules, const AfxdpPeer *peer,
    gsize (*bytes) (guint n_slots, guint slot_size), guint slot_size,
    guint *n_slots, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpQuotas, afxdp_quotas_free)

G_END_DECLS
