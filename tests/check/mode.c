/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is told of a path that changes, and when: by a clock of the test's own.
 */
#include "gstafxdpmode.h"

#include "gstafxdpsrc.h"
#include "suite.h"

#define MS GST_MSECOND
#define START (100 * GST_SECOND)
#define OPEN "Packets come through AF_XDP"
#define SLOWLY "Packets come through the socket for now"

/* An element with the property of which it is told. */

typedef struct
{
  GstElement parent;
} Element;

typedef struct
{
  GstElementClass parent;
} ElementClass;

GType element_get_type (void);
G_DEFINE_TYPE (Element, element, GST_TYPE_ELEMENT)

static guint n_notified;

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
}

static void
notify (GObject *object, GParamSpec *pspec)
{
  n_notified++;
}

static void
element_class_init (ElementClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = get_property;
  object_class->notify = notify;
  g_object_class_install_property (object_class, 1,
      g_param_spec_int ("current-mode", "", "", 0, 2, 0, G_PARAM_READABLE));
}

static void
element_init (Element *element)
{
}

/* The stream's and the report's, in their place. */

GST_DEBUG_CATEGORY (gst_afxdp_src_debug);

static AfxdpPathChange change;
static gboolean changed;
static guint n_changes;

gboolean
afxdp_stream_path_changed (AfxdpStream *stream, AfxdpPathChange *to)
{
  if (!changed)
    return FALSE;
  changed = FALSE;
  *to = change;
  to->reason = g_strdup (change.reason);
  return TRUE;
}

guint
afxdp_stream_n_path_changes (const AfxdpStream *stream)
{
  return n_changes;
}

const gchar *
afxdp_stream_interface (const AfxdpStream *stream)
{
  return NULL;
}

void
gst_afxdp_report_set_path (
    GstAfxdpReport *report, const AfxdpPathChange *path, const gchar *interface)
{
}

static GstElement *element;
static GstBus *bus;
static GstAfxdpCurrentMode mode;

static void
set_up (void)
{
  GST_DEBUG_CATEGORY_INIT (gst_afxdp_src_debug, "afxdpsrc", 0, NULL);
  element = g_object_new (element_get_type (), NULL);
  gst_object_ref_sink (element);
  bus = gst_bus_new ();
  gst_element_set_bus (element, bus);
  mode = (GstAfxdpCurrentMode){ 0 };
  gst_afxdp_current_mode_init (&mode, element, NULL);
  change = (AfxdpPathChange){ 0 };
  changed = FALSE;
  n_changes = n_notified = 0;
}

static void
tear_down (void)
{
  gst_afxdp_current_mode_reset (&mode);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}

/* The path becomes another one; told: as those at an overload mostly are not. */
static void
go (AfxdpPath path, gboolean told)
{
  n_changes++;
  if (!told)
    return;
  change.path = path;
  change.reason = path == AFXDP_PATH_FAST ? OPEN : SLOWLY;
  changed = TRUE;
}

static guint64
follow (guint64 now)
{
  return gst_afxdp_current_mode_follow (&mode, NULL, FALSE, now);
}

/* The next message, which must be there, and what it tells. */
static void
assert_told (
    const gchar *previous, const gchar *now, guint changes, const gchar *reason)
{
  g_autoptr (GstMessage) message = gst_bus_pop (bus);
  const GstStructure *structure;
  guint n;

  fail_unless (message != NULL);
  structure = gst_message_get_structure (message);
  fail_unless_equals_string (gst_structure_get_string (structure, "mode"), now);
  fail_unless_equals_string (
      gst_structure_get_string (structure, "previous-mode"), previous);
  fail_unless (gst_structure_get_uint (structure, "changes", &n));
  fail_unless_equals_int (n, changes);
  fail_unless_equals_string (
      gst_structure_get_string (structure, "reason"), reason);
}

static void
assert_nothing_told (void)
{
  g_autoptr (GstMessage) message = gst_bus_pop (bus);

  fail_if (message != NULL);
}

/* A few are told at once, each by itself. */
TEST (test_at_once)
{
  go (AFXDP_PATH_SLOW, TRUE);
  fail_unless (follow (START) == G_MAXUINT64);
  assert_told ("none", "socket", 1, SLOWLY);
  go (AFXDP_PATH_FAST, TRUE);
  fail_unless (follow (START + 1) == G_MAXUINT64);
  assert_told ("socket", "af-xdp", 1, OPEN);
  fail_unless (follow (START + 2) == G_MAXUINT64);
  assert_nothing_told ();
  fail_unless_equals_int (n_notified, 2);
}

