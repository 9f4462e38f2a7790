/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * seeds DIRECTORY: writes what the fuzzers begin with into its subdirectories
 * frames, datagrams, scripts, daemons, sessions and uris: the frames of the packet table, the
 * payloads of its datagrams, scripts of what streams go through and of what a daemon does, the SDP files of
 * tests/sdp, and URIs.
 */
#include <stdlib.h>
#include <string.h>

#include "packet-table.h"

static void
write_seed (const gchar *directory, const gchar *kind, guint number,
    const guint8 *bytes, gsize size)
{
  g_autofree gchar *parent = g_build_filename (directory, kind, NULL);
  g_autofree gchar *name = g_strdup_printf ("%s/%04u", parent, number);
  g_autoptr (GError) error = NULL;

  g_mkdir_with_parents (parent, 0777);
  if (!g_file_set_contents (name, (const gchar *) bytes, size, &error)) {
    g_printerr ("seeds: %s\n", error->message);
    exit (EXIT_FAILURE);
  }
}

static void
write_frames (const gchar *directory)
{
  guint n_cases;
  const PacketCase *cases = packet_table (&n_cases);

  for (guint i = 0; i < n_cases; i++) {
    AfxdpDatagram datagram;

    write_seed (directory, "frames", i, cases[i].frame, cases[i].size);
    if (afxdp_packet_parse (cases[i].frame, cases[i].size, &datagram) ==
        AFXDP_PACKET_UDP)
      write_seed (
          directory, "datagrams", i, datagram.payload, datagram.payload_size);
  }
}

/* RTP with each combination of padding, extension and CSRCs. */
static void
write_datagrams (const gchar *directory)
{
  for (guint first = 0x80; first < 0xc0; first++) {
    guint8 bytes[100] = { first, 96, 0x12, 0x34, [11] = 7, [99] = 3 };
    guint extension = 12 + 4 * (first & 15);

    bytes[extension] = 0xbe;
    bytes[extension + 1] = 0xde;
    bytes[extension + 3] = 2;
    write_seed (directory, "datagrams", 10000 + first, bytes, sizeof bytes);
  }
}

/* A byte for the deed, its operands, and one for what follows it: see script.c,
 * rtpstats.c and attribution.c. */
#define STEP(...) __VA_ARGS__, 5
#define RUN(n) STEP (0, (n) -1)
#define LOSE(n) STEP (1, (n) >> 8, (n) &255)
#define LOSE_OFTEN(times, n) STEP (2, (times) / 8, n)
#define LATE(behind, n, step) STEP (3, (behind) >> 8, (behind) &255, n, step)
#define RESTART(number) STEP (4, (number) >> 8, (number) &255, 9, 8, 7, 6)
#define STRAY(ahead) STEP (5, (ahead) >> 8, (ahead) &255, 1)
#define SILENCE(ms, runs_on) \
  STEP (6, (ms) *10 >> 16, (ms) *10 >> 8 & 255, (ms) *10 & 255, runs_on)
#define STEP_BACK(ms) STEP (7, (ms) >> 8, (ms) &255)
#define PACE(us, units) \
  STEP (8, (us) >> 8, (us) &255, (units) >> 8, (units) &255)
#define SENDER(n) STEP (9, n)
#define CROWD(n, each) STEP (10, n, each)
#define WRAP(n) STEP (11, n)
/* So many packets in the 255 ms before, instead of what STEP ends with. */
#define DROPS(column, n) 7, column, (n) >> 8, (n) &255, 0, 1, 255

static const guint8 scripts[][80] = {
  { RUN (200) },
  { RUN (10), LOSE (3), RUN (200), LOSE (2999), RUN (200) },
  { RUN (100), LATE (50, 20, 2), LATE (90, 50, 1), RUN (100) },
  { RUN (10), LOSE (30), RUN (10), LATE (40, 30, 1), RUN (200) },
  { RUN (10), LOSE (30), RUN (200), LATE (230, 30, 1), RUN (200) },
  { WRAP (50), RUN (100), LOSE (40), WRAP (20), RUN (100) },
  { RUN (100), RESTART (5), RUN (100), LATE (120, 3, 1), RESTART (60000),
      RUN (9) },
  { RUN (9), STRAY (9000), STRAY (9001), RUN (1), STRAY (20000), RUN (20) },
  { RUN (9), STRAY (2000), STRAY (5000), LOSE (6000), RUN (20) },
  { RUN (100), SILENCE (20000, 1), RUN (100), SILENCE (90000, 1), RUN (9) },
  { PACE (2, 1), RUN (256), RUN (256), SILENCE (200, 1), RUN (100) },
  { RUN (100), STEP_BACK (50), LOSE (7), RUN (100), STEP_BACK (60000),
      RUN (9) },
  { RUN (9), SENDER (1), RUN (9), LOSE (9), RUN (9), SENDER (0), RUN (9) },
  { RUN (9), LOSE (9), RUN (9), CROWD (255, 2), CROWD (255, 3), RUN (9) },
  /* One is lost in the RX ring and more than are remembered in the network, and
   * all of them come after all, those lost first first. */
  { RUN (9), LOSE (1), 0, 149, DROPS (2, 1), LOSE_OFTEN (1040, 1), RUN (200),
      LATE (2431, 1, 1), LATE (2241, 20, 2), LATE (201, 255, 2),
      LATE (711, 255, 2), LATE (1221, 255, 2), LATE (1731, 255, 2) },
};

