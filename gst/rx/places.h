/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a stream is received: its interfaces, and what it is at the distributor of
 * each of them.
 */
#pragma once

#include "distributor.h"

G_BEGIN_DECLS

typedef struct
{
  AfxdpNetdev *netdevs; /* at least one, of zeros when there is none */
  guint n;              /* 0: any interface */
  GPtrArray *members;   /* AfxdpMember, one for each netdev once join() was
                           called: nobody else takes the flow there */
} AfxdpPlaces;

/* Finds the interfaces of these names (ends with NULL); of none: the one that socket
 * is bound to by SO_BINDTODEVICE, if there is a socket, or the one by the route to
 * address. places is all zeros. Errors: AFXDP_ERROR_NOT_FOUND. */
gboolean afxdp_places_find (AfxdpPlaces *places, const gchar *const *names,
    GSocket *socket, GInetAddress *address, GError **error);
/* Joins the distributor of each. Errors: as of afxdp_distributor_join(). */
gboolean afxdp_places_join (AfxdpPlaces *places,
    const AfxdpMemberSettings *settings, int wake, GError **error);
/* Forgets the members, which must have left. */
void afxdp_places_clear (AfxdpPlaces *places);

static inline guint
afxdp_places_n_members (const AfxdpPlaces *places)
{
  return places->members ? places->members->len : 0;
}

static inline AfxdpMember *
afxdp_places_member (const AfxdpPlaces *places, guint i)
{
  return places->members->pdata[i];
}

/* Whether an interface that was removed has come again. Any thread. */
gboolean afxdp_places_left_behind (const AfxdpPlaces *places);
/* member, on the interface that came after the i-th, takes over from the one that is
 * there, which has left, and is forgotten. */
void afxdp_places_replace (AfxdpPlaces *places, guint i, AfxdpMember *member);

G_END_DECLS
