/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-launch-1.0 with an afxdpsrc, a process of its own. */
#include "player.h"

#include <gio/gio.h>
#include <gst/check/gstcheck.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "daemon.h"

struct _Player
{
  GSubprocess *process;
  GPid pid;
  GDataInputStream *output;
  gchar *line;  /* the last one */
  GString *all; /* for whoever reads why a test failed */
};

static void
die_with_parent (gpointer data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

Player *
player_start (const gchar *prefix, const gchar *properties)
{
  Player *player = g_new0 (Player, 1);
  g_autofree gchar *line = g_strdup_printf (
      "%s gst-launch-1.0 -m afxdpsrc multicast-group=239.1.1.1 port=5000 %s ! "
      "fakesink",
      prefix, properties);
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) words = NULL;

  daemon_for_all ();
  fail_unless (g_shell_parse_argv (line, NULL, &words, NULL));
  g_subprocess_launcher_set_child_setup (launcher, die_with_parent, NULL, NULL);
  player->process = g_subprocess_launcher_spawnv (
      launcher, (const gchar *const *) words, &error);
  fail_unless (player->process, "%s", error ? error->message : "");
  player->pid = atoi (g_subprocess_get_identifier (player->process));
  player->output =
      g_data_input_stream_new (g_subprocess_get_stdout_pipe (player->process));
  player->all = g_string_new (NULL);
  return player;
}

void
player_free (Player *player)
{
  g_subprocess_force_exit (player->process);
  g_subprocess_wait (player->process, NULL, NULL);
  g_object_unref (player->output);
  g_object_unref (player->process);
  g_string_free (player->all, TRUE);
  g_free (player->line);
  g_free (player);
}

/* NULL: it has ended. */
static const gchar *
read_line (Player *player)
{
  g_free (player->line);
  player->line =
      g_data_input_stream_read_line (player->output, NULL, NULL, NULL);
  if (player->line)
    g_string_append_printf (player->all, "%s\n", player->line);
  return player->line;
}

const gchar *
player_wait_line (Player *player, const gchar *words)
{
  while (read_line (player))
    if (strstr (player->line, words))
      return player->line;
  fail ("it ended without \"%s\":\n%s", words, player->all->str);
  return NULL;
}

guint64
player_stat (const gchar *line, const gchar *field)
{
  g_autofree gchar *key = g_strdup_printf (" %s=(guint64)", field);
  const gchar *at = strstr (line, key);

  return at ? g_ascii_strtoull (at + strlen (key), NULL, 10) : 0;
}

const gchar *
player_wait_stat (Player *player, const gchar *field, guint64 value)
{
  const gchar *line;

  do
    line = player_wait_line (player, "GstAfxdpSrcStats");
  while (player_stat (line, field) < value);
  return line;
}

gint
player_wait_end (Player *player)
{
  while (read_line (player))
    ;
  g_subprocess_wait (player->process, NULL, NULL);
  fail_unless (
      g_subprocess_get_if_exited (player->process), "%s", player->all->str);
  return g_subprocess_get_exit_status (player->process);
}

GPid
player_pid (Player *player)
{
  return player->pid;
}
