/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parses and checks the command line. Every number has its range in one table;
 * what two options mean together is checked after that.
 */
#include "rtpgen-options.h"

#include <arpa/inet.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <string.h>

#include "rtpgen-flow.h"

/* They hold the index of a packet of video. */
#define LEAST_PIXELS 4

/* What GOption fills in before it is parsed further. */
typedef struct
{
  gchar *method;
  gchar **destinations;
  gchar **sources;
  gchar *destination_mac;
  gchar *raw_video;
  gint64 flows;
  gchar **events[RTPGEN_EVENT_KINDS];
} RawOptions;

static void
raw_options_clear (RawOptions *self)
{
  g_free (self->method);
  g_strfreev (self->destinations);
  g_strfreev (self->sources);
  g_free (self->destination_mac);
  g_free (self->raw_video);
  for (guint i = 0; i < G_N_ELEMENTS (self->events); i++)
    g_strfreev (self->events[i]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RawOptions, raw_options_clear)

static const gchar summary[] =
    "Sends RTP over UDP from one end of a veth pair, says to the packet what "
    "it sent,\nand fails if the veth dropped any of it. Run it as root in the "
    "network namespace of\nthe sending end: nsenter --net=/run/netns/NAME "
    "rtpgen ...";

static const gchar description[] =
    "Methods:\n"
    "  live    A BPF program makes the packets and redirects them to the "
    "interface:\n"
    "          millions a second, paced to microseconds. They arrive on queue "
    "CPU %\n"
    "          queues only, no capture at the sending end sees them, and the "
    "receiving\n"
    "          end needs NAPI: an XDP program, or `ethtool -K DEV gro on` "
    "there.\n"
    "  socket  sendmmsg() from one UDP socket a flow: some 300,000 a second, "
    "but\n"
    "          captures see them, and they spread over the queues by the hash "
    "of\n"
    "          their flow. A veth leaves their UDP checksums undone until "
    "`ethtool -K\n"
    "          DEV tx off` here.\n"
    "\n"
    "Script: POS is a packet's index within its flow, from 0; every flow "
    "follows the\n"
    "same script. An omitted number after the colon is 1. A gap takes no "
    "time; in a\n"
    "silence, numbers and timestamps go on while time passes; in a pause they "
    "do not\n"
    "(--timestamps-go-on: timestamps do); after a hold, all that was due is "
    "sent at\n"
    "once. Pause and hold are the whole sender's, before packet POS of flow "
    "0.\n"
    "\n"
    "Payload: \"RTPG\" (type 33 and a multiple of 188 bytes: the header of an "
    "MPEG TS\n"
    "null packet, and one every 188 bytes), the flow's number (32 bits), the\n"
    "packet's index in its flow (64 bits), both big-endian, then byte i is i\n"
    "modulo 251.\n"
    "\n"
    "Exit status: 0 all sent and nothing dropped by the interface; 1 it "
    "dropped some;\n"
    "2 an error of usage or set-up, nothing reported; 3 nothing dropped, but "
    "slower\n"
    "than 99 % of --rate, and by over 10 ms. The interface's counters decide "
    "about\n"
    "drops, so other senders on it count too.\n";

/* Bytes of a marker packet's payload where no frames are sent. */
#define SHORT_MARKER 300

/* 3/4 of the repetitions that BPF_PROG_TEST_RUN can count. */
#define CALL_RUNS (G_GINT64_CONSTANT (3) << 30)

/* What a number may be; the names are those of the options. */
typedef struct
{
  const gchar *name;
  goffset offset;
  gint64 least;
  gint64 most;
} NumberRange;

static const NumberRange ranges[] = {
  { "cpu", G_STRUCT_OFFSET (RtpgenOptions, cpu), -1, 4095 },
  { "source-port", G_STRUCT_OFFSET (RtpgenOptions, source_port), 1, 65535 },
  { "ttl", G_STRUCT_OFFSET (RtpgenOptions, ttl), 0, 255 },
  { "rate", G_STRUCT_OFFSET (RtpgenOptions, rate), 0, 1000000000 },
  { "burst", G_STRUCT_OFFSET (RtpgenOptions, burst), 1, 1000000 },
  { "packets", G_STRUCT_OFFSET (RtpgenOptions, packets), 0, G_MAXINT64 },
  { "start-at", G_STRUCT_OFFSET (RtpgenOptions, start_at), 0, G_MAXINT64 },
  { "batch", G_STRUCT_OFFSET (RtpgenOptions, batch), 0, 256 },
  { "call-runs", G_STRUCT_OFFSET (RtpgenOptions, call_runs), 1, CALL_RUNS },
  { "payload-size", G_STRUCT_OFFSET (RtpgenOptions, payload_size), 16, 65000 },
  { "payload-type", G_STRUCT_OFFSET (RtpgenOptions, payload_type), 0, 127 },
  { "marker-every", G_STRUCT_OFFSET (RtpgenOptions, marker_every), 0,
      G_MAXINT64 },
  { "marker-size", G_STRUCT_OFFSET (RtpgenOptions, marker_size), 16, 65000 },
  { "ssrc", G_STRUCT_OFFSET (RtpgenOptions, ssrc), 0, G_MAXUINT32 },
  { "first-seq", G_STRUCT_OFFSET (RtpgenOptions, first_sequence), 0, 65535 },
  { "script-every", G_STRUCT_OFFSET (RtpgenOptions, script_every), 0,
      G_MAXINT64 },
};

static gboolean
check_ranges (const RtpgenOptions *self, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (ranges); i++) {
    gint64 value = G_STRUCT_MEMBER (gint64, self, ranges[i].offset);

    if (value >= ranges[i].least && value <= ranges[i].most)
      continue;
    return rtpgen_refuse (error,
        "--%s %" G_GINT64_FORMAT
        " is out of range: it goes from %" G_GINT64_FORMAT
        " to %" G_GINT64_FORMAT,
        ranges[i].name, value, ranges[i].least, ranges[i].most);
  }
  return TRUE;
}

