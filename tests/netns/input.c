/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bad input: what does not belong into a stream, sent into the midst of one, and
 * settings that cannot be. */
#include <arpa/inet.h>
#include <net/ethernet.h>
#include <string.h>
#include <unistd.h>

#include "generator.h"
#include "mutations.h"
#include "network.h"
#include "packet-table.h"
#include "packet.h"
#include "payload.h"
#include "receiver.h"
#include "rtp.h"
#include "wire.h"

#define GOOD_SSRC 0x52545047 /* rtpgen's */
#define OTHER_SSRC 0x0badbeef
#define STRANGERS 64

static const gchar *const paths[] = { "", "mode=socket" };

/* A good stream, and whatever else comes with it. */
typedef struct
{
  Receiver *receiver;
  Generator *generator;
  GeneratorReport sent;
  int udp; /* on the sending host */

  gint seen; /* atomic: packets that the rest is about */

  /* The streaming thread's own, until it has seen all. */
  guint64 next;           /* index of the next good packet */
  guint n_strangers;      /* packets that are not of the good stream */
  gsize sizes[STRANGERS]; /* of the first of them */
  gchar *sums[STRANGERS]; /* MD5 of them */
  const gchar *complaint;
} Stream;

static guint32
ssrc_of (const guint8 *packet)
{
  guint32 ssrc;

  memcpy (&ssrc, packet + 8, sizeof ssrc);
  return GUINT32_FROM_BE (ssrc);
}

static gchar *
sum_of (const guint8 *data, gsize size)
{
  return g_compute_checksum_for_data (G_CHECKSUM_MD5, data, size);
}

static void
look_at (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  Stream *stream = data;
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  if (map.size < PAYLOAD_RTP_HEADER) {
    stream->complaint = "what is too short for RTP went downstream";
  } else if (ssrc_of (map.data) == GOOD_SSRC) {
    if (payload_index (map.data + PAYLOAD_RTP_HEADER,
            map.size - PAYLOAD_RTP_HEADER) != stream->next++)
      stream->complaint = "the good stream has a wrong packet";
  } else {
    if (stream->n_strangers < STRANGERS) {
      stream->sizes[stream->n_strangers] = map.size;
      stream->sums[stream->n_strangers] = sum_of (map.data, map.size);
    }
    stream->n_strangers++;
  }
  gst_buffer_unmap (buffer, &map);
  g_atomic_int_inc (&stream->seen);
}

/* The stream flows: at 10,000 packets/s, for as many of them. */
static Stream *
stream_start (const gchar *properties, const gchar *options, guint packets)
{
  Stream *stream = g_new0 (Stream, 1);
  g_autoptr (GstElement) sink = NULL;

  stream->receiver =
      receiver_new (properties, "fakesink name=sink signal-handoffs=true");
  sink = gst_bin_get_by_name (GST_BIN (stream->receiver->pipeline), "sink");
  g_signal_connect (sink, "handoff", G_CALLBACK (look_at), stream);
  receiver_play (stream->receiver);
  stream->generator =
      generator_start ("--rate=10000 --packets=%u %s", packets, options);
  stream->udp = network_sender_socket (AF_INET, SOCK_DGRAM, 0);
  receiver_wait_stat (stream->receiver, "packets", 1000);
  return stream;
}

/* Lets the stream flow on a little, so that what is sent lies between. */
static void
stream_wait (Stream *stream)
{
  receiver_wait_stat (stream->receiver, "packets",
      receiver_stat (stream->receiver, "packets") + 50);
}

/* Until all of the good stream has come, and so many others: to the element, and
 * of those to its downstream. */
