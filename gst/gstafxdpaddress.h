/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An address as an application writes it: an IPv4 or IPv6 address, the latter with
 * its zone behind a % or not (RFC 4007), or a name.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The address that text is, without asking anybody: NULL when it is a name. A zone
 * behind an IPv6 address is left in zone, which is NULL otherwise; free it. */
GInetAddress *gst_afxdp_address_read (const gchar *text, gchar **zone);

/* Whether text is an address of the same value, whatever its zone. */
gboolean gst_afxdp_address_is_same (const gchar *one, const gchar *other);

/* The same, but a name is resolved, which may take seconds: to an address of
 * family, or, when that is G_SOCKET_FAMILY_INVALID, of any. The zone is an
 * interface's number or name, and comes as its name. Errors: AFXDP_ERROR_NOT_FOUND. */
GInetAddress *gst_afxdp_address_find (
    const gchar *text, GSocketFamily family, gchar **interface, GError **error);

G_END_DECLS
