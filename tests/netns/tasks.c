/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads of a process. */
#include "tasks.h"

#include <string.h>
#include <unistd.h>

typedef struct
{
  guint n;
  guint64 sum, most;
} Tasks;

/* FALSE: the thread has ended. */
static gboolean
read_file (
    const gchar *tasks, const gchar *task, const gchar *file, gchar **text)
{
  g_autofree gchar *path = g_build_filename (tasks, task, file, NULL);

  return g_file_get_contents (path, text, NULL, NULL);
}

static guint64
number_after (const gchar *text, const gchar *key)
{
  const gchar *found = strstr (text, key);

  g_assert (found != NULL);
  return g_ascii_strtoull (found + strlen (key), NULL, 10);
}

static Tasks
find (GPid pid, const gchar *name, const gchar *file, const gchar *key)
{
  g_autofree gchar *path =
      g_strdup_printf ("/proc/%d/task", pid ? pid : getpid ());
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  Tasks tasks = { 0 };
  const gchar *task;

  while ((task = g_dir_read_name (dir))) {
    g_autofree gchar *comm = NULL, *text = NULL;
    guint64 value;

    if (!read_file (path, task, "comm", &comm) ||
        !g_str_has_prefix (comm, name) || !read_file (path, task, file, &text))
      continue;
    value = number_after (text, key);
    tasks.n++;
    tasks.sum += value;
    tasks.most = MAX (tasks.most, value);
  }
  return tasks;
}

guint
tasks_count (GPid pid, const gchar *name)
{
  return find (pid, name, "comm", "").n;
}

guint64
tasks_sum (GPid pid, const gchar *name, const gchar *file, const gchar *key)
{
  return find (pid, name, file, key).sum;
}

guint64
tasks_most (GPid pid, const gchar *name, const gchar *file, const gchar *key)
{
  return find (pid, name, file, key).most;
}

guint64
tasks_sleeps (GPid pid, const gchar *name)
{
  return tasks_sum (pid, name, "status", "\nvoluntary_ctxt_switches:");
}
