/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small HTTP client. */
#include "httpclient.h"

#include <gst/check/gstcheck.h>
#include <string.h>

/* s */
#define PATIENCE 30

GSocket *
http_connect (guint16 port)
{
  g_autoptr (GSocketAddress) address =
      g_inet_socket_address_new_from_string ("127.0.0.1", port);
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM,
      G_SOCKET_PROTOCOL_DEFAULT, NULL);

  g_socket_set_timeout (socket, PATIENCE);
  fail_unless (g_socket_connect (socket, address, NULL, &error), "%s",
      error ? error->message : "");
  return socket;
}

static gchar *
read_all (GSocket *socket)
{
  GString *text = g_string_new (NULL);
  gchar part[4096];
  gssize n;

  while ((n = g_socket_receive (socket, part, sizeof part, NULL, NULL)) > 0)
    g_string_append_len (text, part, n);
  fail_if (n < 0, "the answer has no end: %s", text->str);
  return g_string_free (text, FALSE);
}

HttpAnswer *
http_ask (
    guint16 port, const gchar *method, const gchar *path, const gchar *headers)
{
  g_autoptr (GSocket) socket = http_connect (port);
  g_autofree gchar *request = g_strdup_printf (
      "%s %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n%s\r\n", method,
      path, headers);
  g_autofree gchar *all = NULL;
  HttpAnswer *answer = g_new0 (HttpAnswer, 1);
  gchar *body;

  g_socket_send (socket, request, strlen (request), NULL, NULL);
  all = read_all (socket);
  body = strstr (all, "\r\n\r\n");
  fail_unless (g_str_has_prefix (all, "HTTP/1.1 ") && body, "%s", all);
  answer->status = atoi (all + strlen ("HTTP/1.1 "));
  answer->head = g_strndup (all, body + 2 - all);
  answer->body = g_strdup (body + 4);
  return answer;
}

void
http_answer_free (HttpAnswer *answer)
{
  g_free (answer->head);
  g_free (answer->body);
  g_free (answer);
}
