/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a stream comes from: a multicast group, a port, and the senders that
 * are wanted. The command line makes these; what else may, such as an SDP file,
 * makes the same.
 *
 * Immutable once made; any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gchar *name; /* GROUP:PORT[@SOURCE[,SOURCE2...]], one spelling for each */
  gchar *group;
  guint port;
  GStrv sources; /* empty: any sender */
} Address;

/* Reads what stands on the command line: 239.1.1.1:5000, [ff15::1]:5000, and
 * either with @SOURCE[,SOURCE2...] behind it. */
Address *address_new (const gchar *text, GError **error);
void address_free (Address *self);

/* The sources as the element's property multicast-source has them, or NULL
 * when any sender will do. */
gchar *address_filter (const Address *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Address, address_free)

G_END_DECLS
