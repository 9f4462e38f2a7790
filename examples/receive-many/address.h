/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a stream comes from: a multicast group, a port, and the senders that
 * are wanted; and where else, if it is sent twice (ST 2022-7). The command line makes
 * these; what else may, such as an SDP file, makes the same.
 *
 * Immutable once made; any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _Address Address;

struct _Address
{
  gchar
      *name; /* GROUP:PORT[@SOURCE[,SOURCE2...]][+...], one spelling for each */
  gchar *group;
  guint port;
  GStrv sources;   /* empty: any sender */
  Address *second; /* of the second leg, or NULL: none was named */
};

/* Reads what stands on the command line: 239.1.1.1:5000, [ff15::1]:5000, and
 * either with @SOURCE[,SOURCE2...] behind it; two of them, with a + between, for the
 * legs of one stream. */
Address *address_new (const gchar *text, GError **error);
void address_free (Address *self);

/* The sources as the element's property multicast-source has them, or NULL
 * when any sender will do. */
gchar *address_filter (const Address *self);
/* The URI of what is received from it on interface. */
gchar *address_uri (const Address *self, const gchar *interface);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Address, address_free)

G_END_DECLS
