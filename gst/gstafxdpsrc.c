/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The element: properties, URI, states, caps, buffers. What receives is in rx/.
 */

/**
 * SECTION:element-afxdpsrc
 * @title: afxdpsrc
 * @short_description: receives RTP over UDP through AF_XDP
 *
 * afxdpsrc is a live source that receives RTP over UDP, usually multicast,
 * through Linux AF_XDP sockets, and through an ordinary kernel socket wherever
 * AF_XDP cannot be had. It takes #udpsrc's place in a pipeline.
 *
 * Both ways are open at the same time. Packets that the XDP program does not
 * redirect, for whatever reason, reach the stream through the socket. Which way
 * is in use is in #GstAfxdpSrc:current-mode and in the messages below; it
 * changes while playing when it has to, and back by itself.
 *
 * AF_XDP needs CAP_NET_RAW, CAP_BPF and CAP_NET_ADMIN. Without them the socket
 * is used, and the message names the one that is missing.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -m afxdpsrc multicast-group=239.1.1.1 port=5000 ! rtpjitterbuffer ! rtpmp2tdepay ! filesink location=programme.ts
 * ]|
 * Receives an MPEG transport stream, and prints the messages of the element.
 *
 * ## Buffers
 *
 * Each buffer is the payload of one UDP datagram. PTS and DTS are the running
 * time at which the packet arrived: when the XDP program saw it, or when the
 * kernel's socket took it. Up to #GstAfxdpSrc:batch-size packets are pushed as
 * one #GstBufferList; pad probes of type %GST_PAD_PROBE_TYPE_BUFFER do not see
 * lists, so set batch-size to 1 where such a probe must see every packet.
 *
 * ## Messages
 *
 * Element messages, of each type at most 8 that the application has not read:
 *
 * `GstAfxdpSrcMode`, when the way in use changes, the first choice included:
 *
 * * `mode`, `previous-mode` (string): "none", "af-xdp" or "socket"
 * * `interface` (string): the network interface, "" when it is not known
 * * `xdp-mode` (string): "native", "generic", or "none" with the socket
 * * `queues` (array of int): RX queues with an AF_XDP socket
 * * `zero-copy` (boolean): whether the driver writes to the frames itself
 * * `reason` (string): a sentence
 *
 * `GstAfxdpSrcStats`, every #GstAfxdpSrc:stats-interval: the fields of
 * #GstAfxdpSrc:stats, and `delta`, a structure with the change of each counter
 * since the last such message (gint64: a late packet takes its loss back).
 */
#include "gstafxdpsrc.h"

#include <gio/gio.h>
#include <time.h>

#include "error.h"
#include "gstafxdpallocator.h"
#include "gstafxdpcaps.h"
#include "gstafxdpenums.h"
#include "gstafxdpreport.h"
#include "stream.h"

GST_DEBUG_CATEGORY_STATIC (afxdp_src_debug);
#define GST_CAT_DEFAULT afxdp_src_debug

typedef struct
{
  gchar *address;
  gint port;
  gchar *multicast_iface;
  gboolean auto_multicast;
  gint buffer_size;
  AfxdpMode mode;
  AfxdpXdpMode xdp_mode;
  AfxdpZeroCopy zero_copy;
  gint queue;
  guint ring_size;
  guint umem_frames;
  guint batch_size;
  GstClockTime stats_interval; /* may change while playing */
  GstCaps *caps;               /* likewise; NULL = automatic */
} Settings;

struct _GstAfxdpSrc
{
  GstPushSrc parent;

  Settings settings;     /* object lock */
  gint settings_changed; /* atomic: what may change while playing did */

  GstAfxdpReport *report;

  /* Protects the pointer: readers of stats against the state change that
   * closes the stream. Outside the locks of report and stream. */
  GMutex stream_lock;
  AfxdpStream *stream;    /* NULL -> READY to READY -> NULL */
  AfxdpDoor current_door; /* object lock */

  /* Inside no other. Protects the three, and wakes create(). */
  GMutex run_lock;
  GCond run_changed;
  gboolean flushing; /* between unlock() and unlock_stop() */
  gboolean pausing;  /* from PLAYING -> PAUSED on: create() keeps its batch */

  /* The streaming thread's own. */
  Settings active;
  GstMiniObject *held; /* a batch that came while pausing */
  guint n_held;        /* its packets */
  gboolean caps_decided;
  GstCaps *current_caps;
  gboolean is_rtp; /* current_caps are application/x-rtp */
  GstClockTime last_pts;
  guint64 next_stats;
  gboolean mode_unposted;
  AfxdpDoorChange unposted;
};

enum
{
  PROP_0,
  PROP_ADDRESS,
  PROP_MULTICAST_GROUP,
  PROP_PORT,
  PROP_MULTICAST_IFACE,
  PROP_AUTO_MULTICAST,
  PROP_URI,
  PROP_CAPS,
  PROP_BUFFER_SIZE,
  PROP_MODE,
  PROP_CURRENT_MODE,
  PROP_XDP_MODE,
  PROP_ZERO_COPY,
  PROP_QUEUE,
  PROP_RING_SIZE,
  PROP_UMEM_FRAMES,
  PROP_BATCH_SIZE,
  PROP_STATS_INTERVAL,
  PROP_STATS,
};

#define DEFAULT_ADDRESS "0.0.0.0"
#define LARGEST_RING (1u << 20)

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void gst_afxdp_src_uri_handler_init (gpointer iface, gpointer data);

