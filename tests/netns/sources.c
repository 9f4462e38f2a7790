/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Source-specific multicast: of two senders to one group, those that are asked
 * for. */
#include <gio/gio.h>
#include <glib/gstdio.h>

#include "generator.h"
#include "network.h"
#include "receiver.h"

/* The senders; both are addresses of the sending host. */
#define ONE "10.9.0.11"
#define OTHER "10.9.0.12"
#define ONE_6 "fd09::11"
#define OTHER_6 "fd09::12"
/* What they send is told apart by its SSRC. */
#define ONE_SSRC 11
#define OTHER_SSRC 12

#define GROUP "multicast-group=232.1.1.1 port=5000 "
#define GROUP_6 "multicast-group=ff35::1 port=5000 multicast-iface=rx0 "
#define TO_GROUP "--destination=232.1.1.1:5000 "
#define TO_GROUP_6 "--destination=[ff35::1]:5000 "

typedef struct
{
  Generator *one, *other;
} Senders;

/* Both send as many, from one processor: one as the wire's own frames, the other
 * through its host's stack. options are of both. */
static Senders
senders_start (const gchar *options, gboolean ipv6)
{
  const gchar *to = ipv6 ? TO_GROUP_6 : TO_GROUP;

  return (Senders){
    .other = generator_start ("%s --source=%s --ssrc=%u --method=socket "
                              "--burst=20 %s",
        to, ipv6 ? OTHER_6 : OTHER, OTHER_SSRC, options),
    .one = generator_start ("%s --source=%s --ssrc=%u %s", to,
        ipv6 ? ONE_6 : ONE, ONE_SSRC, options),
  };
}

typedef struct
{
  GeneratorReport one, other;
} Sent;

static Sent
senders_finish (Senders senders)
{
  return (Sent){
    .one = generator_finish (senders.one),
    .other = generator_finish (senders.other),
  };
}

/* How many packets of ssrc the element has had. */
static guint64
received_of (Receiver *receiver, guint ssrc)
{
  g_autoptr (GstStructure) stats = receiver_stats (receiver);
  const GValue *sources = gst_structure_get_value (stats, "sources");

  for (guint i = 0; i < gst_value_array_get_size (sources); i++) {
    const GstStructure *source =
        g_value_get_boxed (gst_value_array_get_value (sources, i));
    guint64 packets = 0;
    guint is = 0;

    gst_structure_get (source, "ssrc", G_TYPE_UINT, &is, "packets-received",
        G_TYPE_UINT64, &packets, NULL);
    if (is == ssrc)
      return packets;
  }
  return 0;
}

/* All of the one sender has come, and nothing of the other. Both senders count
 * what the wire lost of either. */
static void
assert_only (Receiver *receiver, guint ssrc, const GeneratorReport *wanted)
{
  guint other = ssrc == ONE_SSRC ? OTHER_SSRC : ONE_SSRC;

  receiver_wait_stat (receiver, "packets", wanted->packets);
  fail_unless (
      received_of (receiver, ssrc) == receiver_stat (receiver, "packets"), "%s",
      receiver_describe (receiver));
  fail_unless (
      receiver_stat (receiver, "packets") <= wanted->packets + wanted->dropped);
  fail_unless (received_of (receiver, other) == 0);
  fail_unless (receiver_stat (receiver, "lost") <= wanted->dropped);
  receiver_assert_none (receiver, "duplicates", "not-rtp");
  receiver_assert_no_error (receiver);
}

/* The kernel's filters of rx0, as /proc/net/mcfilter tells them. */
static gboolean
kernel_filters (const gchar *table, const gchar *group, const gchar *source,
    const gchar *included_excluded)
{
  g_autofree gchar *name = g_strconcat ("/proc/thread-self/net/", table, NULL);
  g_autofree gchar *text = NULL;
  g_autofree gchar *pattern =
      g_strdup_printf ("rx0 +%s +%s +%s\n", group, source, included_excluded);

  fail_unless (g_file_get_contents (name, &text, NULL, NULL));
  return g_regex_match_simple (pattern, text, 0, 0);
}

#define MCFILTER(source, counts) "mcfilter", "0xe8010101", source, counts
#define MCFILTER_6(source, counts) \
  "mcfilter6", "ff350000000000000000000000000001", source, counts
#define ONE_HEX "0x0a09000b"
#define OTHER_HEX "0x0a09000c"
#define ONE_6_HEX "fd090000000000000000000000000011"
#define INCLUDED "1 +0"
#define EXCLUDED "0 +1"

static const struct
{
  const gchar *properties;
  const gchar *mode, *column;
} paths[] = {
  { "", "af-xdp", "delivered-xdp" },
  { "mode=socket", "socket", "delivered-socket" },
  { "xdp-mode=generic", "af-xdp", "delivered-xdp" },
};

