/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one table of Ethernet frames. A row says how its frame differs from a
 * good one.
 */
#include "packet-table.h"

#include <string.h>

#define OWN_MAC 0x02, 0x00, 0x5e, 0x10, 0x20, 0x30
#define PORT PACKET_TABLE_PORT
#define RTP_HEADER 12
#define DEFAULT_PAYLOAD 172 /* RTP with 20 ms of G.711 */

/* Payload that makes a frame of size, without tags. */
#define PAYLOAD_IPV4(size) ((size) -14 - 20 - 8)
#define PAYLOAD_IPV6(size) ((size) -14 - 40 - 8)

const gchar *
packet_kind_name (AfxdpPacketKind kind)
{
  static const gchar *const names[] = {
    [AFXDP_PACKET_UDP] = "UDP",
    [AFXDP_PACKET_TRUNCATED] = "truncated",
    [AFXDP_PACKET_VLAN] = "VLAN",
    [AFXDP_PACKET_NOT_IP] = "not IP",
    [AFXDP_PACKET_OPTIONS] = "IPv4 options",
    [AFXDP_PACKET_FRAGMENT] = "IPv4 fragment",
    [AFXDP_PACKET_NOT_UDP] = "not UDP",
    [AFXDP_PACKET_NO_CHECKSUM] = "IPv6 without UDP checksum",
  };

  return names[kind];
}

const guint8 packet_table_mac[PACKET_TABLE_MAC_SIZE] = { OWN_MAC };

const PacketFlow packet_table_flows[PACKET_TABLE_FLOWS] = {
  { 4, { 239, 1, 1, 1 } },
  { 4, { 192, 0, 2, 1 } },
  { 6, { 0xff, 0x15, [15] = 0x01 } },
  { 6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 0x01 } },
};

/* The good frames that rows start from: one for each flow, in that order. */
typedef enum
{
  GROUP_4,
  HOST_4,
  GROUP_6,
  HOST_6,
} Base;

static const guint8 base_macs[][PACKET_TABLE_MAC_SIZE] = {
  { 0x01, 0x00, 0x5e, 0x01, 0x01, 0x01 },
  { OWN_MAC },
  { 0x33, 0x33, 0x00, 0x00, 0x00, 0x01 },
  { OWN_MAC },
};

typedef enum
{
  LINK = 1,
  NETWORK,
  TRANSPORT,
} Layer;

/* Writes value, of 1, 2 or 4 bytes, at offset of a header. */
typedef struct
{
  Layer layer;
  guint offset;
  guint width;
  guint32 value;
} Edit;

#define MAC_FIRST_4(value) LINK, 0, 4, value
#define MAC_LAST_2(value) LINK, 4, 2, value
#define MAC_LAST(value) LINK, 5, 1, value
#define TYPE(value) LINK, 12, 2, value
#define FIRST_BYTE(value) NETWORK, 0, 1, value
#define TOTAL_LENGTH(value) NETWORK, 2, 2, value
#define FRAGMENT(value) NETWORK, 6, 2, value
#define PROTOCOL(value) NETWORK, 9, 1, value
#define DESTINATION_4(value) NETWORK, 16, 4, value
#define PAYLOAD_LENGTH(value) NETWORK, 4, 2, value
#define NEXT_HEADER(value) NETWORK, 6, 1, value
#define DESTINATION_6(value) NETWORK, 24, 4, value
#define DESTINATION_6_LAST(value) NETWORK, 39, 1, value
#define UDP_PORTS(value) TRANSPORT, 0, 4, value
#define UDP_LENGTH(value) TRANSPORT, 4, 2, value
#define UDP_CHECKSUM(value) TRANSPORT, 6, 2, value

typedef struct
{
  const gchar *name;
  Base base;
  AfxdpPacketKind kind;
  PacketVerdict verdict;
  Edit edits[3];
  guint32 tags[2];   /* protocol << 16 | priority and VLAN */
  guint options;     /* bytes between network and transport header */
  gint payload;      /* bytes of UDP payload; 0 is the default, -1 none */
  guint trailing;    /* bytes behind the packet: Ethernet's padding */
  gboolean prefixes; /* a case for each shorter frame instead */
} Row;

#define GOOD AFXDP_PACKET_UDP, PACKET_REDIRECTED
#define LONG AFXDP_PACKET_UDP, PACKET_TOO_LONG
#define ALIEN AFXDP_PACKET_UDP, PACKET_PASSED /* UDP, but not ours */
#define BAD(kind) AFXDP_PACKET_##kind, PACKET_PASSED