/* A byte for the deed and its operands: see clientmodel.c. */
#define OPENED 1, 0, 0
#define PUT(slot, size) 4, slot, (size) / 2, 0, 1, 20, 0
#define READ 11, 0
#define LEND 12
#define FREE(n) 13, n
#define LOOK 14
#define LINK 9
#define OPENED_OTHERWISE(place, power, more) 1, 0, 1, place, power, more

static const guint8 daemons[][80] = {
  { OPENED, PUT (0, 100), PUT (1, 0), READ, LOOK, PUT (2, 128), READ, LEND,
      FREE (1), READ },
  { OPENED, PUT (0, 100), PUT (8, 320), PUT (9, 2), READ, PUT (0, 2), READ },
  { OPENED, PUT (0, 100), PUT (0, 100), READ, LOOK },
  { OPENED, PUT (0, 130), READ },
  { OPENED, PUT (10, 2), READ, LOOK },
  { OPENED, 3, 1, 0, 1, LINK, 3, 2, 3, 2, LINK, 8, LINK },
  { OPENED, 6, 20, 20, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 9, LOOK, READ },
  { OPENED, 0, 0, 8, 7, 0, 0, 4, 0, 1, 2, 3, LINK },
  { OPENED_OTHERWISE (16, 3, 0), PUT (0, 2), READ },
  { OPENED_OTHERWISE (18, 12, 0), PUT (0, 2), READ },
};

static void
write_rows (const gchar *directory, const gchar *kind, const guint8 (*rows)[80],
    guint n)
{
  for (guint i = 0; i < n; i++) {
    gsize size = sizeof rows[i];

    while (!rows[i][size - 1])
      size--;
    write_seed (directory, kind, i, rows[i], size);
  }
}

static void
write_scripts (const gchar *directory)
{
  write_rows (directory, "scripts", scripts, G_N_ELEMENTS (scripts));
  write_rows (directory, "daemons", daemons, G_N_ELEMENTS (daemons));
}

/* With a first byte for "any of the media", see sdp.c. */
static void
write_sessions (const gchar *directory)
{
  g_autoptr (GDir) files = g_dir_open (SDP_DIR, 0, NULL);
  const gchar *name;

  for (guint i = 0; files && (name = g_dir_read_name (files)); i++) {
    g_autofree gchar *path = g_build_filename (SDP_DIR, name, NULL);
    g_autofree gchar *text = NULL;
    g_autofree gchar *seed = NULL;

    if (!g_file_get_contents (path, &text, NULL, NULL))
      continue;
    seed = g_strconcat ("*", text, NULL);
    write_seed (directory, "sessions", i, (const guint8 *) seed, strlen (seed));
  }
}

static const gchar *const uris[] = {
  "afxdp://239.1.1.1:5000",
  "udp://@[ff15::1]:0/",
  "afxdp://[fe80::1%eth0]:5000",
  "afxdp://[fe80::1%25e%74h0]:5000",
  "afxdp://n%61me:5000?multicast-source=%2B10.0.0.1-fd00::1&else=%31#m",
  "afxdp://me@239.1.1.1?encoding-name=h264&clock-rate=90000&payload=96",
  "afxdp://239.1.1.1/?media=audio&encoding-params=8&clock-rate=48000&payload=0",
};

static void
write_uris (const gchar *directory)
{
  for (guint i = 0; i < G_N_ELEMENTS (uris); i++)
    write_seed (
        directory, "uris", i, (const guint8 *) uris[i], strlen (uris[i]));
}

int
main (int argc, char **argv)
{
  if (argc != 2) {
    g_printerr ("usage: %s DIRECTORY\n", argv[0]);
    return EXIT_FAILURE;
  }
  write_frames (argv[1]);
  write_datagrams (argv[1]);
  write_scripts (argv[1]);
  write_sessions (argv[1]);
  write_uris (argv[1]);
  return EXIT_SUCCESS;
}
