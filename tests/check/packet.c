/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The user-space parser against the packet table.
 */
#include "packet.h"

#include <string.h>

#include "mutations.h"
#include "packet-table.h"
#include "suite.h"

/* Parses a copy of a frame that ends where its memory ends, so that a
 * sanitizer sees a byte too many being read. */
static AfxdpPacketKind
parse_copy (const guint8 *frame, gsize size, guint misalignment)
{
  guint8 *copy = g_malloc (size + misalignment);
  AfxdpDatagram datagram;
  AfxdpPacketKind kind;

  if (size)
    memcpy (copy + misalignment, frame, size);
  kind = afxdp_packet_parse (copy + misalignment, size, &datagram);
  if (kind == AFXDP_PACKET_UDP) {
    fail_unless (datagram.payload >= copy + misalignment + 42);
    fail_unless (
        datagram.payload + datagram.payload_size <= copy + misalignment + size);
    fail_unless_equals_int (datagram.payload_size + 8,
        datagram.payload[-4] << 8 | datagram.payload[-3]);
  }
  g_free (copy);
  return kind;
}

TEST (test_table)
{
  guint n_cases;
  const PacketCase *cases = packet_table (&n_cases);

  fail_unless (n_cases > 100);
  for (guint i = 0; i < n_cases; i++)
    for (guint misalignment = 0; misalignment < 4; misalignment++) {
      AfxdpPacketKind kind =
          parse_copy (cases[i].frame, cases[i].size, misalignment);

      fail_unless (kind == cases[i].kind, "%s: %s instead of %s", cases[i].name,
          packet_kind_name (kind), packet_kind_name (cases[i].kind));
    }
}

/* What the program takes away from the kernel, the parser has to understand. */
TEST (test_table_is_sound)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  guint n_cases, n_kinds[AFXDP_PACKET_NO_CHECKSUM + 1] = { 0 };
  const PacketCase *cases = packet_table (&n_cases);

  for (guint i = 0; i < n_cases; i++) {
    fail_unless (g_hash_table_add (names, cases[i].name), "%s: there already",
        cases[i].name);
    fail_unless (
        cases[i].verdict == PACKET_PASSED || cases[i].kind == AFXDP_PACKET_UDP,
        "%s: belongs to a flow, and is no UDP", cases[i].name);
    n_kinds[cases[i].kind]++;
  }
  for (guint kind = 0; kind < G_N_ELEMENTS (n_kinds); kind++)
    fail_unless (n_kinds[kind] > 0, "no case of %s", packet_kind_name (kind));
}

static const PacketCase *
find_case (const gchar *name)
{
  guint n_cases;
  const PacketCase *cases = packet_table (&n_cases);

  for (guint i = 0; i < n_cases; i++)
    if (g_str_equal (cases[i].name, name))
      return &cases[i];
  fail ("no case %s", name);
  return NULL;
}

TEST (test_fields)
{
  static const struct
  {
    const gchar *name;
    guint flow;
    gsize payload;
    gsize payload_size;
  } expected[] = {
    { "IPv4 multicast", 0, 42, 172 },
    { "IPv4 unicast", 1, 42, 172 },
    { "IPv6 multicast", 2, 62, 172 },
    { "IPv6 unicast", 3, 62, 172 },
    { "priority tag", 0, 46, 172 },
    { "IPv6 with a priority tag", 2, 66, 172 },
    { "IPv4 padded to 60 bytes", 0, 42, 12 },
    { "IPv6 with padding", 2, 62, 12 },
    { "empty datagram, padded to 60 bytes", 0, 42, 0 },
    { "UDP length 1 less than the packet", 0, 42, 171 },
    { "IPv4, jumbo", 0, 42, 9014 - 42 },
  };
  static const guint8 source_4[] = { 192, 0, 2, 9 };
  static const guint8 source_6[] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 9 };

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++) {
    const PacketCase *packet = find_case (expected[i].name);
    const PacketFlow *flow = &packet_table_flows[expected[i].flow];
    guint address_size = flow->version == 4 ? 4 : 16;
    AfxdpDatagram datagram;

    fail_unless_equals_int (
        afxdp_packet_parse (packet->frame, packet->size, &datagram),
        AFXDP_PACKET_UDP);
    fail_unless_equals_int (datagram.version, flow->version);
    fail_if (memcmp (datagram.source, flow->version == 4 ? source_4 : source_6,
        address_size));
    fail_if (memcmp (datagram.destination, flow->address, address_size));
    fail_unless_equals_int (datagram.source_port, 40000);
    fail_unless_equals_int (datagram.destination_port, PACKET_TABLE_PORT);
    fail_unless_equals_int (
        datagram.payload - packet->frame, expected[i].payload);
    fail_unless_equals_int (datagram.payload_size, expected[i].payload_size);
  }
}

/* Checksums. */

/* Adds bytes to a sum of 16-bit words, the first byte of each in front, whose
 * carry goes round (RFC 768): how it is written, and slow. */
