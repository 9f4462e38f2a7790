/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where metrics are given to: by HTTP, to a file, to a log. */
#include "exporter.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "httpclient.h"
#include "suite.h"

#define PATIENCE (30 * G_TIME_SPAN_SECOND)
#define wait_until(condition)                              \
  do {                                                     \
    gint64 deadline_ = g_get_monotonic_time () + PATIENCE; \
    while (!(condition)) {                                 \
      fail_if (g_get_monotonic_time () > deadline_,        \
          "it never became so: " #condition);              \
      g_usleep (1000);                                     \
    }                                                      \
  } while (0)

static gchar *directory, *path;
/* Atomic. */
static gint value, n_collected, n_told, is_refused;
static gchar *told;

static void
set_up (void)
{
  directory = g_dir_make_tmp ("afxdp-exporter-XXXXXX", NULL);
  path = g_build_filename (directory, "afxdp.prom", NULL);
}

static void
tear_down (void)
{
  g_autoptr (GDir) left = g_dir_open (directory, 0, NULL);
  const gchar *name = g_dir_read_name (left);

  /* None of what is renamed later is forgotten. */
  fail_unless (!name || g_str_equal (name, "afxdp.prom"), "%s", name);
  g_unlink (path);
  fail_if (g_rmdir (directory));
  g_clear_pointer (&path, g_free);
  g_clear_pointer (&directory, g_free);
  g_clear_pointer (&told, g_free);
  value = n_collected = n_told = is_refused = 0;
}

static AfxdpSamples *
collect (gpointer user_data)
{
  static const gchar *const none[] = { NULL };
  AfxdpSamples *samples;

  g_atomic_int_inc (&n_collected);
  if (g_atomic_int_get (&is_refused))
    return NULL;
  samples = afxdp_samples_new ();
  afxdp_samples_add (samples, AFXDP_METRIC_DAEMON_UPTIME, none,
      G_GUINT64_CONSTANT (1000000000) * g_atomic_int_get (&value));
  return samples;
}

static void
tell (const gchar *text)
{
  if (!g_atomic_int_add (&n_told, 1))
    told = g_strdup (text);
}

static AfxdpExporter *
start (const gchar *parameters)
{
  g_autoptr (GError) error = NULL;
  AfxdpExporterSettings settings;
  AfxdpExporter *exporter;

  fail_unless (afxdp_exporter_settings_parse (&settings, parameters, &error),
      "%s", error ? error->message : "");
  exporter = afxdp_exporter_new (&settings, collect, tell, NULL);
  afxdp_exporter_settings_clear (&settings);
  return exporter;
}

/* Parameters. */

static const struct
{
  const gchar *text; /* NULL: there are none */
  AfxdpExporterSettings settings;
} right[] = {
  { NULL, { AFXDP_EXPORTER_LISTEN, NULL, NULL, 10000 } },
  { "", { AFXDP_EXPORTER_LISTEN, NULL, NULL, 10000 } },
  { "interval=1", { AFXDP_EXPORTER_LISTEN, NULL, NULL, 1000 } },
  { "listen=[::1]:1", { "[::1]:1", NULL, NULL, 10000 } },
  { "file=/a b.prom", { NULL, "/a b.prom", NULL, 10000 } },
  { "log=stderr, interval=0.25,", { NULL, NULL, "stderr", 250 } },
  { "listen=x,file=a=b,log=c,interval=3600", { "x", "a=b", "c", 3600000 } },
};

TABLE_TEST (test_parameters, right)
{
  const AfxdpExporterSettings *should_be = &right[__i__].settings;
  AfxdpExporterSettings settings;

  fail_unless (
      afxdp_exporter_settings_parse (&settings, right[__i__].text, NULL));
  fail_unless_equals_string (settings.listen, should_be->listen);
  fail_unless_equals_string (settings.file, should_be->file);
  fail_unless_equals_string (settings.log, should_be->log);
  fail_unless_equals_int (settings.interval, should_be->interval);
  afxdp_exporter_settings_clear (&settings);
}

static const gchar *const wrong[] = { "listen",
  "listen=", "file=", "log=", "interval=", "interval=0", "interval=0.09",
  "interval=3601", "interval=1s", "interval=nan", "interval=-1", "port=9464",
  "/a.prom" };

TABLE_TEST (test_wrong_parameters, wrong)
{
  AfxdpExporterSettings settings;
  g_autoptr (GError) error = NULL;

  fail_if (afxdp_exporter_settings_parse (&settings, wrong[__i__], &error),
      "%s", wrong[__i__]);
  fail_unless (g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS));
  fail_unless (
      g_str_has_prefix (error->message, wrong[__i__]), "%s", error->message);
}

