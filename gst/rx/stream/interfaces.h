/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a stream is received: its interfaces, and its registration at the distributor
 * of each of them.
 */
#pragma once

#include "distributor.h"

G_BEGIN_DECLS

typedef struct
{
  AfxdpNetdev *netdevs; /* at least one, of zeros when there is none */
  guint n;              /* 0: any interface */
  gchar *no_route; /* why there is none for a particular address, or NULL */
  /* AfxdpRegistration, one for each netdev once register() was called: nobody else
   * takes the flow there */
  GPtrArray *registrations;
  gboolean *unmoved; /* for each netdev: the socket is to go over to it */
} AfxdpInterfaces;

/* Finds the interfaces of these names (ends with NULL); of none: the one that socket
 * is bound to by SO_BINDTODEVICE, if there is a socket, or the one by the route to
 * address. There need be no route unless needs_route: the kernel's socket may still
 * receive. interfaces is all zeros. Errors: AFXDP_ERROR_NOT_FOUND. */
gboolean afxdp_interfaces_find (AfxdpInterfaces *interfaces,
    const gchar *const *names, GSocket *socket, GInetAddress *address,
    gboolean needs_route, GError **error);
/* Registers at the distributor of each. Errors: as of afxdp_distributor_register(). */
gboolean afxdp_interfaces_register (AfxdpInterfaces *interfaces,
    const AfxdpRegistrationSettings *settings, int wake, GError **error);
/* Forgets the registrations, which must have ended. */
void afxdp_interfaces_clear (AfxdpInterfaces *interfaces);

static inline guint
afxdp_interfaces_n_registrations (const AfxdpInterfaces *interfaces)
{
  return interfaces->registrations ? interfaces->registrations->len : 0;
}

static inline AfxdpRegistration *
afxdp_interfaces_registration (const AfxdpInterfaces *interfaces, guint i)
{
  return interfaces->registrations->pdata[i];
}

/* Whether an interface that was removed has come again. Any thread. */
gboolean afxdp_interfaces_left_behind (const AfxdpInterfaces *interfaces);
/* registration, on the interface that came after the i-th, takes over from the one
 * that is there, which has left, and is forgotten. */
void afxdp_interfaces_replace (
    AfxdpInterfaces *interfaces, guint i, AfxdpRegistration *registration);

G_END_DECLS
