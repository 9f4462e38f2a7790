/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a stream is told of its fast path: whether it may be opened, why not, and what
 * the user should know besides.
 *
 * For the control thread.
 */
#pragma once

#include "registration.h"

G_BEGIN_DECLS

/* Tells the stream what its fast path is like, if that is news. */
void afxdp_publication_renew (AfxdpRegistration *registration);

G_END_DECLS
