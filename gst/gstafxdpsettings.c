/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an application can set. */
#include "gstafxdpsettings.h"

#include <string.h>

#include "error.h"
#include "gstafxdpcaps.h"
#include "gstafxdpenums.h"
#include "gstafxdpsdp.h"

#define DEFAULT_ADDRESS "0.0.0.0"
#define LARGEST_RING (1u << 20)
#define LONGEST_BUSY_POLL G_USEC_PER_SEC
#define SOURCE_KEY "multicast-source" /* of a URI's query */

/* Where a property is kept. The URI is none of its own. */
static const gsize offsets[GST_AFXDP_N_SETTINGS] = {
#define FIELD(name) G_STRUCT_OFFSET (GstAfxdpSettings, name)
  [GST_AFXDP_PROP_ADDRESS] = FIELD (address),
  [GST_AFXDP_PROP_MULTICAST_GROUP] = FIELD (address),
  [GST_AFXDP_PROP_PORT] = FIELD (port),
  [GST_AFXDP_PROP_MULTICAST_IFACE] = FIELD (multicast_iface),
  [GST_AFXDP_PROP_MULTICAST_SOURCE] = FIELD (multicast_source),
  [GST_AFXDP_PROP_AUTO_MULTICAST] = FIELD (auto_multicast),
  [GST_AFXDP_PROP_REUSE] = FIELD (reuse),
  [GST_AFXDP_PROP_LOOP] = FIELD (loop),
  [GST_AFXDP_PROP_SOCKET] = FIELD (socket),
  [GST_AFXDP_PROP_CLOSE_SOCKET] = FIELD (close_socket),
  [GST_AFXDP_PROP_CAPS] = FIELD (caps),
  [GST_AFXDP_PROP_BUFFER_SIZE] = FIELD (buffer_size),
  [GST_AFXDP_PROP_MTU] = FIELD (mtu),
  [GST_AFXDP_PROP_SOCKET_TIMESTAMP] = FIELD (socket_timestamp),
  [GST_AFXDP_PROP_TIMEOUT] = FIELD (timeout),
  [GST_AFXDP_PROP_SKIP_FIRST_BYTES] = FIELD (skip_first_bytes),
  [GST_AFXDP_PROP_RETRIEVE_SENDER_ADDRESS] = FIELD (retrieve_sender_address),
  [GST_AFXDP_PROP_MODE] = FIELD (mode),
  [GST_AFXDP_PROP_XDP_MODE] = FIELD (xdp_mode),
  [GST_AFXDP_PROP_ZERO_COPY] = FIELD (zero_copy),
  [GST_AFXDP_PROP_QUEUE] = FIELD (queue),
  [GST_AFXDP_PROP_RING_SIZE] = FIELD (ring_size),
  [GST_AFXDP_PROP_UMEM_FRAMES] = FIELD (umem_frames),
  [GST_AFXDP_PROP_BATCH_SIZE] = FIELD (batch_size),
  [GST_AFXDP_PROP_COALESCE] = FIELD (coalesce),
  [GST_AFXDP_PROP_BUSY_POLL_USECS] = FIELD (busy_poll_usecs),
  [GST_AFXDP_PROP_VERIFY_CHECKSUM] = FIELD (verify_checksum),
  [GST_AFXDP_PROP_SDP_LOCATION] = FIELD (sdp_location),
  [GST_AFXDP_PROP_STATS_INTERVAL] = FIELD (stats_interval),
  [GST_AFXDP_PROP_GAP_INTERVAL] = FIELD (gap_interval),
#undef FIELD
};

/* Takes effect at NULL -> READY. */
#define AT_OPEN (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS)
#define ANY_TIME (AT_OPEN | GST_PARAM_MUTABLE_PLAYING)
#define READ_ONLY (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)

/* Those of udpsrc, with its names, types, ranges and defaults: first what is
 * received, multicast-source of GStreamer 1.24 among it. */
