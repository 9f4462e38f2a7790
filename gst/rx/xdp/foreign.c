/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The XDP program that somebody else has attached to an interface. */
#include "foreign.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More than the program has. */
#define MOST_MAPS 32

/* Names as the kernel keeps them, see afxdp.bpf.c and generic.bpf.c. */
static const gchar *const programs[] = { "afxdp_metadata", "afxdp_plain",
  "afxdp_generic", NULL };

/* Looks into the descriptors of one process. */
static gboolean
holds_program (const gchar *pid, guint id)
{
  g_autofree gchar *descriptors = g_strdup_printf ("/proc/%s/fd", pid);
  g_autofree gchar *wanted = g_strdup_printf ("prog_id:\t%u\n", id);
  g_autoptr (GDir) directory = g_dir_open (descriptors, 0, NULL);
  const gchar *number;

  while (directory && (number = g_dir_read_name (directory))) {
    g_autofree gchar *link = g_build_filename (descriptors, number, NULL);
    g_autofree gchar *target = g_file_read_link (link, NULL);
    g_autofree gchar *about = NULL;
    g_autofree gchar *text = NULL;

    if (!target || !g_str_has_prefix (target, "anon_inode:bpf"))
      continue;
    about = g_strdup_printf ("/proc/%s/fdinfo/%s", pid, number);
    if (g_file_get_contents (about, &text, NULL, NULL) && strstr (text, wanted))
      return TRUE;
  }
  return FALSE;
}

/* NULL: none that we can see. */
static gchar *
find_process (guint id)
{
  g_autoptr (GDir) processes = g_dir_open ("/proc", 0, NULL);
  const gchar *pid;

  while (processes && (pid = g_dir_read_name (processes))) {
    g_autofree gchar *path = NULL;
    g_autofree gchar *name = NULL;

    if (!g_ascii_isdigit (*pid) || atoi (pid) == getpid () ||
        !holds_program (pid, id))
      continue;
    path = g_strdup_printf ("/proc/%s/comm", pid);
    if (!g_file_get_contents (path, &name, NULL, NULL))
      continue;
    return g_strdup_printf ("%s (process %s)", g_strstrip (name), pid);
  }
  return NULL;
}

void
afxdp_foreign_clear (AfxdpForeign *foreign)
{
  g_free (foreign->process);
  *foreign = (AfxdpForeign){ 0 };
}

gboolean
afxdp_foreign_look (AfxdpForeign *foreign, int ifindex)
{
  struct bpf_prog_info info = { 0 };
  guint size = sizeof info;
  guint id = 0;
  int fd;

  if (bpf_xdp_query_id (ifindex, 0, &id))
    id = 0;
  if (id == foreign->id)
    return FALSE;
  afxdp_foreign_clear (foreign);
  foreign->id = id;
  fd = id ? bpf_prog_get_fd_by_id (id) : -1;
  if (fd < 0)
    return TRUE;
  if (!bpf_obj_get_info_by_fd (fd, &info, &size))
    g_strlcpy (foreign->name, info.name, sizeof foreign->name);
  close (fd);
  foreign->is_ours = g_strv_contains (programs, foreign->name);
  if (foreign->is_ours)
    foreign->process = find_process (id);
  return TRUE;
}

gchar *
afxdp_foreign_describe (const AfxdpForeign *foreign)
{
  if (!foreign->id)
    return g_strdup ("another XDP program");
  if (!*foreign->name)
    return g_strdup_printf ("the XDP program with id %u", foreign->id);
  return g_strdup_printf ("the XDP program \"%s\" (id %u)%s%s", foreign->name,
      foreign->id, foreign->process ? " of " : "",
      foreign->process ? foreign->process : "");
}

/* The descriptor of map id, when it is that of the flows, or -1. */
static int
open_flows (guint id)
{
  struct bpf_map_info info = { 0 };
  guint size = sizeof info;
  int fd = bpf_map_get_fd_by_id (id);

  if (fd >= 0 && !bpf_obj_get_info_by_fd (fd, &info, &size) &&
      g_str_equal (info.name, "flows") &&
      info.key_size == sizeof (struct afxdp_flow_key) &&
      info.value_size == sizeof (struct afxdp_flow))
    return fd;
  if (fd >= 0)
    close (fd);
  return -1;
}

gboolean
afxdp_foreign_takes (
    const AfxdpForeign *foreign, const struct afxdp_flow_key *key)
{
  guint maps[MOST_MAPS] = { 0 };
  struct bpf_prog_info info = { .map_ids = (guintptr) maps,
    .nr_map_ids = MOST_MAPS };
  guint size = sizeof info;
  gboolean takes = FALSE;
  int program = foreign->is_ours ? bpf_prog_get_fd_by_id (foreign->id) : -1;

  if (program < 0)
    return FALSE;
  if (!bpf_obj_get_info_by_fd (program, &info, &size))
    for (guint i = 0; i < MIN (info.nr_map_ids, MOST_MAPS) && !takes; i++) {
      struct afxdp_flow flow;
      int flows = open_flows (maps[i]);

      takes = flows >= 0 && !bpf_map_lookup_elem (flows, key, &flow);
      if (flows >= 0)
        close (flows);
    }
  close (program);
  return takes;
}
