/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands behind a receiver's source. */
#include "downstream.h"

struct _Downstream
{
  GstPad *pad;
  gulong probe;

  GMutex lock; /* protects all below */
  GCond changed;
  gint64 stalled_until; /* 0: not stalled */
  gint64 stall;         /* how long the next packet is to stall */
  gboolean hoard, broken;
  GPtrArray *kept; /* GstMiniObject: buffers and lists */
  guint n_kept;    /* packets in them */
  guint64 n_packets;
};

/* Called with the lock. */
static void
stall (Downstream *downstream)
{
  gint64 now = g_get_monotonic_time ();

  downstream->stalled_until = downstream->stall < G_MAXINT64 - now
      ? now + downstream->stall
      : G_MAXINT64;
  downstream->stall = 0;
  while (downstream->stalled_until > g_get_monotonic_time ())
    g_cond_wait_until (
        &downstream->changed, &downstream->lock, downstream->stalled_until);
  downstream->stalled_until = 0;
}

static GstPadProbeReturn
take (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Downstream *downstream = data;
  GstMiniObject *packets = GST_PAD_PROBE_INFO_DATA (info);
  guint n = GST_IS_BUFFER_LIST (packets)
      ? gst_buffer_list_length (GST_BUFFER_LIST_CAST (packets))
      : 1;
  gboolean broken;

  g_mutex_lock (&downstream->lock);
  if (downstream->stall)
    stall (downstream);
  downstream->n_packets += n;
  if (downstream->hoard) {
    g_ptr_array_add (downstream->kept, gst_mini_object_ref (packets));
    downstream->n_kept += n;
  }
  broken = downstream->broken;
  g_mutex_unlock (&downstream->lock);
  if (!broken)
    return GST_PAD_PROBE_OK;
  gst_mini_object_unref (packets);
  GST_PAD_PROBE_INFO_FLOW_RETURN (info) = GST_FLOW_ERROR;
  return GST_PAD_PROBE_HANDLED;
}

Downstream *
downstream_new (Receiver *receiver)
{
  Downstream *downstream = g_new0 (Downstream, 1);

  g_mutex_init (&downstream->lock);
  g_cond_init (&downstream->changed);
  downstream->kept =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_mini_object_unref);
  downstream->pad = gst_element_get_static_pad (receiver->src, "src");
  downstream->probe = gst_pad_add_probe (downstream->pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, take,
      downstream, NULL);
  return downstream;
}

void
downstream_free (Downstream *downstream)
{
  gst_pad_remove_probe (downstream->pad, downstream->probe);
  gst_object_unref (downstream->pad);
  g_ptr_array_unref (downstream->kept);
  g_mutex_clear (&downstream->lock);
  g_cond_clear (&downstream->changed);
  g_free (downstream);
}

void
downstream_stall (Downstream *downstream, gint64 time)
{
  g_mutex_lock (&downstream->lock);
  downstream->stall = time;
  if (!time)
    downstream->stalled_until = 0;
  g_cond_broadcast (&downstream->changed);
  g_mutex_unlock (&downstream->lock);
}

gboolean
downstream_is_stalled (Downstream *downstream)
{
  gboolean stalled;

  g_mutex_lock (&downstream->lock);
  stalled = downstream->stalled_until != 0;
  g_mutex_unlock (&downstream->lock);
  return stalled;
}

void
downstream_hoard (Downstream *downstream, gboolean hoard)
{
  g_mutex_lock (&downstream->lock);
  downstream->hoard = hoard;
  g_mutex_unlock (&downstream->lock);
}

static GPtrArray *
take_kept (Downstream *downstream, guint *n)
{
  GPtrArray *kept;

  g_mutex_lock (&downstream->lock);
  kept = downstream->kept;
  *n = downstream->n_kept;
  downstream->kept =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_mini_object_unref);
  downstream->n_kept = 0;
  g_mutex_unlock (&downstream->lock);
  return kept;
}

guint
downstream_give_back (Downstream *downstream)
{
  guint n;

  g_ptr_array_unref (take_kept (downstream, &n));
  return n;
}

GPtrArray *
downstream_take (Downstream *downstream)
{
  guint n;

  return take_kept (downstream, &n);
}

void
downstream_break (Downstream *downstream)
{
  g_mutex_lock (&downstream->lock);
  downstream->broken = TRUE;
  g_mutex_unlock (&downstream->lock);
}

guint64
downstream_packets (Downstream *downstream)
{
  guint64 n;

  g_mutex_lock (&downstream->lock);
  n = downstream->n_packets;
  g_mutex_unlock (&downstream->lock);
  return n;
}
