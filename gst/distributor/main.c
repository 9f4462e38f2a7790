/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* afxdp-distributor: the program, from its command line to its end. */
#include <glib-unix.h>
#include <locale.h>
#include <stdlib.h>

#include "clock.h"
#include "daemonmetrics.h"
#include "error.h"
#include "inquiry.h"
#include "journal.h"
#include "notify.h"
#include "options.h"
#include "server.h"
#include "status.h"
#include "statustext.h"

#define EXIT_USAGE 2

typedef struct
{
  const AfxdpOptions *options;
  AfxdpDaemonSettings *settings;
  AfxdpServer *server;
  AfxdpDaemonMetrics *metrics; /* NULL: nobody asked for them */
  GMainLoop *loop;
  guint64 since;
} Daemon;

static JsonNode *
status_of (gpointer user_data)
{
  Daemon *daemon = user_data;

  return afxdp_status_new (daemon->server, daemon->settings, daemon->since);
}

static gchar *
describe (gpointer user_data, gboolean json)
{
  g_autoptr (JsonNode) status = status_of (user_data);

  return json ? afxdp_status_to_json (status) : afxdp_status_to_text (status);
}

static gchar *
name_interfaces (const AfxdpDaemonSettings *settings)
{
  GString *names = g_string_new (NULL);

  for (guint i = 0; i < settings->interfaces->len; i++)
    g_string_append_printf (names, "%s%s", i ? ", " : "",
        (const gchar *) settings->interfaces->pdata[i]);
  return g_string_free (names, FALSE);
}

static void
tell_ready (const Daemon *daemon)
{
  g_autofree gchar *names = name_interfaces (daemon->settings);
  g_autofree gchar *status = g_strdup_printf ("Receives on %s", names);

  afxdp_notify_ready (status);
}

/* SIGHUP. */

static void
tell_ignored (const AfxdpDaemonSettings *now, const AfxdpDaemonSettings *read)
{
  for (guint i = 0; i < afxdp_settings_n (); i++)
    if (!afxdp_settings_table[i].personal &&
        g_strcmp0 (now->texts[i], read->texts[i]))
      afxdp_journal (AFXDP_JOURNAL_WARNING,
          "%s has changed in the configuration, which is ignored until the "
          "daemon is started again",
          afxdp_settings_table[i].key);
}

/* Streams that clients have already stay theirs. */
static gboolean
on_reload (gpointer user_data)
{
  Daemon *daemon = user_data;
  g_autoptr (AfxdpDaemonSettings) read = NULL;
  g_autoptr (GError) error = NULL;

  afxdp_notify_reloading ();
  read = afxdp_options_read (daemon->options, &error);
  if (read) {
    tell_ignored (daemon->settings, read);
    afxdp_rules_unref (daemon->settings->rules);
    daemon->settings->rules = afxdp_rules_ref (read->rules);
    afxdp_journal (AFXDP_JOURNAL_INFO,
        "Read the configuration again: what is allowed, and how much. Streams "
        "that clients have stay theirs");
  } else {
    afxdp_journal (AFXDP_JOURNAL_ERROR,
        "Could not read the configuration again, and go on as before: %s",
        error->message);
  }
  tell_ready (daemon);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_end (gpointer user_data)
{
  Daemon *daemon = user_data;

  g_main_loop_quit (daemon->loop);
  return G_SOURCE_CONTINUE;
}

/* The program's ways. */

static gboolean
start (Daemon *daemon, GError **error)
{
  daemon->since = afxdp_now ();
  daemon->server = afxdp_server_new (daemon->settings, describe, daemon, error);
  if (!daemon->server)
    return FALSE;
  if (!daemon->settings->metrics)
    return TRUE;
  daemon->metrics = afxdp_daemon_metrics_new (
      daemon->settings->metrics, status_of, daemon, error);
  if (!daemon->metrics)
    g_clear_pointer (&daemon->server, afxdp_server_free);
  return daemon->metrics != NULL;
}

static int
serve (Daemon *daemon)
{
  g_autofree gchar *names = name_interfaces (daemon->settings);
  g_autoptr (GError) error = NULL;

  if (!start (daemon, &error)) {
    afxdp_journal (AFXDP_JOURNAL_ERROR, "Could not begin: %s", error->message);
    return EXIT_FAILURE;
  }
  daemon->loop = g_main_loop_new (NULL, FALSE);
  g_unix_signal_add (SIGTERM, on_end, daemon);
  g_unix_signal_add (SIGINT, on_end, daemon);
  g_unix_signal_add (SIGHUP, on_reload, daemon);
  afxdp_journal (AFXDP_JOURNAL_INFO,
      "afxdp-distributor " PACKAGE_VERSION " receives on %s for clients at %s",
      names, daemon->settings->socket);
  tell_ready (daemon);
  g_main_loop_run (daemon->loop);
  afxdp_notify_stopping ();
  afxdp_journal (AFXDP_JOURNAL_INFO, "Ends, and hangs up to its clients");
  afxdp_daemon_metrics_free (daemon->metrics);
  afxdp_server_free (daemon->server);
  g_main_loop_unref (daemon->loop);
  return EXIT_SUCCESS;
}

static int
inquire (const Daemon *daemon)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = afxdp_inquire (
      daemon->settings->socket, afxdp_options_json (daemon->options), &error);

  if (text) {
    g_print ("%s", text);
    return EXIT_SUCCESS;
  }
  g_printerr ("%s\n", error->message);
  return EXIT_FAILURE;
}

static int
run (const AfxdpOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AfxdpDaemonSettings) settings =
      afxdp_options_read (options, &error);
  Daemon daemon = { .options = options, .settings = settings };

  afxdp_journal_init (settings ? settings->verbose : 0);
  if (!settings) {
    afxdp_journal (AFXDP_JOURNAL_ERROR, "%s", error->message);
    return EXIT_USAGE;
  }
  if (afxdp_options_status (options))
    return inquire (&daemon);
  if (settings->interfaces->len)
    return serve (&daemon);
  afxdp_journal (AFXDP_JOURNAL_ERROR,
      "There is no interface to receive on: give one, such as "
      "--interface=eth1, or interfaces= in the configuration");
  return EXIT_USAGE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AfxdpOptions) options = NULL;

  setlocale (LC_ALL, "");
  options = afxdp_options_new (argc, argv, &error);
  if (!options) {
    g_printerr ("%s\n", error->message);
    return EXIT_USAGE;
  }
  if (afxdp_options_version (options)) {
    g_print ("afxdp-distributor " PACKAGE_VERSION "\n");
    return EXIT_SUCCESS;
  }
  return run (options);
}