static void
stream_finish (Stream *stream, guint n_not_rtp, guint n_strangers)
{
  Receiver *receiver = stream->receiver;

  stream->sent = generator_finish_exact (stream->generator);
  receiver_wait_stat (receiver, "packets", stream->sent.packets + n_strangers);
  receiver_wait_stat (receiver, "not-rtp", n_not_rtp);
  receiver_assert_stat (
      receiver, "packets", stream->sent.packets + n_strangers);
  receiver_assert_stat (receiver, "not-rtp", n_not_rtp);
  receiver_assert_none (receiver, "lost", "pending", "reordered", "duplicates",
      "malformed", "discarded");
  /* Counted is not yet gone through the sink. */
  wait_until ((guint) g_atomic_int_get (&stream->seen) ==
      stream->sent.packets + n_strangers);
  receiver_assert_no_error (receiver);
  fail_if (stream->complaint, "%s", stream->complaint);
  g_assert_cmpuint (stream->next, ==, stream->sent.packets);
  g_assert_cmpuint (stream->n_strangers, ==, n_strangers);
}

static void
stream_free (Stream *stream)
{
  receiver_free (stream->receiver);
  close (stream->udp);
  for (guint i = 0; i < STRANGERS; i++)
    g_free (stream->sums[i]);
  g_free (stream);
}

static void
send_datagram (Stream *stream, const gchar *address, guint port,
    const guint8 *data, gsize size)
{
  struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons (port) };

  inet_pton (AF_INET, address, &to.sin_addr);
  fail_unless (sendto (stream->udp, data, size, 0, (struct sockaddr *) &to,
                   sizeof to) == (gssize) size,
      "%s", g_strerror (errno));
}

/* Datagrams that are not RTP. */

#define RTP(first) first, 33, 0x12, 0x34, 0, 0, 0, 1, 0x0b, 0xad, 0xbe, 0xef

static const struct
{
  const gchar *name;
  guint size;
  guint8 bytes[24]; /* the first ones; the others are 0xff */
} not_rtp[] = {
  { "empty", 0 },
  { "a byte", 1, { 0x80 } },
  { "RTP without the last byte of its header", 11, { RTP (0x80) } },
  { "version 0", 1328, { RTP (0x00) } },
  { "version 1", 1328, { RTP (0x40) } },
  { "version 3", 1328, { RTP (0xc0) } },
  { "15 contributing sources in no room", 12, { RTP (0x8f) } },
  { "one contributing source more than there is room for", 20, { RTP (0x83) } },
  { "an extension that is not there", 12, { RTP (0x90) } },
  { "half the header of an extension", 14, { RTP (0x90), 0xbe, 0xde } },
  { "an extension longer than the packet", 20,
      { RTP (0x90), 0xbe, 0xde, 0xff, 0xff, 0, 0, 0, 0 } },
  { "more padding than packet", 20, { RTP (0xa0), 1, 1, 1, 1, 1, 1, 1, 9 } },
  { "garbage", 1400, { 0xff } },
  { "the synchronisation byte of MPEG-TS", 1316, { 0x47, 0x1f, 0xff, 0x10 } },
};

TABLE_TEST (test_not_rtp, paths)
{
  const guint rounds = 20;
  Stream *stream = stream_start (paths[__i__], "", 15000);
  guint8 data[1500];

  for (guint round = 0; round < rounds; round++) {
    for (guint i = 0; i < G_N_ELEMENTS (not_rtp); i++) {
      memset (data, 0xff, sizeof data);
      memcpy (data, not_rtp[i].bytes,
          MIN (not_rtp[i].size, sizeof not_rtp[i].bytes));
      send_datagram (stream, "239.1.1.1", 5000, data, not_rtp[i].size);
    }
    stream_wait (stream);
  }
  stream_finish (stream, rounds * G_N_ELEMENTS (not_rtp), 0);
  stream_free (stream);
}

/* Datagrams that are meant for somebody else. */

static const struct
{
  const gchar *address;
  guint port;
} elsewhere[] = {
  { "239.1.1.1", 5001 },
  { "239.1.1.1", 34835 },  /* the port in the wrong byte order */
  { "239.129.1.1", 5000 }, /* has the MAC address of the stream's group */
  { "238.1.1.1", 5000 },   /* likewise */
  { "239.1.1.2", 5000 },
  { "10.9.0.2", 5000 },
};

