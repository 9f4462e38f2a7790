/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The threads that receive, and where they run. */
#include "workers.h"

#include <sched.h>

#include "error.h"

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
  AfxdpNetdev netdev;
  guint n_workers;
  Worker *workers;
} Interface;

struct _AfxdpWorkers
{
  GArray *interfaces; /* Interface */
  guint n_pinned;     /* threads so far, for whose is the next processor */
};

static void
interface_clear (gpointer item)
{
  Interface *interface = item;

  for (guint i = 0; i < interface->n_workers; i++)
    afxdp_receiver_free (interface->workers[i].receiver);
  g_free (interface->workers);
}

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
start (AfxdpWorkers *workers, Interface *interface, guint which,
    const AfxdpDaemonSettings *settings, GError **error)
{
  const AfxdpReceiverSettings of_receiver = {
    .coalesce = settings->coalesce,
    .batch = BATCH,
  };
  g_autofree gchar *name =
      g_strdup_printf ("%s/%u", interface->netdev.name, which);
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

static gboolean
add_interface (AfxdpWorkers *workers, const gchar *name,
    const AfxdpDaemonSettings *settings, GError **error)
{
  Interface interface = { 0 };
  guint n;
  gboolean right = TRUE;

  if (!afxdp_netdev_by_name (name, &interface.netdev, error))
    return FALSE;
  n = CLAMP (interface.netdev.rx_active, 1, g_get_num_processors ());
  interface.workers = g_new0 (Worker, n);
  for (guint i = 0; right && i < n; i++)
    right = start (workers, &interface, i, settings, error);
  g_array_append_val (workers->interfaces, interface);
  return right;
}

AfxdpWorkers *
afxdp_workers_new (const AfxdpDaemonSettings *settings, GError **error)
{
  g_autoptr (AfxdpWorkers) workers = g_new0 (AfxdpWorkers, 1);

  workers->interfaces = g_array_new (FALSE, FALSE, sizeof (Interface));
  g_array_set_clear_func (workers->interfaces, interface_clear);
  for (guint i = 0; i < settings->interfaces->len; i++)
    if (!add_interface (
            workers, settings->interfaces->pdata[i], settings, error))
      return NULL;
  return g_steal_pointer (&workers);
}

void
afxdp_workers_free (AfxdpWorkers *workers)
{
  if (!workers)
    return;
  g_array_unref (workers->interfaces);
  g_free (workers);
}

static Interface *
interface_at (const AfxdpWorkers *workers, guint which)
{
  return &g_array_index (workers->interfaces, Interface, which);
}

guint
afxdp_workers_n_interfaces (const AfxdpWorkers *workers)
{
  return workers->interfaces->len;
}

const AfxdpNetdev *
afxdp_workers_interface (AfxdpWorkers *workers, guint which)
{
  AfxdpNetdev *netdev = &interface_at (workers, which)->netdev, now;

  if (afxdp_netdev_by_name (netdev->name, &now, NULL))
    *netdev = now;
  return netdev;
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
