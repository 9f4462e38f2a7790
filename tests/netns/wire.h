/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames that no socket would send, from the sending host. */
#pragma once

#include <glib.h>

/* A socket for them; close() it. */
int wire_open (void);
void wire_send (int fd, gconstpointer frame, gsize size);

/* A datagram to 239.1.1.1:5000, with tags of 4 bytes in front of its EtherType. */
GByteArray *wire_make_frame (
    const guint32 *tags, guint n_tags, const guint8 *payload, gsize size);