static const Row rows[] = {
  { "IPv4 multicast", GROUP_4, GOOD },
  { "IPv4 unicast", HOST_4, GOOD },
  { "IPv6 multicast", GROUP_6, GOOD },
  { "IPv6 unicast", HOST_6, GOOD },
  { "IPv4 without UDP checksum", GROUP_4, GOOD, { { UDP_CHECKSUM (0) } } },
  { "IPv4 with don't-fragment", GROUP_4, GOOD, { { FRAGMENT (0x4000) } } },
  { "IPv4 with the reserved bit", GROUP_4, GOOD, { { FRAGMENT (0x8000) } } },
  { "IPv4 with a traffic class", GROUP_4, GOOD, { { NETWORK, 1, 1, 0xb8 } } },
  { "IPv6 with a traffic class", GROUP_6, GOOD, { { FIRST_BYTE (0x6b) } } },

  /* MAC addresses: only the program looks at them. */
  { "IPv4 multicast to the own MAC", GROUP_4, GOOD,
      { { MAC_FIRST_4 (0x02005e10) }, { MAC_LAST_2 (0x2030) } } },
  { "broadcast MAC", GROUP_4, GOOD,
      { { MAC_FIRST_4 (0xffffffff) }, { MAC_LAST_2 (0xffff) } } },
  { "IPv4 to the MAC of another host", HOST_4, ALIEN, { { MAC_LAST (0x31) } } },
  { "IPv6 to the MAC of another host", HOST_6, ALIEN, { { MAC_LAST (0x31) } } },
  { "multicast to the MAC of another host", GROUP_4, ALIEN,
      { { MAC_FIRST_4 (0x0200aaaa) } } },
  { "MAC of zeros", HOST_4, ALIEN,
      { { MAC_FIRST_4 (0) }, { MAC_LAST_2 (0) } } },

  /* Other flows. */
  { "another port", GROUP_4, ALIEN, { { UDP_PORTS (PORT << 16 | 5001) } } },
  { "IPv6, another port", GROUP_6, ALIEN,
      { { UDP_PORTS (PORT << 16 | 5001) } } },
  { "port in the wrong byte order", GROUP_4, ALIEN,
      { { UDP_PORTS (GUINT16_SWAP_LE_BE (PORT)) } } },
  { "another group with the same MAC", GROUP_4, ALIEN,
      { { DESTINATION_4 (0xe0810101) } } },
  { "another host's address to the own MAC", HOST_4, ALIEN,
      { { DESTINATION_4 (0xc0000202) } } },
  { "IPv6, another group", GROUP_6, ALIEN, { { DESTINATION_6_LAST (2) } } },
  { "IPv6 address that begins as the IPv4 group", GROUP_6, ALIEN,
      { { DESTINATION_6 (0xef010101) }, { DESTINATION_6_LAST (0) } } },

  /* Lengths that are legal. */
  { "IPv4 padded to 60 bytes", GROUP_4, GOOD, .payload = 12, .trailing = 6 },
  { "IPv6 with padding", GROUP_6, GOOD, .payload = 12, .trailing = 7 },
  { "empty datagram", GROUP_4, GOOD, .payload = -1 },
  { "empty datagram, padded to 60 bytes", GROUP_4, GOOD, .payload = -1,
      .trailing = 18 },
  { "IPv6, empty datagram", GROUP_6, GOOD, .payload = -1 },
  { "UDP length 8 of a longer packet", GROUP_4, GOOD, { { UDP_LENGTH (8) } } },
  { "UDP length 1 less than the packet", GROUP_4, GOOD,
      { { UDP_LENGTH (179) } } },
  { "IPv6, UDP length 1 less than the packet", GROUP_6, GOOD,
      { { UDP_LENGTH (179) } } },
  { "IPv4 total length 1 less than the frame", GROUP_4, GOOD,
      { { TOTAL_LENGTH (199) }, { UDP_LENGTH (179) } } },
  { "IPv4, longest", GROUP_4, GOOD,
      .payload = PAYLOAD_IPV4 (PACKET_TABLE_LONGEST) },
  { "IPv4, too long by 1", GROUP_4, LONG,
      .payload = PAYLOAD_IPV4 (PACKET_TABLE_LONGEST + 1) },
  { "IPv4, too long by 1 of padding", GROUP_4, LONG,
      .payload = PAYLOAD_IPV4 (PACKET_TABLE_LONGEST), .trailing = 1 },
  { "IPv4, jumbo", GROUP_4, LONG, .payload = PAYLOAD_IPV4 (9014) },
  { "IPv6, longest", GROUP_6, GOOD,
      .payload = PAYLOAD_IPV6 (PACKET_TABLE_LONGEST) },
  { "IPv6, too long by 1", GROUP_6, LONG,
      .payload = PAYLOAD_IPV6 (PACKET_TABLE_LONGEST + 1) },
  { "IPv6, jumbo", GROUP_6, LONG, .payload = PAYLOAD_IPV6 (9014) },
  { "another port, jumbo", GROUP_4, ALIEN,
      { { UDP_PORTS (PORT << 16 | 5001) } }, .payload = PAYLOAD_IPV4 (9014) },

  /* Lengths that do not add up. */
  { "IPv4 total length 1 more than the frame", GROUP_4, BAD (TRUNCATED),
      { { TOTAL_LENGTH (201) } } },
  { "IPv4 total length 65535", GROUP_4, BAD (TRUNCATED),
      { { TOTAL_LENGTH (65535) } } },
  { "IPv4 total length 0", GROUP_4, BAD (TRUNCATED), { { TOTAL_LENGTH (0) } } },
  { "IPv4 total length 19", GROUP_4, BAD (TRUNCATED),
      { { TOTAL_LENGTH (19) } } },
  { "IPv4 total length 20", GROUP_4, BAD (TRUNCATED),
      { { TOTAL_LENGTH (20) } } },
  { "IPv4 total length 27", GROUP_4, BAD (TRUNCATED),
      { { TOTAL_LENGTH (27) }, { UDP_LENGTH (7) } } },
  { "IPv4 total length 1 less than UDP's end", GROUP_4, BAD (TRUNCATED),
      { { TOTAL_LENGTH (199) } } },
  { "UDP length 0", GROUP_4, BAD (TRUNCATED), { { UDP_LENGTH (0) } } },
  { "UDP length 7", GROUP_4, BAD (TRUNCATED), { { UDP_LENGTH (7) } } },
  { "UDP length 1 more than the packet", GROUP_4, BAD (TRUNCATED),
      { { UDP_LENGTH (181) } } },
  { "UDP length into the padding", GROUP_4, BAD (TRUNCATED),
      { { UDP_LENGTH (21) } }, .payload = 12, .trailing = 6 },
  { "UDP length 65535", GROUP_4, BAD (TRUNCATED), { { UDP_LENGTH (65535) } } },
  { "IPv6 payload length 0", GROUP_6, BAD (TRUNCATED),
      { { PAYLOAD_LENGTH (0) } } },
  { "IPv6 payload length 7", GROUP_6, BAD (TRUNCATED),
      { { PAYLOAD_LENGTH (7) }, { UDP_LENGTH (7) } } },
  { "IPv6 payload length 1 more than the frame", GROUP_6, BAD (TRUNCATED),
      { { PAYLOAD_LENGTH (181) } } },
  { "IPv6 payload length 1 less than UDP's", GROUP_6, BAD (TRUNCATED),
      { { PAYLOAD_LENGTH (179) } } },
  { "IPv6 payload length 65535", GROUP_6, BAD (TRUNCATED),
      { { PAYLOAD_LENGTH (65535) } } },
  { "IPv6, UDP length 0", GROUP_6, BAD (TRUNCATED), { { UDP_LENGTH (0) } } },
  { "IPv6, UDP length 7", GROUP_6, BAD (TRUNCATED), { { UDP_LENGTH (7) } } },
  { "IPv6, UDP length 1 more than the packet", GROUP_6, BAD (TRUNCATED),
      { { UDP_LENGTH (181) } } },
  { "IPv4", GROUP_4, BAD (TRUNCATED), .prefixes = TRUE },
  { "IPv6", GROUP_6, BAD (TRUNCATED), .prefixes = TRUE },
  { "IPv4 in VLAN 0", GROUP_4, BAD (TRUNCATED), .tags = { 0x8100a000 },
      .prefixes = TRUE },

  /* Headers. */
  { "IPv4 header length 0", GROUP_4, BAD (OPTIONS), { { FIRST_BYTE (0x40) } } },
  { "IPv4 header length 16", GROUP_4, BAD (OPTIONS),
      { { FIRST_BYTE (0x44) } } },
  { "IPv4 header length 24", GROUP_4, BAD (OPTIONS), { { FIRST_BYTE (0x46) } },
      .options = 4 },
  { "IPv4 header length 60", GROUP_4, BAD (OPTIONS), { { FIRST_BYTE (0x4f) } },
      .options = 40 },
  { "IPv4 header length 60 without options", GROUP_4, BAD (OPTIONS),
      { { FIRST_BYTE (0x4f) } } },
  { "IPv4, version 0", GROUP_4, BAD (NOT_IP), { { FIRST_BYTE (0x05) } } },
  { "IPv4, version 6", GROUP_4, BAD (NOT_IP), { { FIRST_BYTE (0x65) } } },
  { "IPv4, version 5", GROUP_4, BAD (NOT_IP), { { FIRST_BYTE (0x55) } } },
  { "IPv6, version 4", GROUP_6, BAD (NOT_IP), { { FIRST_BYTE (0x45) } } },
  { "IPv6, version 7", GROUP_6, BAD (NOT_IP), { { FIRST_BYTE (0x70) } } },
  { "first fragment", GROUP_4, BAD (FRAGMENT), { { FRAGMENT (0x2000) } } },
  { "middle fragment", GROUP_4, BAD (FRAGMENT), { { FRAGMENT (0x20b9) } } },
  { "last fragment", GROUP_4, BAD (FRAGMENT), { { FRAGMENT (0x00b9) } } },
  { "last fragment, lowest offset", GROUP_4, BAD (FRAGMENT),
      { { FRAGMENT (0x0001) } } },
  { "last fragment, highest offset", GROUP_4, BAD (FRAGMENT),
      { { FRAGMENT (0x1000) } } },
  { "TCP", GROUP_4, BAD (NOT_UDP), { { PROTOCOL (6) } } },
  { "IGMP", GROUP_4, BAD (NOT_UDP), { { PROTOCOL (2) } } },
  { "UDP-Lite", GROUP_4, BAD (NOT_UDP), { { PROTOCOL (136) } } },
  { "IPv6, TCP", GROUP_6, BAD (NOT_UDP), { { NEXT_HEADER (6) } } },
  { "IPv6, ICMP", GROUP_6, BAD (NOT_UDP), { { NEXT_HEADER (58) } } },
  { "IPv6, hop-by-hop options", GROUP_6, BAD (NOT_UDP), { { NEXT_HEADER (0) } },
      .options = 8 },
  { "IPv6, routing", GROUP_6, BAD (NOT_UDP), { { NEXT_HEADER (43) } },
      .options = 8 },
  { "IPv6, fragment", GROUP_6, BAD (NOT_UDP), { { NEXT_HEADER (44) } },
      .options = 8 },
  { "IPv6, destination options", GROUP_6, BAD (NOT_UDP),
      { { NEXT_HEADER (60) } }, .options = 8 },
  { "IPv6 without UDP checksum", GROUP_6, BAD (NO_CHECKSUM),
      { { UDP_CHECKSUM (0) } } },

  /* Ethernet types and tags. */
  { "priority tag", GROUP_4, GOOD, .tags = { 0x8100a000 } },
  { "priority tag, drop eligible", GROUP_4, GOOD, .tags = { 0x81001000 } },
  { "IPv6 with a priority tag", GROUP_6, GOOD, .tags = { 0x81000000 } },
  { "VLAN 10", GROUP_4, BAD (VLAN), .tags = { 0x8100000a } },
  { "VLAN 2048 with a priority", GROUP_4, BAD (VLAN), .tags = { 0x8100a800 } },
  { "IPv6, VLAN 10", GROUP_6, BAD (VLAN), .tags = { 0x8100000a } },
  { "802.1ad, VLAN 0", GROUP_4, BAD (VLAN), .tags = { 0x88a80000 } },
  { "802.1ad, VLAN 10", GROUP_4, BAD (VLAN), .tags = { 0x88a8000a } },
  { "802.1ad around a priority tag", GROUP_4, BAD (VLAN),
      .tags = { 0x88a80000, 0x81000000 } },
  { "two priority tags", GROUP_4, BAD (VLAN),
      .tags = { 0x8100a000, 0x8100a000 } },
  { "VLAN 10 in a priority tag", GROUP_4, BAD (VLAN),
      .tags = { 0x8100a000, 0x8100000a } },
  { "802.1ad in a priority tag", GROUP_4, BAD (VLAN),
      .tags = { 0x8100a000, 0x88a80000 } },
  { "ARP", GROUP_4, BAD (NOT_IP), { { TYPE (0x0806) } } },
  { "LLDP", GROUP_4, BAD (NOT_IP), { { TYPE (0x88cc) } } },
  { "802.3 length instead of a type", GROUP_4, BAD (NOT_IP),
      { { TYPE (200) } } },
  { "IPv6 under IPv4's type", GROUP_6, BAD (NOT_IP), { { TYPE (0x0800) } } },
  { "IPv4 under IPv6's type", GROUP_4, BAD (NOT_IP), { { TYPE (0x86dd) } } },
};

