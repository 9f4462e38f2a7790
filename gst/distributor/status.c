/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tree of what the daemon does. */
#include "status.h"

#include <unistd.h>

#include "clock.h"
#include "ledger.h"

/* In a reason there may be somebody else's name, of any bytes. */
static void
add_text (JsonBuilder *builder, const gchar *name, const gchar *text)
{
  g_autofree gchar *valid = text ? g_utf8_make_valid (text, -1) : NULL;

  json_builder_set_member_name (builder, name);
  if (valid)
    json_builder_add_string_value (builder, valid);
  else
    json_builder_add_null_value (builder);
}

static void
add_number (JsonBuilder *builder, const gchar *name, gint64 number)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, number);
}

static void
add_truth (JsonBuilder *builder, const gchar *name, gboolean truth)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, truth);
}

static void
begin_list (JsonBuilder *builder, const gchar *name)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
}

static void
add_address (JsonBuilder *builder, GInetAddress *address, guint port)
{
  g_autofree gchar *text = g_inet_address_to_string (address);

  add_text (builder, "address", text);
  add_number (builder, "port", port);
}

static gdouble
seconds_since (guint64 since)
{
  return (gdouble) (afxdp_now () - since) / AFXDP_S;
}

static const gchar *
path_name (const struct afxdp_path *path)
{
  return !path || path->path == AFXDP_PATH_NONE ? NULL
      : path->path == AFXDP_PATH_FAST           ? "af-xdp"
                                                : "socket";
}

static const gchar *
xdp_mode_name (const AfxdpHoldState *hold)
{
  return !hold->attached                         ? NULL
      : hold->xdp_mode == AFXDP_XDP_MODE_GENERIC ? "generic"
                                                 : "native";
}

/* Interfaces. */

typedef struct
{
  guint which;
  gboolean is_known, zero_copy;
} InterfaceMode;

/* All streams of an interface that come by its fast path have the same mode; before the
 * first one nobody knows it. */
static void
look_for_mode (const AfxdpFeedState *state, gpointer user_data)
{
  InterfaceMode *mode = user_data;

  if (state->wanted->interface != mode->which || !state->path ||
      state->path->path != AFXDP_PATH_FAST)
    return;
  mode->is_known = TRUE;
  mode->zero_copy = state->path->zero_copy;
}

static void
add_interface (JsonBuilder *builder, AfxdpServer *server,
    const AfxdpDaemonSettings *settings, guint which)
{
  static const gchar *const modes[] = { [AFXDP_MODE_AUTO] = "auto",
    [AFXDP_MODE_AF_XDP] = "af-xdp",
    [AFXDP_MODE_SOCKET] = "socket" };
  AfxdpWorkers *workers = afxdp_server_workers (server);
  InterfaceMode mode = { .which = which };
  const AfxdpNetdev *netdev;
  AfxdpHoldState hold;

  afxdp_workers_hold_state (workers, which, &hold);
  netdev = &hold.netdev;
  afxdp_feeds_foreach (afxdp_server_feeds (server), look_for_mode, &mode);
  json_builder_begin_object (builder);
  add_text (builder, "name", netdev->name);
  add_truth (builder, "present", hold.there);
  add_truth (builder, "up", hold.there && netdev->up);
  add_number (builder, "mtu", netdev->mtu);
  add_text (builder, "mode", modes[settings->mode]);
  add_truth (builder, "attached", hold.attached);
  add_text (builder, "xdp-mode", xdp_mode_name (&hold));
  if (mode.is_known)
    add_truth (builder, "zero-copy", mode.zero_copy);
  else
    add_text (builder, "zero-copy", NULL);
  add_text (builder, "reason", hold.reason);
  add_number (builder, "queues", netdev->rx_active);
  add_number (builder, "threads", afxdp_workers_n_threads (workers, which));
  add_number (builder, "streams", afxdp_workers_n_streams (workers, which));
  json_builder_end_object (builder);
  afxdp_hold_state_clear (&hold);
}

/* Streams. */

typedef struct
{
  JsonBuilder *builder;
  const AfxdpDaemonSettings *settings;
} Lists;

