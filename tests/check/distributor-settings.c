/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the distributor daemon is told: by its command line, and by its file. */
#include "distributor/options.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "suite.h"

static gchar *directory, *path;

static void
set_up (void)
{
  directory = g_dir_make_tmp ("afxdp-settings-XXXXXX", NULL);
  path = g_build_filename (directory, "distributor.conf", NULL);
}

static void
tear_down (void)
{
  g_unlink (path);
  g_rmdir (directory);
  g_free (path);
  g_free (directory);
}

/* A command line of words with blanks between them. */
static AfxdpOptions *
parse (const gchar *line, GError **error)
{
  g_autofree gchar *whole = g_strconcat ("afxdp-distributor ", line, NULL);
  g_auto (GStrv) words = g_strsplit (g_strchomp (whole), " ", -1);
  /* GOption takes words out of it. */
  g_autofree gchar **left =
      g_memdup2 (words, (g_strv_length (words) + 1) * sizeof *words);

  return afxdp_options_new (g_strv_length (words), left, error);
}

/* With such a file; NULL: none. */
static AfxdpDaemonSettings *
read_settings (const gchar *line, const gchar *file, GError **error)
{
  g_autofree gchar *with_file =
      g_strdup_printf ("--config %s%s%s", path, *line ? " " : "", line);
  g_autoptr (AfxdpOptions) options = NULL;

  fail_unless (!file || g_file_set_contents (path, file, -1, NULL));
  options = parse (file ? with_file : line, error);
  return options ? afxdp_options_read (options, error) : NULL;
}

static AfxdpDaemonSettings *
settings_of (const gchar *line, const gchar *file)
{
  g_autoptr (GError) error = NULL;
  AfxdpDaemonSettings *settings = read_settings (line, file, &error);

  fail_unless (settings != NULL, "%s", error ? error->message : "");
  return settings;
}

static guint64
quota (const AfxdpDaemonSettings *settings, guint32 uid, guint32 gid,
    AfxdpQuotaKind kind)
{
  const AfxdpPeer peer = { uid, &gid, 1 };

  return afxdp_rules_quota (settings->rules, &peer, kind);
}

static gboolean
may (const AfxdpDaemonSettings *settings, guint32 uid, guint32 gid,
    const gchar *text, guint16 port)
{
  const AfxdpPeer peer = { uid, &gid, 1 };
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (text);

  return afxdp_rules_allow (settings->rules, &peer, address, port, NULL);
}

TEST (test_presets)
{
  g_autoptr (AfxdpDaemonSettings) settings = settings_of ("", NULL);

  fail_unless_equals_int (settings->interfaces->len, 0);
  fail_unless_equals_string (settings->socket, "/run/afxdp/distributor.sock");
  fail_unless (settings->group == NULL);
  fail_unless_equals_int (settings->mode, AFXDP_MODE_AUTO);
  fail_unless_equals_int (settings->max_clients, 64);
  fail_unless_equals_int (settings->cpus->len, 0);
  fail_unless_equals_int (settings->umem_frames, 0);
  fail_unless_equals_uint64 (settings->coalesce, 1000000);
  fail_unless (settings->metrics == NULL);
  fail_unless_equals_int (settings->verbose, 0);
  fail_unless_equals_uint64 (quota (settings, 1, 1, AFXDP_QUOTA_STREAMS), 64);
  fail_unless_equals_uint64 (
      quota (settings, 1, 1, AFXDP_QUOTA_MEMORY), 64 << 20);
  fail_unless (may (settings, 1, 1, "239.1.1.1", 5000));
}

TEST (test_command_line)
{
  static const guint cpus[] = { 1, 3, 4 };
  g_autoptr (AfxdpDaemonSettings) settings = settings_of (
      "--interface eth1 --interface=eth2 --socket /tmp/s --group video "
      "--mode socket --allow 239.1.0.0/16 --allow 10.0.0.2:5004 "
      "--max-clients 3 --max-clients 5 --max-streams 4 --max-memory 2M "
      "--cpus 1,3-4 --umem-frames 4096 --coalesce 0 --verbose 2 "
      "--metrics [::1]:9465",
      NULL);

  fail_unless_equals_int (settings->interfaces->len, 2);
  fail_unless_equals_string (settings->interfaces->pdata[1], "eth2");
  fail_unless_equals_string (settings->socket, "/tmp/s");
  fail_unless_equals_string (settings->group, "video");
  fail_unless_equals_int (settings->mode, AFXDP_MODE_SOCKET);
  fail_unless_equals_int (settings->max_clients, 5);
  fail_unless_equals_int (settings->cpus->len, G_N_ELEMENTS (cpus));
  fail_if (memcmp (settings->cpus->data, cpus, sizeof cpus));
  fail_unless_equals_int (settings->umem_frames, 4096);
  fail_unless_equals_uint64 (settings->coalesce, 0);
  fail_unless_equals_string (settings->metrics, "[::1]:9465");
  fail_unless_equals_int (settings->verbose, 2);
  fail_unless_equals_uint64 (quota (settings, 1, 1, AFXDP_QUOTA_STREAMS), 4);
  fail_unless_equals_uint64 (
      quota (settings, 1, 1, AFXDP_QUOTA_MEMORY), 2 << 20);
  fail_unless (may (settings, 1, 1, "239.1.1.1", 5000));
  fail_unless (may (settings, 1, 1, "10.0.0.2", 5004));
  fail_if (may (settings, 1, 1, "239.2.1.1", 5000));
}

