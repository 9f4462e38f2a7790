/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of a session description, as GStreamer's parser reads it. */
#include "gstafxdpsdptext.h"

#include <string.h>

#define BYTE_ORDER_MARK "\357\273\277"
#define BLANKS " \t\v\f"

/* Attributes that are asked for by name, which are in lower case (RFC 8866). */
static const gchar *const names[] = { "rtpmap", "fmtp", "source-filter",
  "group", "mid", "ssrc-group", NULL };

/* One blank between two words, and none around them. */
static gchar *
join_words (const gchar *text)
{
  g_auto (GStrv) words = g_strsplit_set (text, BLANKS, -1);
  GString *joined = g_string_new (NULL);

  for (guint i = 0; words[i]; i++)
    if (*words[i])
      g_string_append_printf (joined, joined->len ? " %s" : "%s", words[i]);
  return g_string_free (joined, FALSE);
}

/* "96 H264 / 90000" as "96 H264/90000". */
static gchar *
close_slashes (gchar *text)
{
  g_auto (GStrv) parts = g_strsplit (text, "/", -1);

  g_free (text);
  for (guint i = 0; parts[i]; i++)
    g_strstrip (parts[i]);
  return g_strjoinv ("/", parts);
}

/* Of a line a=, what is behind the =. */
static gchar *
read_attribute (const gchar *text)
{
  gsize length = strcspn (text, ":");
  g_autofree gchar *name = g_strstrip (g_strndup (text, length));
  g_autofree gchar *lower = g_ascii_strdown (name, -1);
  g_autofree gchar *value = NULL;

  if (!text[length])
    return g_steal_pointer (&name);
  if (!g_strv_contains (names, lower))
    return g_strconcat (name, ":", text + length + 1, NULL);
  value = join_words (text + length + 1);
  if (g_str_equal (lower, "rtpmap"))
    value = close_slashes (g_steal_pointer (&value));
  return g_strconcat (lower, ":", value, NULL);
}

/* A line without blanks at its ends. */
static void
append_line (GString *text, const gchar *line)
{
  const gchar *value = line + 1 + strspn (line + 1, BLANKS);
  g_autofree gchar *clean = NULL;

  if (!g_ascii_isalpha (*line) || *value != '=')
    return;
  value += 1 + strspn (value + 1, BLANKS);
  if (*line == 'm' || *line == 'c')
    clean = join_words (value);
  else if (*line == 'a')
    clean = read_attribute (value);
  g_string_append_printf (text, "%c=%s\n", *line, clean ? clean : value);
}

gchar *
gst_afxdp_sdp_text (const gchar *text, gsize size)
{
  g_autofree gchar *valid = g_utf8_make_valid (text, size);
  const gchar *begin = g_str_has_prefix (valid, BYTE_ORDER_MARK)
      ? valid + strlen (BYTE_ORDER_MARK)
      : valid;
  g_auto (GStrv) lines = g_strsplit_set (begin, "\r\n", -1);
  GString *clean = g_string_new (NULL);

  for (guint i = 0; lines[i]; i++) {
    g_strstrip (lines[i]);
    if (*lines[i])
      append_line (clean, lines[i]);
  }
  return g_string_free (clean, FALSE);
}
