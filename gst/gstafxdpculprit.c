/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which element downstream does not return from a push. */
#include "gstafxdpculprit.h"

#include <unistd.h>

/* A pad whose lock is taken at each of so many looks, some time apart, is inside
 * its chain function. In µs. */
#define LOOKS 10
#define BETWEEN_LOOKS 1000

/* The chain function of a sink pad is called with its stream lock. To have it for
 * a moment holds nobody up who would not have waited anyway. */
static gboolean
is_inside (GstPad *pad)
{
  for (guint i = 0; i < LOOKS; i++) {
    if (GST_PAD_STREAM_TRYLOCK (pad)) {
      GST_PAD_STREAM_UNLOCK (pad);
      return FALSE;
    }
    g_usleep (BETWEEN_LOOKS);
  }
  return TRUE;
}

/* The innermost element that a pad belongs to. */
static GstElement *
element_of (GstPad *pad)
{
  GstObject *parent = gst_object_get_parent (GST_OBJECT (pad));

  while (parent && !GST_IS_ELEMENT (parent)) {
    GstObject *next = gst_object_get_parent (parent);

    gst_object_unref (parent);
    parent = next;
  }
  return GST_ELEMENT_CAST (parent);
}

/* What a source pad is linked to, where bins are seen through. */
static GstPad *
linked_to (GstPad *source)
{
  GstPad *peer = gst_pad_get_peer (source);

  while (peer && GST_IS_PROXY_PAD (peer)) {
    GstPad *internal =
        GST_PAD_CAST (gst_proxy_pad_get_internal (GST_PROXY_PAD (peer)));

    gst_object_unref (peer);
    peer = internal ? gst_pad_get_peer (internal) : NULL;
    gst_clear_object (&internal);
  }
  return peer;
}

static gboolean follow (GstPad *source, GstPad **deepest);

/* Whether sink is inside its chain function; replaces deepest by the sink pad
 * furthest downstream of it that is, too. */
static gboolean
enter (GstPad *sink, GstPad **deepest)
{
  g_autoptr (GstIterator) links = NULL;
  GValue link = G_VALUE_INIT;
  gboolean found = FALSE;

  if (!is_inside (sink))
    return FALSE;
  gst_object_replace ((GstObject **) deepest, GST_OBJECT (sink));
  links = gst_pad_iterate_internal_links (sink);
  while (
      links && !found && gst_iterator_next (links, &link) == GST_ITERATOR_OK) {
    found = follow (g_value_get_object (&link), deepest);
    g_value_reset (&link);
  }
  if (G_IS_VALUE (&link))
    g_value_unset (&link);
  return TRUE;
}

/* The same, of what source, a source pad, is linked to. */
static gboolean
follow (GstPad *source, GstPad **deepest)
{
  g_autoptr (GstPad) peer = gst_pad_get_peer (source);

  return peer && enter (peer, deepest);
}

static gchar *
explain_self (GstElement *element, GstPad *pad)
{
  return gst_pad_is_blocking (pad)
      ? g_strdup_printf (
            "A probe blocks the pad %s of %s: remove the probe when it has "
            "done its work",
            GST_OBJECT_NAME (pad), GST_OBJECT_NAME (element))
      : g_strdup_printf (
            "No element downstream of %s holds the packets: look for a probe "
            "on its pad %s, or an event handler, that has not returned",
            GST_OBJECT_NAME (element), GST_OBJECT_NAME (pad));
}

static gboolean
is_made_by (GstElement *element, const gchar *name)
{
  GstElementFactory *factory = gst_element_get_factory (element);

  return factory && !g_strcmp0 (GST_OBJECT_NAME (factory), name);
}

static gchar *
explain (GstElement *element)
{
  const gchar *name = GST_OBJECT_NAME (element);
  GstState state;

  GST_OBJECT_LOCK (element);
  state = GST_STATE (element);
  GST_OBJECT_UNLOCK (element);
  if (state != GST_STATE_PLAYING)
    return g_strdup_printf (
        "%s is in %s, and takes packets only in PLAYING: set its state, or "
        "call gst_element_sync_state_with_parent() where it was added",
        name, gst_element_state_get_name (state));
  if (is_made_by (element, "rtpjitterbuffer"))
    return g_strdup_printf (
        "After a large gap %s takes no packets while those that it holds "
        "span more than 32,765 sequence numbers, and may then wait for "
        "itself for ever (seen in GStreamer 1.22): set its "
        "max-dropout-time=0, so that it starts again after such a gap",
        name);
  return g_strdup_printf (
      "Find out what %s waits for (gdb -p %d, then \"thread apply all bt\"). "
      "If the waits are short, put a queue in front of it",
      name, (int) getpid ());
}

GstElement *
gst_afxdp_culprit_find (GstPad *pad, gchar **why)
{
  g_autoptr (GstPad) deepest = NULL;
  GstElement *element = NULL;

  if (follow (pad, &deepest))
    element = element_of (deepest);
  if (element) {
    *why = explain (element);
    return element;
  }
  element = element_of (pad);
  *why = explain_self (element, pad);
  return element;
}

GstElement *
gst_afxdp_culprit_next (GstPad *pad)
{
  g_autoptr (GstPad) peer = linked_to (pad);

  return peer ? element_of (peer) : NULL;
}