gchar *
rtpgen_address_to_string (const RtpgenAddress *self)
{
  gchar text[INET6_ADDRSTRLEN];

  inet_ntop (self->family, self->address, text, sizeof text);
  return g_strdup_printf (
      self->family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, self->port);
}

static gboolean
is_multicast (const RtpgenAddress *self)
{
  return self->family == AF_INET6 ? self->address[0] == 0xff
                                  : (self->address[0] & 0xf0) == 0xe0;
}

static gboolean
parse_address (const gchar *text, RtpgenAddress *address)
{
  memset (address, 0, sizeof *address);
  address->family = strchr (text, ':') ? AF_INET6 : AF_INET;
  return inet_pton (address->family, text, address->address) == 1;
}

static gboolean
parse_destination (const gchar *text, RtpgenAddress *address, GError **error)
{
  const gchar *colon = strrchr (text, ':');
  g_autofree gchar *host = NULL;
  guint64 port;

  if (!colon ||
      !g_ascii_string_to_unsigned (colon + 1, 10, 1, 65535, &port, NULL))
    goto unreadable;
  if (text[0] == '[' && colon > text + 1 && colon[-1] == ']')
    host = g_strndup (text + 1, colon - text - 2);
  else
    host = g_strndup (text, colon - text);
  if (!parse_address (host, address) ||
      (address->family == AF_INET6) != (text[0] == '['))
    goto unreadable;
  address->port = port;
  return TRUE;

unreadable:
  return rtpgen_refuse (error,
      "Cannot read --destination %s: it wants ADDRESS:PORT, such as "
      "239.1.1.1:5000 or [ff15::1]:5000",
      text);
}

/* The address that is count after this one, carried from the last byte on. */
static void
address_add (RtpgenAddress *self, guint count)
{
  gint i = self->family == AF_INET6 ? 15 : 3;

  for (; count > 0 && i >= 0; i--) {
    count += self->address[i];
    self->address[i] = count & 0xff;
    count >>= 8;
  }
}

static gboolean
parse_destinations (RtpgenOptions *self, const RawOptions *raw, GError **error)
{
  const guint given = raw->destinations ? g_strv_length (raw->destinations) : 0;

  if (given == 0 || raw->flows < 1 || given * raw->flows > RTPGEN_FLOWS)
    return rtpgen_refuse (error,
        "%u times --destination and --flows %" G_GINT64_FORMAT
        " are %" G_GINT64_FORMAT " flows: there can be 1 to %d",
        given, raw->flows, given * raw->flows, RTPGEN_FLOWS);
  for (guint i = 0; i < given; i++) {
    RtpgenAddress first;

    if (!parse_destination (raw->destinations[i], &first, error))
      return FALSE;
    for (guint flow = 0; flow < raw->flows; flow++) {
      RtpgenAddress address = first;

      address_add (&address, flow);
      g_array_append_val (self->destinations, address);
    }
  }
  return TRUE;
}

