/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks a server of this host by HTTP/1.1, byte by byte as the tests want it. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct
{
  guint status;
  gchar *head; /* all header lines */
  gchar *body;
} HttpAnswer;

/* headers: further lines, each with "\r\n" at its end. Fails the test where there is no
 * answer. */
HttpAnswer *http_ask (
    guint16 port, const gchar *method, const gchar *path, const gchar *headers);
void http_answer_free (HttpAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HttpAnswer, http_answer_free)

/* A connection on which nothing has been said. */
GSocket *http_connect (guint16 port);

G_END_DECLS
