/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a process has that must be gone at some time. */
#include "leftover.h"

#include <bpf/bpf.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "network.h"
#include "receiver.h"

static const struct
{
  const gchar *name; /* as /proc/PID/fdinfo calls its number */
  int (*open) (guint id);
} bpf_kinds[LEFTOVER_BPF_KINDS] = {
  { "prog_id", bpf_prog_get_fd_by_id },
  { "map_id", bpf_map_get_fd_by_id },
  { "link_id", bpf_link_get_fd_by_id },
};

GArray *
leftover_find_bpf (GPid pid)
{
  GArray *objects = g_array_new (FALSE, FALSE, sizeof (LeftoverBpf));
  g_autofree gchar *name = g_strdup_printf ("/proc/%d/fdinfo", pid);
  g_autoptr (GDir) directory = g_dir_open (name, 0, NULL);
  const gchar *fd;

  fail_unless (directory);
  while ((fd = g_dir_read_name (directory))) {
    g_autofree gchar *path = g_build_filename (name, fd, NULL);
    g_autofree gchar *text = NULL;

    if (!g_file_get_contents (path, &text, NULL, NULL))
      continue;
    for (guint i = 0; i < LEFTOVER_BPF_KINDS; i++) {
      g_autofree gchar *key = g_strdup_printf ("\n%s:", bpf_kinds[i].name);
      const gchar *at = strstr (text, key);
      LeftoverBpf object = { i };

      /* A link's entry tells its program, too. */
      if (!at)
        continue;
      object.id = g_ascii_strtoull (at + strlen (key), NULL, 10);
      g_array_append_val (objects, object);
    }
  }
  return objects;
}

gboolean
leftover_exists (const LeftoverBpf *object)
{
  int fd = bpf_kinds[object->kind].open (object->id);

  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

static guint
count_entries (const gchar *name)
{
  g_autoptr (GDir) directory = g_dir_open (name, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (directory))
    n++;
  return n;
}

guint
leftover_descriptors (void)
{
  return count_entries ("/proc/self/fd");
}

guint
leftover_threads (void)
{
  g_thread_pool_set_max_unused_threads (0);
  g_thread_pool_stop_unused_threads ();
  return count_entries ("/proc/self/task");
}

void
leftover_begin (Leftover *before)
{
  before->descriptors = leftover_descriptors ();
  before->threads = leftover_threads ();
  before->bpf = NULL;
}

void
leftover_expect_bpf (Leftover *before)
{
  before->bpf = leftover_find_bpf (getpid ());
  g_assert_cmpuint (before->bpf->len, >, 0);
}

void
leftover_wait_for_bpf (GArray *objects)
{
  for (guint i = 0; i < objects->len; i++)
    wait_until (!leftover_exists (&g_array_index (objects, LeftoverBpf, i)));
  g_array_unref (objects);
}

void
leftover_end (Leftover *before)
{
  wait_until (leftover_descriptors () <= before->descriptors);
  fail_if (network_has_program ());
  if (before->bpf)
    leftover_wait_for_bpf (g_steal_pointer (&before->bpf));
  wait_until (leftover_threads () <= before->threads);
}

guint64
leftover_memory (void)
{
  g_autofree gchar *text = NULL;
  gsize size, resident;

  malloc_trim (0);
  fail_unless (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  fail_unless_equals_int (
      sscanf (text, "%" G_GSIZE_FORMAT " %" G_GSIZE_FORMAT, &size, &resident),
      2);
  return resident * sysconf (_SC_PAGESIZE);
}

guint64
leftover_heap (void)
{
  struct mallinfo2 heap = mallinfo2 ();

  return heap.uordblks + heap.hblkhd;
}