G_DEFINE_TYPE_WITH_CODE (GstAfxdpSrc, gst_afxdp_src, GST_TYPE_PUSH_SRC,
    G_IMPLEMENT_INTERFACE (
        GST_TYPE_URI_HANDLER, gst_afxdp_src_uri_handler_init))
GST_ELEMENT_REGISTER_DEFINE (
    afxdpsrc, "afxdpsrc", GST_RANK_NONE, GST_TYPE_AFXDP_SRC)

static guint64
monotonic_ns (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return GST_TIMESPEC_TO_TIME (time);
}

/* Settings. */

static void
settings_copy (Settings *to, const Settings *from)
{
  *to = *from;
  to->address = g_strdup (from->address);
  to->multicast_iface = g_strdup (from->multicast_iface);
  to->caps = from->caps ? gst_caps_ref (from->caps) : NULL;
}

static void
settings_clear (Settings *settings)
{
  g_clear_pointer (&settings->address, g_free);
  g_clear_pointer (&settings->multicast_iface, g_free);
  gst_clear_caps (&settings->caps);
}

/* Takes over what may change while playing. Streaming thread. */
static void
follow_settings (GstAfxdpSrc *self)
{
  if (!g_atomic_int_compare_and_exchange (&self->settings_changed, TRUE, FALSE))
    return;
  GST_OBJECT_LOCK (self);
  if (gst_caps_replace (&self->active.caps, self->settings.caps))
    self->caps_decided = FALSE;
  if (self->active.stats_interval != self->settings.stats_interval)
    self->next_stats = 0;
  self->active.stats_interval = self->settings.stats_interval;
  GST_OBJECT_UNLOCK (self);
}

/* URI. */

static gboolean
set_uri (GstAfxdpSrc *self, const gchar *text, GError **error)
{
  g_autoptr (GstUri) uri = gst_uri_from_string (text);
  const gchar *scheme = uri ? gst_uri_get_scheme (uri) : NULL;
  const gchar *host = uri ? gst_uri_get_host (uri) : NULL;
  guint port;

  if (!scheme ||
      (!g_str_equal (scheme, "afxdp") && !g_str_equal (scheme, "udp"))) {
    g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
        "\"%s\" is not of the form afxdp://ADDRESS:PORT", text);
    return FALSE;
  }
  port = gst_uri_get_port (uri);
  GST_OBJECT_LOCK (self);
  g_free (self->settings.address);
  self->settings.address = g_strdup (host && *host ? host : DEFAULT_ADDRESS);
  if (port != GST_URI_NO_PORT)
    self->settings.port = port;
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static gchar *
get_uri (GstAfxdpSrc *self)
{
  const gchar *format;
  gchar *uri;

  GST_OBJECT_LOCK (self);
  format = strchr (self->settings.address, ':') ? "afxdp://[%s]:%d"
                                                : "afxdp://%s:%d";
  uri = g_strdup_printf (format, self->settings.address, self->settings.port);
  GST_OBJECT_UNLOCK (self);
  return uri;
}

static GstURIType
gst_afxdp_src_uri_get_type (GType type)
{
  return GST_URI_SRC;
}

/* Not udp: that would take every udp:// URI away from udpsrc. */
static const gchar *const *
gst_afxdp_src_uri_get_protocols (GType type)
{
  static const gchar *const protocols[] = { "afxdp", NULL };

  return protocols;
}

static gchar *
gst_afxdp_src_uri_get_uri (GstURIHandler *handler)
{
  return get_uri (GST_AFXDP_SRC (handler));
}

static gboolean
gst_afxdp_src_uri_set_uri (
    GstURIHandler *handler, const gchar *uri, GError **error)
{
  return set_uri (GST_AFXDP_SRC (handler), uri, error);
}

static void
gst_afxdp_src_uri_handler_init (gpointer iface, gpointer data)
{
  GstURIHandlerInterface *handler = iface;

  handler->get_type = gst_afxdp_src_uri_get_type;
  handler->get_protocols = gst_afxdp_src_uri_get_protocols;
  handler->get_uri = gst_afxdp_src_uri_get_uri;
  handler->set_uri = gst_afxdp_src_uri_set_uri;
}

/* Opening and closing: NULL -> READY and READY -> NULL. */

static gint
resource_error (const GError *error)
{
  if (error->domain != AFXDP_ERROR)
    return GST_RESOURCE_ERROR_FAILED;
  switch ((AfxdpError) error->code) {
    case AFXDP_ERROR_NOT_FOUND:
      return GST_RESOURCE_ERROR_NOT_FOUND;
    case AFXDP_ERROR_SETTINGS:
      return GST_RESOURCE_ERROR_SETTINGS;
    case AFXDP_ERROR_PERMISSION:
      return GST_RESOURCE_ERROR_NOT_AUTHORIZED;
    case AFXDP_ERROR_PORT_IN_USE:
    case AFXDP_ERROR_FOREIGN:
    case AFXDP_ERROR_QUEUE_BUSY:
      return GST_RESOURCE_ERROR_BUSY;
    case AFXDP_ERROR_MEMORY:
      return GST_RESOURCE_ERROR_NO_SPACE_LEFT;
    case AFXDP_ERROR_UNSUPPORTED:
    case AFXDP_ERROR_DOWN:
    case AFXDP_ERROR_FAILED:
      break;
  }
  return GST_RESOURCE_ERROR_OPEN_READ;
}

