/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an application can set: the properties, their defaults, and the URI.
 *
 * Not thread-safe: the element holds its object lock. A default stands once, in
 * the property's specification; set_defaults() puts it into the settings.
 */
#pragma once

#include <gio/gio.h>
#include <gst/gst.h>

#include "gstafxdpenums.h"
#include "stream.h"

G_BEGIN_DECLS

typedef struct
{
  gchar *address; /* never NULL */
  gint port;
  gchar *multicast_iface;  /* names, with commas between; NULL = by routing */
  gchar *multicast_source; /* NULL = any */
  gboolean auto_multicast;
  gboolean reuse;
  gboolean loop;
  GSocket *socket; /* NULL = one of our own */
  gboolean close_socket;
  gint buffer_size; /* bytes, 0 = automatic */
  guint mtu;        /* bytes, 0 = none */
  GstAfxdpSocketTimestamp socket_timestamp;
  AfxdpMode mode;
  AfxdpXdpMode xdp_mode;
  AfxdpZeroCopy zero_copy;
  gint queue;        /* -1 = any */
  guint ring_size;   /* packets */
  guint umem_frames; /* 0 = automatic */
  guint batch_size;  /* packets */
  GstClockTime coalesce;
  guint busy_poll_usecs; /* µs */
  gboolean verify_checksum;
  gchar *sdp_location;    /* NULL: none */
  guint64 newer_than_sdp; /* 1 << id of what was set after it */
  GstCaps *sdp_caps;      /* of the file as it was read last; NULL: not read */

  /* These may change while playing. */
  GstClockTime timeout; /* 0 = none */
  gint skip_first_bytes;
  gboolean retrieve_sender_address;
  GstClockTime stats_interval; /* 0 = none */
  GstClockTime gap_interval;   /* 0 = a message for every gap */
  GstCaps *caps;               /* NULL = automatic */
  gboolean caps_of_uri;        /* they came with the URI, and go with it */
} GstAfxdpSettings;

enum
{
  GST_AFXDP_PROP_ADDRESS = 1,
  GST_AFXDP_PROP_MULTICAST_GROUP,
  GST_AFXDP_PROP_PORT,
  GST_AFXDP_PROP_MULTICAST_IFACE,
  GST_AFXDP_PROP_MULTICAST_SOURCE,
  GST_AFXDP_PROP_AUTO_MULTICAST,
  GST_AFXDP_PROP_REUSE,
  GST_AFXDP_PROP_LOOP,
  GST_AFXDP_PROP_SOCKET,
  GST_AFXDP_PROP_CLOSE_SOCKET,
  GST_AFXDP_PROP_URI,
  GST_AFXDP_PROP_CAPS,
  GST_AFXDP_PROP_BUFFER_SIZE,
  GST_AFXDP_PROP_MTU,
  GST_AFXDP_PROP_SOCKET_TIMESTAMP,
  GST_AFXDP_PROP_TIMEOUT,
  GST_AFXDP_PROP_SKIP_FIRST_BYTES,
  GST_AFXDP_PROP_RETRIEVE_SENDER_ADDRESS,
  GST_AFXDP_PROP_MODE,
  GST_AFXDP_PROP_XDP_MODE,
  GST_AFXDP_PROP_ZERO_COPY,
  GST_AFXDP_PROP_QUEUE,
  GST_AFXDP_PROP_RING_SIZE,
  GST_AFXDP_PROP_UMEM_FRAMES,
  GST_AFXDP_PROP_BATCH_SIZE,
  GST_AFXDP_PROP_COALESCE,
  GST_AFXDP_PROP_BUSY_POLL_USECS,
  GST_AFXDP_PROP_VERIFY_CHECKSUM,
  GST_AFXDP_PROP_SDP_LOCATION,
  GST_AFXDP_PROP_STATS_INTERVAL,
  GST_AFXDP_PROP_GAP_INTERVAL,
  GST_AFXDP_N_SETTINGS,

  /* What the element tells; it answers for them itself. */
  GST_AFXDP_PROP_CURRENT_MODE = GST_AFXDP_N_SETTINGS,
  GST_AFXDP_PROP_USED_SOCKET,
  GST_AFXDP_PROP_STATS,
};

/* Installs the properties above. */
void gst_afxdp_settings_install (GObjectClass *klass);
/* Sets those of an object that is being made to their defaults. */
void gst_afxdp_settings_set_defaults (GObject *object);

void gst_afxdp_settings_copy (
    GstAfxdpSettings *to, const GstAfxdpSettings *from);
void gst_afxdp_settings_clear (GstAfxdpSettings *settings);

/* Set and get a setting by its property's id; uri is set as below. */
void gst_afxdp_settings_set (
    GstAfxdpSettings *settings, guint id, const GValue *value);
void gst_afxdp_settings_get (
    const GstAfxdpSettings *settings, guint id, GValue *value);

/* afxdp://ADDRESS:PORT?multicast-source=SOURCES, an IPv6 address in brackets;
 * udp:// is taken too. The query may also tell caps, as gst_afxdp_caps_from_uri()
 * has them. A port that is not given stays what it is; without sources all are
 * received, and caps that were of an earlier URI go. NULL is the default. A URI
 * that cannot be read changes nothing, and sets error (GST_URI_ERROR). */
gboolean gst_afxdp_settings_set_uri (
    GstAfxdpSettings *settings, const gchar *uri, GError **error);
gchar *gst_afxdp_settings_get_uri (const GstAfxdpSettings *settings);

/* Reads the file at sdp_location, if there is one, and takes over what it says:
 * over what was set before sdp_location, not over what was set after it. Waits for
 * the file system. Errors: any of AFXDP_ERROR. */
gboolean gst_afxdp_settings_read_sdp (
    GstAfxdpSettings *settings, GError **error);

/* The caps that hold: of the property, or of the SDP file. NULL: neither tells
 * any. */
GstCaps *gst_afxdp_settings_peek_caps (const GstAfxdpSettings *settings);

/* How long the receiver may sleep to gather a batch, ns: not at all when it is to
 * spin. */
GstClockTime gst_afxdp_settings_longest_sleep (
    const GstAfxdpSettings *settings);

/* Reads multicast_source, for the address that it is about. Errors:
 * AFXDP_ERROR_SETTINGS. */
AfxdpSources *gst_afxdp_settings_get_sources (
    const GstAfxdpSettings *settings, GInetAddress *address, GError **error);

G_END_DECLS
