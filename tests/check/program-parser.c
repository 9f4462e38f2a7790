/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the program must do with a frame, by what the parser says of it. */
#include "program-parser.h"

#include <string.h>

#include "packet.h"
#include "program-fixture.h"
#include "rtp.h"

static gboolean
mac_is_ours (const guint8 *frame)
{
  return frame[0] & 1 ||
      !memcmp (frame, packet_table_mac, sizeof packet_table_mac);
}

/* The keys that the program could make of a frame, if it took it for UDP: of
 * either version, with a tag or without. */
static guint
guess_keys (const guint8 *frame, gsize size, struct afxdp_flow_key *keys)
{
  guint n_keys = 0;

  for (guint network = 14; network <= 18; network += 4) {
    const guint8 *ip = frame + network;

    if (size >= network + 28)
      keys[n_keys++] = make_key (4, ip + 16, ip[22] << 8 | ip[23]);
    if (size >= network + 48)
      keys[n_keys++] = make_key (6, ip + 24, ip[42] << 8 | ip[43]);
  }
  return n_keys;
}

static void
complain (
    const guint8 *frame, gsize size, const gchar *what, const gchar *parser)
{
  g_printerr ("%s; %s by the parser, MAC %s ours, %" G_GSIZE_FORMAT " bytes:\n",
      what, parser, mac_is_ours (frame) ? "is" : "is not", size);
  for (gsize i = 0; i < MIN (size, 128); i++)
    g_printerr ("%02x%c", frame[i], i % 16 == 15 ? '\n' : ' ');
  g_printerr ("\n");
}

/* One run with redirecting on for one packet more. */
static const gchar *
run_once (const guint8 *frame, gsize size, gboolean is_known, gboolean is_plain)
{
  gboolean redirected = is_known && size <= PACKET_TABLE_LONGEST;
  struct afxdp_slot expected = {
    .redirected = redirected,
    .passed = is_known && !redirected,
    .too_long = is_known && !redirected,
  };
  guint64 on_queue = queues[0].redirected;
  Result result;

  program = bpf_program__fd (
      is_plain ? skeleton->progs.afxdp_plain : skeleton->progs.afxdp_metadata);
  open_path (INDEX (0), 1);
  result = run (frame, size, 0);
  if (result.verdict != XDP_PASS && result.verdict != XDP_REDIRECT)
    return "neither redirected nor passed";
  if (redirected != (result.verdict == XDP_REDIRECT))
    return redirected ? "not redirected" : "redirected";
  if (result.metadata_size !=
      (redirected && !is_plain ? sizeof (struct afxdp_metadata) : 0))
    return "metadata of a wrong size";
  if (queues[0].redirected != on_queue + redirected)
    return "the queue counted wrongly";
  if (!counters_are (INDEX (0), &expected))
    return "a slot counted wrongly";
  return NULL;
}

/* The same frame when the credit is used up. */
static const gchar *
run_exhausted (const guint8 *frame, gsize size, gboolean is_known)
{
  gboolean fits = size <= PACKET_TABLE_LONGEST;
  struct afxdp_slot expected = {
    .passed = is_known,
    .too_long = is_known && !fits,
  };

  open_path (INDEX (0), 0);
  if (run (frame, size, 0).verdict != XDP_PASS)
    return "not passed without credit";
  if (!counters_are (INDEX (0), &expected))
    return "a slot counted wrongly without credit";
  if (slots[INDEX (0)].redirect !=
      (is_known && fits ? AFXDP_REDIRECT_EXHAUSTED : AFXDP_REDIRECT_ON))
    return "the redirect is wrong without credit";
  return NULL;
}

/* Whether what a receiver would read of the datagram lies in it. */
static gboolean
rtp_is_inside (const AfxdpDatagram *datagram)
{
  AfxdpRtp rtp;

  return afxdp_rtp_parse (datagram->payload, datagram->payload_size, &rtp) !=
      AFXDP_RTP_DATA ||
      (rtp.size == datagram->payload_size && rtp.payload_size + 12 <= rtp.size);
}

gboolean
program_agrees_with_parser (
    const guint8 *frame, gsize size, Agreement *agreement)
{
  struct afxdp_flow_key keys[4];
  AfxdpDatagram datagram;
  AfxdpPacketKind kind = afxdp_packet_parse (frame, size, &datagram);
  gboolean is_udp = kind == AFXDP_PACKET_UDP;
  gboolean is_known = is_udp && mac_is_ours (frame);
  const gchar *complaint = NULL;
  guint n_keys = 1;

  if (is_udp)
    keys[0] = make_key (
        datagram.version, datagram.destination, datagram.destination_port);
  else
    n_keys = guess_keys (frame, size, keys);
  if (is_udp && !rtp_is_inside (&datagram))
    complaint = "RTP reaches beyond its datagram";

  for (guint i = 0; i < n_keys; i++)
    set_flow (&keys[i], SLOT);
  for (guint plain = 0; plain < 2 && !complaint; plain++)
    complaint = run_once (frame, size, is_known, plain);
  if (!complaint)
    complaint = run_exhausted (frame, size, is_known);
  for (guint i = 0; i < n_keys; i++)
    remove_flow (&keys[i]);
  if (!complaint)
    /* Nobody's now. */
    complaint = run_once (frame, size, FALSE, FALSE);

  if (complaint)
    complain (frame, size, complaint, packet_kind_name (kind));
  agreement->is_udp = is_udp;
  agreement->is_redirected = is_known && size <= PACKET_TABLE_LONGEST;
  return !complaint;
}