static GInetAddress *
resolve (const gchar *name, GError **error)
{
  GInetAddress *address = g_inet_address_new_from_string (name);
  g_autoptr (GResolver) resolver = NULL;
  g_autoptr (GError) cause = NULL;
  GList *addresses;

  if (address)
    return address;
  resolver = g_resolver_get_default ();
  addresses = g_resolver_lookup_by_name (resolver, name, NULL, &cause);
  if (!addresses) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
        "\"%s\" is neither an address nor a name that resolves: %s", name,
        cause->message);
    return NULL;
  }
  address = g_object_ref (addresses->data);
  g_resolver_free_addresses (addresses);
  return address;
}

static guint
round_up_to_power_of_two (guint n)
{
  guint power = 1;

  while (power < n)
    power *= 2;
  return power;
}

static AfxdpStream *
open_stream (GstAfxdpSrc *self, GError **error)
{
  const Settings *settings = &self->active;
  g_autoptr (GInetAddress) address = resolve (settings->address, error);
  AfxdpStreamSettings stream_settings = {
    .address = address,
    .port = settings->port,
    .interface = settings->multicast_iface,
    .mode = settings->mode,
    .xdp_mode = settings->xdp_mode,
    .zero_copy = settings->zero_copy,
    .queue = settings->queue,
    .ring_size = round_up_to_power_of_two (settings->ring_size),
    .umem_frames = settings->umem_frames,
    .batch = settings->batch_size,
    .buffer_size = settings->buffer_size,
    .auto_multicast = settings->auto_multicast,
  };

  return address ? afxdp_stream_new (&stream_settings, error) : NULL;
}

static void
warn_about_stream (GstAfxdpSrc *self)
{
  const AfxdpNetdev *netdev = afxdp_stream_netdev (self->stream);
  guint granted = afxdp_stream_buffer_size (self->stream);

  if (granted < (guint) self->active.buffer_size)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("The kernel granted %u bytes of socket buffer instead of %d.", granted,
            self->active.buffer_size),
        ("Raise the sysctl net.core.rmem_max, or give CAP_NET_ADMIN."));
  if (netdev && !netdev->up)
    GST_ELEMENT_WARNING (self, RESOURCE, READ,
        ("The interface %s is down: nothing arrives until it is up.",
            netdev->name),
        (NULL));
}

static gboolean
gst_afxdp_src_open (GstAfxdpSrc *self)
{
  g_autoptr (GError) error = NULL;

  settings_clear (&self->active);
  GST_OBJECT_LOCK (self);
  settings_copy (&self->active, &self->settings);
  GST_OBJECT_UNLOCK (self);
  g_atomic_int_set (&self->settings_changed, FALSE);
  gst_afxdp_report_reset (self->report, monotonic_ns ());

  self->stream = open_stream (self, &error);
  if (!self->stream) {
    gst_element_message_full (GST_ELEMENT (self), GST_MESSAGE_ERROR,
        GST_RESOURCE_ERROR, resource_error (error), g_strdup (error->message),
        g_strdup_printf (
            "%s, code %d", g_quark_to_string (error->domain), error->code),
        __FILE__, GST_FUNCTION, __LINE__);
    return FALSE;
  }
  warn_about_stream (self);
  return TRUE;
}

static void
set_current_door (GstAfxdpSrc *self, AfxdpDoor door)
{
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = self->current_door != door;
  self->current_door = door;
  GST_OBJECT_UNLOCK (self);
  if (changed)
    g_object_notify (G_OBJECT (self), "current-mode");
}

static void
gst_afxdp_src_close (GstAfxdpSrc *self)
{
  AfxdpStreamCounts counts = { 0 };
  AfxdpStream *stream;

  g_mutex_lock (&self->stream_lock);
  stream = g_steal_pointer (&self->stream);
  g_mutex_unlock (&self->stream_lock);
  if (!stream)
    return;
  afxdp_stream_close (stream, &counts);
  gst_afxdp_report_set_stream_counts (self->report, &counts);
  gst_afxdp_report_discarded (self->report, counts.discarded);
  gst_afxdp_report_advance (self->report, G_MAXUINT64);
  set_current_door (self, AFXDP_DOOR_NONE);
}

/* Drops a batch that nobody will take any more. */
static void
drop_held (GstAfxdpSrc *self)
{
  if (!self->held)
    return;
  gst_afxdp_report_discarded (self->report, self->n_held);
  g_clear_pointer (&self->held, gst_mini_object_unref);
}

static gboolean
gst_afxdp_src_start (GstBaseSrc *base)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (base);

  self->last_pts = 0;
  self->caps_decided = FALSE;
  self->is_rtp = FALSE;
  gst_clear_caps (&self->current_caps);
  return TRUE;
}

static gboolean
gst_afxdp_src_stop (GstBaseSrc *base)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (base);

  drop_held (self);
  afxdp_door_change_clear (&self->unposted);
  self->mode_unposted = FALSE;
  /* A streaming thread that was blocked downstream could not. */
  afxdp_stream_close_door (self->stream);
  return TRUE;
}

/* Waking create(). */

