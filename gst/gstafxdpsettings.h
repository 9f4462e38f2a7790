/* SPDX-FileCopyrightText: The afxdpsrc authors */
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
#include "gstafxdpuriparts.h"
#include "stream.h"

G_BEGIN_DECLS

typedef struct
{
  /* What no property is kept in. It comes first: no property is at 0. */
  guint64 newer_than_sdp; /* 1 << id of what was set after sdp_location */
  guint64 changed;        /* 1 << id of what was set since follow() */
  gchar *uri;             /* that was set last; NULL: none */
  gchar *uri_ignored;     /* what of it was ignored; NULL: nothing */
  GSocketFamily family;   /* of a name in address, by the SDP file */
  gboolean port_is_told;  /* and not the default */
  gboolean caps_of_uri;   /* they came with the URI, and go with it */
  GstCaps *sdp_caps;      /* of the file as it was read last; NULL: not read */
  GSocketFamily redundant_family; /* of a name in redundant_uri, likewise */
  gboolean had_two_legs;          /* since the stream was opened */
  gboolean
      awaits_second_leg; /* the SDP file tells of one that is not received */

  /* What the stream takes as it is set here. The rest of it gst_afxdp_open() finds
   * out from the fields below: it is empty here. */
  AfxdpStreamSettings stream;

  gchar *address; /* never NULL */
  gint port;
  gchar *multicast_iface;  /* names, with commas between; NULL = by routing */
  gchar *multicast_source; /* NULL = any */
  gboolean reuse;
  gboolean loop;
  gboolean close_socket;
  guint mtu; /* bytes, 0 = none */
  GstAfxdpSocketTimestamp socket_timestamp;
  gchar *sdp_location;         /* NULL: none */
  gchar *receiver;             /* NULL or empty: a thread of its own */
  gchar *distributor;          /* NULL: the usual one; empty: none */
  gchar *xsk_map;              /* NULL or empty: none */
  gchar *redundant_uri;        /* NULL or empty: there is one leg */
  GstClockTime reorder_window; /* GST_CLOCK_TIME_NONE = automatic */
  guint64 max_held_bytes;

  /* These may change while playing. */
  GstClockTime timeout; /* 0 = none */
  gboolean retrieve_sender_address;
  GstClockTime stats_interval; /* 0 = none */
  GstClockTime gap_interval;   /* 0 = a message for every gap */
  GstCaps *caps;               /* NULL = automatic */
} GstAfxdpSettings;

/* GST_AFXDP_PROP_ADDRESS and so on. */
enum
{
  GST_AFXDP_PROP_0,
#define SETTING(ID, field, spec) GST_AFXDP_PROP_##ID,
#define SAME(ID, field, spec) GST_AFXDP_PROP_##ID,
#define ANSWER(ID, spec) GST_AFXDP_PROP_##ID,
#include "gstafxdpproperties.def"
  GST_AFXDP_N_PROPERTIES
};

/* Installs the properties of the table. */
void gst_afxdp_settings_install (GObjectClass *klass);
/* Sets those of an object that is being made to their defaults. */
void gst_afxdp_settings_set_defaults (GObject *object);
/* What was set until now are those defaults: nobody has told them. */
void gst_afxdp_settings_begin (GstAfxdpSettings *settings);

void gst_afxdp_settings_copy (
    GstAfxdpSettings *to, const GstAfxdpSettings *from);
void gst_afxdp_settings_clear (GstAfxdpSettings *settings);
/* Copies what was set since the last time, and may change while playing. Returns
 * 1 << id of each of which the value is another one. */
guint64 gst_afxdp_settings_follow (
    GstAfxdpSettings *to, GstAfxdpSettings *from);

/* Set and get a setting by its property's id; uri is set as below. */
void gst_afxdp_settings_set (
    GstAfxdpSettings *settings, guint id, const GValue *value);
void gst_afxdp_settings_get (
    const GstAfxdpSettings *settings, guint id, GValue *value);

/* As gstafxdpuriparts.h reads it. A port that is not given stays what it is; without
 * sources all are received, and caps that were of an earlier URI go. NULL is the
 * default. A URI that cannot be read changes nothing, and sets error (GST_URI_ERROR). */
gboolean gst_afxdp_settings_set_uri (
    GstAfxdpSettings *settings, const gchar *uri, GError **error);

/* Whether the property id was set after sdp_location. */
static inline gboolean
gst_afxdp_settings_is_newer (const GstAfxdpSettings *settings, guint id)
{
  return (settings->newer_than_sdp >> id) & 1;
}

/* gstafxdpsettingslegs.c. */

/* Reads the file at sdp_location, if there is one, and takes over what it says:
 * over what was set before sdp_location, not over what was set after it. Then
 * redundant_uri is the whole second leg, or NULL. Waits for the file system. skipped:
 * what of the file was left out, or NULL; free it. Errors: any of AFXDP_ERROR. */
gboolean gst_afxdp_settings_read_sdp (
    GstAfxdpSettings *settings, gchar **skipped, GError **error);

/* redundant_uri becomes the whole second leg, or NULL, as read_sdp() has it; the file is
 * read only if it matters for that. */
gboolean gst_afxdp_settings_find_second_leg (
    GstAfxdpSettings *settings, gchar **skipped, GError **error);

/* The caps that hold: of the property, or of the SDP file. NULL: neither tells
 * any. */
GstCaps *gst_afxdp_settings_peek_caps (const GstAfxdpSettings *settings);

/* How long the receiver may sleep to gather a batch, ns: not at all when it is to
 * spin. */
GstClockTime gst_afxdp_settings_longest_sleep (
    const GstAfxdpSettings *settings);

/* 1, or 2 with the second leg of ST 2022-7. */
guint gst_afxdp_settings_n_legs (const GstAfxdpSettings *settings);
/* Turns settings, a copy that shares what it points to, into those of the second leg.
 * parts: what owns its strings, to be cleared then. Errors: AFXDP_ERROR_SETTINGS. */
gboolean gst_afxdp_settings_take_second_leg (
    GstAfxdpSettings *settings, GstAfxdpUriParts *parts, GError **error);
/* Whether both legs come by one interface, to one address and port (address, as it was
 * found): they are one stream there, of these senders (NULL: any), and second has those of
 * the second leg; NULL: the SSRC says which leg a packet is of. Free both. */
gboolean gst_afxdp_settings_share (const GstAfxdpSettings *settings,
    GInetAddress *address, gchar **senders, AfxdpSources **second);
/* How long a missing packet is waited for, ns; 0: not at all, and packets go as they
 * come. It stays where a leg was taken away: what waits for one that comes late goes on to
 * do so, and the pipeline's latency does not change. */
GstClockTime gst_afxdp_settings_window (const GstAfxdpSettings *settings);

/* Reads multicast_source, for the address that it is about. Errors:
 * AFXDP_ERROR_SETTINGS. */
AfxdpSources *gst_afxdp_settings_get_sources (
    const GstAfxdpSettings *settings, GInetAddress *address, GError **error);

G_END_DECLS