static Receiver *
play (const gchar *group, const gchar *source, guint path)
{
  g_autofree gchar *properties = g_strdup_printf (
      "%s multicast-source=%s %s", group, source, paths[path].properties);
  Receiver *receiver = receiver_new (properties, "fakesink");

  receiver_play_by (receiver, paths[path].mode);
  return receiver;
}

/* All of the one sender has come by this path, without a change. */
static void
assert_only_by (
    Receiver *receiver, guint path, guint ssrc, const GeneratorReport *wanted)
{
  assert_only (receiver, ssrc, wanted);
  receiver_assert_stat (
      receiver, paths[path].column, receiver_stat (receiver, "packets"));
  receiver_assert_stat (receiver, "malformed", 0);
  fail_unless_equals_int (receiver->modes->len, 1);
}

static const struct
{
  const gchar *group, *source;
  const gchar *table, *group_hex, *source_hex, *counts; /* of the filter */
  guint ssrc;
} filters[] = {
  { GROUP, "+" ONE, MCFILTER (ONE_HEX, INCLUDED), ONE_SSRC },
  { GROUP, "-" ONE, MCFILTER (ONE_HEX, EXCLUDED), OTHER_SSRC },
  { GROUP_6, "+" ONE_6, MCFILTER_6 (ONE_6_HEX, INCLUDED), ONE_SSRC },
  { GROUP_6, "-" ONE_6, MCFILTER_6 (ONE_6_HEX, EXCLUDED), OTHER_SSRC },
};

LOOP_TEST (test_filter, G_N_ELEMENTS (filters) * G_N_ELEMENTS (paths))
{
  const guint path = __i__ % G_N_ELEMENTS (paths);
  const gboolean ipv6 = __i__ / G_N_ELEMENTS (paths) >= 2;
  typeof (&filters[0]) filter = &filters[__i__ / G_N_ELEMENTS (paths)];
  Receiver *receiver = play (filter->group, filter->source, path);
  Sent sent;

  fail_unless (kernel_filters (
      filter->table, filter->group_hex, filter->source_hex, filter->counts));
  sent = senders_finish (senders_start ("--rate=20000 --packets=40000", ipv6));
  assert_only_by (receiver, path, filter->ssrc,
      filter->ssrc == ONE_SSRC ? &sent.one : &sent.other);
  receiver_free (receiver);
  fail_if (kernel_filters (
      filter->table, filter->group_hex, filter->source_hex, filter->counts));
}

/* As an SDP file says, with its lines c= and a=source-filter. */
TABLE_TEST (test_include_of_sdp, paths)
{
  g_autofree gchar *directory = g_dir_make_tmp ("afxdp-sources-XXXXXX", NULL);
  g_autofree gchar *location = g_build_filename (directory, "one.sdp", NULL);
  g_autofree gchar *properties =
      g_strdup_printf ("sdp-location=%s %s", location, paths[__i__].properties);
  Receiver *receiver;
  Sent sent;

  fail_unless (g_file_set_contents (location,
      "v=0\no=- 1 1 IN IP4 " ONE "\ns=-\nc=IN IP4 232.1.1.1/16\nt=0 0\n"
      "a=source-filter: incl IN IP4 232.1.1.1 " ONE "\n"
      "m=video 5000 RTP/AVP 33\n",
      -1, NULL));
  receiver = receiver_start_by (properties, "fakesink", paths[__i__].mode);
  fail_unless (kernel_filters (MCFILTER (ONE_HEX, INCLUDED)));
  sent = senders_finish (senders_start ("--rate=20000 --packets=20000", FALSE));
  assert_only_by (receiver, __i__, ONE_SSRC, &sent.one);
  receiver_free (receiver);
  g_remove (location);
  g_rmdir (directory);
}

LOOP_TEST (test_include_two, 2)
{
  g_autoptr (Receiver) receiver = play (GROUP, "+" ONE "+" OTHER, __i__);
  Senders senders;
  Sent sent;

  fail_unless (kernel_filters (MCFILTER (ONE_HEX, INCLUDED)));
  fail_unless (kernel_filters (MCFILTER (OTHER_HEX, INCLUDED)));
  senders = senders_start ("--rate=10000 --packets=10000", FALSE);
  sent = senders_finish (senders);
  /* Each counts what the wire lost of both. */
  receiver_wait_stat (
      receiver, "packets", sent.one.packets + sent.other.packets);
  fail_unless (received_of (receiver, ONE_SSRC) >= sent.one.packets);
  fail_unless (received_of (receiver, OTHER_SSRC) >= sent.other.packets);
  receiver_assert_stat (receiver, "malformed", 0);
  receiver_assert_stat (
      receiver, paths[__i__].column, receiver_stat (receiver, "packets"));
}

