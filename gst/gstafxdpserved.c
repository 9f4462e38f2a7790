/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The element as one of many that a receiver's thread serves.
 *
 * The base class has a task of its own, whose function does all that a source owes to
 * GStreamer: events, segments, EOS, num-buffers, errors. Its thread comes here, by
 * create(), whenever the base class starts it: at first, for PLAYING, after a flush.
 * Then it hands the stream over to the receiver, by returning FLUSHING, after which
 * the base class pauses its task. From then on the receiver's thread calls the task's
 * function, with the lock that the task's thread would hold, whenever there is something
 * to push, or to end with; so create() never waits there.
 */
#include "gstafxdpsrcprivate.h"

#include <stdio.h>

#include "clock.h"
#include "gstafxdpculprit.h"

#define GST_CAT_DEFAULT gst_afxdp_src_debug

/* While the base class's own thread has the stream. */
#define LOOK_AGAIN GST_MSECOND
/* A push that holds up the others for longer is told of. */
#define LONG_PUSH (20 * GST_MSECOND)

static void
warn_about_settings (GstAfxdpSrc *self, const AfxdpReceiverSettings *ours,
    const AfxdpReceiverSettings *its)
{
  if (!memcmp (ours, its, sizeof *its))
    return;
  GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
      ("The receiver \"%s\" has coalesce %" G_GUINT64_FORMAT
       " ns, busy-poll-usecs %u and batch-size %u, which its first element has "
       "set; the values of this element (%" G_GUINT64_FORMAT
       ", %u, %u) are ignored. Set the same for all elements of a receiver.",
          self->active.receiver, its->coalesce, its->busy_poll, its->batch,
          ours->coalesce, ours->busy_poll, ours->batch),
      (NULL));
}

gboolean
gst_afxdp_src_choose_receiver (GstAfxdpSrc *self)
{
  AfxdpStreamSettings *stream = &self->active.stream;
  g_autofree gchar *own =
      g_strdup_printf ("%s-%p", GST_OBJECT_NAME (self), (gpointer) self);
  const gchar *name = self->active.receiver;
  const AfxdpReceiverSettings ours = {
    .coalesce = stream->coalesce,
    .busy_poll = stream->busy_poll,
    .batch = stream->batch,
  };
  const AfxdpReceiverSettings *its;
  g_autoptr (GError) error = NULL;

  if ((!name || !*name) && gst_afxdp_settings_n_legs (&self->active) == 1 &&
      !self->active.awaits_second_leg)
    return TRUE;
  /* One thread for both legs, be it that the second one comes while playing. */
  if (!name || !*name)
    name = own;
  self->receiver = afxdp_receivers_get (name, &ours, &error);
  if (!self->receiver) {
    GST_ELEMENT_ERROR (self, RESOURCE, FAILED, ("%s.", error->message),
        ("epoll_create1(), eventfd() or pthread_create() failed."));
    return FALSE;
  }
  its = afxdp_receiver_settings (self->receiver);
  warn_about_settings (self, &ours, its);
  stream->coalesce = its->coalesce;
  stream->busy_poll = its->busy_poll;
  stream->batch = its->batch;
  return TRUE;
}

static gboolean
is_flushing (GstPad *pad)
{
  gboolean flushing;

  GST_OBJECT_LOCK (pad);
  flushing = GST_PAD_IS_FLUSHING (pad);
  GST_OBJECT_UNLOCK (pad);
  return flushing;
}

static void
warn_about_push (GstAfxdpSrc *self, guint64 length)
{
  g_autoptr (GstElement) element =
      gst_afxdp_culprit_next (GST_BASE_SRC_PAD (self));

  if (self->told_long_push)
    return;
  self->told_long_push = TRUE;
  GST_ELEMENT_WARNING (self, STREAM, FAILED,
      ("%s took %.0f ms for a push, and held up all streams of the receiver "
       "\"%s\": put a queue before it.",
          element ? GST_OBJECT_NAME (element) : "Downstream", length / 1e6,
          afxdp_receiver_name (self->receiver)),
      ("This is told once."));
}