static void
set_running (GstAfxdpSrc *self, gboolean *word, gboolean value)
{
  g_mutex_lock (&self->run_lock);
  *word = value;
  if (self->stream) {
    if (self->flushing || self->pausing)
      afxdp_stream_wake (self->stream);
    else
      afxdp_stream_unwake (self->stream);
  }
  g_cond_broadcast (&self->run_changed);
  g_mutex_unlock (&self->run_lock);
}

static gboolean
gst_afxdp_src_unlock (GstBaseSrc *base)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (base);

  set_running (self, &self->flushing, TRUE);
  return TRUE;
}

static gboolean
gst_afxdp_src_unlock_stop (GstBaseSrc *base)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (base);

  set_running (self, &self->flushing, FALSE);
  return TRUE;
}

/* The base class throws a list away (1.24 and later), or unrefs NULL (before),
 * when create() returns one while the element goes to PAUSED. So create() keeps
 * it, closes the fast door and waits. Returns FALSE when flushing. */
static gboolean
wait_while_pausing (GstAfxdpSrc *self)
{
  gboolean flushing;

  g_mutex_lock (&self->run_lock);
  if (self->pausing && !self->flushing) {
    afxdp_stream_close_door (self->stream);
    while (self->pausing && !self->flushing)
      g_cond_wait (&self->run_changed, &self->run_lock);
  }
  flushing = self->flushing;
  g_mutex_unlock (&self->run_lock);
  return !flushing;
}

/* Caps. */

static GstCaps *
gst_afxdp_src_get_caps (GstBaseSrc *base, GstCaps *filter)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (base);
  g_autoptr (GstCaps) caps = NULL;

  GST_OBJECT_LOCK (self);
  if (self->settings.caps)
    caps = gst_caps_ref (self->settings.caps);
  GST_OBJECT_UNLOCK (self);
  if (!caps)
    caps = gst_pad_get_current_caps (GST_BASE_SRC_PAD (base));
  if (!caps)
    caps = gst_caps_new_any ();
  return filter
      ? gst_caps_intersect_full (filter, caps, GST_CAPS_INTERSECT_FIRST)
      : g_steal_pointer (&caps);
}

static gboolean
gst_afxdp_src_negotiate (GstBaseSrc *base)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (base);

  return !self->current_caps ||
      gst_base_src_set_caps (base, self->current_caps);
}

/* The frames are ours: a pool that downstream offers would be activated for
 * nothing. */
static gboolean
gst_afxdp_src_decide_allocation (GstBaseSrc *base, GstQuery *query)
{
  while (gst_query_get_n_allocation_pools (query))
    gst_query_remove_nth_allocation_pool (query, 0);
  while (gst_query_get_n_allocation_params (query))
    gst_query_remove_nth_allocation_param (query, 0);
  return TRUE;
}

static gboolean
use_caps (GstAfxdpSrc *self, GstCaps *caps)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  gint payload, clock_rate;

  gst_caps_replace (&self->current_caps, caps);
  self->is_rtp = gst_structure_has_name (structure, "application/x-rtp");
  if (self->is_rtp &&
      gst_structure_get_int (structure, "clock-rate", &clock_rate)) {
    if (gst_structure_get_int (structure, "payload", &payload))
      gst_afxdp_report_set_clock_rate (self->report, payload, clock_rate);
    else
      for (payload = 0; payload < 128; payload++)
        gst_afxdp_report_set_clock_rate (self->report, payload, clock_rate);
  }
  return gst_base_src_set_caps (GST_BASE_SRC (self), caps);
}

/* Decides the caps, once: by the property, or by the first packet that is not
 * empty. Returns FALSE when downstream refuses those of the property. */
static gboolean
decide_caps (GstAfxdpSrc *self, const AfxdpBatch *batch)
{
  const AfxdpPacket *packet = NULL;
  g_autoptr (GstCaps) caps = NULL;
  g_autofree gchar *problem = NULL;

  if (self->active.caps) {
    self->caps_decided = TRUE;
    return gst_caps_is_any (self->active.caps) ||
        use_caps (self, self->active.caps);
  }
  for (guint i = 0; i < batch->n && !packet; i++)
    if (batch->packets[i].size)
      packet = &batch->packets[i];
  if (!packet)
    return TRUE;
  self->caps_decided = TRUE;
  caps = gst_afxdp_caps_guess (GST_BASE_SRC_PAD (self), &packet->rtp, &problem);
  if (problem)
    GST_ELEMENT_WARNING (
        self, STREAM, FORMAT, ("%s.", problem), ("No caps are set."));
  if (caps)
    GST_INFO_OBJECT (self, "the first packet tells %" GST_PTR_FORMAT, caps);
  return !caps || use_caps (self, caps);
}

/* What is told: between two batches, with no lock held. */

static void
tell_door (GstAfxdpSrc *self)
{
  const AfxdpNetdev *netdev = afxdp_stream_netdev (self->stream);
  AfxdpDoorChange change;

  if (afxdp_stream_door_changed (self->stream, &change)) {
    GST_INFO_OBJECT (self, "%s", change.reason);
    gst_afxdp_report_set_door (self->report, &change);
    set_current_door (self, change.door);
    if (change.error && self->active.mode == AFXDP_MODE_AF_XDP)
      GST_ELEMENT_WARNING (self, RESOURCE, READ, ("%s.", change.reason),
          ("mode is af-xdp, and the socket is used in the meantime."));
    afxdp_door_change_clear (&self->unposted);
    self->unposted = change;
    self->mode_unposted = TRUE;
  }
  if (self->mode_unposted)
    self->mode_unposted = !gst_afxdp_report_post_mode (
        self->report, &self->unposted, netdev ? netdev->name : "");
}

