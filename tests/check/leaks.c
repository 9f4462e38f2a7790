/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which of GStreamer's objects are alive, by the tracer "leaks".
 */
#include "leaks.h"

#include <sys/wait.h>
#include <unistd.h>
#include <gst/check/gstcheck.h>

#include "suite.h"

static GstTracer *tracer;

static const gchar *const ours[] = { "GstBuffer", "GstBufferList", "GstMemory",
  "GstMessage", "GstAfxdpAllocator", "GstAfxdpSrc", "GstPipeline" };

void
leaks_trace (void)
{
  g_autoptr (GstPluginFeature) factory =
      gst_registry_lookup_feature (gst_registry_get (), "leaks");

  g_assert_nonnull (factory);
  tracer = g_object_new (
      gst_tracer_factory_get_tracer_type (GST_TRACER_FACTORY (factory)), NULL);
}

/* The answer owns what it lists, as if its references had been leaked. */
static void
keep_alive (const GValue *object)
{
  if (G_VALUE_HOLDS_OBJECT (object))
    g_object_ref (g_value_get_object (object));
  else
    gst_mini_object_ref (g_value_get_boxed (object));
}

guint
leaks_n_alive (const gchar *type_name)
{
  g_autoptr (GstStructure) alive = NULL;
  const GValue *list;
  guint n = 0;

  g_signal_emit_by_name (tracer, "get-live-objects", &alive);
  list = gst_structure_get_value (alive, "live-objects-list");
  for (guint i = 0; i < gst_value_list_get_size (list); i++) {
    const GstStructure *one =
        gst_value_get_structure (gst_value_list_get_value (list, i));
    const GValue *object = gst_structure_get_value (one, "object");

    keep_alive (object);
    n += g_str_equal (G_VALUE_TYPE_NAME (object), type_name);
  }
  return n;
}

/* It looks at a GstMiniObject as if it might be a GObject, whose type would then be
 * the first word of its GType: a small number, unless the most significant byte comes
 * first (GStreamer 1.22 on s390x: gst_debug_print_object()). */
void
leaks_need_names (void)
{
  int status;
  pid_t child = fork ();

  if (!child) {
    GstMemory *memory = gst_allocator_alloc (NULL, 1, NULL);

    _exit (memory && leaks_n_alive ("GstMemory") ? 0 : 1);
  }
  waitpid (child, &status, 0);
  if (WIFSIGNALED (status))
    suite_skip (
        "GStreamer's tracer \"leaks\" ends with signal %d where a GstMemory "
        "is alive",
        WTERMSIG (status));
  fail_if (status);
}

/* The thread that posted the last message lets go of the element behind that. */
#define PATIENCE (10 * G_TIME_SPAN_SECOND)

void
leaks_assert_none (void)
{
  gint64 until = g_get_monotonic_time () + PATIENCE;

  for (guint i = 0; i < G_N_ELEMENTS (ours); i++) {
    while (leaks_n_alive (ours[i]) && g_get_monotonic_time () < until)
      g_usleep (1000);
    fail_unless_equals_int (leaks_n_alive (ours[i]), 0);
  }
}
