/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which senders of a multicast group a stream is received from: any, only those
 * of a list, or all but those of a list (RFC 3569, RFC 4604).
 *
 * A set does not change once it is made, and is shared by reference count: any
 * thread. NULL is a set too, and means any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  AFXDP_SOURCES_ANY,
  AFXDP_SOURCES_INCLUDE, /* only those of the list */
  AFXDP_SOURCES_EXCLUDE, /* all but those of the list */
} AfxdpSourcesKind;

typedef struct _AfxdpSources AfxdpSources;

/* Parses "+ADDRESS+ADDRESS" (include), "-ADDRESS-ADDRESS" (exclude); a first
 * address without a sign is included. version is the group's, 4 or 6. NULL or
 * blanks give a set of kind ANY, NULL is returned with error set
 * (AFXDP_ERROR_SETTINGS), which names the property multicast-source and the word
 * that is wrong. */
AfxdpSources *afxdp_sources_parse (
    const gchar *text, guint version, GError **error);
AfxdpSources *afxdp_sources_ref (AfxdpSources *sources);
void afxdp_sources_unref (AfxdpSources *sources);

AfxdpSourcesKind afxdp_sources_kind (const AfxdpSources *sources);

/* 4 or 6; of NULL it does not matter. */
guint afxdp_sources_version (const AfxdpSources *sources);
/* The list, without repetitions: network order, 4 or 16 bytes each. */
guint afxdp_sources_n (const AfxdpSources *sources);
const guint8 *afxdp_sources_get (const AfxdpSources *sources, guint i);

/* Whether the stream is to be received from address: network order, 4 or 16
 * bytes as the set's version says. */
gboolean afxdp_sources_match (
    const AfxdpSources *sources, const guint8 *address);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpSources, afxdp_sources_unref)

G_END_DECLS