static void
tell_stats (GstAfxdpSrc *self, guint64 now)
{
  GstClockTime interval = self->active.stats_interval;
  AfxdpStreamCounts counts;

  if (now < self->next_stats)
    return;
  if (self->next_stats) {
    afxdp_stream_counts (self->stream, &counts);
    gst_afxdp_report_set_stream_counts (self->report, &counts);
    gst_afxdp_report_tick (self->report, now);
    if (interval)
      gst_afxdp_report_post_stats (self->report);
  }
  /* Without messages the rates are still measured. */
  self->next_stats = now + (interval ? interval : GST_SECOND);
}

/* Does what is due. Returns when something will be. */
static guint64
tell (GstAfxdpSrc *self)
{
  guint64 now = monotonic_ns ();
  guint64 gap_due = gst_afxdp_report_advance (self->report, now);

  tell_door (self);
  tell_stats (self, now);
  return gap_due ? MIN (gap_due, self->next_stats) : self->next_stats;
}

/* Buffers. */

/* What has to be added to an arrival time to make it a running time of the
 * pipeline. FALSE: there is no clock, or timestamps are not wanted. */
static gboolean
running_time_offset (GstAfxdpSrc *self, gint64 *offset)
{
  GstClockTime base_time;
  GstClock *clock;

  if (!gst_base_src_get_do_timestamp (GST_BASE_SRC (self)))
    return FALSE;
  GST_OBJECT_LOCK (self);
  clock = GST_ELEMENT_CLOCK (self);
  if (clock)
    gst_object_ref (clock);
  base_time = GST_ELEMENT_CAST (self)->base_time;
  GST_OBJECT_UNLOCK (self);
  if (!clock)
    return FALSE;
  /* Any clock: read it and the monotonic one at the same moment. */
  *offset = (gint64) (gst_clock_get_time (clock) - base_time - monotonic_ns ());
  gst_object_unref (clock);
  return TRUE;
}

/* Packets that waited in the socket since before PLAYING count as time 0. */
static GstClockTime
running_time (GstAfxdpSrc *self, guint64 arrival, gint64 offset)
{
  gint64 time = (gint64) arrival + offset;

  self->last_pts = MAX ((gint64) self->last_pts, time);
  return self->last_pts;
}

static GstBuffer *
make_buffer (GstAfxdpSrc *self, AfxdpPacket *packet, guint *copied)
{
  GstBuffer *buffer = gst_buffer_new ();
  const guint8 *data = packet->data;
  AfxdpUmem *umem;
  GstMemory *memory;

  if (!packet->size)
    return buffer;
  umem = afxdp_stream_lend (self->stream, packet);
  if (G_LIKELY (umem)) {
    memory = gst_afxdp_allocator_wrap (umem, data, packet->size);
  } else {
    gpointer copy = g_memdup2 (data, packet->size);

    memory = gst_memory_new_wrapped (
        0, copy, packet->size, 0, packet->size, copy, g_free);
    (*copied)++;
  }
  gst_buffer_append_memory (buffer, memory);
  return buffer;
}

/* Makes a buffer, or a list of them, of a batch; NULL when nothing in it is to
 * be delivered. */
static GstMiniObject *
make_buffers (GstAfxdpSrc *self, AfxdpBatch *batch, guint not_rtp)
{
  gboolean only_rtp = self->is_rtp;
  guint n = only_rtp ? batch->n - not_rtp : batch->n;
  GstBufferList *list = n > 1 ? gst_buffer_list_new_sized (n) : NULL;
  GstMiniObject *single = NULL;
  guint64 bytes = 0;
  guint copied = 0;
  gint64 offset;
  gboolean timed = running_time_offset (self, &offset);

  for (guint i = 0; i < batch->n; i++) {
    AfxdpPacket *packet = &batch->packets[i];
    GstBuffer *buffer;

    if (only_rtp && packet->rtp.kind == AFXDP_RTP_NONE)
      continue;
    bytes += packet->size;
    buffer = make_buffer (self, packet, &copied);
    if (timed)
      GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) =
          running_time (self, packet->arrival, offset);
    if (list) {
      gst_buffer_list_add (list, buffer);
    } else {
      single = GST_MINI_OBJECT_CAST (buffer);
    }
  }
  gst_afxdp_report_delivered (self->report, batch->door, n, bytes, copied);
  self->n_held = n;
  return list ? GST_MINI_OBJECT_CAST (list) : single;
}

/* num-buffers counts packets; the base class counted one for this call. */
static guint
most_packets (GstAfxdpSrc *self)
{
  gint left = GST_BASE_SRC (self)->num_buffers_left;

  if (left < 0)
    return self->active.batch_size;
  return MIN (self->active.batch_size, (guint) left + 1);
}

/* Receives until there is something to deliver, in held. */
static GstFlowReturn
receive (GstAfxdpSrc *self)
{
  while (!self->held) {
    guint64 due;
    AfxdpBatch batch;
    guint not_rtp;
    gboolean accepted;

    follow_settings (self);
    due = tell (self);
    if (!wait_while_pausing (self))
      return GST_FLOW_FLUSHING;
    if (!afxdp_stream_receive (self->stream, &batch, most_packets (self), due))
      continue;
    not_rtp = gst_afxdp_report_count (self->report, &batch);
    accepted = self->caps_decided || decide_caps (self, &batch);
    if (accepted)
      self->held = make_buffers (self, &batch, not_rtp);
    else
      gst_afxdp_report_discarded (self->report, batch.n);
    afxdp_stream_done (self->stream);
    if (!accepted)
      return GST_FLOW_NOT_NEGOTIATED;
  }
  return GST_FLOW_OK;
}