LOOP_TEST (test_uri, 3)
{
  static const gchar *const uris[] = {
    "afxdp://232.1.1.1:5000?multicast-source=+" ONE,
    "afxdp://232.1.1.1:5000?multicast-source=%2B" ONE,
    "udp://232.1.1.1:5000?multicast-source=-" OTHER,
  };
  g_autofree gchar *properties = g_strdup_printf ("uri=\"%s\"", uris[__i__]);
  g_autoptr (Receiver) receiver =
      receiver_start_by (properties, "fakesink", "af-xdp");
  Sent sent =
      senders_finish (senders_start ("--rate=10000 --packets=5000", FALSE));

  assert_only (receiver, ONE_SSRC, &sent.one);
}

/* It begins in the midst of both: between bind and join, and between a join and
 * what it excludes, the kernel's filter is not complete. Somebody else on this
 * host has joined for all. */
TEST (test_started_among_strangers)
{
  static const gchar *const sources[] = { "+" ONE, "-" OTHER };
  g_autoptr (Receiver) all = receiver_start (GROUP "mode=socket", "fakesink");
  Senders senders = senders_start ("--rate=20000", FALSE);

  receiver_wait_stat (all, "packets", 1000);
  for (guint i = 0; i < 10; i++) {
    Receiver *receiver = play (GROUP, sources[i % 2], 1);

    receiver_wait_stat (receiver, "packets", 500);
    fail_unless (received_of (receiver, ONE_SSRC) >= 500);
    fail_unless (received_of (receiver, OTHER_SSRC) == 0);
    receiver_free (receiver);
  }
  generator_stop_lossy (senders.one);
  generator_stop_lossy (senders.other);
  fail_unless (received_of (all, OTHER_SSRC) > 1000);
}

/* The same through AF_XDP. Another stream keeps the program, so that the slot
 * changes hands between different sources; of an earlier one's nothing is left
 * behind, which would be redirected and then dropped. */
TEST (test_changed_sources)
{
  static const struct
  {
    const gchar *sources;
    guint ssrc;
  } turns[] = { { "+" ONE, ONE_SSRC }, { "+" OTHER, OTHER_SSRC },
    { "-" ONE, OTHER_SSRC }, { "-" OTHER, ONE_SSRC } };
  Receiver *keeper =
      receiver_new ("multicast-group=232.1.1.2 port=5000", "fakesink");
  Receiver *receiver = receiver_new (GROUP, "fakesink");
  Senders senders;

  receiver_play (keeper);
  senders = senders_start ("--rate=20000", FALSE);

  for (guint i = 0; i < 2 * G_N_ELEMENTS (turns); i++) {
    guint turn = i % G_N_ELEMENTS (turns);
    guint other = ONE_SSRC + OTHER_SSRC - turns[turn].ssrc;

    g_object_set (receiver->src, "multicast-source", turns[turn].sources, NULL);
    receiver_play (receiver);
    receiver_wait_stat (receiver, "delivered-xdp", 500);
    fail_unless (received_of (receiver, turns[turn].ssrc) >= 500);
    fail_unless (received_of (receiver, other) == 0);
    /* Excluded ones may slip in between two calls of the join. */
    if (*turns[turn].sources == '+')
      receiver_assert_stat (receiver, "malformed", 0);
    receiver_set_state (receiver, GST_STATE_NULL);
  }
  receiver_free (receiver);
  receiver_free (keeper);
  generator_stop_lossy (senders.one);
  generator_stop_lossy (senders.other);
}

/* A packet goes to one AF_XDP socket, and which stream's it is is decided by
 * group and port: two get theirs by their sockets. */
TEST (test_two_takers)
{
  g_autoptr (Receiver) one = play (GROUP, "+" ONE, 0);
  Receiver *other = receiver_start_by (
      GROUP "multicast-source=+" OTHER, "fakesink", "socket");
  guint64 before;
  Sent sent;

  receiver_assert_reason (other, 0, "Another afxdpsrc");
  receiver_assert_reason (one, 1, "Another afxdpsrc");
  receiver_assert_mode (one, 1, "socket");
  sent = senders_finish (senders_start ("--rate=10000 --packets=5000", FALSE));
  assert_only (one, ONE_SSRC, &sent.one);
  assert_only (other, OTHER_SSRC, &sent.other);
  receiver_assert_stat (one, "delivered-xdp", 0);
  receiver_assert_stat (other, "delivered-xdp", 0);
  receiver_assert_stat (one, "malformed", 0);
  receiver_assert_stat (other, "malformed", 0);

  receiver_free (other);
  receiver_assert_mode (one, 2, "af-xdp");
  before = receiver_stat (one, "packets");
  sent = senders_finish (senders_start ("--rate=10000 --packets=5000", FALSE));
  receiver_wait_stat (one, "delivered-xdp", sent.one.packets);
  receiver_wait_stat (one, "packets", before + sent.one.packets);
  fail_unless (received_of (one, OTHER_SSRC) == 0);
}

