/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of Ethernet frames that the user-space parser, the XDP program and
 * the fuzzers are tried with, and what becomes of each.
 *
 * It is made at the first call of packet_table() and lives for ever; not
 * thread-safe. Checksums in the frames are made up: neither the parser nor the
 * program looks at them, but for the 0 that says there is none.
 */
#pragma once

#include <glib.h>

#include "packet.h"

G_BEGIN_DECLS

/* The interface, and the packet flows, that the verdicts are meant for. */
#define PACKET_TABLE_MAC_SIZE 6
#define PACKET_TABLE_PORT 5000
#define PACKET_TABLE_LONGEST 1792 /* 2048, less AFXDP_HEADROOM */

typedef struct
{
  guint version;      /* 4 or 6 */
  guint8 address[16]; /* network order; IPv4 in the first 4, the rest 0 */
} PacketFlow;

/* "truncated", "IPv4 options", ... */
const gchar *packet_kind_name (AfxdpPacketKind kind);

extern const guint8 packet_table_mac[PACKET_TABLE_MAC_SIZE];

/* A multicast group and a unicast address of each version, all of them with
 * PACKET_TABLE_PORT. */
#define PACKET_TABLE_FLOWS 4
extern const PacketFlow packet_table_flows[PACKET_TABLE_FLOWS];

typedef enum
{
  PACKET_PASSED,   /* belongs to none of the flows, or is not sure to */
  PACKET_TOO_LONG, /* belongs to one, and is passed for its length */
  PACKET_REDIRECTED,
} PacketVerdict;

typedef struct
{
  gchar *name; /* a sentence's worth, unique */
  guint8 *frame;
  gsize size;
  AfxdpPacketKind kind;  /* what the parser says */
  PacketVerdict verdict; /* what the program does, path open and credit left */
} PacketCase;

/* Returns the table and its length. */
const PacketCase *packet_table (guint *n_cases);

G_END_DECLS
