/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gst/rx with all its threads, without GStreamer, so that a thread sanitizer
 * sees every lock: streams that are received all the time, one that comes and
 * goes, buffers that others free, somebody who reads statistics, and somebody who
 * changes the senders that streams are received from.
 *
 *   threads INTERFACE PACKETS [RECEIVER [INTERFACE]]
 *
 * ends when each of the streams 239.1.1.1 to 239.1.1.4, port 5000, has got so
 * many packets; 239.1.1.5 and .6 come and go meanwhile. With RECEIVER, a name, one
 * thread serves them all. With a second interface these four come by both, and are put
 * in order, each packet once. threads.sh runs it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../../gst/rx/stream/receivers.h"
#include "reorder.h"
#include "stream.h"

#define N_STEADY 4
#define N_STREAMS 6
#define N_LEGS 2
#define N_RECEIVERS (N_STREAMS + N_STEADY)
/* How long a packet of one leg waits for one of the other. */
#define WINDOW (500 * 1000 * 1000)
#define BATCH 64
#define PATIENCE 120 /* seconds; nothing takes so long */
/* Frames that wait to be freed by another thread. */
#define HELD 512

static const gchar *interfaces[N_LEGS];

/* What downstream is: frames that one thread hands to another. */
typedef struct
{
  AfxdpUmem *umem;
  guint32 frame;
} Lent;

static struct
{
  pthread_mutex_t lock;
  Lent lent[HELD];
  guint n;
} held = { .lock = PTHREAD_MUTEX_INITIALIZER };

typedef struct _Receiver Receiver;

/* A stream that comes by two interfaces. The one thread's that serves both. */
typedef struct
{
  AfxdpReorder *stage;
  Receiver *legs[N_LEGS];
  _Atomic guint64 packets;
} Pair;

struct _Receiver
{
  guint number, leg;
  Pair *pair; /* or NULL */
  pthread_t thread;
  pthread_mutex_t lock; /* protects stream against who reads statistics */
  AfxdpStream *stream;
  AfxdpServed *served; /* NULL: by thread */
  atomic_bool quit;
  _Atomic guint64 packets;
};

static Receiver receivers[N_RECEIVERS]; /* behind the streams: second legs */
static Pair pairs[N_STEADY];
static guint n_receivers = N_STREAMS;
static AfxdpReceiver *shared; /* or NULL */
static atomic_bool over;

static guint64
now_ns (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return time.tv_sec * G_GUINT64_CONSTANT (1000000000) + time.tv_nsec;
}

/* Keeps a frame for a while, and frees the one that is there already. */
static void
keep (AfxdpUmem *umem, guint32 frame)
{
  Lent former = { NULL };
  Lent *place;

  pthread_mutex_lock (&held.lock);
  place = &held.lent[held.n++ % HELD];
  former = *place;
  *place = (Lent){ umem, frame };
  pthread_mutex_unlock (&held.lock);
  if (former.umem)
    afxdp_umem_give_back (former.umem, former.frame);
}

/* What one leg brought. */

static void
note_out (const AfxdpReorderEntry *entry, gpointer data)
{
  Pair *pair = data;
  Lent *lent = entry->item;

  atomic_fetch_add (&pair->packets, 1);
  if (lent->umem)
    keep (lent->umem, lent->frame);
  g_free (lent);
}

static void
note_late (const AfxdpReorderEntry *entry, gpointer data)
{
  Lent *lent = entry->item;

  if (lent->umem)
    keep (lent->umem, lent->frame);
  g_free (lent);
}

static void
put_batch (Receiver *receiver, AfxdpBatch *batch)
{
  Pair *pair = receiver->pair;
  Receiver *other = pair->legs[!receiver->leg];
  guint64 now = now_ns ();

  for (guint i = 0; i < batch->n; i++) {
    AfxdpPacket *packet = &batch->packets[i];
    AfxdpReorderEntry entry = {
      .arrival = packet->arrival, .size = packet->size, .leg = receiver->leg
    };
    Lent *lent;

    if (afxdp_reorder_look (pair->stage, receiver->leg, &packet->rtp,
            entry.arrival) != AFXDP_REORDER_WANTED)
      continue;
    lent = g_new (Lent, 1);
    lent->frame = packet->frame;
    lent->umem = afxdp_stream_lend (receiver->stream, packet);
    entry.item = lent;
    afxdp_reorder_put (pair->stage, &entry);
    afxdp_reorder_advance (pair->stage, receiver->leg, entry.arrival);
  }
  if (!afxdp_stream_has_more (other->stream))
    afxdp_reorder_advance (pair->stage, other->leg, now);
}

static void
lend_batch (Receiver *receiver, AfxdpBatch *batch)
{
  for (guint i = 0; i < batch->n; i++) {
    guint32 frame = batch->packets[i].frame;
    AfxdpUmem *umem = afxdp_stream_lend (receiver->stream, &batch->packets[i]);

    if (umem)
      keep (umem, frame);
  }
}