static GstFlowReturn
gst_afxdp_src_create (GstPushSrc *push, GstBuffer **buffer)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (push);
  GstBaseSrc *base = GST_BASE_SRC (push);
  GstFlowReturn flow = receive (self);

  if (flow != GST_FLOW_OK)
    return flow;
  /* The last look before the base class takes over. */
  if (!wait_while_pausing (self))
    return GST_FLOW_FLUSHING;
  if (base->num_buffers_left > 0)
    base->num_buffers_left -= self->n_held - 1;
  if (GST_IS_BUFFER_LIST (self->held))
    gst_base_src_submit_buffer_list (
        base, GST_BUFFER_LIST_CAST (g_steal_pointer (&self->held)));
  else
    *buffer = GST_BUFFER_CAST (g_steal_pointer (&self->held));
  return GST_FLOW_OK;
}

/* Element and object. */

static GstStateChangeReturn
gst_afxdp_src_change_state (GstElement *element, GstStateChange transition)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_NULL_TO_READY &&
      !gst_afxdp_src_open (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    set_running (self, &self->pausing, TRUE);
  else if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING)
    set_running (self, &self->pausing, FALSE);

  result = GST_ELEMENT_CLASS (gst_afxdp_src_parent_class)
               ->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    set_running (self, &self->pausing, FALSE);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL ||
      (transition == GST_STATE_CHANGE_NULL_TO_READY &&
          result == GST_STATE_CHANGE_FAILURE))
    gst_afxdp_src_close (self);
  return result;
}

static void
set_address (GstAfxdpSrc *self, const gchar *address)
{
  g_free (self->settings.address);
  self->settings.address = g_strdup (address ? address : DEFAULT_ADDRESS);
}

