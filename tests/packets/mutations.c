/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes of frames. Each takes a frame for what it looks like, and the one
 * before may have made something else of it: that is meant.
 */
#include "mutations.h"

#include <string.h>

#include "packet-table.h"

#define MOST_CHANGES 3
#define HEADERS 80 /* bytes in which all headers lie */

#define LINK_SIZE 14
#define MACS_SIZE 12
#define IPV4_SIZE 20
#define IPV6_SIZE 40
#define UDP_SIZE 8

static guint
below (GRand *random, guint n)
{
  return g_rand_int_range (random, 0, n);
}

/* Nothing outside of the frame. */
static void
put (GByteArray *frame, guint offset, guint width, guint32 value)
{
  guint32 big = GUINT32_TO_BE (value << 8 * (4 - width));

  if (offset + width <= frame->len)
    memcpy (frame->data + offset, &big, width);
}

static guint8
get (const GByteArray *frame, guint offset)
{
  return offset < frame->len ? frame->data[offset] : 0;
}

/* Bytes of n at offset, to be written by the caller. */
static guint8 *
insert (GByteArray *frame, guint offset, guint n)
{
  guint rest = frame->len - offset;

  g_byte_array_set_size (frame, frame->len + n);
  memmove (frame->data + offset + n, frame->data + offset, rest);
  memset (frame->data + offset, 0, n);
  return frame->data + offset;
}

/* Where the network layer seems to begin, and what it seems to be. */
static guint
network (const GByteArray *frame)
{
  return get (frame, MACS_SIZE) == 0x81 ? LINK_SIZE + 4 : LINK_SIZE;
}

static gboolean
is_ipv6 (const GByteArray *frame)
{
  return get (frame, network (frame)) >> 4 == 6;
}

static guint
transport (const GByteArray *frame)
{
  return network (frame) + (is_ipv6 (frame) ? IPV6_SIZE : IPV4_SIZE);
}

static void
change_bytes (GByteArray *frame, GRand *random)
{
  for (guint n = below (random, 4) + 1; n; n--) {
    guint8 *byte = &frame->data[below (random, MIN (frame->len, HEADERS))];

    /* Single bits and small steps more often than any byte. */
    switch (below (random, 3)) {
      case 0:
        *byte ^= 1 << below (random, 8);
        break;
      case 1:
        *byte += g_rand_int_range (random, -2, 3);
        break;
      default:
        *byte = below (random, 256);
        break;
    }
  }
}

/* A length that is a little wrong, very wrong, or what another would be. */
static void
lie_about_length (GByteArray *frame, GRand *random)
{
  static const guint lies[] = { 0, 1, 7, 8, 9, 19, 20, 27, 28, 29, 40, 47, 48,
    255, 256, 1500, 32767, 32768, 65528, 65534, 65535 };
  guint udp = transport (frame);
  guint value = below (random, 2)
      ? lies[below (random, G_N_ELEMENTS (lies))]
      : frame->len - udp + g_rand_int_range (random, -30, 30);

  if (below (random, 2))
    put (frame, udp + 4, 2, value);
  else
    put (frame, network (frame) + (is_ipv6 (frame) ? 4 : 2), 2, value);
}

static void
change_size (GByteArray *frame, GRand *random)
{
  if (below (random, 2))
    g_byte_array_set_size (frame,
        g_rand_int_range (random, PACKET_MUTATION_SHORTEST, frame->len + 1));
  else
    insert (frame, frame->len, below (random, 100));
}

/* A jumbo frame, mostly with lengths that say so. */
static void
make_jumbo (GByteArray *frame, GRand *random)
{
  guint udp = transport (frame);
  guint size = g_rand_int_range (random, 1500, 9019);
  gboolean ipv6 = is_ipv6 (frame);

  if (udp + UDP_SIZE > frame->len || frame->len >= size)
    return;
  insert (frame, frame->len, size - frame->len);
  put (frame, udp + 4, 2, size - udp);
  if (below (random, 4))
    put (frame, network (frame) + (ipv6 ? 4 : 2), 2,
        size - udp + (ipv6 ? 0 : IPV4_SIZE));
}

static void
add_tags (GByteArray *frame, GRand *random)
{
  static const guint16 protocols[] = { 0x8100, 0x8100, 0x88a8, 0x9100 };
  static const guint16 tags[] = { 0, 0xa000, 0x1000, 1, 10, 0x0fff, 0xa00a };

  for (guint n = below (random, 3) + 1; n; n--) {
    insert (frame, MACS_SIZE, 4);
    put (frame, MACS_SIZE, 2,
        protocols[below (random, G_N_ELEMENTS (protocols))]);
    put (frame, MACS_SIZE + 2, 2, tags[below (random, G_N_ELEMENTS (tags))]);
  }
}