/* Files. */

static gchar *
read_file (void)
{
  gchar *text = NULL;

  g_file_get_contents (path, &text, NULL, NULL);
  return text;
}

#define HEAD                                                              \
  "# HELP afxdp_distributor_uptime_seconds How long the daemon has run\n" \
  "# TYPE afxdp_distributor_uptime_seconds gauge\n"                       \
  "afxdp_distributor_uptime_seconds "

static gboolean
file_is (guint seconds)
{
  g_autofree gchar *text = read_file ();
  g_autofree gchar *should_be = g_strdup_printf (HEAD "%u.0\n", seconds);

  fail_unless (!text || g_str_has_prefix (text, HEAD), "not whole: %s", text);
  return !g_strcmp0 (text, should_be);
}

/* It is there at once, follows, is whole at any time, and has the end. */
TEST (test_file)
{
  g_autofree gchar *parameters = g_strdup_printf ("interval=0.1,file=%s", path);
  AfxdpExporter *exporter = start (parameters);

  wait_until (file_is (0));
  for (guint i = 1; i < 5; i++) {
    g_atomic_int_set (&value, i);
    wait_until (file_is (i));
  }
  g_atomic_int_set (&value, 99);
  afxdp_exporter_free (exporter);
  fail_unless (file_is (99));
  fail_unless_equals_int (n_told, 0);
}

TEST (test_no_file)
{
  g_autofree gchar *parameters =
      g_strdup_printf ("interval=0.1,file=%s/none/afxdp.prom", directory);
  AfxdpExporter *exporter = start (parameters);

  wait_until (g_atomic_int_get (&n_collected) > 3);
  afxdp_exporter_free (exporter);
  fail_unless_equals_int (n_told, 1);
  fail_unless (strstr (told, "none") != NULL, "%s", told);
}

TEST (test_log)
{
  g_autofree gchar *parameters = g_strdup_printf ("interval=0.1,log=%s", path);
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;
  AfxdpExporter *exporter;
  guint n;

  fail_unless (g_file_set_contents (path, "before\n", -1, NULL));
  exporter = start (parameters);
  wait_until (g_atomic_int_get (&n_collected) > 3);
  afxdp_exporter_free (exporter);
  text = read_file ();
  lines = g_strsplit (text, "\n", -1);
  n = g_strv_length (lines) - 1;
  fail_unless_equals_string (lines[0], "before");
  fail_unless_equals_string (lines[n], "");
  fail_unless_equals_int (n - 1, n_collected);
  for (guint i = 1; i < n; i++)
    fail_unless (g_str_has_prefix (lines[i], "{\"time\":") &&
            g_str_has_suffix (lines[i],
                ",\"samples\":[{\"name\":\"afxdp_distributor_uptime_seconds\","
                "\"value\":0.0}]}"),
        "%s", lines[i]);
}

TEST (test_no_log)
{
  g_autofree gchar *parameters = g_strdup_printf ("log=%s/none/log", directory);
  AfxdpExporter *exporter = start (parameters);

  fail_unless_equals_int (n_told, 1);
  fail_unless (strstr (told, "none/log") != NULL, "%s", told);
  afxdp_exporter_free (exporter);
  fail_unless_equals_int (n_collected, 0);
}

/* HTTP. */

#ifdef HAVE_MICROHTTPD

static guint16 port;
static AfxdpExporter *server;

static void
begin_serving (void)
{
  set_up ();
  server = start ("listen=127.0.0.1:0");
  port = afxdp_exporter_port (server);
  fail_unless (port != 0, "%s", told);
}

static void
end_serving (void)
{
  g_clear_pointer (&server, afxdp_exporter_free);
  tear_down ();
}

FIXTURE (begin_serving, end_serving)

