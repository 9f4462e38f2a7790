/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is RTP, what is RTCP beside it, and what is neither.
 */
#include "rtp.h"

#include <string.h>

#include "suite.h"

typedef struct
{
  const gchar *name;
  AfxdpRtpKind kind;
  guint payload_size;
  gsize size;
  guint8 bytes[40];
} RtpCase;

/* Payload type 96, number 0x1234, timestamp 0x56789abc, SSRC 0xdeadbeef. */
#define FIXED(first, second) \
  first, second, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xad, 0xbe, 0xef
#define DATA(first) FIXED (first, 96)
#define CSRC 0, 0, 0, 1
#define EXTENSION(words) 0xbe, 0xde, 0, words

static const RtpCase cases[] = {
  { "empty", AFXDP_RTP_NONE, 0, 0 },
  { "header alone", AFXDP_RTP_DATA, 0, 12, { DATA (0x80) } },
  { "1 byte short", AFXDP_RTP_NONE, 0, 11, { DATA (0x80) } },
  { "payload", AFXDP_RTP_DATA, 5, 17, { DATA (0x80), 1, 2, 3, 4, 5 } },
  { "version 0", AFXDP_RTP_NONE, 0, 12, { DATA (0x00) } },
  { "version 1", AFXDP_RTP_NONE, 0, 12, { DATA (0x40) } },
  { "version 3", AFXDP_RTP_NONE, 0, 12, { DATA (0xc0) } },
  { "MPEG transport stream", AFXDP_RTP_NONE, 0, 12, { 0x47, 0x40, 0x11 } },

  { "a CSRC", AFXDP_RTP_DATA, 2, 18, { DATA (0x81), CSRC, 1, 2 } },
  { "a CSRC, 1 byte short", AFXDP_RTP_MALFORMED, 0, 15, { DATA (0x81), CSRC } },
  { "5 CSRCs", AFXDP_RTP_DATA, 8, 40, { DATA (0x85) } },
  { "15 CSRCs", AFXDP_RTP_MALFORMED, 0, 40, { DATA (0x8f) } },

  { "empty extension", AFXDP_RTP_DATA, 1, 17,
      { DATA (0x90), EXTENSION (0), 1 } },
  { "extension", AFXDP_RTP_DATA, 1, 25, { DATA (0x90), EXTENSION (2) } },
  { "extension to the end", AFXDP_RTP_DATA, 0, 24,
      { DATA (0x90), EXTENSION (2) } },
  { "extension, 1 byte short", AFXDP_RTP_MALFORMED, 0, 23,
      { DATA (0x90), EXTENSION (2) } },
  { "extension header, 1 byte short", AFXDP_RTP_MALFORMED, 0, 15,
      { DATA (0x90), 0xbe, 0xde, 0 } },
  { "longest extension", AFXDP_RTP_MALFORMED, 0, 40,
      { DATA (0x90), 0xbe, 0xde, 0xff, 0xff } },
  { "extension behind a CSRC", AFXDP_RTP_DATA, 3, 27,
      { DATA (0x91), CSRC, EXTENSION (1) } },
  { "extension behind a CSRC, 1 byte short", AFXDP_RTP_MALFORMED, 0, 23,
      { DATA (0x91), CSRC, EXTENSION (1) } },

  { "padding", AFXDP_RTP_DATA, 1, 16, { DATA (0xa0), 9, 0, 0, 3 } },
  { "padding alone", AFXDP_RTP_DATA, 0, 16, { DATA (0xa0), 0, 0, 0, 4 } },
  { "more padding than payload", AFXDP_RTP_MALFORMED, 0, 16,
      { DATA (0xa0), 0, 0, 0, 5 } },
  { "padding 0", AFXDP_RTP_DATA, 4, 16, { DATA (0xa0), 0, 0, 0, 0 } },
  { "padding without payload", AFXDP_RTP_MALFORMED, 0, 12, { DATA (0xa0) } },
  { "padding, CSRC and extension", AFXDP_RTP_DATA, 1, 26,
      { DATA (0xb1), CSRC, EXTENSION (1), 0, 0, 0, 0, 9, 1 } },
  { "padding into the extension", AFXDP_RTP_MALFORMED, 0, 26,
      { DATA (0xb1), CSRC, EXTENSION (1), 0, 0, 0, 0, 9, 3 } },

  { "sender report", AFXDP_RTP_CONTROL, 0, 28, { FIXED (0x80, 200) } },
  { "receiver report without blocks", AFXDP_RTP_CONTROL, 0, 8,
      { FIXED (0x80, 201) } },
  { "report, 1 byte short", AFXDP_RTP_NONE, 0, 7, { FIXED (0x80, 201) } },
  { "report of version 1", AFXDP_RTP_NONE, 0, 8, { FIXED (0x40, 201) } },
  { "report with padding", AFXDP_RTP_CONTROL, 0, 12, { FIXED (0xa0, 201) } },
  { "second byte 191", AFXDP_RTP_DATA, 0, 12, { FIXED (0x80, 191) } },
  { "second byte 192", AFXDP_RTP_CONTROL, 0, 12, { FIXED (0x80, 192) } },
  { "second byte 223", AFXDP_RTP_CONTROL, 0, 12, { FIXED (0x80, 223) } },
  { "second byte 224", AFXDP_RTP_DATA, 0, 12, { FIXED (0x80, 224) } },
  { "payload type 72, no marker", AFXDP_RTP_DATA, 0, 12, { FIXED (0x80, 72) } },
};