/* How long this thread has waited for a processor, ns. */
static guint64
time_waited (void)
{
  g_autofree gchar *text = NULL;
  guint64 waited = 0;

  if (g_file_get_contents ("/proc/thread-self/schedstat", &text, NULL, NULL))
    sscanf (text, "%*u %" G_GUINT64_FORMAT, &waited);
  return waited;
}

/* Whether a push that began at before was as long as that, and not because the machine
 * is busy. Waiting is looked at each second, and when it matters. */
static gboolean
was_long (guint64 before, guint64 length)
{
  static _Thread_local guint64 looked_at, waited;
  guint64 former = waited;

  if (G_LIKELY (length <= LONG_PUSH && before < looked_at + GST_SECOND))
    return FALSE;
  looked_at = before + length;
  waited = time_waited ();
  return length - MIN (length, waited - former) > LONG_PUSH;
}

/* Calls the function of the task, which calls create(). */
static void
call_base_class (GstAfxdpSrc *self)
{
  GstPad *pad = GST_BASE_SRC_PAD (self);
  g_autoptr (GstTask) task = NULL;
  guint64 before = afxdp_now (), length;

  GST_OBJECT_LOCK (pad);
  if (GST_PAD_TASK (pad))
    task = gst_object_ref (GST_PAD_TASK (pad));
  GST_OBJECT_UNLOCK (pad);
  if (!task)
    return;
  self->in_turn = TRUE;
  task->func (task->user_data);
  self->in_turn = FALSE;
  gst_afxdp_stall_returned (&self->stall);
  length = afxdp_now () - before;
  if (G_UNLIKELY (was_long (before, length)) && GST_BASE_SRC (self)->running)
    warn_about_push (self, length);
}

/* Nothing was received when something was held back from before. With turn_lock. */
static AfxdpTurn
end_turn (GstAfxdpSrc *self, const GstAfxdpLeg *leg, guint64 due)
{
  return due == G_MAXUINT64 || afxdp_stream_has_more (leg->stream) ||
          gst_afxdp_ordered_n_ready (&self->ordered)
      ? AFXDP_TURN_AGAIN
      : AFXDP_TURN_REST;
}

/* Whether it is not the turn of what this leg was before. With turn_lock. */
static gboolean
is_its_turn (GstAfxdpSrc *self, const GstAfxdpLeg *leg)
{
  return G_LIKELY (!self->n_former) ||
      (leg->served && afxdp_served_has_turn (leg->served));
}

/* Pushes what is at hand. With turn_lock, but for the push. */
static AfxdpTurn
push (GstAfxdpSrc *self, GstAfxdpLeg *leg, guint64 due)
{
  const AfxdpStream *stream = leg->stream;

  self->pushing = leg;
  g_mutex_unlock (&self->turn_lock);
  call_base_class (self);
  g_mutex_lock (&self->turn_lock);
  self->pushing = NULL;
  return leg->stream == stream ? end_turn (self, leg, due) : AFXDP_TURN_IDLE;
}

/* Receives a batch, and pushes it. */
static AfxdpTurn
take_turn (GstAfxdpSrc *self, GstAfxdpLeg *leg, guint64 *due)
{
  AfxdpTurn turn = AFXDP_TURN_IDLE;
  gboolean ready;

  g_mutex_lock (&self->turn_lock);
  if (is_its_turn (self, leg)) {
    self->flow = gst_afxdp_src_receive_now (self, leg, due, &ready);
    if (!ready)
      turn = end_turn (self, leg, *due);
    /* Whoever got one of its messages may have paused us. The base class would then
     * wait for PLAYING in this thread; the batch stays in the backlog. */
    else if (gst_afxdp_gate_is_open (&self->gate))
      turn = push (self, leg, *due);
  }
  g_mutex_unlock (&self->turn_lock);
  return turn;
}