TEST (test_formats)
{
  g_autoptr (HttpAnswer) old = http_ask (port, "GET", "/metrics", "");
  g_autoptr (HttpAnswer) new = http_ask (port, "GET", "/metrics",
      "Accept: application/openmetrics-text; version=1.0.0\r\n");

  fail_unless_equals_int (old->status, 200);
  fail_unless_equals_string (old->body, HEAD "0.0\n");
  fail_unless (
      strstr (old->head, "Content-Type: text/plain; version=0.0.4") != NULL,
      "%s", old->head);
  fail_unless_equals_int (new->status, 200);
  fail_unless (g_str_has_suffix (new->body, "\n# EOF\n"), "%s", new->body);
  fail_unless (strstr (new->head,
                   "Content-Type: application/openmetrics-text; "
                   "version=1.0.0; charset=utf-8") != NULL,
      "%s", new->head);
}

static const struct
{
  const gchar *method, *path, *headers;
  guint status;
} requests[] = {
  { "GET", "/", "", 200 },
  { "GET", "/metrics?a=b", "", 200 },
  { "GET", "/other", "", 404 },
  { "GET", "/metrics/", "", 404 },
  { "POST", "/metrics", "Content-Length: 0\r\n", 405 },
  { "DELETE", "/metrics", "", 405 },
  { "HEAD", "/metrics", "", 200 },
};

TABLE_TEST (test_request, requests)
{
  g_autoptr (HttpAnswer) answer = http_ask (port, requests[__i__].method,
      requests[__i__].path, requests[__i__].headers);

  fail_unless_equals_int (answer->status, requests[__i__].status);
  fail_unless (!*answer->body == g_str_equal (requests[__i__].method, "HEAD"),
      "%s", answer->body);
}

TEST (test_busy)
{
  g_autoptr (HttpAnswer) answer = NULL;

  g_atomic_int_set (&is_refused, TRUE);
  answer = http_ask (port, "GET", "/metrics", "");
  fail_unless_equals_int (answer->status, 503);
  fail_unless (strstr (answer->head, "Retry-After: 1") != NULL);
}

/* Who connects and says nothing, or only half of it, holds up nobody else, and not the
 * end either. */
TEST (test_slow_client)
{
  g_autoptr (GSocket) silent = http_connect (port);
  g_autoptr (GSocket) slow = http_connect (port);
  g_autoptr (HttpAnswer) answer = NULL;

  g_socket_send (slow, "GET /met", 8, NULL, NULL);
  answer = http_ask (port, "GET", "/metrics", "");
  fail_unless_equals_int (answer->status, 200);
  g_clear_pointer (&server, afxdp_exporter_free);
}

/* Each process needs a port of its own. */
TEST (test_port_in_use)
{
  g_autofree gchar *parameters = g_strdup_printf ("listen=127.0.0.1:%u", port);
  AfxdpExporter *another = start (parameters);

  fail_unless_equals_int (afxdp_exporter_port (another), 0);
  fail_unless_equals_int (n_told, 1);
  fail_unless (strstr (told, "Choose a port of its own") != NULL, "%s", told);
  afxdp_exporter_free (another);
}

static gboolean
has_listening_socket (void)
{
  for (int fd = 0; fd < 1024; fd++) {
    int listens = 0;
    socklen_t size = sizeof listens;

    if (!getsockopt (fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) && listens)
      return TRUE;
  }
  return FALSE;
}

/* A child that goes on without exec() does not have the port, which would stay taken when
 * the parent is killed; and it may free what it has, without a thread to wait for. */
TEST (test_fork)
{
  gint status;
  pid_t child;

  fail_unless (has_listening_socket ());
  child = fork ();
  if (!child) {
    gboolean has = has_listening_socket ();

    afxdp_exporter_free (server);
    _exit (has);
  }
  waitpid (child, &status, 0);
  fail_unless (WIFEXITED (status) && !WEXITSTATUS (status), "%d", status);
}

#else

TEST (test_no_http)
{
  AfxdpExporter *exporter = start ("listen=127.0.0.1:0");

  fail_unless_equals_int (afxdp_exporter_port (exporter), 0);
  fail_unless_equals_int (n_told, 1);
  fail_unless (strstr (told, "libmicrohttpd") != NULL, "%s", told);
  afxdp_exporter_free (exporter);
}

#endif

SUITE ("exporter", 0, set_up, tear_down)