TABLE_TEST (test_for_somebody_else, paths)
{
  static const guint8 packet[200] = { RTP (0x80) };
  Stream *stream = stream_start (paths[__i__], "", 15000);

  for (guint round = 0; round < 20; round++) {
    for (guint i = 0; i < G_N_ELEMENTS (elsewhere); i++)
      send_datagram (stream, elsewhere[i].address, elsewhere[i].port, packet,
          sizeof packet);
    stream_wait (stream);
  }
  stream_finish (stream, 0, 0);
  stream_free (stream);
}

/* Datagrams longer than the MTU come in fragments, which the XDP program leaves
 * to the stack. */

static const guint lengths[] = { 1472, 1473, 2048, 2049, 3000, 4097, 9000,
  16384, 16385, 60000, 65507 };

TABLE_TEST (test_fragments, paths)
{
  static guint8 packet[65507] = { RTP (0x80) };
  Stream *stream = stream_start (paths[__i__], "", 10000);
  const guint n = G_N_ELEMENTS (lengths);

  for (guint i = PAYLOAD_RTP_HEADER; i < sizeof packet; i++)
    packet[i] = i * 31 >> 3;
  for (guint i = 0; i < n; i++) {
    packet[3] = i; /* the RTP number */
    send_datagram (stream, "239.1.1.1", 5000, packet, lengths[i]);
    stream_wait (stream);
  }
  stream_finish (stream, 0, n);
  for (guint i = 0; i < n; i++) {
    g_autofree gchar *sum = NULL;

    packet[3] = i;
    sum = sum_of (packet, lengths[i]);
    g_assert_cmpuint (stream->sizes[i], ==, lengths[i]);
    g_assert_cmpstr (stream->sums[i], ==, sum);
  }
  /* The first one is a whole packet. */
  receiver_assert_stat (stream->receiver, "delivered-socket",
      __i__ ? stream->sent.packets + n : n - 1);
  stream_free (stream);
}

/* Frames that no socket would send. */

/* An RTP packet. */
static const guint8 short_packet[100] = { RTP (0x80) };

static const struct
{
  guint32 tags[2];
  gboolean arrives;
} tagged[] = {
  { { 0 }, TRUE },
  { { 0x81000000 }, TRUE }, /* a priority on an untagged frame */
  { { 0x8100a000 }, TRUE },
  { { 0x8100000a }, FALSE },
  { { 0x8100afff }, FALSE },
  { { 0x88a8000a }, FALSE },
  { { 0x88a8000a, 0x8100000a }, FALSE },
  { { 0x8100000a, 0x8100000a }, FALSE },
};

TABLE_TEST (test_tags, paths)
{
  const guint rounds = 20;
  Stream *stream = stream_start (paths[__i__], "", 15000);
  int fd = wire_open ();
  guint n = 0;

  for (guint round = 0; round < rounds; round++) {
    for (guint i = 0; i < G_N_ELEMENTS (tagged); i++) {
      guint n_tags = !!tagged[i].tags[0] + !!tagged[i].tags[1];
      g_autoptr (GByteArray) frame = wire_make_frame (
          tagged[i].tags, n_tags, short_packet, sizeof short_packet);

      wire_send (fd, frame->data, frame->len);
      n += tagged[i].arrives;
    }
    stream_wait (stream);
  }
  stream_finish (stream, 0, n);
  close (fd);
  stream_free (stream);
}

/* What becomes of a frame of the table: the program redirects it to our stream,
 * or the stack drops it, since the checksums of all of them are wrong. */
static gboolean
is_for_the_stream (const PacketCase *packet, AfxdpDatagram *datagram)
{
  return packet->verdict == PACKET_REDIRECTED &&
      afxdp_packet_parse (packet->frame, packet->size, datagram) ==
      AFXDP_PACKET_UDP &&
      datagram->version == 4 &&
      !memcmp (datagram->destination, packet_table_flows[0].address, 4);
}

