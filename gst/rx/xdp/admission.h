/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who is let in at a distributor and out again, and what each gets of what there is
 * once: settings of the whole interface, slots, flows.
 *
 * For the control thread.
 */
#pragma once

#include "registry.h"

G_BEGIN_DECLS

/* Lets registration in. The first one brings the program with it. */
void afxdp_admission_let_in (
    AfxdpDistributor *distributor, AfxdpRegistration *registration);
/* Somebody holds the interface, with or without streams: its program is attached. */
void afxdp_admission_hold (
    AfxdpDistributor *distributor, const AfxdpRegistrationSettings *settings);
/* Lets all of leaving out: together they need one grace period. */
void afxdp_admission_let_out (
    AfxdpDistributor *distributor, GPtrArray *leaving);
/* Gives each flow to the one stream that wants it, or to none. */
void afxdp_admission_settle_flows (AfxdpDistributor *distributor);
/* Whether some stream has no slot, or not its flow: nobody tells when the kernel has
 * memory again, or other streams give up theirs. */
gboolean afxdp_admission_lacks_something (const AfxdpDistributor *distributor);

G_END_DECLS
