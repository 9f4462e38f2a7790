/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line: what the caller asked for, checked as far as that needs no
 * look at the machine.
 *
 * Read-only once parsed; whoever parsed it frees it.
 */
#pragma once

#include <glib.h>

#include "rtpgen-clock.h"
#include "rtpgen-script.h"

G_BEGIN_DECLS

typedef enum
{
  RTPGEN_METHOD_LIVE,
  RTPGEN_METHOD_SOCKET,
} RtpgenMethod;

/* Of RTP's payload: what RFC 4175 puts in front of one part of a line. */
#define RTPGEN_VIDEO_HEADER 8

/* An IPv4 or IPv6 address and a port. */
typedef struct
{
  gint family;        /* AF_INET or AF_INET6 */
  guint8 address[16]; /* network order; IPv4 in the first 4, the rest 0 */
  guint16 port;       /* host order */
} RtpgenAddress;

typedef struct
{
  gchar *interface;
  RtpgenMethod method;
  gint64 cpu;           /* -1 = wherever the scheduler likes */
  GArray *destinations; /* of RtpgenAddress, one for each flow */
  GArray *sources;      /* of RtpgenAddress, at most one a family, no port */
  guint8 destination_mac[6];
  gboolean has_destination_mac;
  gint64 source_port;
  gint64 ttl;
  gint64 rate;
  gint64 burst;
  gdouble duration; /* s, 0 = none */
  gint64 packets;
  gboolean realtime;
  gint64 start_at;  /* ns of CLOCK_MONOTONIC, 0 = at once */
  gint64 batch;     /* most packets made or sent at a time */
  gint64 call_runs; /* of the BPF program in one BPF_PROG_TEST_RUN */
  gint64 payload_size;
  gint64 payload_type;
  gint64 marker_every;
  gint64 marker_size;
  gboolean marker_ip_option;
  guint line_packets; /* of uncompressed video; 0 = no video */
  guint packet_pixels;
  gint64 ssrc;
  gint64 first_sequence;
  RtpgenClock clock;
  GArray *events; /* of RtpgenEvent */
  gint64 script_every;
  gboolean json;
} RtpgenOptions;

/* Returns NULL and an error if the command line is not one. --help prints and
 * exits. */
RtpgenOptions *rtpgen_options_new (gint *argc, gchar ***argv, GError **error);
void rtpgen_options_free (RtpgenOptions *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RtpgenOptions, rtpgen_options_free)

/* "239.1.1.1:5000" or "[ff15::1]:5000". */
gchar *rtpgen_address_to_string (const RtpgenAddress *self);

G_END_DECLS
