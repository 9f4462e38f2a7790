/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One thread that serves many streams. */
#include "receiver.h"

#include <errno.h>
#include <pthread.h>

#include "clock.h"
#include "coalesce.h"
#include "error.h"
#include "poller.h"
#include "thread.h"

struct _AfxdpServed
{
  AfxdpReceiver *receiver;
  AfxdpStream *stream;
  AfxdpServe serve;
  gpointer consumer;
  guint index;      /* in receiver->served */
  guint generation; /* of that place */

  GList link;      /* in receiver->ready */
  gboolean ready;  /* it is there; receiver's lock */
  gboolean leaves; /* it gets no more turns; receiver's lock */
  guint n_watched; /* descriptors; in its turn, or when it has none */
};

/* A place that streams come to and go from. */
typedef struct
{
  AfxdpServed *served; /* NULL: none */
  guint generation;
} Place;

/* What a stream has told of itself when it last rested; G_MAXUINT64: nothing. */
typedef struct
{
  guint64 due; /* when it has a turn by time */
  guint64
      longest; /* ns that others may sleep, whether it has had packets or not */
} Told;

static const Told nothing_told = { G_MAXUINT64, G_MAXUINT64 };

struct _AfxdpReceiver
{
  gchar *name;
  AfxdpReceiverSettings settings;
  pthread_t thread;
  AfxdpPoller poller;

  pthread_mutex_t
      lock; /* protects all down to quit; not held in a turn, nor asleep */
  pthread_cond_t turn_over;
  GArray *places;
  GArray *told; /* for each place */
  GQueue ready; /* those that have a turn next */
  AfxdpServed *serving;
  guint n_awaiting; /* the end of that turn */
  gboolean quit;

  /* The thread's own. */
  AfxdpCoalesce coalesce;
  AfxdpStreamRest round; /* of all that had a turn since the last sleep */
  gdouble scarcest;      /* least room for a packet that came in the round */
  guint64 quiet_since;   /* 0: something came */
};

/* Turns. */

/* Called with the lock. */
static void
make_ready (AfxdpServed *served)
{
  if (served->ready || served->leaves)
    return;
  served->ready = TRUE;
  g_queue_push_tail_link (&served->receiver->ready, &served->link);
}

static void
watch_new_ones (AfxdpServed *served)
{
  int fd;

  while ((fd = afxdp_stream_fd (served->stream, served->n_watched)) >= 0) {
    /* Without memory for that it is found by time alone. */
    afxdp_poller_watch (&served->receiver->poller, fd,
        (guint64) served->generation << 32 | served->index << 8 |
            served->n_watched);
    served->n_watched++;
  }
}

void
afxdp_served_unwatch (AfxdpServed *served)
{
  while (served->n_watched)
    afxdp_poller_unwatch (&served->receiver->poller,
        afxdp_stream_fd (served->stream, --served->n_watched));
}

/* Adds what a stream that rests tells of the round, and leaves in told the rest. */
static void
note_rest (AfxdpReceiver *receiver, AfxdpStream *stream, Told *told)
{
  AfxdpStreamRest *round = &receiver->round, rest;

  afxdp_stream_rest (stream, &rest);
  round->settling |= rest.settling;
  told->due = MIN (told->due, rest.look_at);
  told->longest = rest.longest;
  if (!rest.n)
    return;
  round->n += rest.n;
  receiver->scarcest = MIN (receiver->scarcest, (gdouble) rest.room / rest.n);
}

/* Called with the lock. */
static void
give_turn (AfxdpReceiver *receiver, AfxdpServed *served)
{
  Told told = nothing_told;
  AfxdpTurn turn;

  receiver->serving = served;
  pthread_mutex_unlock (&receiver->lock);
  turn = served->serve (served->consumer, &told.due);
  if (turn == AFXDP_TURN_IDLE)
    afxdp_served_unwatch (served);
  else
    watch_new_ones (served);
  if (turn == AFXDP_TURN_REST)
    note_rest (receiver, served->stream, &told);
  pthread_mutex_lock (&receiver->lock);
  receiver->serving = NULL;
  g_array_index (receiver->told, Told, served->index) = told;
  if (turn == AFXDP_TURN_AGAIN)
    make_ready (served);
  if (receiver->n_awaiting)
    pthread_cond_broadcast (&receiver->turn_over);
}

/* Between rounds. */

/* The earliest and the shortest of what streams have told. Called with the lock. */
static Told
least_told (const AfxdpReceiver *receiver)
{
  Told least = nothing_told;

  for (guint i = 0; i < receiver->told->len; i++) {
    const Told *told = &g_array_index (receiver->told, Told, i);

    least.due = MIN (least.due, told->due);
    least.longest = MIN (least.longest, told->longest);
  }
  return least;
}