static gboolean
receive_batch (Receiver *receiver, guint64 deadline)
{
  AfxdpStream *stream = receiver->stream;
  AfxdpPathChange change;
  AfxdpBatch batch;

  if (afxdp_stream_path_changed (stream, &change))
    afxdp_path_change_clear (&change);
  if (!afxdp_stream_receive (stream, &batch, BATCH, deadline))
    return FALSE;
  if (receiver->pair)
    put_batch (receiver, &batch);
  else
    lend_batch (receiver, &batch);
  atomic_fetch_add (&receiver->packets, batch.n);
  afxdp_stream_done (stream);
  return TRUE;
}

static gpointer
receive (gpointer data)
{
  Receiver *receiver = data;

  while (!atomic_load (&receiver->quit))
    receive_batch (receiver, now_ns () + 100 * 1000 * 1000);
  afxdp_stream_close_path (receiver->stream);
  return NULL;
}

static AfxdpTurn
serve (gpointer consumer, guint64 *due)
{
  Receiver *receiver = consumer;

  if (atomic_load (&receiver->quit)) {
    afxdp_stream_close_path (receiver->stream);
    return AFXDP_TURN_IDLE;
  }
  return receive_batch (receiver, 0) || afxdp_stream_has_more (receiver->stream)
      ? AFXDP_TURN_AGAIN
      : AFXDP_TURN_REST;
}

static void
open_stream (Receiver *receiver)
{
  g_autofree gchar *group =
      g_strdup_printf ("239.1.1.%u", receiver->number + 1);
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (group);
  g_autoptr (GError) error = NULL;
  AfxdpStreamSettings settings = {
    .address = address,
    .port = 5000,
    .interfaces = (const gchar *const[]){ interfaces[receiver->leg], NULL },
    .queue = -1,
    .ring_size = 4096,
    .batch = BATCH,
    .coalesce = receiver->number % 2 ? 2 * 1000 * 1000 : 0,
    .auto_multicast = TRUE,
  };
  AfxdpStream *stream = afxdp_stream_new (&settings, &error);

  if (!stream) {
    fprintf (stderr, "%s: %s\n", group, error->message);
    exit (1);
  }
  pthread_mutex_lock (&receiver->lock);
  receiver->stream = stream;
  pthread_mutex_unlock (&receiver->lock);
}

static void
close_stream (Receiver *receiver)
{
  AfxdpStreamCounts counts = { 0 };
  AfxdpStream *stream;
  AfxdpDrops drops;

  pthread_mutex_lock (&receiver->lock);
  stream = g_steal_pointer (&receiver->stream);
  pthread_mutex_unlock (&receiver->lock);
  afxdp_stream_close (stream, &counts, &drops);
  afxdp_stream_counts_clear (&counts);
}

static void
start (Receiver *receiver)
{
  atomic_store (&receiver->quit, FALSE);
  if (shared) {
    receiver->served =
        afxdp_receiver_add (shared, receiver->stream, serve, receiver);
    afxdp_served_call (receiver->served);
  } else {
    pthread_create (&receiver->thread, NULL, receive, receiver);
  }
}

static void
stop (Receiver *receiver)
{
  atomic_store (&receiver->quit, TRUE);
  afxdp_stream_wake (receiver->stream);
  if (shared)
    afxdp_served_remove (receiver->served);
  else
    pthread_join (receiver->thread, NULL);
}

static void
begin (Receiver *receiver)
{
  open_stream (receiver);
  start (receiver);
}

static void
end (Receiver *receiver)
{
  stop (receiver);
  close_stream (receiver);
}

/* Each leg looks at the other's stream. */
static void
begin_pair (Pair *pair)
{
  for (guint i = 0; i < N_LEGS; i++)
    open_stream (pair->legs[i]);
  for (guint i = 0; i < N_LEGS; i++)
    start (pair->legs[i]);
}

static void
end_pair (Pair *pair)
{
  for (guint i = 0; i < N_LEGS; i++)
    stop (pair->legs[i]);
  for (guint i = 0; i < N_LEGS; i++)
    close_stream (pair->legs[i]);
  afxdp_reorder_end (pair->stage);
  afxdp_reorder_free (pair->stage);
}

static gpointer
read_statistics (gpointer data)
{
  while (!atomic_load (&over)) {
    for (guint i = 0; i < n_receivers; i++) {
      AfxdpStreamCounts counts = { 0 };

      pthread_mutex_lock (&receivers[i].lock);
      if (receivers[i].stream)
        afxdp_stream_counts (receivers[i].stream, &counts);
      pthread_mutex_unlock (&receivers[i].lock);
      afxdp_stream_counts_clear (&counts);
    }
    g_usleep (1000);
  }
  return NULL;
}