#define SECTIONS                          \
  "[distributor]\n"                       \
  "interfaces = eth1; eth2\n"             \
  "mode=af-xdp\n"                         \
  "max-streams=7\n"                       \
  "max-memory=1G\n"                       \
  "allow=239.1.0.0/16:5000;[ff3e::]/32\n" \
  "\n"                                    \
  "# A number is one where no name is.\n" \
  "[user root]\n"                         \
  "allow=10.0.0.2\n"                      \
  "max-streams=100\n"                     \
  "[user 4242]\n"                         \
  "max-memory=1M\n"                       \
  "[group 4343]\n"                        \
  "allow=10.0.0.3:1-3\n"                  \
  "max-streams=9\n"

TEST (test_file)
{
  g_autoptr (AfxdpDaemonSettings) settings = settings_of ("", SECTIONS);

  fail_unless_equals_int (settings->interfaces->len, 2);
  fail_unless_equals_string (settings->interfaces->pdata[1], "eth2");
  fail_unless_equals_int (settings->mode, AFXDP_MODE_AF_XDP);
  fail_unless (may (settings, 1, 1, "239.1.1.1", 5000));
  fail_unless (may (settings, 1, 1, "ff3e::1", 9));
  fail_if (may (settings, 1, 1, "239.1.1.1", 5001));
  fail_if (may (settings, 1, 1, "10.0.0.2", 9));
  fail_unless (may (settings, 0, 0, "10.0.0.2", 9));
  fail_unless (may (settings, 1, 4343, "10.0.0.3", 3));
  fail_if (may (settings, 1, 1, "10.0.0.3", 3));
  fail_unless_equals_uint64 (quota (settings, 1, 1, AFXDP_QUOTA_STREAMS), 7);
  fail_unless_equals_uint64 (quota (settings, 0, 0, AFXDP_QUOTA_STREAMS), 100);
  fail_unless_equals_uint64 (quota (settings, 1, 4343, AFXDP_QUOTA_STREAMS), 9);
  fail_unless_equals_uint64 (
      quota (settings, 1, 1, AFXDP_QUOTA_MEMORY), 1 << 30);
  fail_unless_equals_uint64 (
      quota (settings, 4242, 1, AFXDP_QUOTA_MEMORY), 1 << 20);
}

TEST (test_command_line_comes_first)
{
  g_autoptr (AfxdpDaemonSettings) settings = settings_of (
      "--interface eth3 --mode socket --max-streams 8 --allow 239.9.9.9",
      SECTIONS);

  fail_unless_equals_int (settings->interfaces->len, 1);
  fail_unless_equals_string (settings->interfaces->pdata[0], "eth3");
  fail_unless_equals_int (settings->mode, AFXDP_MODE_SOCKET);
  fail_unless_equals_uint64 (quota (settings, 1, 1, AFXDP_QUOTA_STREAMS), 8);
  /* But not before what is said of a user alone. */
  fail_unless_equals_uint64 (quota (settings, 0, 0, AFXDP_QUOTA_STREAMS), 100);
  fail_unless (may (settings, 1, 1, "239.9.9.9", 5000));
  fail_if (may (settings, 1, 1, "239.1.1.1", 5000));
}

/* What can be compared after SIGHUP. */
TEST (test_texts)
{
  g_autoptr (AfxdpDaemonSettings) a = settings_of ("", SECTIONS);
  g_autoptr (AfxdpDaemonSettings) b =
      settings_of ("--interface eth1 --interface eth2 --mode socket", SECTIONS);

  fail_unless_equals_string (a->texts[0], "eth1;eth2");
  for (guint i = 0; i < afxdp_settings_n (); i++) {
    const gchar *name = afxdp_settings_table[i].name;
    gboolean differ = g_strcmp0 (a->texts[i], b->texts[i]) != 0;

    fail_unless (differ == g_str_equal (name, "mode"), "%s", name);
  }
}