/* With the pad's stream lock, within the gate. */
static AfxdpTurn
take_turn_if_it_runs (GstAfxdpSrc *self, GstAfxdpLeg *leg, guint64 *due)
{
  GstBaseSrc *base = GST_BASE_SRC (self);

  if (is_flushing (GST_BASE_SRC_PAD (self)))
    return AFXDP_TURN_IDLE;
  if (self->handed_over) {
    self->handed_over = FALSE;
    base->running = TRUE;
    GST_DEBUG_OBJECT (self, "the receiver \"%s\" takes over",
        afxdp_receiver_name (self->receiver));
  }
  return base->running ? take_turn (self, leg, due) : AFXDP_TURN_IDLE;
}

/* The lock may be the base class's own thread's for long: it sleeps with it in PAUSED.
 * The gate is closed then, so that is looked at first; what opens it calls. */
static AfxdpTurn
serve (gpointer consumer, guint64 *due)
{
  GstAfxdpLeg *leg = consumer;
  GstAfxdpSrc *self = leg->src;
  GstPad *pad = GST_BASE_SRC_PAD (self);
  AfxdpTurn turn = AFXDP_TURN_IDLE;

  if (!gst_afxdp_gate_enter (&self->gate))
    return AFXDP_TURN_IDLE;
  if (g_rec_mutex_trylock (GST_PAD_GET_STREAM_LOCK (pad))) {
    turn = take_turn_if_it_runs (self, leg, due);
    GST_PAD_STREAM_UNLOCK (pad);
  } else {
    /* Unwatched, since what comes meanwhile would wake us for nothing. */
    *due = afxdp_now () + LOOK_AGAIN;
  }
  gst_afxdp_gate_leave (&self->gate);
  return turn;
}

void
gst_afxdp_src_serve_leg (GstAfxdpSrc *self, GstAfxdpLeg *leg)
{
  g_mutex_lock (&self->stream_lock);
  if (self->receiver && leg->stream)
    leg->served = afxdp_receiver_add (self->receiver, leg->stream, serve, leg);
  g_mutex_unlock (&self->stream_lock);
}

void
gst_afxdp_src_begin_to_be_served (GstAfxdpSrc *self)
{
  self->told_long_push = FALSE;
  self->stall.served = self->receiver != NULL;
  for (guint i = 0; i < GST_AFXDP_LEGS; i++)
    gst_afxdp_src_serve_leg (self, &self->legs[i]);
}

void
gst_afxdp_src_end_to_be_served (GstAfxdpSrc *self)
{
  for (guint i = 0; i < GST_AFXDP_LEGS; i++)
    g_clear_pointer (&self->legs[i].served, afxdp_served_remove);
  g_clear_pointer (&self->receiver, afxdp_receivers_let_go);
}

void
gst_afxdp_src_call_receiver (GstAfxdpSrc *self)
{
  g_mutex_lock (&self->stream_lock);
  for (guint i = 0; i < GST_AFXDP_LEGS; i++)
    if (self->legs[i].served)
      afxdp_served_call (self->legs[i].served);
  g_mutex_unlock (&self->stream_lock);
}

GstFlowReturn
gst_afxdp_src_hand_over (GstAfxdpSrc *self)
{
  if (gst_afxdp_gate_pass (&self->gate, FALSE)) {
    self->handed_over = TRUE;
    gst_afxdp_src_call_receiver (self);
  }
  return GST_FLOW_FLUSHING;
}

gboolean
gst_afxdp_src_may_stop (GstAfxdpSrc *self)
{
  gboolean has_turn = FALSE;

  g_mutex_lock (&self->stream_lock);
  for (guint i = 0; i < GST_AFXDP_LEGS; i++)
    has_turn |=
        self->legs[i].served && afxdp_served_has_turn (self->legs[i].served);
  g_mutex_unlock (&self->stream_lock);
  if (!has_turn)
    return TRUE;
  GST_ELEMENT_ERROR (self, CORE, STATE_CHANGE,
      ("The element is to be stopped by the thread of its receiver \"%s\", "
       "within a push, which would wait for itself: change the state in another "
       "thread (gst_element_call_async()).",
          afxdp_receiver_name (self->receiver)),
      (NULL));
  return FALSE;
}
