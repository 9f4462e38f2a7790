/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The thread that makes clients' rings. */
#include "ringmaker.h"

#include <errno.h>
#include <glib-unix.h>
#include <pthread.h>
#include <unistd.h>

#include "error.h"
#include "thread.h"
#include "wakeup.h"

struct _AfxdpRingOrder
{
  guint n_slots, slot_size;
  AfxdpRingMade made;
  gpointer user_data;
  gint cancelled; /* atomic; the control thread sets it */
  /* What has become of it. */
  AfxdpClientRing *ring;
  GError *error;
};

struct _AfxdpRingMaker
{
  GAsyncQueue *orders; /* AfxdpRingOrder; those that are to be made, */
  GAsyncQueue *over;   /* and those that have been */
  int wake;            /* eventfd: some are over */
  guint source;
  pthread_t thread;
  AfxdpRingOrder last; /* ends the thread */
};

static void
order_free (gpointer item)
{
  AfxdpRingOrder *order = item;

  afxdp_client_ring_free (order->ring);
  g_clear_error (&order->error);
  g_free (order);
}

static gpointer
run (gpointer data)
{
  AfxdpRingMaker *maker = data;
  AfxdpRingOrder *order;

  while ((order = g_async_queue_pop (maker->orders)) != &maker->last) {
    /* Who asks and hangs up again and again has nothing made. */
    if (!g_atomic_int_get (&order->cancelled))
      order->ring = afxdp_client_ring_new (
          order->n_slots, order->slot_size, &order->error);
    g_async_queue_push (maker->over, order);
    afxdp_wakeup_signal (maker->wake);
  }
  return NULL;
}

static gboolean
on_over (gint fd, GIOCondition condition, gpointer user_data)
{
  AfxdpRingMaker *maker = user_data;
  AfxdpRingOrder *order;

  afxdp_wakeup_clear (fd);
  while ((order = g_async_queue_try_pop (maker->over))) {
    if (!order->cancelled)
      order->made (
          order->user_data, g_steal_pointer (&order->ring), order->error);
    order_free (order);
  }
  return G_SOURCE_CONTINUE;
}

static void
clear (AfxdpRingMaker *maker)
{
  g_clear_handle_id (&maker->source, g_source_remove);
  g_async_queue_unref (maker->orders);
  g_async_queue_unref (maker->over);
  if (maker->wake >= 0)
    close (maker->wake);
  g_free (maker);
}

AfxdpRingMaker *
afxdp_ring_maker_new (GError **error)
{
  AfxdpRingMaker *maker = g_new0 (AfxdpRingMaker, 1);

  maker->orders = g_async_queue_new_full (order_free);
  maker->over = g_async_queue_new_full (order_free);
  maker->wake = afxdp_wakeup_new ();
  if (maker->wake < 0) {
    afxdp_error_set (error, errno, "Could not make an eventfd for rings");
  } else if (afxdp_thread_start (
                 &maker->thread, "afxdp-rings", run, maker, error)) {
    maker->source = g_unix_fd_add (maker->wake, G_IO_IN, on_over, maker);
    return maker;
  }
  clear (maker);
  return NULL;
}

void
afxdp_ring_maker_free (AfxdpRingMaker *maker)
{
  if (!maker)
    return;
  g_async_queue_push_front (maker->orders, &maker->last);
  pthread_join (maker->thread, NULL);
  clear (maker);
}

AfxdpRingOrder *
afxdp_ring_maker_order (AfxdpRingMaker *maker, guint n_slots, guint slot_size,
    AfxdpRingMade made, gpointer user_data)
{
  AfxdpRingOrder *order = g_new0 (AfxdpRingOrder, 1);

  order->n_slots = n_slots;
  order->slot_size = slot_size;
  order->made = made;
  order->user_data = user_data;
  g_async_queue_push (maker->orders, order);
  return order;
}

void
afxdp_ring_order_cancel (AfxdpRingOrder *order)
{
  g_atomic_int_set (&order->cancelled, TRUE);
}
