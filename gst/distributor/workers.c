/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The threads that receive, and where they run. */
#include "workers.h"

#include <sched.h>

#include "clock.h"
#include "error.h"
#include "feed.h"
#include "journal.h"

/* What one stream may take before the next one of its thread has a turn: as many as the
 * element hands over at once. */
#define BATCH 64

typedef struct
{
  AfxdpReceiver *receiver;
  guint n_streams;
} Worker;

typedef struct
{
  const gchar *name; /* as the settings have it */
  AfxdpHold *hold;
  AfxdpNetdev netdev; /* as it was when it was asked for last */
  guint n_workers;    /* 0: it has not been there */
  Worker *workers;
} Interface;

struct _AfxdpWorkers
{
  const AfxdpDaemonSettings *settings;
  GPtrArray *interfaces; /* Interface */
  guint n_pinned;        /* threads so far, for whose is the next processor */
};

static void
interface_free (gpointer item)
{
  Interface *interface = item;

  for (guint i = 0; i < interface->n_workers; i++)
    afxdp_receiver_free (interface->workers[i].receiver);
  g_free (interface->workers);
  afxdp_hold_free (interface->hold);
  g_free (interface);
}

/* Holding. */

/* In the thread of the hold or of the interface. */
static void
tell_hold (gpointer user_data, const AfxdpHoldState *state)
{
  const Interface *interface = user_data;

  if (state->attached)
    afxdp_journal (AFXDP_JOURNAL_INFO,
        "%s: the XDP program is attached (%s), and stays so until the daemon "
        "ends",
        interface->name,
        state->xdp_mode == AFXDP_XDP_MODE_GENERIC ? "generic" : "native");
  else if (state->reason)
    afxdp_journal (AFXDP_JOURNAL_WARNING, "%s: %s: %s", interface->name,
        state->there ? "the XDP program is not attached"
                     : "its streams are refused until it is there",
        state->reason);
  else if (state->there)
    afxdp_journal (AFXDP_JOURNAL_INFO, "%s: it is there", interface->name);
}

static AfxdpHold *
hold (Interface *interface, const AfxdpDaemonSettings *settings, GError **error)
{
  const AfxdpHoldSettings of_hold = {
    .attaches = settings->mode != AFXDP_MODE_SOCKET,
    .xdp_mode = AFXDP_XDP_MODE_AUTO,
    .zero_copy = AFXDP_ZERO_COPY_AUTO,
    .umem_frames = settings->umem_frames,
    .ring_size = AFXDP_WORKERS_RING_SIZE,
  };

  return afxdp_hold_new (
      interface->name, &of_hold, tell_hold, interface, error);
}

void
afxdp_workers_hold_state (
    AfxdpWorkers *workers, guint which, AfxdpHoldState *state)
{
  Interface *interface = workers->interfaces->pdata[which];

  afxdp_hold_state (interface->hold, state);
}

/* Threads. */

/* A thread runs where its creator does: so that is moved there for a moment. */
static AfxdpReceiver *
start_pinned (const gchar *name, const AfxdpReceiverSettings *settings,
    guint cpu, GError **error)
{
  AfxdpReceiver *receiver;
  cpu_set_t former, wanted;

  CPU_ZERO (&wanted);
  CPU_SET (cpu, &wanted);
  if (sched_getaffinity (0, sizeof former, &former) ||
      sched_setaffinity (0, sizeof wanted, &wanted)) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "Could not pin the thread %s to processor %u, which this host does "
        "not have or does not give to the daemon: mend cpus= or "
        "CPUAffinity=/AllowedCPUs= of systemd",
        name, cpu);
    return NULL;
  }
  receiver = afxdp_receiver_new (name, settings, error);
  sched_setaffinity (0, sizeof former, &former);
  return receiver;
}

static gboolean
start (AfxdpWorkers *workers, Interface *interface, guint which, GError **error)
{
  const AfxdpDaemonSettings *settings = workers->settings;
  const AfxdpReceiverSettings of_receiver = {
    .coalesce = settings->coalesce,
    .batch = BATCH,
  };
  g_autofree gchar *name = g_strdup_printf ("%s/%u", interface->name, which);
  AfxdpReceiver *receiver = settings->cpus->len
      ? start_pinned (name, &of_receiver,
            g_array_index (settings->cpus, guint,
                workers->n_pinned++ % settings->cpus->len),
            error)
      : afxdp_receiver_new (name, &of_receiver, error);

  if (!receiver)
    return FALSE;
  interface->workers[interface->n_workers++].receiver = receiver;
  return TRUE;
}