/* How long to sleep to gather batches, but for no longer than that; and forgets the
 * round. */
static guint64
next_pause (AfxdpReceiver *receiver, guint64 now, guint64 longest)
{
  AfxdpStreamRest *round = &receiver->round;
  guint64 pause = 0;

  if (round->n) {
    afxdp_coalesce_count (&receiver->coalesce, round->n);
    pause = afxdp_coalesce_next (&receiver->coalesce, now,
        MIN (receiver->scarcest * round->n, G_MAXINT));
    pause = MIN (pause, longest);
    receiver->quiet_since = 0;
  }
  /* What waits for its turn in a ring would wake us again and again. */
  if (round->settling)
    pause = pause ? MIN (pause, AFXDP_MS) : AFXDP_MS;
  *round = (AfxdpStreamRest){ 0 };
  receiver->scarcest = G_MAXINT;
  return pause;
}

/* Whether to look again at once, since a packet came not long ago. */
static gboolean
spins (AfxdpReceiver *receiver, guint64 now)
{
  if (!receiver->settings.busy_poll)
    return FALSE;
  if (!receiver->quiet_since)
    receiver->quiet_since = now;
  return now - receiver->quiet_since < receiver->settings.busy_poll * AFXDP_US;
}

/* Called with the lock, and leaves without. */
static guint
sleep_or_wait (AfxdpReceiver *receiver, struct epoll_event *events)
{
  Told least = least_told (receiver);
  guint64 now = afxdp_now ();
  guint64 wait = now < least.due ? least.due - now : 0, pause;

  /* Those that have more must not keep the others from their turns. */
  if (receiver->ready.length) {
    pthread_mutex_unlock (&receiver->lock);
    return afxdp_poller_wait (&receiver->poller, events, 0);
  }
  pause = next_pause (receiver, now, least.longest);
  pthread_mutex_unlock (&receiver->lock);
  /* What is due by time can wait until a batch is gathered: of hundreds of streams
   * something always is, and none ever would be. */
  if (spins (receiver, now)) {
    wait = 0;
  } else if (pause) {
    afxdp_poller_pause (&receiver->poller, now, now + pause);
    wait = 0;
  }
  return afxdp_poller_wait (&receiver->poller, events, wait);
}

/* Called with the lock. */
static void
note_event (AfxdpReceiver *receiver, const struct epoll_event *event)
{
  guint index = event->data.u64 >> 8 & 0xffffff;
  const Place *place = &g_array_index (receiver->places, Place, index);

  if (!place->served || place->generation != event->data.u64 >> 32)
    return;
  afxdp_stream_note_events (
      place->served->stream, event->data.u64 & 0xff, event->events);
  make_ready (place->served);
}

/* Between two rounds: finds who has a turn in the next one; waits, if nobody has.
 * Called with the lock. */
static void
find_ready (AfxdpReceiver *receiver)
{
  struct epoll_event events[AFXDP_POLLER_EVENTS];
  guint n = sleep_or_wait (receiver, events);
  guint64 now = afxdp_now ();

  pthread_mutex_lock (&receiver->lock);
  for (guint i = 0; i < n; i++)
    note_event (receiver, &events[i]);
  for (guint i = 0; i < receiver->told->len; i++) {
    guint64 *due = &g_array_index (receiver->told, Told, i).due;

    if (*due > now)
      continue;
    *due = G_MAXUINT64;
    make_ready (g_array_index (receiver->places, Place, i).served);
  }
}

/* One turn for each that is ready now. Called with the lock. */
static void
give_turns (AfxdpReceiver *receiver)
{
  for (guint n = receiver->ready.length; n; n--) {
    GList *link = g_queue_pop_head_link (&receiver->ready);
    /* Some may have been removed meanwhile. */
    if (!link)
      break;
    ((AfxdpServed *) link->data)->ready = FALSE;
    give_turn (receiver, link->data);
  }
}

static gpointer
run (gpointer data)
{
  AfxdpReceiver *receiver = data;

  pthread_mutex_lock (&receiver->lock);
  while (!receiver->quit) {
    give_turns (receiver);
    find_ready (receiver);
  }
  pthread_mutex_unlock (&receiver->lock);
  return NULL;
}

/* The receiver. */

static void
free_all (AfxdpReceiver *receiver)
{
  afxdp_poller_clear (&receiver->poller);
  g_array_unref (receiver->places);
  g_array_unref (receiver->told);
  pthread_mutex_destroy (&receiver->lock);
  pthread_cond_destroy (&receiver->turn_over);
  g_free (receiver->name);
  g_free (receiver);
}