TEST (test_example)
{
  g_autoptr (AfxdpOptions) options =
      parse ("--interface eth1 --config " EXAMPLE, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (AfxdpDaemonSettings) settings =
      afxdp_options_read (options, &error);
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;

  fail_unless (settings != NULL, "%s", error ? error->message : "");
  fail_unless_equals_int (settings->interfaces->len, 1);
  /* It names every setting; what is in comments is so without it. */
  fail_unless (g_file_get_contents (EXAMPLE, &text, NULL, NULL));
  for (guint i = 0; i < afxdp_settings_n (); i++) {
    const AfxdpSetting *setting = &afxdp_settings_table[i];
    g_autofree gchar *line =
        g_strdup_printf ("\n%s%s=%s", setting->preset ? "#" : "", setting->key,
            setting->preset ? setting->preset : "");
    g_autofree gchar *comment = g_strdup_printf ("\n#%s=", setting->key);

    fail_unless (
        strstr (text, line) || (!setting->preset && strstr (text, comment)),
        "%s", setting->key);
  }
}

static const struct
{
  const gchar *line;
  const gchar *message; /* a part of it */
} wrong_lines[] = {
  { "--mode fast", "--mode=fast is no mode: there are auto" },
  { "--interface abcdefghijklmnop", "abcdefghijklmnop is no name" },
  { "--interface eth1 --interface eth1", "is there twice" },
  { "--interface=", "--interface= is no name" },
  { "--socket run/socket", "begins with /" },
  { "--max-clients 0", "--max-clients=0 is no number from 1 to 65536" },
  { "--max-clients 1x", "is no number" },
  { "--max-clients +1", "is no number" },
  { "--max-clients 99999999999999999999", "is no number" },
  { "--max-memory 1K", "is no number of bytes from 256K to 64G" },
  { "--max-memory 65G", "is no number of bytes" },
  { "--max-memory 1T", "is no number of bytes" },
  { "--max-memory 1MM", "is no number of bytes" },
  { "--max-memory -1M", "is no number of bytes" },
  { "--max-memory 99999999999999999999G", "is no number of bytes" },
  { "--cpus 3-1", "is no list of processors" },
  { "--cpus 1,,2", "is no list of processors" },
  { "--cpus 1024", "is no list of processors" },
  { "--cpus=", "--cpus= " },
  { "--allow eth1", "--allow=eth1 is no rule" },
  { "--coalesce 1000000001", "is no number from 0 to 1000000000" },
  { "--metrics 9465", "--metrics=9465 is no address with a port" },
  { "--metrics localhost:9465", "is no address with a port" },
  { "--json", "--json is for --status" },
  { "--nonsense", "nonsense" },
  { "eth1", "eth1 is no option" },
  { "--config /nonexistent/file", "/nonexistent/file: Could not read it" },
};

TABLE_TEST (test_wrong_line, wrong_lines)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AfxdpDaemonSettings) settings =
      read_settings (wrong_lines[__i__].line, NULL, &error);

  fail_unless (!settings && error, "%s", wrong_lines[__i__].line);
  fail_unless (strstr (error->message, wrong_lines[__i__].message) != NULL,
      "%s", error->message);
}

static const struct
{
  const gchar *file, *message;
} wrong_files[] = {
  { "mode=auto\n", "Could not read it" },
  { "[distributor\n", "Could not read it" },
  { "[distributor]\nmode=fast\n", "[distributor] mode=fast is no mode" },
  { "[distributor]\nspeed=1\n", "[distributor] speed is unknown" },
  { "[distributor]\ninterface=eth1\n", "interface is unknown" },
  { "[daemon]\nmode=auto\n", "[daemon] is no section" },
  { "[user ]\nallow=none\n", "this host knows no user" },
  { "[user no such one]\nallow=none\n", "this host knows no user" },
  { "[user -1]\nallow=none\n", "this host knows no user" },
  { "[group no such one]\nallow=none\n", "this host knows no group" },
  { "[user root]\nmode=auto\n", "[user root] mode is unknown there" },
  { "[user root]\nallow=x\n", "[user root] allow=x is no rule" },
  { "[distributor]\nallow=239.1.1.1;x\n", "allow=x is no rule" },
  { "[distributor]\nallow=\n", "[distributor] allow= is empty" },
  { "[user root]\nallow=\n", "[user root] allow= is empty" },
  { "[distributor]\ninterfaces=\n", "interfaces= is empty" },
};

TABLE_TEST (test_wrong_file, wrong_files)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AfxdpDaemonSettings) settings =
      read_settings ("", wrong_files[__i__].file, &error);

  fail_unless (!settings && error, "%s", wrong_files[__i__].file);
  fail_unless (g_str_has_prefix (error->message, path), "%s", error->message);
  fail_unless (strstr (error->message, wrong_files[__i__].message) != NULL,
      "%s", error->message);
}

SUITE ("distributor-settings", 0, set_up, tear_down)
