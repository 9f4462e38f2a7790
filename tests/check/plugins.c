/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Plugins of the system that tests need.
 */
#include "plugins.h"

#include <stdio.h>
#include <stdlib.h>
#include <gst/gst.h>

#include "suite.h"

#define SKIP 77

static GstPlugin *
load (const gchar *name, GError **error)
{
  g_autofree gchar *path = g_strdup_printf (PLUGINS_DIR "/libgst%s.so", name);

  return gst_plugin_load_file (path, error);
}

void
plugins_require (const gchar *const *names)
{
  for (guint i = 0; names[i]; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GstPlugin) plugin = load (names[i], &error);

    if (plugin)
      continue;
    printf ("skipped: the plugin %s is not installed: %s\n", names[i],
        error->message);
    exit (SKIP);
  }
}

void
plugins_need (const gchar *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstPlugin) plugin = load (name, &error);

  if (!plugin)
    suite_skip ("the plugin %s is not installed: %s", name, error->message);
}