static void
install_address_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, GST_AFXDP_PROP_ADDRESS,
      g_param_spec_string ("address", "Address",
          "Address to receive packets for: a multicast group, an address of "
          "this host, or a name that resolves to one. Before READY",
          DEFAULT_ADDRESS, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_MULTICAST_GROUP,
      g_param_spec_string ("multicast-group", "Multicast Group",
          "The same as address. Before READY", DEFAULT_ADDRESS, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_PORT,
      g_param_spec_int ("port", "Port",
          "UDP port to receive packets on, 0 = any free one. Before READY", 0,
          G_MAXUINT16, 5004, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_MULTICAST_IFACE,
      g_param_spec_string ("multicast-iface", "Multicast Interface",
          "Network interface to receive on, NULL = where routing leads. "
          "Several "
          "with commas between (\"eth0,eth1\"): the group is joined on each, "
          "and "
          "received through the socket. Before READY",
          NULL, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_MULTICAST_SOURCE,
      g_param_spec_string ("multicast-source", "Multicast Source",
          "Senders to receive the multicast group from: +ADDRESS+ADDRESS only "
          "these, -ADDRESS-ADDRESS all but these, NULL = all. Before READY",
          NULL, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_AUTO_MULTICAST,
      g_param_spec_boolean ("auto-multicast", "Auto Multicast",
          "Join the multicast group. Before READY", TRUE, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_URI,
      g_param_spec_string ("uri", "URI",
          "Address and port as afxdp://ADDRESS:PORT, behind them senders and "
          "caps (?multicast-source=...&encoding-name=...&clock-rate=...); "
          "udp:// is taken too. Before READY",
          "afxdp://" DEFAULT_ADDRESS ":5004", AT_OPEN));
}

/* The rest of them: by which socket, and what becomes of packets. */
static void
install_socket_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, GST_AFXDP_PROP_REUSE,
      g_param_spec_boolean ("reuse", "Reuse",
          "Share address and port with other sockets. Before READY", TRUE,
          AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_LOOP,
      g_param_spec_boolean ("loop", "Multicast Loopback",
          "Let receivers on this host hear what is sent to a group by "
          "used-socket. Before READY",
          TRUE, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_SOCKET,
      g_param_spec_object ("socket", "Socket",
          "UDP socket, already bound, to receive on, NULL = one of its own. "
          "AF_XDP is used for the address that it is bound to. Before READY",
          G_TYPE_SOCKET, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_CLOSE_SOCKET,
      g_param_spec_boolean ("close-socket", "Close Socket",
          "Close the socket given by the property socket when going to NULL. "
          "Before READY",
          TRUE, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_MTU,
      g_param_spec_uint ("mtu", "MTU",
          "Datagrams through the socket that are longer than so many bytes are "
          "split there, into two memories of one buffer; 0 = never. Before "
          "READY",
          0, G_MAXINT, 1492, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_SOCKET_TIMESTAMP,
      g_param_spec_enum ("socket-timestamp", "Socket Timestamp",
          "Buffers have the times at which packets arrived, by the XDP program "
          "or the kernel's socket: realtime = also when do-timestamp is off. "
          "Before READY",
          GST_TYPE_AFXDP_SOCKET_TIMESTAMP, GST_AFXDP_SOCKET_TIMESTAMP_DISABLED,
          AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_TIMEOUT,
      g_param_spec_uint64 ("timeout", "Timeout",
          "Post a GstUDPSrcTimeout message when nothing came for so many ns, "
          "at "
          "most one in a millisecond; 0 = none",
          0, G_MAXUINT64, 0, ANY_TIME));
  g_object_class_install_property (klass, GST_AFXDP_PROP_SKIP_FIRST_BYTES,
      g_param_spec_int ("skip-first-bytes", "Skip First Bytes",
          "Bytes to leave out at the beginning of each datagram; RTP begins "
          "behind them. What is shorter is dropped, and counted as malformed",
          0, G_MAXINT, 0, ANY_TIME));
  g_object_class_install_property (klass,
      GST_AFXDP_PROP_RETRIEVE_SENDER_ADDRESS,
      g_param_spec_boolean ("retrieve-sender-address",
          "Retrieve Sender Address",
          "Put the address of the sender on each buffer, as GstNetAddressMeta. "
          "Without it a packet costs less",
          TRUE, ANY_TIME));
  g_object_class_install_property (klass, GST_AFXDP_PROP_CAPS,
      g_param_spec_boxed ("caps", "Caps",
          "Caps of the stream, NULL = from the first packet, ANY = none",
          GST_TYPE_CAPS, ANY_TIME));
  g_object_class_install_property (klass, GST_AFXDP_PROP_BUFFER_SIZE,
      g_param_spec_int ("buffer-size", "Buffer Size",
          "Size of the kernel's receive buffer in bytes, 0 = 16 MiB. Before "
          "READY",
          0, G_MAXINT, 0, AT_OPEN));
}

static void
install_own_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, GST_AFXDP_PROP_MODE,
      g_param_spec_enum ("mode", "Mode",
          "Which ways of reception are allowed. Before READY",
          GST_TYPE_AFXDP_MODE, AFXDP_MODE_AUTO, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_XDP_MODE,
      g_param_spec_enum ("xdp-mode", "XDP Mode",
          "Where the XDP program runs. The first element's on an interface "
          "holds for all. Before READY",
          GST_TYPE_AFXDP_XDP_MODE, AFXDP_XDP_MODE_AUTO, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_ZERO_COPY,
      g_param_spec_enum ("zero-copy", "Zero-Copy",
          "Whether the driver writes to the frames itself. The first element's "
          "on an interface holds for all. Before READY",
          GST_TYPE_AFXDP_ZERO_COPY, AFXDP_ZERO_COPY_AUTO, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_QUEUE,
      g_param_spec_int ("queue", "Queue",
          "RX queue to use AF_XDP on, -1 = whichever the stream arrives on. "
          "Before READY",
          -1, G_MAXUINT16, -1, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_RING_SIZE,
      g_param_spec_uint ("ring-size", "Ring Size",
          "RX ring of an AF_XDP socket in packets, rounded up to a power of "
          "two. Before READY",
          64, LARGEST_RING, 16384, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_UMEM_FRAMES,
      g_param_spec_uint ("umem-frames", "UMEM Frames",
          "Frames of the interface's packet memory, 0 = automatic: twice "
          "ring-size, at least 32768. The first element's on an interface "
          "holds for all. Before READY",
          0, 16 * LARGEST_RING, 0, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_BATCH_SIZE,
      g_param_spec_uint ("batch-size", "Batch Size",
          "Most packets in one buffer list; 1 = never a list. Before READY", 1,
          AFXDP_LARGEST_BATCH, 64, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_COALESCE,
      g_param_spec_uint64 ("coalesce", "Coalesce",
          "How long the receiver may sleep to gather a batch in ns, when at "
          "least two packets are due meanwhile. It is reported as latency, "
          "and never longer than a quarter of what its credit holds at the "
          "present rate. 0 = it is woken by the first packet. Before READY",
          0, GST_SECOND, GST_MSECOND, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_BUSY_POLL_USECS,
      g_param_spec_uint ("busy-poll-usecs", "Busy Poll",
          "How long the receiver looks on for packets after the last one, "
          "before "
          "it sleeps, in µs; it has a processor for itself meanwhile. Where "
          "the "
          "driver can be polled, it is (SO_BUSY_POLL). There is no coalesce "
          "then. "
          "Before READY",
          0, LONGEST_BUSY_POLL, 0, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_VERIFY_CHECKSUM,
      g_param_spec_boolean ("verify-checksum", "Verify Checksum",
          "Check UDP checksums of what comes through AF_XDP, as the kernel "
          "does "
          "for the socket; a wrong one counts as malformed. A sender on this "
          "host leaves them to be made, and so needs ethtool -K DEV tx off. "
          "Before READY",
          FALSE, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_SDP_LOCATION,
      g_param_spec_string ("sdp-location", "SDP Location",
          "SDP file, or file:// URI, that gives address, port, senders and "
          "caps of the first stream in it, or of stream N, from 0, with #m=N "
          "behind the name; what is set after it wins. Before READY",
          NULL, AT_OPEN));
  g_object_class_install_property (klass, GST_AFXDP_PROP_STATS_INTERVAL,
      g_param_spec_uint64 ("stats-interval", "Stats Interval",
          "Time between two GstAfxdpSrcStats messages in ns, 0 = none", 0,
          G_MAXUINT64, GST_SECOND, ANY_TIME));
  g_object_class_install_property (klass, GST_AFXDP_PROP_GAP_INTERVAL,
      g_param_spec_uint64 ("gap-interval", "Gap Interval",
          "Least time between the GstAfxdpSrcGap messages of two gaps in ns, 0 "
          "= "
          "every gap is told",
          0, G_MAXUINT64, 200 * GST_MSECOND, ANY_TIME));
}

static void
install_read_only_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, GST_AFXDP_PROP_CURRENT_MODE,
      g_param_spec_enum ("current-mode", "Current Mode",
          "The way of reception in use now", GST_TYPE_AFXDP_CURRENT_MODE,
          AFXDP_DOOR_NONE, READ_ONLY));
  g_object_class_install_property (klass, GST_AFXDP_PROP_USED_SOCKET,
      g_param_spec_object ("used-socket", "Used Socket",
          "The socket in use, from READY on; an application may send by it",
          G_TYPE_SOCKET, READ_ONLY));
  g_object_class_install_property (klass, GST_AFXDP_PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Totals since READY, kept after stop", GST_TYPE_STRUCTURE,
          READ_ONLY));
}

void
gst_afxdp_settings_install (GObjectClass *klass)
{
  install_address_properties (klass);
  install_socket_properties (klass);
  install_own_properties (klass);
  install_read_only_properties (klass);
}

/* Not by CONSTRUCT: gst-launch sets what has that flag before all else, so that
 * port=5000 behind uri= or sdp-location= would come too early, and complains when
 * it is there twice. */
void
gst_afxdp_settings_set_defaults (GObject *object)
{
  guint n;
  g_autofree GParamSpec **pspecs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (object), &n);

  for (guint i = 0; i < n; i++)
    if (pspecs[i]->owner_type == G_OBJECT_TYPE (object) &&
        pspecs[i]->flags & G_PARAM_WRITABLE)
      g_object_set_property (
          object, pspecs[i]->name, g_param_spec_get_default_value (pspecs[i]));
}

void
gst_afxdp_settings_copy (GstAfxdpSettings *to, const GstAfxdpSettings *from)
{
  *to = *from;
  to->address = g_strdup (from->address);
  to->multicast_iface = g_strdup (from->multicast_iface);
  to->multicast_source = g_strdup (from->multicast_source);
  to->socket = from->socket ? g_object_ref (from->socket) : NULL;
  to->sdp_location = g_strdup (from->sdp_location);
  to->sdp_caps = from->sdp_caps ? gst_caps_ref (from->sdp_caps) : NULL;
  to->caps = from->caps ? gst_caps_ref (from->caps) : NULL;
}

void
gst_afxdp_settings_clear (GstAfxdpSettings *settings)
{
  g_clear_pointer (&settings->address, g_free);
  g_clear_pointer (&settings->multicast_iface, g_free);
  g_clear_pointer (&settings->multicast_source, g_free);
  g_clear_object (&settings->socket);
  g_clear_pointer (&settings->sdp_location, g_free);
  gst_clear_caps (&settings->sdp_caps);
  gst_clear_caps (&settings->caps);
}

/* Setting. */

static void
note_newer (GstAfxdpSettings *settings, guint id, gboolean newer)
{
  guint64 bit = G_GUINT64_CONSTANT (1) << id;

  settings->newer_than_sdp &= ~bit;
  if (newer)
    settings->newer_than_sdp |= bit;
}

static gboolean
is_newer (const GstAfxdpSettings *settings, guint id)
{
  return (settings->newer_than_sdp >> id) & 1;
}

static void
set_address (GstAfxdpSettings *settings, const gchar *address)
{
  g_free (settings->address);
  settings->address =
      g_strdup (address && *address ? address : DEFAULT_ADDRESS);
  note_newer (settings, GST_AFXDP_PROP_ADDRESS, TRUE);
}

static void
set_sdp_location (GstAfxdpSettings *settings, const gchar *location)
{
  g_free (settings->sdp_location);
  settings->sdp_location = location && *location ? g_strdup (location) : NULL;
  settings->newer_than_sdp = 0;
  gst_clear_caps (&settings->sdp_caps);
}

/* One of our schemes, a port that there can be, no address where only a path is
 * (afxdp:ADDRESS), and no sources that could not be unescaped: without them more
 * would be received than is meant. */
static gboolean
is_usable (const GstUri *uri)
{
  const gchar *scheme = gst_uri_get_scheme (uri);
  g_autofree gchar *path = gst_uri_get_path (uri);

  return (!g_strcmp0 (scheme, "afxdp") || !g_strcmp0 (scheme, "udp")) &&
      gst_uri_get_port (uri) <= G_MAXUINT16 &&
      (gst_uri_get_host (uri) || !path) &&
      (gst_uri_get_query_value (uri, SOURCE_KEY) ||
          !gst_uri_query_has_key (uri, SOURCE_KEY));
}

static void
set_caps_of_uri (GstAfxdpSettings *settings, GstCaps *caps)
{
  if (!caps && !settings->caps_of_uri)
    return;
  gst_caps_replace (&settings->caps, caps);
  settings->caps_of_uri = caps != NULL;
  note_newer (settings, GST_AFXDP_PROP_CAPS, caps != NULL);
}

gboolean
gst_afxdp_settings_set_uri (
    GstAfxdpSettings *settings, const gchar *text, GError **error)
{
  /* Leaves a + that is not escaped as it is, unlike forms in the web. */
  g_autoptr (GstUri) uri = gst_uri_from_string (text ? text : "afxdp://");
  g_autoptr (GError) cause = NULL;
  g_autoptr (GstCaps) caps = NULL;
  const gchar *source;

  if (uri && is_usable (uri))
    caps = gst_afxdp_caps_from_uri (uri, &cause);
  if (!uri || !is_usable (uri) || cause) {
    g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI,
        "\"%s\" is not of the form afxdp://ADDRESS:PORT[?" SOURCE_KEY
        "=SOURCES&encoding-name=NAME&clock-rate=RATE]%s%s",
        text, cause ? ": " : "", cause ? cause->message : "");
    return FALSE;
  }
  set_address (settings, gst_uri_get_host (uri));
  if (gst_uri_get_port (uri) != GST_URI_NO_PORT) {
    settings->port = gst_uri_get_port (uri);
    note_newer (settings, GST_AFXDP_PROP_PORT, TRUE);
  }
  source = gst_uri_get_query_value (uri, SOURCE_KEY);
  g_free (settings->multicast_source);
  settings->multicast_source = source && *source ? g_strdup (source) : NULL;
  note_newer (settings, GST_AFXDP_PROP_MULTICAST_SOURCE, TRUE);
  set_caps_of_uri (settings, caps);
  return TRUE;
}

gchar *
gst_afxdp_settings_get_uri (const GstAfxdpSettings *settings)
{
  gboolean ipv6 = strchr (settings->address, ':') != NULL;
  const gchar *source = settings->multicast_source;
  GString *uri = g_string_new (NULL);
  gchar separator = '?';

  g_string_printf (uri, ipv6 ? "afxdp://[%s]:%d" : "afxdp://%s:%d",
      settings->address, settings->port);
  if (source && *source) {
    /* With + escaped, since others take it for a blank. */
    g_autofree gchar *escaped = g_uri_escape_string (source, ":", FALSE);

    g_string_append_printf (uri, "%c" SOURCE_KEY "=%s", separator, escaped);
    separator = '&';
  }
  if (settings->caps_of_uri) {
    g_auto (GStrv) words = gst_afxdp_caps_to_query (settings->caps);
    g_autofree gchar *joined = g_strjoinv ("&", words);

    g_string_append_printf (uri, "%c%s", separator, joined);
  }
  return g_string_free (uri, FALSE);
}

gboolean
gst_afxdp_settings_read_sdp (GstAfxdpSettings *settings, GError **error)
{
  GstAfxdpSdp sdp;

  if (!settings->sdp_location)
    return TRUE;
  if (!gst_afxdp_sdp_read (&sdp, settings->sdp_location, error))
    return FALSE;
  if (!is_newer (settings, GST_AFXDP_PROP_ADDRESS)) {
    g_free (settings->address);
    settings->address = g_strdup (sdp.address);
    /* They are of this address, and so is it when there are none. */
    if (!is_newer (settings, GST_AFXDP_PROP_MULTICAST_SOURCE)) {
      g_free (settings->multicast_source);
      settings->multicast_source = g_strdup (sdp.sources);
    }
  }
  if (!is_newer (settings, GST_AFXDP_PROP_PORT))
    settings->port = sdp.port;
  gst_caps_replace (&settings->sdp_caps, sdp.caps);
  gst_caps_replace (&settings->caps, gst_afxdp_settings_peek_caps (settings));
  gst_afxdp_sdp_clear (&sdp);
  return TRUE;
}

GstCaps *
gst_afxdp_settings_peek_caps (const GstAfxdpSettings *settings)
{
  if (settings->sdp_location && !is_newer (settings, GST_AFXDP_PROP_CAPS))
    return settings->sdp_caps;
  return settings->caps;
}

GstClockTime
gst_afxdp_settings_longest_sleep (const GstAfxdpSettings *settings)
{
  return settings->busy_poll_usecs ? 0 : settings->coalesce;
}

AfxdpSources *
gst_afxdp_settings_get_sources (
    const GstAfxdpSettings *settings, GInetAddress *address, GError **error)
{
  gboolean ipv6 = g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6;
  g_autoptr (AfxdpSources) sources =
      afxdp_sources_parse (settings->multicast_source, ipv6 ? 6 : 4, error);

  if (!sources || afxdp_sources_kind (sources) == AFXDP_SOURCES_ANY ||
      g_inet_address_get_is_multicast (address))
    return g_steal_pointer (&sources);
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
      "multicast-source is \"%s\", but the address \"%s\" is not a multicast "
      "group",
      settings->multicast_source, settings->address);
  return NULL;
}

void
gst_afxdp_settings_set (
    GstAfxdpSettings *settings, guint id, const GValue *value)
{
  gpointer field = G_STRUCT_MEMBER_P (settings, offsets[id]);

  note_newer (settings, id, TRUE);
  switch (id) {
    case GST_AFXDP_PROP_SDP_LOCATION:
      set_sdp_location (settings, g_value_get_string (value));
      return;
    case GST_AFXDP_PROP_ADDRESS:
    case GST_AFXDP_PROP_MULTICAST_GROUP:
      set_address (settings, g_value_get_string (value));
      return;
    case GST_AFXDP_PROP_CAPS:
      gst_caps_replace (field, (GstCaps *) gst_value_get_caps (value));
      settings->caps_of_uri = FALSE;
      return;
    default:
      break;
  }
  switch (G_TYPE_FUNDAMENTAL (G_VALUE_TYPE (value))) {
    case G_TYPE_STRING:
      g_free (*(gchar **) field);
      *(gchar **) field = g_value_dup_string (value);
      break;
    case G_TYPE_OBJECT:
      g_set_object ((GObject **) field, g_value_get_object (value));
      break;
    case G_TYPE_INT:
      *(gint *) field = g_value_get_int (value);
      break;
    case G_TYPE_UINT:
      *(guint *) field = g_value_get_uint (value);
      break;
    case G_TYPE_ENUM:
      *(gint *) field = g_value_get_enum (value);
      break;
    case G_TYPE_BOOLEAN:
      *(gboolean *) field = g_value_get_boolean (value);
      break;
    case G_TYPE_UINT64:
      *(guint64 *) field = g_value_get_uint64 (value);
      break;
    default:
      g_assert_not_reached ();
  }
}

void
gst_afxdp_settings_get (
    const GstAfxdpSettings *settings, guint id, GValue *value)
{
  gconstpointer field = G_STRUCT_MEMBER_P (settings, offsets[id]);

  if (id == GST_AFXDP_PROP_URI) {
    g_value_take_string (value, gst_afxdp_settings_get_uri (settings));
    return;
  }
  switch (G_TYPE_FUNDAMENTAL (G_VALUE_TYPE (value))) {
    case G_TYPE_STRING:
      g_value_set_string (value, *(gchar *const *) field);
      break;
    case G_TYPE_BOXED:
      gst_value_set_caps (value, *(GstCaps *const *) field);
      break;
    case G_TYPE_OBJECT:
      g_value_set_object (value, *(GObject *const *) field);
      break;
    case G_TYPE_INT:
      g_value_set_int (value, *(const gint *) field);
      break;
    case G_TYPE_UINT:
      g_value_set_uint (value, *(const guint *) field);
      break;
    case G_TYPE_ENUM:
      g_value_set_enum (value, *(const gint *) field);
      break;
    case G_TYPE_BOOLEAN:
      g_value_set_boolean (value, *(const gboolean *) field);
      break;
    case G_TYPE_UINT64:
      g_value_set_uint64 (value, *(const guint64 *) field);
      break;
    default:
      g_assert_not_reached ();
  }
}
