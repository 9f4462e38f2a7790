/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes clients' rings in a thread of its own, one after the other: tens of MiB are
 * reserved, zeroed, mapped and locked for each, which takes tens of ms, and meanwhile
 * the control thread has others to answer.
 *
 * For the control thread, whose main context is the default one.
 */
#pragma once

#include "clientring.h"

G_BEGIN_DECLS

typedef struct _AfxdpRingMaker AfxdpRingMaker;
/* A ring that is being made. */
typedef struct _AfxdpRingOrder AfxdpRingOrder;

/* The order is over. ring is for who gave it; NULL: there is none, as error says. */
typedef void (*AfxdpRingMade) (
    gpointer user_data, AfxdpClientRing *ring, const GError *error);

/* Errors: AFXDP_ERROR_MEMORY, no descriptor is left; _FAILED, no more threads. */
AfxdpRingMaker *afxdp_ring_maker_new (GError **error);
/* Waits for the ring that is being made. All orders must have been cancelled. */
void afxdp_ring_maker_free (AfxdpRingMaker *maker);

/* made() is called later, not before this returns; see afxdp_client_ring_new(). */
AfxdpRingOrder *afxdp_ring_maker_order (AfxdpRingMaker *maker, guint n_slots,
    guint slot_size, AfxdpRingMade made, gpointer user_data);
/* made() is not called any more, and what has been made is freed. */
void afxdp_ring_order_cancel (AfxdpRingOrder *order);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpRingMaker, afxdp_ring_maker_free)

G_END_DECLS
