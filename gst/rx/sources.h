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

/* Both are of one version, or any. */

/* Whether they are the same senders, written alike: of one kind. */
gboolean afxdp_sources_equal (const AfxdpSources *a, const AfxdpSources *b);
/* Who is received from by one or the other, or by both: never NULL. */
AfxdpSources *afxdp_sources_union (
    const AfxdpSources *a, const AfxdpSources *b);
/* a with a shorter list: without what is in that of b, whatever the kinds. Where that
 * is all of it the list is empty, and the kind stays. */
AfxdpSources *afxdp_sources_list_without (
    const AfxdpSources *a, const AfxdpSources *b);

/* Whether the stream is to be received from address: network order, 4 or 16
 * bytes as the set's version says. */
gboolean afxdp_sources_match (
    const AfxdpSources *sources, const guint8 *address);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpSources, afxdp_sources_unref)

G_END_DECLS