/* Somebody who has joined the group from all sources, so that it reaches the
 * sockets of this host that have joined nothing. */
static GSocket *
join_for_all (void)
{
  g_autoptr (GInetAddress) group = g_inet_address_new_from_string ("232.1.1.1");
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM,
      G_SOCKET_PROTOCOL_UDP, NULL);

  fail_unless (
      g_socket_join_multicast_group (socket, group, FALSE, "rx0", NULL));
  return socket;
}

/* With nothing joined the filter holds all the same. */
LOOP_TEST (test_not_joined, 2)
{
  g_autoptr (GSocket) socket = join_for_all ();
  g_autoptr (Receiver) receiver =
      play (GROUP "auto-multicast=false", "+" ONE, __i__);
  Sent sent;

  fail_if (kernel_filters (MCFILTER (ONE_HEX, INCLUDED)));
  sent = senders_finish (senders_start ("--rate=10000 --packets=10000", FALSE));
  assert_only (receiver, ONE_SSRC, &sent.one);
  receiver_wait_stat (receiver, "malformed", sent.other.packets);
  fail_unless (receiver_stat (receiver, "malformed") <=
      sent.other.packets + sent.other.dropped);
  receiver_assert_stat (
      receiver, paths[__i__].column, receiver_stat (receiver, "packets"));
  receiver_read_bus (receiver);
  fail_unless_equals_int (receiver->modes->len, 1);
}

/* Numbers of sources that there is no room for. */

static gchar *
list_sources (gchar sign, guint n)
{
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (list, "%c10.9.%u.%u", sign, 1 + (i >> 8), i & 0xff);
  return g_string_free (list, FALSE);
}

/* More than the kernel takes: an error that names the sysctl, which helps. */
LOOP_TEST (test_more_than_the_kernel_takes, 2)
{
  g_autofree gchar *list = list_sources ("+-"[__i__], 11);
  g_autoptr (Receiver) receiver = receiver_new (GROUP, "fakesink");

  network_run ("sysctl -q -w net.ipv4.igmp_max_msf=10");
  g_object_set (receiver->src, "multicast-source", list, NULL);
  receiver_assert_refused (receiver, GST_STATE_PLAYING);
  fail_unless (strstr (receiver_wait_error (receiver), "net.ipv4.igmp_max_msf"),
      "%s", receiver->error);
  fail_if (network_has_program ());
  g_clear_pointer (&receiver->error, g_free);
  network_run ("sysctl -q -w net.ipv4.igmp_max_msf=11");
  receiver_play (receiver);
  /* The kernel releases the queue of the first attempt when it likes. */
  receiver_wait_mode (receiver, 0, "af-xdp");
}

/* More than the XDP program has room for: by the socket, and the reason says so;
 * other streams lose nothing. */
TEST (test_more_than_the_program_takes)
{
  g_autofree gchar *most = list_sources ('+', 2047);
  g_autofree gchar *list = g_strconcat (most, "+" ONE "+10.9.0.99", NULL);
  g_autoptr (GSocket) socket = join_for_all ();
  g_autoptr (Receiver) receiver =
      receiver_new (GROUP "auto-multicast=false", "fakesink");
  g_autoptr (Receiver) modest = NULL;
  Sent sent;

  g_object_set (receiver->src, "multicast-source", list, NULL);
  receiver_play_by (receiver, "socket");
  receiver_assert_reason (receiver, 0, "at most 2048 for all streams");
  sent = senders_finish (senders_start ("--rate=10000 --packets=5000", FALSE));
  assert_only (receiver, ONE_SSRC, &sent.one);
  modest = receiver_start_by (
      "multicast-group=232.1.1.2 port=5000 multicast-source=+" ONE, "fakesink",
      "af-xdp");
}

static void
up (void)
{
  network_up (1);
  network_run_on_sender ("ip addr add " ONE "/24 dev tx0 && "
                         "ip addr add " OTHER "/24 dev tx0 && "
                         "ip addr add " ONE_6 "/64 dev tx0 nodad && "
                         "ip addr add " OTHER_6 "/64 dev tx0 nodad");
}

NETNS_SUITE ("sources", up)