TABLE_TEST (test_table, paths)
{
  const guint8 *mac = packet_table_mac;
  guint n_cases, n_not_rtp = 0, n_rtp = 0;
  const PacketCase *cases = packet_table (&n_cases);
  Stream *stream;
  int fd;

  network_run ("ip link set rx0 address %02x:%02x:%02x:%02x:%02x:%02x", mac[0],
      mac[1], mac[2], mac[3], mac[4], mac[5]);
  stream = stream_start (paths[__i__], "", 25000);
  fd = wire_open ();
  for (guint i = 0; i < n_cases; i++) {
    AfxdpDatagram datagram;
    AfxdpRtp rtp;

    /* What the sender's kernel does not send. */
    if (cases[i].size < ETH_HLEN || cases[i].size > ETH_FRAME_LEN)
      continue;
    wire_send (fd, cases[i].frame, cases[i].size);
    if (!__i__ && is_for_the_stream (&cases[i], &datagram)) {
      afxdp_rtp_parse (datagram.payload, datagram.payload_size, &rtp);
      if (!afxdp_rtp_is_sound (&rtp))
        n_not_rtp++;
      else
        n_rtp++;
    }
    if (i % 20 == 0)
      stream_wait (stream);
  }
  if (!__i__)
    fail_unless (n_not_rtp >= 3 && n_rtp >= 10, "%u, %u", n_not_rtp, n_rtp);
  stream_finish (stream, n_not_rtp, n_rtp);
  close (fd);
  stream_free (stream);
}

/* All of it at once, and an application that does not read its bus. */

#define NOISE_ROUNDS 20
#define NOISE_FRAMES 60 /* hostile ones in each round */
#define NOISE_LOSSES 10

static gint n_logged; /* atomic */

static void
count_logged (GstDebugCategory *category, GstDebugLevel level,
    const gchar *file, const gchar *function, gint line, GObject *object,
    GstDebugMessage *message, gpointer data)
{
  if (g_str_equal (gst_debug_category_get_name (category), "afxdpsrc"))
    g_atomic_int_inc (&n_logged);
}

/* Of the flow of the stream, as the program sees it. */
static gboolean
is_redirected (const GByteArray *frame, AfxdpDatagram *datagram)
{
  return afxdp_packet_parse (frame->data, frame->len, datagram) ==
      AFXDP_PACKET_UDP &&
      datagram->version == 4 && datagram->destination_port == 5000 &&
      !memcmp (datagram->destination, packet_table_flows[0].address, 4) &&
      (frame->data[0] & 1 ||
          !memcmp (frame->data, packet_table_mac, PACKET_TABLE_MAC_SIZE));
}

/* Frames made from the table by what breaks parsers, but none that would be RTP of
 * the stream. Returns how many come by the program; the stack takes none, for none
 * has an IP checksum. */
static guint
send_hostile (GRand *random, guint *done, int fd)
{
  guint n = 0;

  for (guint i = 0; i < NOISE_FRAMES; i++) {
    g_autoptr (GByteArray) frame = packet_mutation (random, done);
    AfxdpDatagram datagram;
    AfxdpRtp rtp;

    if (frame->len > ETH_FRAME_LEN)
      continue;
    if (is_redirected (frame, &datagram)) {
      afxdp_rtp_parse (datagram.payload, datagram.payload_size, &rtp);
      if (afxdp_rtp_is_sound (&rtp))
        continue;
      n++;
    }
    wire_send (fd, frame->data, frame->len);
  }
  return n;
}

/* Datagrams that are not RTP, some in fragments, and some of other flows. Returns
 * how many are the stream's. */
static guint
send_garbage (Stream *stream)
{
  static const guint sizes[] = { 0, 1, 12, 100, 1472, 1473, 4000, 65507 };
  static guint8 garbage[65507];

  memset (garbage, 0xff, sizeof garbage);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    send_datagram (stream, "239.1.1.1", 5000, garbage, sizes[i]);
  for (guint i = 0; i < G_N_ELEMENTS (elsewhere); i++)
    send_datagram (
        stream, elsewhere[i].address, elsewhere[i].port, garbage, 1000);
  return G_N_ELEMENTS (sizes);
}

