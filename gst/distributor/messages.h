/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's messages, in and out, over a client's socket, which does not block. What
 * comes in is as long as its type says, and brings no descriptors; what its fields say is
 * for others to check.
 *
 * For the control thread. Nothing here waits.
 */
#pragma once

#include "protocol.h"

G_BEGIN_DECLS

typedef union
{
  struct afxdp_message message;
  struct afxdp_hello hello;
  struct afxdp_open open;
  struct afxdp_status status;
} AfxdpRequest;

typedef enum
{
  AFXDP_RECEIVED_NOTHING,
  AFXDP_RECEIVED_REQUEST,
  AFXDP_RECEIVED_END,       /* the client has hung up */
  AFXDP_RECEIVED_VIOLATION, /* *violation says of what, in words for the log */
} AfxdpReceived;

AfxdpReceived afxdp_request_receive (
    int socket, AfxdpRequest *request, const gchar **violation);

/* Copies text into a field of a message, as much of it as there is room for: always
 * UTF-8, whatever text is, and a whole number of characters. */
void afxdp_message_set_text (gchar *field, gsize size, const gchar *text);

/* Sends message, whose head is filled in, with descriptors, which stay the caller's.
 * FALSE, and errno: the client does not read, or has gone. */
gboolean afxdp_message_send (
    int socket, const struct afxdp_message *message, const int *fds, guint n);

G_END_DECLS