static void
add_sources (JsonBuilder *builder, const AfxdpSources *sources)
{
  GSocketFamily family = afxdp_sources_version (sources) == 6
      ? G_SOCKET_FAMILY_IPV6
      : G_SOCKET_FAMILY_IPV4;
  gchar sign =
      afxdp_sources_kind (sources) == AFXDP_SOURCES_EXCLUDE ? '-' : '+';
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < afxdp_sources_n (sources); i++) {
    g_autoptr (GInetAddress) address =
        g_inet_address_new_from_bytes (afxdp_sources_get (sources, i), family);
    g_autofree gchar *source = g_inet_address_to_string (address);

    g_string_append_c (text, sign);
    g_string_append (text, source);
  }
  add_text (builder, "sources", text->len ? text->str : NULL);
}

static void
add_drops (JsonBuilder *builder, const guint64 *drops)
{
  json_builder_set_member_name (builder, "dropped");
  json_builder_begin_object (builder);
  for (guint i = AFXDP_FIRST_LOSS; i < AFXDP_N_COLUMNS; i++)
    if (afxdp_column_name (i))
      add_number (builder, afxdp_column_name (i), drops[i]);
  json_builder_end_object (builder);
}

static void
add_stream (const AfxdpFeedState *state, gpointer user_data)
{
  const Lists *lists = user_data;
  JsonBuilder *builder = lists->builder;
  const AfxdpWanted *wanted = state->wanted;

  json_builder_begin_object (builder);
  add_address (builder, wanted->address, wanted->port);
  add_sources (builder, wanted->sources);
  add_text (builder, "interface",
      lists->settings->interfaces->pdata[wanted->interface]);
  add_number (builder, "clients", state->n_uses);
  add_text (builder, "path", path_name (state->path));
  add_text (builder, "reason",
      state->path && *state->path->reason ? state->path->reason : NULL);
  add_number (
      builder, "packets", state->counts.packets[0] + state->counts.packets[1]);
  add_number (builder, "packets-af-xdp", state->counts.packets[0]);
  add_number (builder, "packets-socket", state->counts.packets[1]);
  add_number (builder, "packets-per-second", state->rate);
  add_number (builder, "bytes", state->counts.bytes);
  add_number (builder, "malformed", state->counts.malformed);
  add_drops (builder, state->counts.drops);
  json_builder_end_object (builder);
}

/* Clients. */

static void
add_client (const AfxdpConnectionState *state, gpointer user_data)
{
  const Lists *lists = user_data;
  JsonBuilder *builder = lists->builder;

  json_builder_begin_object (builder);
  add_number (builder, "pid", state->pid);
  add_number (builder, "uid", state->uid);
  add_address (builder, state->address, state->port);
  add_text (builder, "interface", state->interface);
  json_builder_set_member_name (builder, "connected-seconds");
  json_builder_add_double_value (builder, seconds_since (state->since));
  add_number (builder, "packets", state->counts.packets);
  add_number (builder, "dropped-client-ring", state->counts.dropped);
  add_number (builder, "slots", state->counts.n_slots);
  add_number (builder, "slots-free", state->counts.n_free);
  add_number (builder, "memory", state->memory);
  json_builder_end_object (builder);
}

/* All of it. */

JsonNode *
afxdp_status_new (
    AfxdpServer *server, const AfxdpDaemonSettings *settings, guint64 since)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  Lists lists = { builder, settings };
  guint n = afxdp_workers_n_interfaces (afxdp_server_workers (server));

  json_builder_begin_object (builder);
  add_text (builder, "version", PACKAGE_VERSION);
  add_number (builder, "pid", getpid ());
  json_builder_set_member_name (builder, "uptime-seconds");
  json_builder_add_double_value (builder, seconds_since (since));
  begin_list (builder, "interfaces");
  for (guint i = 0; i < n; i++)
    add_interface (builder, server, settings, i);
  json_builder_end_array (builder);
  begin_list (builder, "streams");
  afxdp_feeds_foreach (afxdp_server_feeds (server), add_stream, &lists);
  json_builder_end_array (builder);
  begin_list (builder, "clients");
  afxdp_server_foreach (server, add_client, &lists);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

gchar *
afxdp_status_to_json (JsonNode *status)
{
  g_autofree gchar *text = json_to_string (status, TRUE);

  return g_strconcat (text, "\n", NULL);
}