static gboolean
parse_sources (RtpgenOptions *self, gchar **texts, GError **error)
{
  for (guint i = 0; texts && texts[i]; i++) {
    RtpgenAddress address;

    if (!parse_address (texts[i], &address))
      return rtpgen_refuse (error,
          "Cannot read --source %s: it wants an IPv4 or IPv6 address",
          texts[i]);
    g_array_append_val (self->sources, address);
  }
  return TRUE;
}

static gboolean
parse_events (RtpgenOptions *self, const RawOptions *raw, GError **error)
{
  for (guint kind = 0; kind < RTPGEN_EVENT_KINDS; kind++) {
    gchar **texts = raw->events[kind];

    for (guint i = 0; texts && texts[i]; i++) {
      RtpgenEvent event;

      if (!rtpgen_event_parse (kind, texts[i], &event, error))
        return FALSE;
      g_array_append_val (self->events, event);
    }
  }
  return TRUE;
}

/* Sets what depends on the picture: whole packets of a line, 4:2:2 with 8 bits, where two
 * pixels are four bytes. */
static gboolean
parse_video (RtpgenOptions *self, const gchar *text, GError **error)
{
  const RtpgenClock *clock = &self->clock;
  guint width, height, packets;
  gdouble frame;
  gchar end;

  if (!text)
    return TRUE;
  if (sscanf (text, "%ux%u%c", &width, &height, &end) != 2 || !height ||
      height > 32767 || width > 32767)
    return rtpgen_refuse (error,
        "Cannot read --raw-video %s: it wants WIDTHxHEIGHT, such as 1920x1080",
        text);
  if (!clock->fps_n || self->destinations->len > 1)
    return rtpgen_refuse (
        error, "--raw-video needs --fps, --rate and one flow");
  frame = (gdouble) self->rate * clock->fps_d / clock->fps_n;
  packets = frame / height + 0.5;
  if (!packets || ABS (frame - (gdouble) packets * height) > 0.5 ||
      width % (2 * packets) || width / packets < LEAST_PIXELS)
    return rtpgen_refuse (error,
        "--rate %" G_GINT64_FORMAT " and --fps are %.1f packets of a frame: "
        "--raw-video %s needs as many for each line, of whole pairs of pixels, "
        "and at least %d",
        self->rate, frame, text, LEAST_PIXELS);
  self->line_packets = packets;
  self->packet_pixels = width / packets;
  self->payload_size = RTPGEN_VIDEO_HEADER + 2 * self->packet_pixels;
  self->marker_size = self->payload_size;
  return TRUE;
}

/* Also sets what depends on the method. 390,000 live frames/s leave one by one
 * in batches of 16, in groups of three in batches of 64; at full speed the two
 * differ by a tenth. */
