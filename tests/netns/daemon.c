/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The distributor daemon, a process of its own. */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>
#include <net/if.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tasks.h"

/* No daemon needs this long to answer; in µs. */
#define PATIENCE (30 * G_TIME_SPAN_SECOND)
#define ENVIRONMENT "AFXDP_DISTRIBUTOR"

struct _Daemon
{
  GSubprocess *process; /* NULL: it does not run */
  GPid pid;
  gchar *options;
  gchar *directory, *socket, *lock, *log;
  pid_t keeper; /* of the directory */
  int fine;     /* to tell the keeper */
};

static Daemon *running; /* the one there is */

static void
die_with_parent (gpointer data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

/* The directory. */

static void
show (const gchar *log)
{
  int fd = open (log, O_RDONLY);
  gchar bytes[4096];
  gssize size;

  while (fd >= 0 && (size = read (fd, bytes, sizeof bytes)) > 0)
    if (write (STDERR_FILENO, bytes, size) != size)
      return;
}

/* A process that outlives the test, however that ends, and holds nothing of it. */
static void
start_keeper (Daemon *daemon)
{
  int fds[2];
  gchar fine;

  fail_if (pipe2 (fds, O_CLOEXEC), "%s", g_strerror (errno));
  daemon->keeper = fork ();
  fail_if (daemon->keeper < 0, "%s", g_strerror (errno));
  if (!daemon->keeper) {
    setsid ();
    dup2 (fds[0], STDIN_FILENO);
    close_range (STDERR_FILENO + 1, ~0u, 0);
    if (read (STDIN_FILENO, &fine, 1) != 1)
      show (daemon->log);
    unlink (daemon->socket);
    unlink (daemon->lock);
    unlink (daemon->log);
    rmdir (daemon->directory);
    _exit (0);
  }
  close (fds[0]);
  daemon->fine = fds[1];
}

/* The process. */

static gboolean
is_listening (const Daemon *daemon)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  gboolean is;

  g_strlcpy (address.sun_path, daemon->socket, sizeof address.sun_path);
  is = fd >= 0 && !connect (fd, (struct sockaddr *) &address, sizeof address);
  close (fd);
  return is;
}

/* What "--status --json" prints; NULL: it failed. */
static gchar *
ask (const Daemon *daemon)
{
  const gchar *arguments[] = { g_getenv ("DISTRIBUTOR"), "--status", "--json",
    "--socket", daemon->socket, NULL };
  gchar *text = NULL;
  gint status;

  if (g_spawn_sync (NULL, (gchar **) arguments, NULL,
          G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &text, NULL, &status, NULL) &&
      g_spawn_check_wait_status (status, NULL))
    return text;
  g_free (text);
  return NULL;
}

static gboolean
answers (const Daemon *daemon)
{
  g_autofree gchar *text = is_listening (daemon) ? ask (daemon) : NULL;

  return text != NULL;
}

void
daemon_start_again (Daemon *daemon)
{
  const gchar *program = g_getenv ("DISTRIBUTOR");
  g_autofree gchar *line = g_strdup_printf ("%s --socket=%s %s %s",
      program ? program : "", daemon->socket,
      strstr (daemon->options, "--interface") ? "" : "--interface=rx0",
      daemon->options);
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDERR_MERGE);
  gint64 deadline = g_get_monotonic_time () + PATIENCE;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) words = NULL;
  int log = open (daemon->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
      S_IRUSR | S_IWUSR);

  fail_unless (program, "DISTRIBUTOR must name the daemon");
  fail_if (daemon->process, "it runs already");
  fail_unless (g_shell_parse_argv (line, NULL, &words, NULL));
  g_subprocess_launcher_take_stdout_fd (launcher, log);
  g_subprocess_launcher_set_child_setup (launcher, die_with_parent, NULL, NULL);
  daemon->process = g_subprocess_launcher_spawnv (
      launcher, (const gchar *const *) words, &error);
  fail_unless (daemon->process, "%s", error ? error->message : "");
  daemon->pid = atoi (g_subprocess_get_identifier (daemon->process));
  while (!answers (daemon)) {
    fail_unless (g_subprocess_get_identifier (daemon->process),
        "the daemon has ended: %s", line);
    fail_if (
        g_get_monotonic_time () > deadline, "it does not answer: %s", line);
    g_usleep (1000);
  }
}

Daemon *
daemon_start (const gchar *options)
{
  Daemon *daemon = g_new0 (Daemon, 1);

  daemon->options = g_strdup (options);
  daemon->directory = g_dir_make_tmp ("afxdp-daemon-XXXXXX", NULL);
  fail_unless (daemon->directory);
  daemon->socket = g_build_filename (daemon->directory, "socket", NULL);
  daemon->lock = g_strconcat (daemon->socket, ".lock", NULL);
  daemon->log = g_build_filename (daemon->directory, "log", NULL);
  /* Clients may be other users, who otherwise look for all plugins first. */
  fail_if (g_chmod (daemon->directory, 0755));
  if (g_getenv ("GST_REGISTRY"))
    g_chmod (g_getenv ("GST_REGISTRY"), 0644);
  start_keeper (daemon);
  daemon_start_again (daemon);
  g_setenv (ENVIRONMENT, daemon->socket, TRUE);
  running = daemon;
  return daemon;
}