AfxdpReceiver *
afxdp_receiver_new (
    const gchar *name, const AfxdpReceiverSettings *settings, GError **error)
{
  AfxdpReceiver *receiver = g_new0 (AfxdpReceiver, 1);

  receiver->name = g_strdup (name);
  receiver->settings = *settings;
  receiver->coalesce.longest = settings->busy_poll ? 0 : settings->coalesce;
  receiver->scarcest = G_MAXINT;
  receiver->places = g_array_new (FALSE, TRUE, sizeof (Place));
  receiver->told = g_array_new (FALSE, FALSE, sizeof (Told));
  g_queue_init (&receiver->ready);
  pthread_mutex_init (&receiver->lock, NULL);
  pthread_cond_init (&receiver->turn_over, NULL);
  if (!afxdp_poller_init (&receiver->poller))
    afxdp_error_set (error, errno,
        "Could not create the epoll descriptor and the eventfd of the receiver "
        "\"%s\"",
        name);
  else if (afxdp_thread_start (
               &receiver->thread, "afxdp-receiver", run, receiver, error))
    return receiver;
  else
    g_prefix_error (error, "The receiver \"%s\": ", name);
  free_all (receiver);
  return NULL;
}

void
afxdp_receiver_free (AfxdpReceiver *receiver)
{
  pthread_mutex_lock (&receiver->lock);
  receiver->quit = TRUE;
  pthread_mutex_unlock (&receiver->lock);
  afxdp_poller_call (&receiver->poller);
  pthread_join (receiver->thread, NULL);
  free_all (receiver);
}

const AfxdpReceiverSettings *
afxdp_receiver_settings (const AfxdpReceiver *receiver)
{
  return &receiver->settings;
}

const gchar *
afxdp_receiver_name (const AfxdpReceiver *receiver)
{
  return receiver->name;
}

/* Streams. */

/* Called with the lock. */
static guint
find_place (AfxdpReceiver *receiver)
{
  guint i;

  for (i = 0; i < receiver->places->len; i++)
    if (!g_array_index (receiver->places, Place, i).served)
      return i;
  g_array_set_size (receiver->places, i + 1);
  g_array_append_val (receiver->told, nothing_told);
  return i;
}

AfxdpServed *
afxdp_receiver_add (AfxdpReceiver *receiver, AfxdpStream *stream,
    AfxdpServe serve, gpointer consumer)
{
  AfxdpServed *served = g_new0 (AfxdpServed, 1);
  Place *place;

  served->receiver = receiver;
  served->stream = stream;
  served->serve = serve;
  served->consumer = consumer;
  served->link.data = served;
  pthread_mutex_lock (&receiver->lock);
  served->index = find_place (receiver);
  place = &g_array_index (receiver->places, Place, served->index);
  place->served = served;
  /* Never all ones, as the poller asks. */
  served->generation = ++place->generation & G_MAXINT32;
  place->generation = served->generation;
  pthread_mutex_unlock (&receiver->lock);
  return served;
}

void
afxdp_served_remove (AfxdpServed *served)
{
  AfxdpReceiver *receiver = served->receiver;

  pthread_mutex_lock (&receiver->lock);
  /* One that always has more would begin its next turn before we are awake. */
  served->leaves = TRUE;
  if (served->ready)
    g_queue_unlink (&receiver->ready, &served->link);
  receiver->n_awaiting++;
  while (receiver->serving == served)
    pthread_cond_wait (&receiver->turn_over, &receiver->lock);
  receiver->n_awaiting--;
  afxdp_served_unwatch (served);
  g_array_index (receiver->places, Place, served->index).served = NULL;
  g_array_index (receiver->told, Told, served->index) = nothing_told;
  pthread_mutex_unlock (&receiver->lock);
  g_free (served);
}

void
afxdp_served_call (AfxdpServed *served)
{
  AfxdpReceiver *receiver = served->receiver;

  pthread_mutex_lock (&receiver->lock);
  make_ready (served);
  pthread_mutex_unlock (&receiver->lock);
  afxdp_poller_call (&receiver->poller);
}

gboolean
afxdp_served_has_turn (const AfxdpServed *served)
{
  AfxdpReceiver *receiver = served->receiver;
  gboolean has_turn;

  if (!pthread_equal (receiver->thread, pthread_self ()))
    return FALSE;
  pthread_mutex_lock (&receiver->lock);
  has_turn = receiver->serving == served;
  pthread_mutex_unlock (&receiver->lock);
  return has_turn;
}