/* Of any kind, and the generator in each. */
static gpointer
change_sources (gpointer data)
{
  static const gchar *const lists[] = { NULL, "+10.0.0.1+10.0.1.1",
    "-10.0.0.77", "-10.0.0.77-10.0.0.78", "+10.0.0.1+10.0.1.1+10.0.0.77" };

  for (guint n = 0; !atomic_load (&over); n++) {
    Receiver *receiver = &receivers[n % n_receivers];
    g_autoptr (AfxdpSources) sources = afxdp_sources_parse (
        lists[n / n_receivers % G_N_ELEMENTS (lists)], 4, NULL);
    g_autoptr (GError) error = NULL;

    pthread_mutex_lock (&receiver->lock);
    if (receiver->stream &&
        !afxdp_stream_set_sources (receiver->stream, sources, &error)) {
      fprintf (stderr, "%s\n", error->message);
      exit (1);
    }
    pthread_mutex_unlock (&receiver->lock);
    g_usleep (1000);
  }
  return NULL;
}

static gpointer
come_and_go (gpointer data)
{
  Receiver *receiver = data;

  while (!atomic_load (&over)) {
    guint64 packets = atomic_load (&receiver->packets);

    begin (receiver);
    while (!atomic_load (&over) && atomic_load (&receiver->packets) == packets)
      g_usleep (1000);
    end (receiver);
  }
  return NULL;
}

static guint64
n_packets (const Receiver *receiver)
{
  return receiver->pair ? atomic_load (&receiver->pair->packets)
                        : atomic_load (&receiver->packets);
}

static gboolean
all_have (guint64 packets)
{
  for (guint i = 0; i < N_STEADY; i++)
    if (n_packets (&receivers[i]) < packets)
      return FALSE;
  return TRUE;
}

/* Second legs, of the streams that are received all the time. */
static void
prepare_legs (void)
{
  static const AfxdpReorderFuncs funcs = { note_out, note_late };

  n_receivers = N_RECEIVERS;
  for (guint i = 0; i < N_STEADY; i++) {
    Pair *pair = &pairs[i];
    Receiver *legs[N_LEGS] = { &receivers[i], &receivers[N_STREAMS + i] };

    pair->stage = afxdp_reorder_new (N_LEGS, WINDOW, G_MAXUINT64, &funcs, pair);
    for (guint leg = 0; leg < N_LEGS; leg++) {
      pair->legs[leg] = legs[leg];
      legs[leg]->pair = pair;
      legs[leg]->number = i;
      legs[leg]->leg = leg;
    }
  }
}

int
main (int argc, char **argv)
{
  pthread_t statistics, sources, visitors[N_STREAMS - N_STEADY];
  guint64 packets, deadline = now_ns () + PATIENCE * 1000000000ull;
  gboolean done;

  AfxdpReceiverSettings settings = { .coalesce = 1000 * 1000, .batch = BATCH };

  if (argc < 3 || argc > 5) {
    fprintf (stderr, "usage: %s INTERFACE PACKETS [RECEIVER [INTERFACE]]\n",
        argv[0]);
    return 2;
  }
  if (argc >= 4)
    shared = afxdp_receivers_get (argv[3], &settings, NULL);
  interfaces[0] = argv[1];
  packets = g_ascii_strtoull (argv[2], NULL, 10);
  for (guint i = 0; i < N_RECEIVERS; i++) {
    receivers[i].number = i;
    pthread_mutex_init (&receivers[i].lock, NULL);
  }
  if (argc == 5) {
    interfaces[1] = argv[4];
    prepare_legs ();
  }
  for (guint i = 0; i < N_STEADY; i++) {
    if (receivers[i].pair)
      begin_pair (receivers[i].pair);
    else
      begin (&receivers[i]);
  }
  pthread_create (&statistics, NULL, read_statistics, NULL);
  pthread_create (&sources, NULL, change_sources, NULL);
  for (guint i = N_STEADY; i < N_STREAMS; i++)
    pthread_create (&visitors[i - N_STEADY], NULL, come_and_go, &receivers[i]);
  puts ("ready");
  fflush (stdout);

  while (!(done = all_have (packets)) && now_ns () < deadline)
    g_usleep (10000);
  atomic_store (&over, TRUE);
  pthread_join (statistics, NULL);
  pthread_join (sources, NULL);
  for (guint i = N_STEADY; i < N_STREAMS; i++)
    pthread_join (visitors[i - N_STEADY], NULL);
  for (guint i = 0; i < N_STEADY; i++) {
    if (receivers[i].pair)
      end_pair (receivers[i].pair);
    else
      end (&receivers[i]);
  }
  if (shared)
    afxdp_receivers_let_go (shared);
  for (guint i = 0; i < HELD; i++)
    if (held.lent[i].umem)
      afxdp_umem_give_back (held.lent[i].umem, held.lent[i].frame);
  for (guint i = 0; i < N_STREAMS; i++)
    printf ("239.1.1.%u: %" G_GUINT64_FORMAT " packets\n", i + 1,
        n_packets (&receivers[i]));
  return done ? 0 : 1;
}
