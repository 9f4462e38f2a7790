/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* That downstream does not return from a push. */
#include "gstafxdpstall.h"

#include "clock.h"
#include "fork.h"
#include "gstafxdpculprit.h"
#include "gstafxdpsrc.h"
#include "thread.h"

#define GST_CAT_DEFAULT gst_afxdp_src_debug

/* What is told of, and how often is looked. */
#define LONG GST_SECOND

/* Protects the registry, and what the header says. Held while nothing waits. */
static GMutex lock;
static GCond changed;
static GPtrArray *registry; /* GstAfxdpStall; NULL: no thread */
static guint generation;    /* see fork.h */

void
gst_afxdp_stall_init (GstAfxdpStall *stall, GstElement *element, GstPad *pad)
{
  stall->element = element;
  stall->pad = pad;
}

void
gst_afxdp_stall_clear (GstAfxdpStall *stall)
{
  g_mutex_lock (&lock);
  gst_afxdp_outbox_empty (&stall->outbox);
  g_clear_pointer (&stall->culprit, g_free);
  g_mutex_unlock (&lock);
}

/* Since when the push lasts that lasts now, or 0. A task that does not run has
 * ended, or was flushed. */
static guint64
pushing_since (GstAfxdpStall *stall)
{
  guint64 since = atomic_load (&stall->since);

  if (!since ||
      (!stall->served &&
          gst_pad_get_task_state (stall->pad) != GST_TASK_STARTED))
    return 0;
  return MAX (since, stall->started_at);
}

/* A moment of CLOCK_MONOTONIC, in running time. */
static GstClockTime
running_time (GstElement *element, guint64 moment)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (element);
  GstClockTimeDiff time;

  if (!clock)
    return GST_CLOCK_TIME_NONE;
  time = GST_CLOCK_DIFF (
      gst_element_get_base_time (element), gst_clock_get_time (clock));
  return MAX (time - (GstClockTimeDiff) (afxdp_now () - moment), 0);
}

/* One message: the push that began at since lasts, or has ended. */
static GstStructure *
describe (GstAfxdpStall *stall, guint64 since, gboolean lasts,
    const gchar *culprit, const gchar *why)
{
  guint64 duration = afxdp_now () - since;
  g_autofree gchar *reason = lasts
      ? g_strdup_printf (
            "%s has not returned from a push for %.1f s: packets wait in the "
            "ring and the socket buffer, and are lost when these are full. %s",
            culprit, duration / 1e9, why)
      : g_strdup_printf (
            "%s takes packets again after %.1f s", culprit, duration / 1e9);

  return gst_structure_new ("GstAfxdpSrcStall", "since", G_TYPE_UINT64,
      running_time (stall->element, since), "duration", G_TYPE_UINT64, duration,
      "lasts", G_TYPE_BOOLEAN, lasts, "element", G_TYPE_STRING, culprit,
      "reason", G_TYPE_STRING, reason, NULL);
}

/* What is to be told of an element, found out with the lock and told without: the
 * application may do anything when it sees a message. */
typedef struct
{
  GstAfxdpStall *stall;
  GstElement *element; /* owned, and with it the stall */
  guint64 since;
  gboolean lasts;
} Task;

static void
task_clear (Task *task)
{
  gst_object_unref (task->element);
}

/* Puts what is due into tasks. Returns when to look again. Called with the lock. */
static guint64
look (GArray *tasks)
{
  guint64 now = afxdp_now (), next = now + LONG;

  for (guint i = 0; i < registry->len; i++) {
    GstAfxdpStall *stall = registry->pdata[i];
    guint64 since = pushing_since (stall);
    Task task = { stall, stall->element, since, TRUE };

    if (stall->told_since && since != stall->told_since) {
      task.since = stall->told_since;
      task.lasts = FALSE;
    } else if (!since || stall->told_since) {
      continue;
    } else if (now < MAX (since + LONG, stall->look_at)) {
      next = MIN (next, MAX (since + LONG, stall->look_at));
      continue;
    }
    gst_object_ref (task.element);
    g_array_append_val (tasks, task);
  }
  return next;
}

/* Notes that it is told. Returns the message, or NULL: it is over, or so many are
 * unread that it has to wait. */