/* Parses a copy that ends where its memory ends, for a sanitizer. */
static AfxdpRtpKind
parse_copy (const guint8 *bytes, gsize size, AfxdpRtp *rtp)
{
  guint8 *copy = g_memdup2 (bytes, size);
  AfxdpRtpKind kind = afxdp_rtp_parse (copy, size, rtp);

  fail_unless_equals_int (rtp->kind, kind);
  if (kind == AFXDP_RTP_DATA)
    fail_unless (rtp->payload_size + 12 <= size);
  g_free (copy);
  return kind;
}

TEST (test_table)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    AfxdpRtp rtp;
    AfxdpRtpKind kind = parse_copy (cases[i].bytes, cases[i].size, &rtp);

    fail_unless (kind == cases[i].kind, "%s: kind %d instead of %d",
        cases[i].name, kind, cases[i].kind);
    if (kind == AFXDP_RTP_DATA)
      fail_unless (rtp.payload_size == cases[i].payload_size,
          "%s: %u bytes of payload instead of %u", cases[i].name,
          rtp.payload_size, cases[i].payload_size);
  }
}

TEST (test_fields)
{
  static const guint8 without_marker[] = { FIXED (0x80, 96) };
  static const guint8 with_marker[] = { FIXED (0x80, 0x80 | 33) };
  AfxdpRtp rtp;

  afxdp_rtp_parse (without_marker, sizeof without_marker, &rtp);
  fail_unless_equals_int (rtp.seqnum, 0x1234);
  fail_unless_equals_int64 (rtp.timestamp, 0x56789abc);
  fail_unless_equals_int64 (rtp.ssrc, 0xdeadbeef);
  fail_unless_equals_int (rtp.payload_type, 96);
  fail_unless_equals_int (rtp.marker, FALSE);

  afxdp_rtp_parse (with_marker, sizeof with_marker, &rtp);
  fail_unless_equals_int (rtp.payload_type, 33);
  fail_unless_equals_int (rtp.marker, TRUE);
}

TEST (test_random)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (2);
  guint n[AFXDP_RTP_MALFORMED + 1] = { 0 };
  guint8 bytes[64];

  for (guint i = 0; i < 200000; i++) {
    gsize size = g_rand_int_range (random, 0, sizeof bytes + 1);
    AfxdpRtp rtp;

    for (guint j = 0; j < sizeof bytes; j++)
      bytes[j] = g_rand_int_range (random, 0, 256);
    bytes[0] = 0x80 | (bytes[0] & 0x3f);
    n[parse_copy (bytes, size, &rtp)]++;
  }
  for (guint kind = 0; kind < G_N_ELEMENTS (n); kind++)
    fail_unless (n[kind] > 1000);
}

SUITE ("rtp", 0, NULL, NULL)
