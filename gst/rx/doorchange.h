/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The door that a stream uses, and why: what is told of a change. For one thread.
 */
#pragma once

#include "subscription.h"

G_BEGIN_DECLS

typedef enum
{
  AFXDP_DOOR_NONE,
  AFXDP_DOOR_FAST,
  AFXDP_DOOR_SLOW,
} AfxdpDoor;

typedef struct
{
  AfxdpDoor door;
  AfxdpXdpMode xdp_mode;
  gboolean zero_copy;
  guint n_queues;
  guint queues[AFXDP_STREAM_QUEUES];
  gchar *reason; /* a sentence that a user can act on */
  GError *error; /* why the fast door is not open; NULL when nothing is wrong */
} AfxdpDoorChange;

/* Makes change say that door is in use, for the reason that format makes; fast is
 * what the fast door is like. Returns FALSE when change said so already. */
gboolean afxdp_door_change_set (AfxdpDoorChange *change, AfxdpDoor door,
    const AfxdpFastDoor *fast, const GError *error, const gchar *format, ...)
    G_GNUC_PRINTF (5, 6);
void afxdp_door_change_copy (AfxdpDoorChange *to, const AfxdpDoorChange *from);
void afxdp_door_change_clear (AfxdpDoorChange *change);

G_END_DECLS