static GstMessage *
note (const Task *task, const gchar *culprit, const gchar *why)
{
  GstAfxdpStall *stall = task->stall;
  GstMessage *message = NULL;

  g_mutex_lock (&lock);
  if (stall->playing && task->lasts && pushing_since (stall) == task->since &&
      !stall->told_since) {
    stall->look_at = afxdp_now () + LONG;
    message = gst_afxdp_outbox_put (&stall->outbox, stall->element,
        describe (stall, task->since, TRUE, culprit, why));
    if (message) {
      stall->told_since = task->since;
      g_free (stall->culprit);
      stall->culprit = g_strdup (culprit);
      atomic_store (&stall->is_told, TRUE);
    }
  } else if (stall->playing && !task->lasts &&
      stall->told_since == task->since) {
    message = gst_afxdp_outbox_put (&stall->outbox, stall->element,
        describe (stall, task->since, FALSE, stall->culprit, NULL));
    stall->told_since = 0;
  }
  g_mutex_unlock (&lock);
  return message;
}

static void
tell (const Task *task)
{
  g_autofree gchar *why = NULL;
  g_autoptr (GstElement) culprit = NULL;
  GstMessage *message;

  if (task->lasts)
    culprit = gst_afxdp_culprit_find (task->stall->pad, &why);
  message = note (task, culprit ? GST_OBJECT_NAME (culprit) : NULL, why);
  if (!message)
    return;
  GST_INFO_OBJECT (task->element, "%" GST_PTR_FORMAT, message);
  gst_element_post_message (task->element, message);
}

/* Ends with the last element that plays. */
static gpointer
watch (gpointer data)
{
  g_autoptr (GArray) tasks = g_array_new (FALSE, FALSE, sizeof (Task));
  guint64 next;

  g_array_set_clear_func (tasks, (GDestroyNotify) task_clear);
  g_mutex_lock (&lock);
  while (registry->len) {
    next = look (tasks);
    if (tasks->len) {
      g_mutex_unlock (&lock);
      for (guint i = 0; i < tasks->len; i++)
        tell (&g_array_index (tasks, Task, i));
      g_array_set_size (tasks, 0);
      g_mutex_lock (&lock);
    } else {
      g_cond_wait_until (&changed, &lock, next / 1000 + 1);
    }
  }
  g_clear_pointer (&registry, g_ptr_array_unref);
  g_mutex_unlock (&lock);
  return NULL;
}

/* Called with the lock. Returns whether there is a thread. */
static gboolean
watches (void)
{
  g_autoptr (GError) error = NULL;
  pthread_t thread;

  if (registry)
    return TRUE;
  if (!afxdp_thread_start (&thread, "afxdp-watch", watch, NULL, &error)) {
    GST_WARNING (
        "nobody watches whether downstream stalls: %s", error->message);
    return FALSE;
  }
  pthread_detach (thread);
  registry = g_ptr_array_new ();
  return TRUE;
}

/* The parent's thread is not here. Called with the lock. */
static void
forget_parents (void)
{
  if (generation != afxdp_fork_generation ())
    registry = NULL;
  generation = afxdp_fork_generation ();
}

void
gst_afxdp_stall_start (GstAfxdpStall *stall)
{
  g_mutex_lock (&lock);
  forget_parents ();
  if (!stall->playing && watches ()) {
    g_ptr_array_add (registry, stall);
    stall->playing = TRUE;
    stall->started_at = afxdp_now ();
    stall->told_since = stall->look_at = 0;
    g_cond_signal (&changed);
  }
  g_mutex_unlock (&lock);
}

void
gst_afxdp_stall_stop (GstAfxdpStall *stall)
{
  g_mutex_lock (&lock);
  forget_parents ();
  if (stall->playing) {
    if (registry)
      g_ptr_array_remove_fast (registry, stall);
    stall->playing = FALSE;
    g_cond_signal (&changed);
  }
  g_mutex_unlock (&lock);
}

void
gst_afxdp_stall_pushing (GstAfxdpStall *stall)
{
  atomic_store_explicit (&stall->since, afxdp_now (), memory_order_relaxed);
}

void
gst_afxdp_stall_returned (GstAfxdpStall *stall)
{
  atomic_store_explicit (&stall->since, 0, memory_order_relaxed);
  if (G_LIKELY (!atomic_load_explicit (&stall->is_told, memory_order_relaxed)))
    return;
  atomic_store (&stall->is_told, FALSE);
  g_mutex_lock (&lock);
  g_cond_signal (&changed);
  g_mutex_unlock (&lock);
}