static guint16
add_slowly (guint16 sum, const guint8 *bytes, gsize size)
{
  for (gsize i = 0; i < size; i++) {
    guint32 next = sum + (i % 2 ? bytes[i] : bytes[i] << 8);

    sum = (next & 0xffff) + (next >> 16);
  }
  return sum;
}

/* What belongs into the field: of a frame that parses as datagram. */
static guint16
make_checksum (const AfxdpDatagram *datagram)
{
  gsize address_size = datagram->version == 4 ? 4 : 16;
  const guint8 *udp = datagram->payload - 8;
  guint8 rest[] = { 0, 17, udp[4], udp[5] };
  guint16 sum = 0;

  sum = add_slowly (sum, datagram->source, address_size);
  sum = add_slowly (sum, datagram->destination, address_size);
  sum = add_slowly (sum, rest, sizeof rest);
  sum = add_slowly (sum, udp, 6);
  sum = add_slowly (sum, datagram->payload, datagram->payload_size);
  sum = ~sum;
  return sum ? sum : 0xffff;
}

static gboolean
is_right (const guint8 *frame, gsize size)
{
  AfxdpDatagram datagram;

  return afxdp_packet_parse (frame, size, &datagram) == AFXDP_PACKET_UDP &&
      afxdp_packet_has_right_checksum (&datagram);
}

static void
set_checksum (guint8 *payload, guint16 checksum)
{
  payload[-2] = checksum >> 8;
  payload[-1] = checksum & 0xff;
}

/* Of every UDP frame of the table, at every alignment: right as it should be, and
 * wrong with any bit of datagram or addresses turned. */
TEST (test_checksum)
{
  guint n_cases, n_odd = 0;
  const PacketCase *cases = packet_table (&n_cases);

  for (guint i = 0; i < n_cases; i++) {
    g_autofree guint8 *copy = g_malloc (cases[i].size + 4);
    guint8 *frame = copy + i % 4;
    gsize size = cases[i].size, headers, n_bits;
    AfxdpDatagram datagram;
    guint8 *payload;

    if (cases[i].kind != AFXDP_PACKET_UDP)
      continue;
    memcpy (frame, cases[i].frame, size);
    afxdp_packet_parse (frame, size, &datagram);
    payload = frame + (datagram.payload - frame);
    headers = (datagram.version == 4 ? 2 * 4 : 2 * 16) + 8;
    n_bits = 8 * MIN (headers + datagram.payload_size, 300);
    n_odd += datagram.payload_size % 2;
    set_checksum (payload, make_checksum (&datagram));
    fail_unless (is_right (frame, size), "%s", cases[i].name);
    for (gsize bit = 0; bit < n_bits; bit++) {
      guint8 *byte = payload - headers + bit / 8;

      *byte ^= 1 << bit % 8;
      fail_if (is_right (frame, size), "%s, bit %" G_GSIZE_FORMAT,
          cases[i].name, bit);
      *byte ^= 1 << bit % 8;
    }
  }
  fail_unless (n_odd > 0);
}

/* 0 is none with IPv4, and sums that come out as 0 are sent as 0xffff. */
TEST (test_checksum_of_zero)
{
  const PacketCase *packet = find_case ("IPv4 multicast");
  g_autofree guint8 *frame = g_malloc (packet->size);
  guint8 *payload = frame + 42;
  AfxdpDatagram datagram;
  guint16 first_word;

  memcpy (frame, packet->frame, packet->size);
  set_checksum (payload, 0);
  fail_unless (is_right (frame, packet->size));
  /* Minus what they sum up to, in the first word. */
  payload[0] = payload[1] = 0;
  afxdp_packet_parse (frame, packet->size, &datagram);
  first_word = make_checksum (&datagram);
  payload[0] = first_word >> 8;
  payload[1] = first_word & 0xff;
  fail_unless_equals_int (make_checksum (&datagram), 0xffff);
  set_checksum (payload, 0xffff);
  fail_unless (is_right (frame, packet->size));
  set_checksum (payload, 1);
  fail_if (is_right (frame, packet->size));
}

/* Any frame at all: parse_copy() sees to it that nothing outside is read, with
 * a sanitizer, or pointed at. */
TEST (test_mutations)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  g_autofree guint *done = g_new0 (guint, packet_n_mutations ());
  guint n_kinds[AFXDP_PACKET_NO_CHECKSUM + 1] = { 0 };

  for (guint i = 0; i < 200000; i++) {
    g_autoptr (GByteArray) frame = packet_mutation (random, done);

    n_kinds[parse_copy (frame->data, frame->len, i % 2)]++;
  }
  for (guint kind = 0; kind < G_N_ELEMENTS (n_kinds); kind++)
    fail_unless (n_kinds[kind] > 500, "%s: only %u times",
        packet_kind_name (kind), n_kinds[kind]);
}

SUITE ("packet", 0, NULL, NULL)