void
daemon_kill (Daemon *daemon)
{
  if (!daemon->process)
    return;
  g_subprocess_force_exit (daemon->process);
  g_subprocess_wait (daemon->process, NULL, NULL);
  g_clear_object (&daemon->process);
}

void
daemon_terminate (Daemon *daemon)
{
  g_subprocess_send_signal (daemon->process, SIGTERM);
  g_subprocess_wait (daemon->process, NULL, NULL);
  fail_unless (g_subprocess_get_if_exited (daemon->process) &&
          !g_subprocess_get_exit_status (daemon->process),
      "the daemon ended with %d", g_subprocess_get_status (daemon->process));
  g_clear_object (&daemon->process);
}

void
daemon_free (Daemon *daemon)
{
  daemon_kill (daemon);
  if (running == daemon) {
    g_unsetenv (ENVIRONMENT);
    running = NULL;
  }
  fail_if (write (daemon->fine, "", 1) != 1);
  close (daemon->fine);
  waitpid (daemon->keeper, NULL, 0);
  g_free (daemon->options);
  g_free (daemon->directory);
  g_free (daemon->socket);
  g_free (daemon->lock);
  g_free (daemon->log);
  g_free (daemon);
}

/* The kernel stops threads one after another. */
static gboolean
is_stopped (GPid pid)
{
  g_autofree gchar *directory = g_strdup_printf ("/proc/%d/task", pid);
  g_autoptr (GDir) tasks = g_dir_open (directory, 0, NULL);
  const gchar *name;

  fail_unless (tasks, "there is no process %d", pid);
  while ((name = g_dir_read_name (tasks))) {
    g_autofree gchar *file = g_build_filename (directory, name, "status", NULL);
    g_autofree gchar *text = NULL;

    if (g_file_get_contents (file, &text, NULL, NULL) &&
        !strstr (text, "State:\tT"))
      return FALSE;
  }
  return TRUE;
}

void
daemon_stop (Daemon *daemon)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  g_subprocess_send_signal (daemon->process, SIGSTOP);
  while (!is_stopped (daemon->pid)) {
    fail_if (g_get_monotonic_time () > deadline, "it does not stop");
    g_usleep (100);
  }
}

void
daemon_continue (Daemon *daemon)
{
  g_subprocess_send_signal (daemon->process, SIGCONT);
}

const gchar *
daemon_socket (Daemon *daemon)
{
  return daemon->socket;
}

GPid
daemon_pid (Daemon *daemon)
{
  return daemon->pid;
}

gchar *
daemon_log (Daemon *daemon)
{
  gchar *text = NULL;

  fail_unless (g_file_get_contents (daemon->log, &text, NULL, NULL));
  return text;
}

gchar *
daemon_status (Daemon *daemon)
{
  gchar *text = ask (daemon);

  fail_unless (text, "the daemon does not answer");
  return text;
}

gboolean
daemon_says (Daemon *daemon, const gchar *words)
{
  g_autofree gchar *text = daemon_status (daemon);

  return strstr (text, words) != NULL;
}

/* Its clients: the sum of a number, and how many have it. */
static guint64
sum_clients (Daemon *daemon, const gchar *field, guint *n)
{
  g_autofree gchar *text = ask (daemon);
  g_autofree gchar *key = g_strdup_printf ("\"%s\" : ", field);
  const gchar *at = text ? strstr (text, "\"clients\" : [") : NULL;
  guint64 sum = 0;

  fail_unless (at, "the daemon does not answer");
  for (*n = 0; (at = strstr (at, key)); (*n)++)
    sum += g_ascii_strtoull (at += strlen (key), NULL, 10);
  return sum;
}

guint
daemon_n_clients (Daemon *daemon)
{
  guint n;

  sum_clients (daemon, "slots", &n);
  return n;
}

guint64
daemon_client_sum (Daemon *daemon, const gchar *field)
{
  guint n;

  return sum_clients (daemon, field, &n);
}

guint64
daemon_longest_wait (const gchar *name)
{
  return running && running->process
      ? tasks_most (running->pid, name, "schedstat", " ")
      : 0;
}

/* "--interface=..." for each that is a wire's end, and that all may be asked for. */
static gchar *
describe_all (void)
{
  struct if_nameindex *all = if_nameindex ();
  GString *options = g_string_new (NULL);

  for (guint i = 0; all && all[i].if_index; i++)
    if (g_str_has_prefix (all[i].if_name, "rx"))
      g_string_append_printf (options, "--interface=%s ", all[i].if_name);
  if_freenameindex (all);
  g_string_append (options, "--allow=0.0.0.0/0 --allow=[::]/0");
  return g_string_free (options, FALSE);
}

gboolean
daemon_is_wanted (void)
{
  return g_getenv ("TEST_DISTRIBUTOR") != NULL;
}

Daemon *
daemon_for_all (void)
{
  g_autofree gchar *options = NULL;

  if (!daemon_is_wanted () || running)
    return running;
  options = describe_all ();
  return daemon_start (options);
}