static void
gst_afxdp_src_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (object);
  Settings *settings = &self->settings;
  g_autoptr (GError) error = NULL;

  if (id == PROP_URI) {
    const gchar *uri = g_value_get_string (value);

    if (!set_uri (self, uri ? uri : "afxdp://" DEFAULT_ADDRESS, &error))
      g_warning ("%s: %s", GST_OBJECT_NAME (self), error->message);
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_ADDRESS:
    case PROP_MULTICAST_GROUP:
      set_address (self, g_value_get_string (value));
      break;
    case PROP_PORT:
      settings->port = g_value_get_int (value);
      break;
    case PROP_MULTICAST_IFACE:
      g_free (settings->multicast_iface);
      settings->multicast_iface = g_value_dup_string (value);
      break;
    case PROP_AUTO_MULTICAST:
      settings->auto_multicast = g_value_get_boolean (value);
      break;
    case PROP_CAPS:
      gst_clear_caps (&settings->caps);
      if (gst_value_get_caps (value))
        settings->caps = gst_caps_copy (gst_value_get_caps (value));
      g_atomic_int_set (&self->settings_changed, TRUE);
      break;
    case PROP_BUFFER_SIZE:
      settings->buffer_size = g_value_get_int (value);
      break;
    case PROP_MODE:
      settings->mode = g_value_get_enum (value);
      break;
    case PROP_XDP_MODE:
      settings->xdp_mode = g_value_get_enum (value);
      break;
    case PROP_ZERO_COPY:
      settings->zero_copy = g_value_get_enum (value);
      break;
    case PROP_QUEUE:
      settings->queue = g_value_get_int (value);
      break;
    case PROP_RING_SIZE:
      settings->ring_size = g_value_get_uint (value);
      break;
    case PROP_UMEM_FRAMES:
      settings->umem_frames = g_value_get_uint (value);
      break;
    case PROP_BATCH_SIZE:
      settings->batch_size = g_value_get_uint (value);
      break;
    case PROP_STATS_INTERVAL:
      settings->stats_interval = g_value_get_uint64 (value);
      g_atomic_int_set (&self->settings_changed, TRUE);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static GstStructure *
get_stats (GstAfxdpSrc *self)
{
  AfxdpStreamCounts counts;

  g_mutex_lock (&self->stream_lock);
  if (self->stream) {
    afxdp_stream_counts (self->stream, &counts);
    gst_afxdp_report_set_stream_counts (self->report, &counts);
  }
  g_mutex_unlock (&self->stream_lock);
  return gst_afxdp_report_stats (self->report);
}

static void
gst_afxdp_src_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (object);
  const Settings *settings = &self->settings;

  if (id == PROP_URI) {
    g_value_take_string (value, get_uri (self));
    return;
  }
  if (id == PROP_STATS) {
    g_value_take_boxed (value, get_stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_ADDRESS:
    case PROP_MULTICAST_GROUP:
      g_value_set_string (value, settings->address);
      break;
    case PROP_PORT:
      g_value_set_int (value, settings->port);
      break;
    case PROP_MULTICAST_IFACE:
      g_value_set_string (value, settings->multicast_iface);
      break;
    case PROP_AUTO_MULTICAST:
      g_value_set_boolean (value, settings->auto_multicast);
      break;
    case PROP_CAPS:
      gst_value_set_caps (value, settings->caps);
      break;
    case PROP_BUFFER_SIZE:
      g_value_set_int (value, settings->buffer_size);
      break;
    case PROP_MODE:
      g_value_set_enum (value, settings->mode);
      break;
    case PROP_CURRENT_MODE:
      g_value_set_enum (value, self->current_door);
      break;
    case PROP_XDP_MODE:
      g_value_set_enum (value, settings->xdp_mode);
      break;
    case PROP_ZERO_COPY:
      g_value_set_enum (value, settings->zero_copy);
      break;
    case PROP_QUEUE:
      g_value_set_int (value, settings->queue);
      break;
    case PROP_RING_SIZE:
      g_value_set_uint (value, settings->ring_size);
      break;
    case PROP_UMEM_FRAMES:
      g_value_set_uint (value, settings->umem_frames);
      break;
    case PROP_BATCH_SIZE:
      g_value_set_uint (value, settings->batch_size);
      break;
    case PROP_STATS_INTERVAL:
      g_value_set_uint64 (value, settings->stats_interval);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_afxdp_src_finalize (GObject *object)
{
  GstAfxdpSrc *self = GST_AFXDP_SRC (object);

  settings_clear (&self->settings);
  settings_clear (&self->active);
  gst_clear_caps (&self->current_caps);
  gst_afxdp_report_free (self->report);
  g_mutex_clear (&self->stream_lock);
  g_mutex_clear (&self->run_lock);
  g_cond_clear (&self->run_changed);
  G_OBJECT_CLASS (gst_afxdp_src_parent_class)->finalize (object);
}

static void
gst_afxdp_src_init (GstAfxdpSrc *self)
{
  GstBaseSrc *base = GST_BASE_SRC (self);

  /* Settings have their defaults from the property specifications, which set
   * them at construction. */
  self->report = gst_afxdp_report_new (GST_ELEMENT (self));
  g_mutex_init (&self->stream_lock);
  g_mutex_init (&self->run_lock);
  g_cond_init (&self->run_changed);
  gst_base_src_set_live (base, TRUE);
  gst_base_src_set_format (base, GST_FORMAT_TIME);
  gst_base_src_set_do_timestamp (base, TRUE);
}

/* Takes effect at NULL -> READY. The specification is where a default stands:
 * CONSTRUCT puts it into the settings. */
#define AT_OPEN (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_CONSTRUCT)
#define ANY_TIME (AT_OPEN | GST_PARAM_MUTABLE_PLAYING)
#define ALIAS (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS)
#define READ_ONLY (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)

static void
install_udpsrc_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_ADDRESS,
      g_param_spec_string ("address", "Address",
          "Address to receive packets for: a multicast group, an address of "
          "this host, or a name that resolves to one. Before READY",
          DEFAULT_ADDRESS, AT_OPEN));
  g_object_class_install_property (klass, PROP_MULTICAST_GROUP,
      g_param_spec_string ("multicast-group", "Multicast Group",
          "The same as address. Before READY", DEFAULT_ADDRESS, ALIAS));
  g_object_class_install_property (klass, PROP_PORT,
      g_param_spec_int ("port", "Port",
          "UDP port to receive packets on, 0 = any free one. Before READY", 0,
          G_MAXUINT16, 5004, AT_OPEN));
  g_object_class_install_property (klass, PROP_MULTICAST_IFACE,
      g_param_spec_string ("multicast-iface", "Multicast Interface",
          "Network interface to receive on, NULL = where routing leads. Before "
          "READY",
          NULL, AT_OPEN));
  g_object_class_install_property (klass, PROP_AUTO_MULTICAST,
      g_param_spec_boolean ("auto-multicast", "Auto Multicast",
          "Join the multicast group. Before READY", TRUE, AT_OPEN));
  g_object_class_install_property (klass, PROP_URI,
      g_param_spec_string ("uri", "URI",
          "Address and port as afxdp://ADDRESS:PORT; udp:// is taken too. "
          "Before READY",
          "afxdp://" DEFAULT_ADDRESS ":5004", ALIAS));
  g_object_class_install_property (klass, PROP_CAPS,
      g_param_spec_boxed ("caps", "Caps",
          "Caps of the stream, NULL = from the first packet, ANY = none",
          GST_TYPE_CAPS, ANY_TIME));
  g_object_class_install_property (klass, PROP_BUFFER_SIZE,
      g_param_spec_int ("buffer-size", "Buffer Size",
          "Size of the kernel's receive buffer in bytes, 0 = 16 MiB. Before "
          "READY",
          0, G_MAXINT, 0, AT_OPEN));
}

static void
install_own_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_MODE,
      g_param_spec_enum ("mode", "Mode",
          "Which ways of reception are allowed. Before READY",
          GST_TYPE_AFXDP_MODE, AFXDP_MODE_AUTO, AT_OPEN));
  g_object_class_install_property (klass, PROP_CURRENT_MODE,
      g_param_spec_enum ("current-mode", "Current Mode",
          "The way of reception in use now", GST_TYPE_AFXDP_CURRENT_MODE,
          AFXDP_DOOR_NONE, READ_ONLY));
  g_object_class_install_property (klass, PROP_XDP_MODE,
      g_param_spec_enum ("xdp-mode", "XDP Mode",
          "Where the XDP program runs. The first element's on an interface "
          "holds for all. Before READY",
          GST_TYPE_AFXDP_XDP_MODE, AFXDP_XDP_MODE_AUTO, AT_OPEN));
  g_object_class_install_property (klass, PROP_ZERO_COPY,
      g_param_spec_enum ("zero-copy", "Zero-Copy",
          "Whether the driver writes to the frames itself. The first element's "
          "on an interface holds for all. Before READY",
          GST_TYPE_AFXDP_ZERO_COPY, AFXDP_ZERO_COPY_AUTO, AT_OPEN));
  g_object_class_install_property (klass, PROP_QUEUE,
      g_param_spec_int ("queue", "Queue",
          "RX queue to use AF_XDP on, -1 = whichever the stream arrives on. "
          "Before READY",
          -1, AFXDP_STREAM_QUEUES - 1, -1, AT_OPEN));
  g_object_class_install_property (klass, PROP_RING_SIZE,
      g_param_spec_uint ("ring-size", "Ring Size",
          "RX ring of an AF_XDP socket in packets, rounded up to a power of "
          "two. Before READY",
          64, LARGEST_RING, 16384, AT_OPEN));
  g_object_class_install_property (klass, PROP_UMEM_FRAMES,
      g_param_spec_uint ("umem-frames", "UMEM Frames",
          "Frames of the interface's packet memory, 0 = automatic: twice "
          "ring-size, at least 32768. The first element's on an interface "
          "holds for all. Before READY",
          0, 16 * LARGEST_RING, 0, AT_OPEN));
  g_object_class_install_property (klass, PROP_BATCH_SIZE,
      g_param_spec_uint ("batch-size", "Batch Size",
          "Most packets in one buffer list; 1 = never a list. Before READY", 1,
          1024, 64, AT_OPEN));
  g_object_class_install_property (klass, PROP_STATS_INTERVAL,
      g_param_spec_uint64 ("stats-interval", "Stats Interval",
          "Time between two GstAfxdpSrcStats messages in ns, 0 = none", 0,
          G_MAXUINT64, GST_SECOND, ANY_TIME));
  /**
   * GstAfxdpSrc:stats:
   *
   * Totals since READY, kept after stop. A #GstStructure
   * `application/x-afxdp-stats` with these fields, guint64 unless said:
   *
   * * `mode` (string): as #GstAfxdpSrc:current-mode
   * * `xdp-mode` (string): "native", "generic" or "none"
   * * `zero-copy` (boolean)
   * * `packets`, `bytes`: went downstream; bytes of UDP payload
   * * `packets-per-second`, `bitrate` (double, bits per second): during the
   *   last interval
   * * `delivered-xdp`, `delivered-socket`: of packets, by which way
   * * `copied`: of packets, copied since frames ran low, or since the packet was
   *   longer than a frame
   * * `gaps`: final gaps of the RTP sequence numbers (RFC 3550 A.1): after 100
   *   later packets or 100 ms
   * * `lost`: packets missing from them, less those that came late
   * * `pending`: missing from gaps that are not final yet
   * * `reordered`, `duplicates`: came after a later number; came twice
   * * `restarts`: the sender began its numbers anew
   * * `not-rtp`: neither RTP nor RTCP; kept back when the caps say RTP
   * * `malformed`: redirected by the XDP program, but not of this stream
   * * `discarded`: had arrived when the element was stopped
   * * `frames`, `frames-free`: of the memory that the stream receives into, and
   *   those of them that are not with the application
   * * `sources` (GST_TYPE_ARRAY): for each SSRC a structure
   *   `application/x-rtp-source-stats` with `ssrc` (guint), `payload-type`
   *   (guint), `clock-rate` (gint, -1 when not known), `packets-received`,
   *   `octets-received` (RTP payload), `bitrate`, `packets-lost` (gint,
   *   RFC 3550 A.3: negative with duplicates), `lost`, `pending`, `jitter`
   *   (guint, RFC 3550 A.8, RTP units), `seqnum-base` (gint),
   *   `extended-highest-seq` (guint), `gaps`, `max-gap`, `reordered`,
   *   `duplicates`, `restarts`
   */
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Totals since READY, kept after stop", GST_TYPE_STRUCTURE,
          READ_ONLY));
}

static void
gst_afxdp_src_class_init (GstAfxdpSrcClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSrcClass *base_class = GST_BASE_SRC_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (afxdp_src_debug, "afxdpsrc", 0, "AF_XDP source");

  object_class->set_property = gst_afxdp_src_set_property;
  object_class->get_property = gst_afxdp_src_get_property;
  object_class->finalize = gst_afxdp_src_finalize;
  install_udpsrc_properties (object_class);
  install_own_properties (object_class);

  element_class->change_state = gst_afxdp_src_change_state;
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "AF_XDP packet receiver", "Source/Network",
      "Receives RTP over UDP through AF_XDP", "The afxdpsrc authors");

  base_class->start = gst_afxdp_src_start;
  base_class->stop = gst_afxdp_src_stop;
  base_class->unlock = gst_afxdp_src_unlock;
  base_class->unlock_stop = gst_afxdp_src_unlock_stop;
  base_class->get_caps = gst_afxdp_src_get_caps;
  base_class->negotiate = gst_afxdp_src_negotiate;
  base_class->decide_allocation = gst_afxdp_src_decide_allocation;
  GST_PUSH_SRC_CLASS (klass)->create = gst_afxdp_src_create;
}