/* Then one a second, with all that was: for a minute, 20 times a second. */
TEST (test_one_a_second)
{
  guint64 now = START, due = 0;
  guint n_told = 0, sum = 0;

  for (guint i = 0; i < 60 * 20; i++, now += 50 * MS) {
    g_autoptr (GstMessage) message = NULL;
    guint n;

    go (i % 2 ? AFXDP_PATH_FAST : AFXDP_PATH_SLOW, TRUE);
    due = follow (now);
    message = gst_bus_pop (bus);
    if (!message) {
      fail_unless (due > now && due <= now + GST_SECOND);
      continue;
    }
    n_told++;
    fail_unless (gst_structure_get_uint (
        gst_message_get_structure (message), "changes", &n));
    sum += n;
  }
  fail_unless (n_told >= 60 && n_told <= 64, "%u messages", n_told);
  /* What is left is told when it was said to be. */
  if (due != G_MAXUINT64) {
    g_autoptr (GstMessage) message = NULL;
    guint n;

    fail_unless (follow (due) == G_MAXUINT64);
    message = gst_bus_pop (bus);
    fail_unless (gst_structure_get_uint (
        gst_message_get_structure (message), "changes", &n));
    sum += n;
  }
  fail_unless_equals_int (sum, n_changes);
  fail_unless (follow (now + 10 * GST_SECOND) == G_MAXUINT64);
  assert_nothing_told ();
}

static void
use_up (guint64 now)
{
  for (guint i = 0; i < 4; i++) {
    go (i % 2 ? AFXDP_PATH_FAST : AFXDP_PATH_SLOW, TRUE);
    fail_unless (follow (now) == G_MAXUINT64);
    gst_message_unref (gst_bus_pop (bus));
  }
}

/* It ends where it began, and the reason of the detour is told. */
TEST (test_detour)
{
  use_up (START);
  for (guint i = 0; i < 3; i++) {
    go (AFXDP_PATH_SLOW, TRUE);
    fail_unless (follow (START + 100 * MS) == START + GST_SECOND);
    go (AFXDP_PATH_FAST, TRUE);
    fail_unless (follow (START + 200 * MS) == START + GST_SECOND);
  }
  assert_nothing_told ();
  fail_unless (follow (START + GST_SECOND) == G_MAXUINT64);
  assert_told ("af-xdp", "af-xdp", 6, OPEN ". In between, 3 times: " SLOWLY);
  /* After a while all is as at first. */
  use_up (START + 10 * GST_SECOND);
}

/* Also where the stream told of none of them, since they were too many. */
TEST (test_untold)
{
  use_up (START);
  go (AFXDP_PATH_SLOW, FALSE);
  fail_unless (follow (START + 1) == G_MAXUINT64);
  go (AFXDP_PATH_FAST, FALSE);
  fail_unless (follow (START + 1) == START + GST_SECOND);
  assert_nothing_told ();
  fail_unless (follow (START + GST_SECOND) == G_MAXUINT64);
  /* It has gone there once more. */
  go (AFXDP_PATH_SLOW, FALSE);
  fail_unless (follow (START + GST_SECOND + 1) == G_MAXUINT64);
  assert_told ("af-xdp", "af-xdp", 2, OPEN ". In between, 1 time: " SLOWLY);
  assert_nothing_told ();
  /* It tells of it. */
  change.path = AFXDP_PATH_SLOW;
  change.reason = SLOWLY;
  changed = TRUE;
  follow (START + 5 * GST_SECOND);
  assert_told ("af-xdp", "socket", 1, SLOWLY);
}

/* Another reason is no change of path. */
TEST (test_reason)
{
  go (AFXDP_PATH_FAST, TRUE);
  follow (START);
  assert_told ("none", "af-xdp", 1, OPEN);
  change.reason = "another";
  changed = TRUE;
  follow (START + 1);
  assert_told ("af-xdp", "af-xdp", 0, "another");
}

/* Why the socket is used now was not told yet when it is used no longer. */
TEST (test_reason_before)
{
  use_up (START);
  go (AFXDP_PATH_SLOW, TRUE);
  follow (START + GST_SECOND);
  assert_told ("af-xdp", "socket", 1, SLOWLY);
  change.reason = "another";
  changed = TRUE;
  fail_unless (follow (START + GST_SECOND + 1) == START + 2 * GST_SECOND);
  go (AFXDP_PATH_FAST, TRUE);
  follow (START + GST_SECOND + 2);
  assert_nothing_told ();
  follow (START + 2 * GST_SECOND);
  assert_told ("socket", "af-xdp", 1, OPEN ". Before that: another");
  go (AFXDP_PATH_SLOW, TRUE);
  follow (START + 3 * GST_SECOND);
  assert_told ("af-xdp", "socket", 1, SLOWLY);
  go (AFXDP_PATH_FAST, TRUE);
  follow (START + 4 * GST_SECOND);
  assert_told ("socket", "af-xdp", 1, OPEN);
}

/* What nobody reads is not lost either. */
TEST (test_unread)
{
  GstMessage *message;
  guint sum = 0, n;

  for (guint i = 0; i < 20; i++) {
    go (i % 2 ? AFXDP_PATH_FAST : AFXDP_PATH_SLOW, TRUE);
    follow (START + i * GST_SECOND);
  }
  for (n = 0; (message = gst_bus_pop (bus)); n++) {
    guint changes;

    fail_unless (gst_structure_get_uint (
        gst_message_get_structure (message), "changes", &changes));
    sum += changes;
    gst_message_unref (message);
  }
  fail_unless_equals_int (n, GST_AFXDP_OUTBOX_UNREAD);
  follow (START + 30 * GST_SECOND);
  assert_told (
      "af-xdp", "af-xdp", 20 - sum, OPEN ". In between, 6 times: " SLOWLY);
}

SUITE ("mode", 0, set_up, tear_down)