static void
append (GByteArray *frame, guint64 value, guint width)
{
  guint64 big = GUINT64_TO_BE (value << 8 * (8 - width));

  g_byte_array_append (frame, (const guint8 *) &big, width);
}

static void
append_bytes (GByteArray *frame, guint8 byte, guint n)
{
  while (n--)
    g_byte_array_append (frame, &byte, 1);
}

static void
append_ethernet (GByteArray *frame, const Row *row, guint version)
{
  g_byte_array_append (frame, base_macs[row->base], PACKET_TABLE_MAC_SIZE);
  append (frame, G_GUINT64_CONSTANT (0x020000000002), PACKET_TABLE_MAC_SIZE);
  for (guint i = 0; i < G_N_ELEMENTS (row->tags) && row->tags[i]; i++)
    append (frame, row->tags[i], 4);
  append (frame, version == 4 ? 0x0800 : 0x86dd, 2);
}

static void
append_ip (GByteArray *frame, const PacketFlow *flow, guint size)
{
  if (flow->version == 4) {
    append (frame, 0x4500, 2);
    append (frame, size + 20, 2);
    append (frame, 0x12340000, 4);
    append (frame, 0x4011abcd, 4);
    append (frame, 0xc0000209, 4);
    g_byte_array_append (frame, flow->address, 4);
  } else {
    append (frame, 0x60000000, 4);
    append (frame, size, 2);
    append (frame, 0x1140, 2);
    append (frame, G_GUINT64_CONSTANT (0x20010db800000000), 8);
    append (frame, 9, 8);
    g_byte_array_append (frame, flow->address, 16);
  }
}