static gboolean
parse_method (RtpgenOptions *self, const gchar *text, GError **error)
{
  static const struct
  {
    const gchar *name;
    gint64 batch;
  } methods[] = {
    [RTPGEN_METHOD_LIVE] = { "live", 16 },
    [RTPGEN_METHOD_SOCKET] = { "socket", 64 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    if (g_strcmp0 (text ? text : methods[0].name, methods[i].name) == 0) {
      self->method = i;
      if (!self->batch)
        self->batch = methods[i].batch;
      return TRUE;
    }
  return rtpgen_refuse (
      error, "--method %s is unknown: there are live and socket", text);
}

static gboolean
parse_destination_mac (RtpgenOptions *self, const gchar *text, GError **error)
{
  struct ether_addr address;

  if (!text)
    return TRUE;
  if (!ether_aton_r (text, &address))
    return rtpgen_refuse (error,
        "Cannot read --destination-mac %s: it wants six hexadecimal bytes, "
        "such as 02:00:00:00:00:01",
        text);
  memcpy (self->destination_mac, &address, sizeof address);
  self->has_destination_mac = TRUE;
  return TRUE;
}

/* What single options allow, but not together. */
static gboolean
check_together (const RtpgenOptions *self, GError **error)
{
  if (!self->interface)
    return rtpgen_refuse (
        error, "--interface is missing: the end of the veth pair to send from");
  if (self->duration < 0 || self->duration > 1e6)
    return rtpgen_refuse (error,
        "--duration %g is out of range: it goes from 0 to 1000000 seconds",
        self->duration);
  if (self->source_port + self->destinations->len - 1 > 65535)
    return rtpgen_refuse (error,
        "--source-port %" G_GINT64_FORMAT " leaves no port for each of the "
        "%u flows: flow n sends from this port + n",
        self->source_port, self->destinations->len);
  /* The other method never sleeps. */
  if (self->realtime && (self->method != RTPGEN_METHOD_SOCKET || !self->rate))
    return rtpgen_refuse (error,
        "--realtime needs --method socket and --rate: a sender that never "
        "sleeps would keep all others from the CPU");
  for (guint i = 0; i < self->destinations->len; i++) {
    const RtpgenAddress *address =
        &g_array_index (self->destinations, RtpgenAddress, i);
    g_autofree gchar *text = rtpgen_address_to_string (address);

    if (address->family == AF_INET6 && self->marker_ip_option)
      return rtpgen_refuse (error,
          "--marker-ip-option and --destination %s: IPv6 has no IP options",
          text);
    if (self->method == RTPGEN_METHOD_LIVE && !self->has_destination_mac &&
        !is_multicast (address))
      return rtpgen_refuse (error,
          "--destination %s is not multicast: live frames know no neighbours, "
          "so give --destination-mac, or use --method socket",
          text);
  }
  return TRUE;
}

static gboolean
parse (RtpgenOptions *self, RawOptions *raw, gint *argc, gchar ***argv,
    GError **error)
{
#define OPTION(name, type, target, text, value)          \
  {                                                      \
    name, 0, 0, G_OPTION_ARG_##type, target, text, value \
  }
  const GOptionEntry entries[] = {
    OPTION ("interface", STRING, &self->interface,
        "End of the veth pair to send from", "DEV"),
    OPTION ("method", STRING, &raw->method, "How to send (default live)",
        "live|socket"),
    OPTION ("cpu", INT64, &self->cpu, "Run on this CPU only", "N"),
    OPTION ("realtime", NONE, &self->realtime,
        "In front of other processes (SCHED_FIFO): a socket sender is late by "
        "less, which sleeps most of the time",
        NULL),
    OPTION ("destination", STRING_ARRAY, &raw->destinations,
        "Where a flow goes; repeatable, flows take turns", "ADDRESS:PORT"),
    OPTION ("flows", INT64, &raw->flows,
        "Flows for each --destination, to consecutive addresses (default 1)",
        "N"),
    OPTION ("destination-mac", STRING, &raw->destination_mac,
        "For unicast live frames", "MAC"),
    OPTION ("source", STRING_ARRAY, &raw->sources,
        "Source address, once for IPv4 and once for IPv6 (default: the "
        "interface's)",
        "ADDRESS"),
    OPTION ("source-port", INT64, &self->source_port,
        "UDP source port of flow 0; flow n has this + n (default 49152)",
        "PORT"),
    OPTION ("ttl", INT64, &self->ttl, "TTL or hop limit (default 16)", "N"),
    OPTION ("rate", INT64, &self->rate,
        "Packets/s of all flows together; 0 = as fast as possible (default)",
        "PPS"),
    OPTION ("burst", INT64, &self->burst,
        "Packets sent back to back, at the same average rate (default 1)", "N"),
    OPTION ("duration", DOUBLE, &self->duration,
        "Send for so long: with a rate, rate * S packets (default: until "
        "SIGINT or SIGTERM)",
        "S"),
    OPTION ("packets", INT64, &self->packets,
        "Send so many packets, all flows together; a silence's count, too",
        "N"),
    OPTION ("start-at", INT64, &self->start_at,
        "Packet 0 is due at NS ns of CLOCK_MONOTONIC, as generators that keep a "
        "distance have it (default: at once); where that is over, all that was "
        "due is sent at once",
        "NS"),
    OPTION ("payload-size", INT64, &self->payload_size,
        "Bytes of RTP payload, without RTP's 12 of header (default 1316)",
        "BYTES"),
    OPTION ("payload-type", INT64, &self->payload_type,
        "RTP payload type (default 33, MPEG TS)", "N"),
    OPTION ("raw-video", STRING, &raw->raw_video,
        "Payloads are of uncompressed video (RFC 4175, YCbCr-4:2:2, 8 bits), as "
        "many for each line as --rate and --fps make; a part of a line begins "
        "with the packet's index (64 bits)",
        "WIDTHxHEIGHT"),
    OPTION ("marker-every", INT64, &self->marker_every,
        "The last of every N packets of a flow has the marker bit and "
        "--marker-size",
        "N"),
    OPTION ("marker-size", INT64, &self->marker_size,
        "Bytes of RTP payload of a marker packet (default 300; with --fps that "
        "of the others)",
        "BYTES"),
    OPTION ("marker-ip-option", NONE, &self->marker_ip_option,
        "Marker packets have 4 bytes of IPv4 options (NOP, NOP, NOP, end)",
        NULL),
    OPTION ("ssrc", INT64, &self->ssrc,
        "SSRC of flow 0; flow n has this + n (default 0x52545047)", "N"),
    OPTION ("first-seq", INT64, &self->first_sequence,
        "RTP sequence number of a flow's packet 0 (default 0)", "N"),
    OPTION ("gap", STRING_ARRAY, &raw->events[RTPGEN_EVENT_GAP],
        "Leave out COUNT numbers from packet POS on; repeatable", "POS:COUNT"),
    OPTION ("duplicate", STRING_ARRAY, &raw->events[RTPGEN_EVENT_DUPLICATE],
        "Send packet POS COUNT times more, at once; repeatable", "POS:COUNT"),
    OPTION ("reorder", STRING_ARRAY, &raw->events[RTPGEN_EVENT_REORDER],
        "Send packet POS after packet POS + DISTANCE; repeatable",
        "POS:DISTANCE"),
    OPTION ("silence", STRING_ARRAY, &raw->events[RTPGEN_EVENT_SILENCE],
        "Leave out what is due in MS ms from packet POS on; repeatable",
        "POS:MS"),
    OPTION ("pause", STRING_ARRAY, &raw->events[RTPGEN_EVENT_PAUSE],
        "Stand still for MS ms in front of packet POS; repeatable", "POS:MS"),
    OPTION ("hold", STRING_ARRAY, &raw->events[RTPGEN_EVENT_HOLD],
        "Send packet POS and what is due until then MS ms later, at once; "
        "repeatable",
        "POS:MS"),
    OPTION ("script-every", INT64, &self->script_every,
        "Start the script again every N packets of a flow", "N"),
    OPTION ("batch", INT64, &self->batch,
        "Most live frames made (default 16), or messages sent by sendmmsg() "
        "(default 64), at a time; the veth's ring holds 256, and smaller is "
        "smoother",
        "N"),
    OPTION ("call-runs", INT64, &self->call_runs,
        "Make a new BPF_PROG_TEST_RUN after so many runs of the program "
        "(default and most: 3/4 of 2^32, some minutes)",
        "N"),
    OPTION ("json", NONE, &self->json, "Report as JSON on stdout", NULL),
    { NULL },
  };
#undef OPTION
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context, summary);
  g_option_context_set_description (context, description);
  g_option_context_add_main_entries (context, entries, NULL);
  rtpgen_clock_add_options (&self->clock, context);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (*argc > 1)
    return rtpgen_refuse (error,
        "%s is no option: there are no arguments besides options", (*argv)[1]);
  return TRUE;
}

RtpgenOptions *
rtpgen_options_new (gint *argc, gchar ***argv, GError **error)
{
  g_autoptr (RtpgenOptions) self = g_new0 (RtpgenOptions, 1);
  g_auto (RawOptions) raw = { .flows = 1 };

  self->cpu = -1;
  self->destinations = g_array_new (FALSE, FALSE, sizeof (RtpgenAddress));
  self->sources = g_array_new (FALSE, FALSE, sizeof (RtpgenAddress));
  self->events = g_array_new (FALSE, FALSE, sizeof (RtpgenEvent));
  self->source_port = 49152;
  self->ttl = 16;
  self->burst = 1;
  self->call_runs = CALL_RUNS;
  self->payload_size = 1316;
  self->payload_type = 33;
  self->ssrc = 0x52545047;

  if (!parse (self, &raw, argc, argv, error))
    return NULL;
  if (!self->marker_size)
    self->marker_size =
        self->clock.fps_text ? self->payload_size : SHORT_MARKER;
  if (!check_ranges (self, error) ||
      !rtpgen_clock_check (&self->clock, self->rate, error) ||
      !parse_method (self, raw.method, error) ||
      !parse_destination_mac (self, raw.destination_mac, error) ||
      !parse_destinations (self, &raw, error) ||
      !parse_video (self, raw.raw_video, error) ||
      !parse_sources (self, raw.sources, error) ||
      !parse_events (self, &raw, error) || !check_together (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
rtpgen_options_free (RtpgenOptions *self)
{
  if (!self)
    return;
  g_free (self->interface);
  rtpgen_clock_clear (&self->clock);
  g_clear_pointer (&self->destinations, g_array_unref);
  g_clear_pointer (&self->sources, g_array_unref);
  g_clear_pointer (&self->events, g_array_unref);
  g_free (self);
}
