/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines for people, of the tree of status.h. */
#include "statustext.h"

static const gchar *
text_of (JsonObject *object, const gchar *name, const gchar *otherwise)
{
  return json_object_get_string_member_with_default (object, name, otherwise);
}

static gint64
number_of (JsonObject *object, const gchar *name)
{
  return json_object_get_int_member_with_default (object, name, 0);
}

/* "3 d 04:05:06" */
static gchar *
describe_time (gdouble seconds)
{
  guint64 whole = seconds;
  guint64 days = whole / 86400;
  g_autofree gchar *time =
      g_strdup_printf ("%02u:%02u:%02u", (guint) (whole / 3600 % 24),
          (guint) (whole / 60 % 60), (guint) (whole % 60));

  return days ? g_strdup_printf ("%" G_GUINT64_FORMAT " d %s", days, time)
              : g_steal_pointer (&time);
}

/* "239.1.1.1:5000", "[ff3e::1]:5000" */
static gchar *
describe_address (JsonObject *object)
{
  const gchar *address = text_of (object, "address", "?");
  gboolean in_brackets = strchr (address, ':') != NULL;

  return g_strdup_printf ("%s%s%s:%" G_GINT64_FORMAT, in_brackets ? "[" : "",
      address, in_brackets ? "]" : "", number_of (object, "port"));
}

static gboolean
is_true (JsonObject *object, const gchar *name)
{
  return json_object_get_boolean_member_with_default (object, name, FALSE);
}

static void
add_interface (GString *text, JsonObject *interface)
{
  const gchar *reason = text_of (interface, "reason", NULL);

  g_string_append_printf (text, "  %s: mode %s",
      text_of (interface, "name", ""), text_of (interface, "mode", ""));
  if (is_true (interface, "attached"))
    g_string_append_printf (text, ", program attached (%s%s)",
        text_of (interface, "xdp-mode", ""),
        json_object_get_null_member (interface, "zero-copy") ? ""
            : is_true (interface, "zero-copy")               ? ", zero-copy"
                                                             : ", copy");
  else
    g_string_append (text, ", no program attached");
  g_string_append_printf (text,
      ", MTU %" G_GINT64_FORMAT ", RX queues: %" G_GINT64_FORMAT
      ", threads: %" G_GINT64_FORMAT ", streams: %" G_GINT64_FORMAT "%s\n",
      number_of (interface, "mtu"), number_of (interface, "queues"),
      number_of (interface, "threads"), number_of (interface, "streams"),
      is_true (interface, "up")            ? ""
          : is_true (interface, "present") ? ", is down"
                                           : ", is not there");
  if (reason)
    g_string_append_printf (text, "    %s\n", reason);
}

/* Places where something was dropped alone. */
static void
add_drops (GString *text, JsonObject *drops)
{
  g_autoptr (GList) names = json_object_get_members (drops);
  const gchar *separator = "    dropped: ";

  for (GList *i = names; i; i = i->next) {
    gint64 n = number_of (drops, i->data);

    if (!n)
      continue;
    g_string_append_printf (
        text, "%s%s %" G_GINT64_FORMAT, separator, (const gchar *) i->data, n);
    separator = ", ";
  }
  if (*separator == ',')
    g_string_append_c (text, '\n');
}

static void
add_stream (GString *text, JsonObject *stream)
{
  g_autofree gchar *address = describe_address (stream);
  const gchar *sources = text_of (stream, "sources", NULL);
  const gchar *reason = text_of (stream, "reason", NULL);
  gint64 malformed = number_of (stream, "malformed");

  g_string_append_printf (text,
      "  %s%s%s on %s: path %s, packets %" G_GINT64_FORMAT " (%" G_GINT64_FORMAT
      "/s), clients: %" G_GINT64_FORMAT "\n",
      address, sources ? " of " : "", sources ? sources : "",
      text_of (stream, "interface", ""),
      text_of (stream, "path", "not open yet"), number_of (stream, "packets"),
      number_of (stream, "packets-per-second"), number_of (stream, "clients"));
  if (reason)
    g_string_append_printf (text, "    %s\n", reason);
  if (malformed)
    g_string_append_printf (
        text, "    malformed: %" G_GINT64_FORMAT "\n", malformed);
  add_drops (text, json_object_get_object_member (stream, "dropped"));
}

static void
add_client (GString *text, JsonObject *client)
{
  g_autofree gchar *address = describe_address (client);
  g_autofree gchar *memory = g_format_size_full (
      number_of (client, "memory"), G_FORMAT_SIZE_IEC_UNITS);
  g_autofree gchar *time = describe_time (
      json_object_get_double_member (client, "connected-seconds"));
  g_autofree gchar *uid =
      g_strdup_printf ("%" G_GINT64_FORMAT, number_of (client, "uid"));

  g_string_append_printf (text,
      "  process %" G_GINT64_FORMAT " of %s, for %s: %s on %s, packets "
      "%" G_GINT64_FORMAT ", dropped %" G_GINT64_FORMAT
      " for want of a slot, slots free %" G_GINT64_FORMAT
      " of %" G_GINT64_FORMAT " (%s)\n",
      number_of (client, "pid"), text_of (client, "user", uid), time, address,
      text_of (client, "interface", ""), number_of (client, "packets"),
      number_of (client, "dropped-client-ring"),
      number_of (client, "slots-free"), number_of (client, "slots"), memory);
}

static const struct
{
  const gchar *member, *title, *nothing;
  void (*add) (GString *text, JsonObject *object);
} lists[] = {
  { "interfaces", "Interfaces", "none", add_interface },
  { "streams", "Streams", "none: no client asks for one", add_stream },
  { "clients", "Clients", "none", add_client },
};

gchar *
afxdp_status_to_text (JsonNode *status)
{
  JsonObject *root = json_node_get_object (status);
  GString *text = g_string_new (NULL);
  g_autofree gchar *time =
      describe_time (json_object_get_double_member (root, "uptime-seconds"));

  g_string_append_printf (text,
      "afxdp-distributor %s, process %" G_GINT64_FORMAT ", up for %s\n",
      text_of (root, "version", ""), number_of (root, "pid"), time);
  for (guint i = 0; i < G_N_ELEMENTS (lists); i++) {
    JsonArray *list = json_object_get_array_member (root, lists[i].member);
    guint n = json_array_get_length (list);

    g_string_append_printf (text, "%s%s%s\n", lists[i].title, n ? ":" : ": ",
        n ? "" : lists[i].nothing);
    for (guint j = 0; j < n; j++)
      lists[i].add (text, json_array_get_object_element (list, j));
  }
  return g_string_free (text, FALSE);
}
