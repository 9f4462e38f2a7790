/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a client asks for by OPEN: taken out of the message, each value of which may be
 * anything. Nothing here looks at the host.
 */
#pragma once

#include <gio/gio.h>

#include "protocol.h"
#include "sources.h"

G_BEGIN_DECLS

typedef struct
{
  GInetAddress *address;
  guint16 port;
  AfxdpSources *sources;        /* NULL: any */
  gchar interface[IF_NAMESIZE]; /* "": not said */
  guint n_slots;
  gboolean verify_checksum;
  guint64 socket; /* 0: none */
} AfxdpAsk;

/* Returns NULL, or what is wrong with the message, in words for the log; then ask is
 * left empty. */
const gchar *afxdp_ask_init (AfxdpAsk *ask, const struct afxdp_open *open);
void afxdp_ask_clear (AfxdpAsk *ask);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (AfxdpAsk, afxdp_ask_clear)

G_END_DECLS