static void
append_udp (GByteArray *frame, guint size)
{
  append (frame, 40000, 2);
  append (frame, PORT, 2);
  append (frame, size, 2);
  append (frame, 0xbeef, 2);
}

static void
append_rtp (GByteArray *frame, guint size)
{
  if (size < RTP_HEADER) {
    append_bytes (frame, 0xff, size);
    return;
  }
  append (frame, 0x80001234, 4);
  append (frame, 0x00010000, 4);
  append (frame, 0xdeadbeef, 4);
  append_bytes (frame, 0xd5, size - RTP_HEADER);
}

static GByteArray *
make_frame (const Row *row)
{
  const PacketFlow *flow = &packet_table_flows[row->base];
  GByteArray *frame = g_byte_array_new ();
  guint payload = row->payload ? MAX (row->payload, 0) : DEFAULT_PAYLOAD;
  guint start[TRANSPORT + 1];

  start[LINK] = 0;
  append_ethernet (frame, row, flow->version);
  start[NETWORK] = frame->len;
  append_ip (frame, flow, row->options + 8 + payload);
  append_bytes (frame, 1, row->options); /* of IPv4: no operation */
  start[TRANSPORT] = frame->len;
  append_udp (frame, 8 + payload);
  append_rtp (frame, payload);
  append_bytes (frame, 0, row->trailing);

  for (guint i = 0; i < G_N_ELEMENTS (row->edits); i++) {
    const Edit *edit = &row->edits[i];
    guint32 big;

    if (!edit->layer)
      break;
    big = GUINT32_TO_BE (edit->value << 8 * (4 - edit->width));
    memcpy (frame->data + start[edit->layer] + edit->offset, &big, edit->width);
  }
  return frame;
}

static void
add_case (
    GArray *cases, const Row *row, gchar *name, const guint8 *frame, gsize size)
{
  PacketCase entry = { name, g_memdup2 (frame, size), size, row->kind,
    row->verdict };

  g_array_append_val (cases, entry);
}

const PacketCase *
packet_table (guint *n_cases)
{
  static GArray *cases;

  if (!cases) {
    cases = g_array_new (FALSE, FALSE, sizeof (PacketCase));
    for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
      g_autoptr (GByteArray) frame = make_frame (&rows[i]);

      for (guint size = 0; rows[i].prefixes && size < frame->len; size++)
        add_case (cases, &rows[i],
            g_strdup_printf (
                "%s, the first %u of %u bytes", rows[i].name, size, frame->len),
            frame->data, size);
      if (!rows[i].prefixes)
        add_case (
            cases, &rows[i], g_strdup (rows[i].name), frame->data, frame->len);
    }
  }
  *n_cases = cases->len;
  return (const PacketCase *) (gpointer) cases->data;
}