/* A source that loses every other packet: each is a gap. */
static guint
send_with_losses (Stream *stream, guint16 *number)
{
  guint8 packet[200] = { RTP (0x80) };

  for (guint i = 0; i < NOISE_LOSSES; i++) {
    packet[2] = *number >> 8;
    packet[3] = *number & 255;
    *number += *number ? 2 : 1;
    send_datagram (stream, "239.1.1.1", 5000, packet, sizeof packet);
  }
  return NOISE_LOSSES;
}

static guint
n_on_bus (Receiver *receiver, const gchar *name)
{
  g_autoptr (GList) kept = NULL;
  GstMessage *message;
  guint n = 0;

  while ((message = gst_bus_pop (receiver->bus))) {
    fail_if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR);
    n += gst_message_has_name (message, name);
    kept = g_list_append (kept, message);
  }
  for (GList *link = kept; link; link = link->next)
    gst_bus_post (receiver->bus, link->data);
  return n;
}

/* Nothing here reads the bus, as receiver_wait_stat() does. */
static void
wait_unread (Stream *stream, const gchar *name, guint64 value)
{
  wait_until (receiver_stat (stream->receiver, name) >= value);
}

TABLE_TEST (test_noise, paths)
{
  g_autofree gchar *properties = g_strconcat (
      paths[__i__], " gap-interval=0 stats-interval=10000000", NULL);
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  g_autofree guint *done = g_new0 (guint, packet_n_mutations ());
  const guint8 *mac = packet_table_mac;
  guint n_not_rtp = 0, n_noise = 0, n_lost;
  guint16 number = 0;
  Receiver *receiver;
  Stream *stream;
  int fd;

  network_run ("ip link set rx0 address %02x:%02x:%02x:%02x:%02x:%02x", mac[0],
      mac[1], mac[2], mac[3], mac[4], mac[5]);
  stream = stream_start (properties, "", 15000);
  receiver = stream->receiver;
  receiver_read_bus (receiver);
  gst_debug_set_threshold_for_name ("afxdpsrc", GST_LEVEL_DEBUG);
  gst_debug_add_log_function (count_logged, NULL, NULL);
  fd = wire_open ();
  for (guint round = 0; round < NOISE_ROUNDS; round++) {
    guint n = send_hostile (random, done, fd);

    n_not_rtp += __i__ ? 0 : n;
    n_not_rtp += send_garbage (stream);
    n_noise += send_with_losses (stream, &number);
    wait_unread (stream, "packets", receiver_stat (receiver, "packets") + 50);
  }
  n_lost = n_noise - 2; /* all but the first two show a gap */
  stream->sent = generator_finish_exact (stream->generator);
  wait_unread (stream, "packets", stream->sent.packets + n_noise);
  wait_unread (stream, "not-rtp", n_not_rtp);
  wait_unread (stream, "lost", n_lost);
  wait_until ((guint) g_atomic_int_get (&stream->seen) ==
      stream->sent.packets + n_noise);

  gst_debug_remove_log_function (count_logged);
  fail_unless (g_atomic_int_get (&n_logged) < 20, "%d lines of log",
      g_atomic_int_get (&n_logged));
  fail_unless (n_on_bus (receiver, "GstAfxdpSrcGap") > 0);
  fail_unless (n_on_bus (receiver, "GstAfxdpSrcGap") <= 8);
  fail_unless (n_on_bus (receiver, "GstAfxdpSrcStats") <= 8);
  fail_unless (n_on_bus (receiver, "GstAfxdpSrcMode") <= 8);
  receiver_assert_stat (receiver, "packets", stream->sent.packets + n_noise);
  receiver_assert_stat (receiver, "not-rtp", n_not_rtp);
  receiver_assert_stat (receiver, "lost", n_lost);
  /* The interface counts frames of an unknown type as dropped, and they may have
   * been the missing ones. */
  g_assert_cmpuint (receiver_stat (receiver, "lost-network") +
          receiver_stat (receiver, "lost-nic"),
      ==, n_lost);
  receiver_assert_none (receiver, "malformed", "duplicates", "reordered");
  fail_if (stream->complaint, "%s", stream->complaint);
  g_assert_cmpuint (stream->next, ==, stream->sent.packets);
  if (!__i__)
    fail_unless (n_not_rtp > NOISE_ROUNDS * 8 + 10);
  close (fd);
  stream_free (stream);
}