/* As many as the interface needs now. After a failure there may be fewer. */
static gboolean
start_all (AfxdpWorkers *workers, Interface *interface,
    const AfxdpNetdev *netdev, GError **error)
{
  guint n = CLAMP (netdev->rx_active, 1, g_get_num_processors ());

  g_free (interface->workers);
  interface->workers = g_new0 (Worker, n);
  for (guint i = 0; i < n; i++)
    if (!start (workers, interface, i, error))
      return FALSE;
  return TRUE;
}

/* What came a moment ago the stream itself waits for. */
static gboolean
check_held (const AfxdpWorkers *workers, const Interface *interface,
    const AfxdpHoldState *state, GError **error)
{
  if (!state->there) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
        "The distributor daemon receives on %s, which is not there now: wait "
        "until it is, and ask again",
        interface->name);
    return FALSE;
  }
  if (workers->settings->mode != AFXDP_MODE_AF_XDP || state->attached ||
      !state->reason || afxdp_now () - state->since < AFXDP_FEED_HEALING_TIME)
    return TRUE;
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_FAILED,
      AFXDP_FEED_NEEDS_AF_XDP "%s", state->reason);
  return FALSE;
}

gboolean
afxdp_workers_are_ready (AfxdpWorkers *workers, guint which, GError **error)
{
  Interface *interface = workers->interfaces->pdata[which];
  AfxdpHoldState state;
  gboolean ready = FALSE;

  afxdp_hold_state (interface->hold, &state);
  if (check_held (workers, interface, &state, error))
    ready = interface->n_workers > 0 ||
        start_all (workers, interface, &state.netdev, error);
  afxdp_hold_state_clear (&state);
  return ready;
}

static gboolean
add_interface (AfxdpWorkers *workers, const gchar *name, GError **error)
{
  Interface *interface = g_new0 (Interface, 1);
  AfxdpHoldState state;
  gboolean right = TRUE;

  g_ptr_array_add (workers->interfaces, interface);
  interface->name = name;
  interface->hold = hold (interface, workers->settings, error);
  if (!interface->hold)
    return FALSE;
  afxdp_hold_state (interface->hold, &state);
  /* Whether there are threads and processors is better known at once. */
  if (state.there)
    right = start_all (workers, interface, &state.netdev, error);
  afxdp_hold_state_clear (&state);
  return right;
}

AfxdpWorkers *
afxdp_workers_new (const AfxdpDaemonSettings *settings, GError **error)
{
  g_autoptr (AfxdpWorkers) workers = g_new0 (AfxdpWorkers, 1);

  workers->settings = settings;
  workers->interfaces = g_ptr_array_new_with_free_func (interface_free);
  for (guint i = 0; i < settings->interfaces->len; i++)
    if (!add_interface (workers, settings->interfaces->pdata[i], error))
      return NULL;
  return g_steal_pointer (&workers);
}

void
afxdp_workers_free (AfxdpWorkers *workers)
{
  if (!workers)
    return;
  g_ptr_array_unref (workers->interfaces);
  g_free (workers);
}

static Interface *
interface_at (const AfxdpWorkers *workers, guint which)
{
  return workers->interfaces->pdata[which];
}

guint
afxdp_workers_n_interfaces (const AfxdpWorkers *workers)
{
  return workers->interfaces->len;
}

const AfxdpNetdev *
afxdp_workers_interface (AfxdpWorkers *workers, guint which)
{
  Interface *interface = interface_at (workers, which);
  AfxdpHoldState state;

  afxdp_hold_state (interface->hold, &state);
  interface->netdev = state.netdev;
  afxdp_hold_state_clear (&state);
  return &interface->netdev;
}

guint
afxdp_workers_n_threads (const AfxdpWorkers *workers, guint which)
{
  return interface_at (workers, which)->n_workers;
}

guint
afxdp_workers_n_streams (const AfxdpWorkers *workers, guint which)
{
  const Interface *interface = interface_at (workers, which);
  guint n = 0;

  for (guint i = 0; i < interface->n_workers; i++)
    n += interface->workers[i].n_streams;
  return n;
}

AfxdpReceiver *
afxdp_workers_take (AfxdpWorkers *workers, guint which)
{
  const Interface *interface = interface_at (workers, which);
  Worker *least = interface->workers;

  for (guint i = 1; i < interface->n_workers; i++)
    if (interface->workers[i].n_streams < least->n_streams)
      least = &interface->workers[i];
  least->n_streams++;
  return least->receiver;
}

void
afxdp_workers_give_back (AfxdpWorkers *workers, AfxdpReceiver *receiver)
{
  for (guint i = 0; i < workers->interfaces->len; i++) {
    Interface *interface = interface_at (workers, i);

    for (guint j = 0; j < interface->n_workers; j++)
      if (interface->workers[j].receiver == receiver)
        interface->workers[j].n_streams--;
  }
}