/* IPv6 extension headers, or IPv4 options, as many as may be; their lengths
 * are right half of the time. */
static void
add_between (GByteArray *frame, GRand *random)
{
  static const guint8 headers[] = { 0, 43, 44, 50, 51, 59, 60, 135, 17 };
  guint ip = network (frame), udp = transport (frame), n, next = 17;

  if (udp > frame->len)
    return;
  if (!is_ipv6 (frame)) {
    n = below (random, 11);
    memset (insert (frame, udp, 4 * n), 1, 4 * n);
    put (frame, ip, 1, 0x45 + (below (random, 2) ? n : below (random, 11)));
    return;
  }
  for (n = below (random, 4) + 1; n; n--) {
    guint words = below (random, 3);

    insert (frame, udp, 8 * (words + 1));
    put (frame, udp, 1, next);
    put (frame, udp + 1, 1, below (random, 2) ? words : below (random, 256));
    next = headers[below (random, G_N_ELEMENTS (headers))];
  }
  put (frame, ip + 6, 1, next);
  if (below (random, 2))
    put (frame, ip + 4, 2, frame->len - udp);
}

static void
make_fragment (GByteArray *frame, GRand *random)
{
  static const guint16 fields[] = { 0x2000, 0x20b9, 0x00b9, 1, 0x1fff, 0x3fff,
    0x4000, 0x8000, 0xe000, 0x6000 };

  put (frame, network (frame) + 6, 2,
      fields[below (random, G_N_ELEMENTS (fields))]);
}

/* Another group on the right port, or the right group on another. */
static void
change_flow (GByteArray *frame, GRand *random)
{
  guint ip = network (frame);
  gboolean ipv6 = is_ipv6 (frame);

  switch (below (random, 3)) {
    case 0:
      put (frame, transport (frame) + 2, 2, below (random, 65536));
      break;
    case 1:
      put (frame, ip + (ipv6 ? 39 : 19), 1, below (random, 256));
      break;
    default:
      put (frame, ip + (ipv6 ? 24 : 16), 4, g_rand_int (random));
      break;
  }
}

/* RTP that says of itself what cannot be. */
static void
lie_about_rtp (GByteArray *frame, GRand *random)
{
  guint rtp = transport (frame) + UDP_SIZE;

  put (frame, rtp, 1, 0x80 | below (random, 64));
  put (frame, rtp + 12 + 4 * below (random, 16) + 2, 2, below (random, 65536));
  if (below (random, 2))
    put (frame, frame->len - 1, 1, below (random, 256));
}

static void
change_type (GByteArray *frame, GRand *random)
{
  static const guint16 types[] = { 0x0800, 0x86dd, 0x8100, 0x88a8, 0x0806, 200,
    0, 0xffff, 0x0008 };

  put (frame, network (frame) - 2, 2,
      types[below (random, G_N_ELEMENTS (types))]);
}

static void
swap_mac (GByteArray *frame, GRand *random)
{
  if (below (random, 2))
    memcpy (frame->data, packet_table_mac, PACKET_TABLE_MAC_SIZE);
  put (frame, below (random, PACKET_TABLE_MAC_SIZE), 1, below (random, 256));
}

static const struct
{
  const gchar *name;
  void (*change) (GByteArray *frame, GRand *random);
} mutations[] = {
  { "any bytes", change_bytes },
  { "a length that lies", lie_about_length },
  { "cut off, or padded", change_size },
  { "jumbo", make_jumbo },
  { "tags", add_tags },
  { "extension headers or options", add_between },
  { "fragment", make_fragment },
  { "another flow", change_flow },
  { "RTP that lies", lie_about_rtp },
  { "another EtherType", change_type },
  { "another MAC", swap_mac },
};

guint
packet_n_mutations (void)
{
  return G_N_ELEMENTS (mutations);
}

const gchar *
packet_mutation_name (guint kind)
{
  return mutations[kind].name;
}

GByteArray *
packet_mutation (GRand *random, guint *done)
{
  GByteArray *frame = g_byte_array_new ();
  guint n_cases;
  const PacketCase *cases = packet_table (&n_cases);
  const PacketCase *from;

  /* Most of the table are frames cut short, and show little when changed. */
  do
    from = &cases[below (random, n_cases)];
  while (from->size < PACKET_MUTATION_SHORTEST ||
      (from->kind == AFXDP_PACKET_TRUNCATED && below (random, 16)));
  g_byte_array_append (frame, from->frame, from->size);

  for (guint n = below (random, MOST_CHANGES + 1); n; n--) {
    guint kind = below (random, G_N_ELEMENTS (mutations));

    mutations[kind].change (frame, random);
    done[kind]++;
  }
  if (frame->len > PACKET_MUTATION_LARGEST)
    g_byte_array_set_size (frame, PACKET_MUTATION_LARGEST);
  return frame;
}