/* Settings that cannot be: the first error names the thing. */

static const struct
{
  const gchar *command; /* before, or NULL */
  const gchar *properties;
  const gchar *words;
} impossible[] = {
  { NULL, "multicast-iface=nosuch0", "nosuch0" },
  { NULL, "multicast-iface=nosuch0 mode=socket", "nosuch0" },
  { NULL, "multicast-iface=a-name-that-is-too-long",
      "a-name-that-is-too-long" },
  { "ip route del 224.0.0.0/4 dev rx0", "multicast-group=239.2.3.4 port=5000",
      "239.2.3.4" },
  { "ip route del 224.0.0.0/4 dev rx0",
      "multicast-group=239.2.3.4 port=5000 mode=socket", "239.2.3.4" },
  { NULL, "address=no-such-host.invalid port=5000", "no-such-host.invalid" },
  { NULL, "address=10.9.0.77 port=5000", "10.9.0.77" },
  { NULL, "address=10.9.0.77 port=5000 mode=socket", "10.9.0.77" },
  { NULL, "mode=af-xdp queue=9", "queue is 9" },
  { NULL, "mode=af-xdp zero-copy=require", "zero-copy" },
};

static void
assert_first_error (Receiver *receiver, const gchar *words)
{
  const gchar *error;

  receiver_assert_refused (receiver, GST_STATE_PLAYING);
  error = receiver_wait_error (receiver);
  fail_unless (strstr (error, words), "\"%s\"", error);
}

TABLE_TEST (test_impossible, impossible)
{
  g_autoptr (Receiver) receiver =
      receiver_new (impossible[__i__].properties, "fakesink");

  if (impossible[__i__].command)
    network_run ("%s", impossible[__i__].command);
  assert_first_error (receiver, impossible[__i__].words);
}

/* And it works as soon as the thing is mended. */
TABLE_TEST (test_port_in_use, paths)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
    .sin_port = htons (5000) };
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  Receiver *receiver = receiver_new (paths[__i__], "fakesink");

  fail_unless (!bind (fd, (struct sockaddr *) &address, sizeof address));
  assert_first_error (receiver, "5000");
  receiver_free (receiver);
  fail_if (network_has_program ());
  close (fd);
  receiver = receiver_start (paths[__i__], "fakesink");
  generator_send_exact ("--rate=10000 --packets=1000");
  receiver_wait_stat (receiver, "packets", 1000);
  receiver_free (receiver);
}

/* No error: it may come up. */
TABLE_TEST (test_interface_down, paths)
{
  g_autofree gchar *properties =
      g_strconcat (paths[__i__], " multicast-iface=rx0", NULL);
  g_autoptr (Receiver) receiver = NULL;

  network_run ("ip link set rx0 down");
  receiver = receiver_start (properties, "fakesink");
  receiver_assert_warnings (receiver, 1);
  fail_unless (strstr (receiver->warnings->pdata[0], "rx0 is down"), "%s",
      (gchar *) receiver->warnings->pdata[0]);
  fail_if (receiver->error);
  network_link_up ();
  generator_finish_lossy (
      generator_start ("--rate=1000 --packets=2000 --method=socket"));
  receiver_wait_stat (receiver, "packets", 1);
}

NETNS_SUITE ("input", network_up_with_one_queue)
