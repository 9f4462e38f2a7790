/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stream through an XSKMAP of somebody else's program. */
#include "xskmap.h"

#include <bpf/bpf.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "clock.h"
#include "firewall.h"
#include "generator.h"
#include "mapinput.h"
#include "network.h"
#include "payload.h"

#define BATCH 64
/* No test needs this long, unless what it waits for never comes. */
#define PATIENCE (30 * G_TIME_SPAN_SECOND)

/* A stream that is read. */
typedef struct
{
  AfxdpXskMap *map;
  AfxdpMapInput input;
  AfxdpDestination destination;
  AfxdpDrops drops;
  guint64 packets, malformed, next, wrong;
} Stream;

static AfxdpXskMap *
try_to_open (const AfxdpXskMapSettings *changes, GError **error)
{
  AfxdpXskMapSettings settings = *changes;
  AfxdpNetdev netdev;

  if (!settings.path)
    settings.path = FIREWALL_MAP;
  if (!settings.ring_size)
    settings.ring_size = 4096;
  settings.batch = BATCH;
  fail_unless (afxdp_netdev_by_name ("rx0", &netdev, NULL));
  return afxdp_xsk_map_open (&settings, &netdev, error);
}

static Stream *
stream_open (const AfxdpXskMapSettings *settings)
{
  static const guint8 address[] = { 239, 1, 1, 1 };
  Stream *stream = g_new0 (Stream, 1);
  g_autoptr (GError) error = NULL;

  stream->map = try_to_open (settings, &error);
  g_assert_no_error (error);
  stream->destination.version = 4;
  stream->destination.port = 5000;
  memcpy (stream->destination.address, address, sizeof address);
  afxdp_map_input_init (&stream->input,
      afxdp_xsk_fd (afxdp_xsk_map_xsk (stream->map)), &stream->destination,
      BATCH, &stream->drops);
  afxdp_map_input_set_socket (&stream->input, afxdp_xsk_map_xsk (stream->map),
      afxdp_xsk_map_umem (stream->map));
  return stream;
}

static guint
stream_close (Stream *stream, AfxdpXskLoss *loss)
{
  guint n;

  afxdp_input_clear (&stream->input.input);
  n = afxdp_xsk_map_close (stream->map, loss);
  g_free (stream);
  return n;
}

/* Reads what is there. */
static void
stream_read (Stream *stream)
{
  AfxdpInput *input = &stream->input.input;
  guint64 before = afxdp_now ();

  while (!afxdp_input_is_drained (input)) {
    stream->malformed += afxdp_input_read (input, 0);
    for (guint i = input->first; i < input->end; i++) {
      const AfxdpPacket *packet = &input->packets[i];
      guint64 index = payload_index (
          packet->data + PAYLOAD_RTP_HEADER, packet->size - PAYLOAD_RTP_HEADER);

      stream->wrong += index != stream->next ||
          packet->rtp.kind != AFXDP_RTP_DATA || packet->arrival < before ||
          packet->arrival > afxdp_now ();
      stream->next = index + 1;
      stream->packets++;
    }
    afxdp_input_discard (input);
  }
}

/* Reads until so many have come. */
static void
stream_read_until (Stream *stream, guint64 packets, guint64 malformed)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  while (stream->packets < packets || stream->malformed < malformed) {
    fail_if (g_get_monotonic_time () > deadline,
        "%" G_GUINT64_FORMAT " packets, %" G_GUINT64_FORMAT " malformed",
        stream->packets, stream->malformed);
    stream_read (stream);
    g_usleep (100);
  }
  g_assert_cmpuint (stream->packets, ==, packets);
  g_assert_cmpuint (stream->malformed, ==, malformed);
}

/* What drops says of a column. */
static gint64
stream_drops (Stream *stream, AfxdpColumn column)
{
  gint64 n = 0;

  for (guint i = 0; i < stream->drops.n; i++)
    if (stream->drops.drops[i].column == column)
      n += stream->drops.drops[i].n;
  return n;
}

/* What happened, in words that hold what is expected; "": nothing. */
static void
stream_check (Stream *stream, AfxdpXskMapState state, const gchar *expected)
{
  g_autofree gchar *news = NULL;

  fail_unless_equals_int (afxdp_xsk_map_check (stream->map, &news), state);
  if (*expected)
    fail_unless (news && strstr (news, expected), "%s", news ? news : "-");
  else
    fail_if (news, "%s", news);
}

/* Packets of each of two flows that wait together, and how often: so that each frame is
 * used more than once. */
#define ROUND 4096
#define ROUNDS 6

static const guint modes[] = { XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE };

/* All of the stream's packets come, once and in order, and the other packets that the
 * program redirects are counted and not handed out. */
TABLE_TEST (test_receive, modes)
{
  Stream *stream;
  AfxdpXskLoss loss;

  firewall_detach ();
  firewall_attach (modes[__i__]);
  stream = stream_open (&(AfxdpXskMapSettings){
      .queue = -1,
      .ring_size = 2 * ROUND,
  });
  fail_unless (
      g_str_has_prefix (afxdp_xsk_map_describe (stream->map), "copy from the"));
  for (guint round = 1; round <= ROUNDS; round++) {
    stream->next = 0;
    generator_send_exact ("--destination=239.1.1.1:5000 "
                          "--destination=239.1.1.2:5001 --rate=100000 "
                          "--packets=%u",
        2 * ROUND);
    stream_read_until (stream, round * ROUND, round * ROUND);
  }
  g_assert_cmpuint (stream->wrong, ==, 0);
  g_assert_cmpuint (firewall_n_redirected (), ==, 2 * ROUND * ROUNDS);
  stream_check (stream, AFXDP_XSK_MAP_SERVES, "");
  g_assert_cmpuint (
      afxdp_input_look_for_drops (&stream->input.input), ==, G_MAXUINT64);
  fail_unless_equals_int (stream->drops.n, 0);
  fail_unless_equals_int (stream_close (stream, &loss), 0);
  /* The entry is empty: the program passes what comes. */
  generator_send_exact ("--rate=10000 --packets=100");
  g_assert_cmpuint (firewall_n_redirected (), ==, 2 * ROUND * ROUNDS);
  g_assert_cmpuint (firewall_n_passed (), ==, 100);
}

static void
assert_drops (Stream *stream, AfxdpColumn column, guint64 n)
{
  for (AfxdpColumn other = 0; other < AFXDP_N_COLUMNS; other++)
    g_assert_cmpint (
        stream_drops (stream, other), ==, other == column ? (gint64) n : 0);
}

static const struct
{
  guint ring_size, n_frames;
  AfxdpColumn column;
} losses[] = {
  { 64, 4096, AFXDP_COLUMN_RX_RING },
  { 4096, 256, AFXDP_COLUMN_FILL_RING },
};

/* Nobody reads: each packet that has no place is in the column of what was missing, and
 * each of the others is handed out. */
TABLE_TEST (test_losses, losses)
{
  Stream *stream = stream_open (&(AfxdpXskMapSettings){
      .ring_size = losses[__i__].ring_size,
      .n_frames = losses[__i__].n_frames,
  });
  AfxdpInput *input = &stream->input.input;
  AfxdpXskLoss loss;
  guint n;

  generator_send_exact ("--rate=20000 --packets=2000");
  g_assert_cmpuint (firewall_n_redirected (), ==, 2000);
  n = afxdp_xsk_n_waiting (stream->input.xsk);
  if (losses[__i__].column == AFXDP_COLUMN_RX_RING)
    fail_unless_equals_int (n, losses[__i__].ring_size);
  fail_unless (n > 0 && n < 256, "%u packets wait", n);
  g_assert_cmpuint (afxdp_input_look_for_drops (input), ==, G_MAXUINT64);
  assert_drops (stream, losses[__i__].column, 2000 - n);
  /* What waited arrived before that, and must be read before the next look. */
  g_assert_cmpuint (
      afxdp_input_look_for_drops (input), ==, stream->input.counters.looked_at);
  while (!afxdp_input_is_drained (input)) {
    afxdp_input_read (input, 0);
    stream->packets += afxdp_input_discard (input);
  }
  g_assert_cmpuint (stream->packets, ==, n);
  g_assert_cmpuint (afxdp_input_look_for_drops (input), ==, G_MAXUINT64);
  assert_drops (stream, losses[__i__].column, 2000 - n);

  /* Those that nobody read, and those that nobody looked for. */
  generator_send_exact ("--rate=20000 --packets=2000");
  n = stream_close (stream, &loss);
  g_assert_cmpuint (n, >, 0);
  g_assert_cmpuint (
      n + loss.n[AFXDP_XSK_LOSS_RX_RING] + loss.n[AFXDP_XSK_LOSS_FILL_RING], ==,
      2000);
  fail_unless (!loss.n[losses[__i__].column == AFXDP_COLUMN_RX_RING
          ? AFXDP_XSK_LOSS_FILL_RING
          : AFXDP_XSK_LOSS_RX_RING]);
}

/* Somebody removes the entry: it is said, and packets come again. */
TEST (test_removed)
{
  Stream *stream = stream_open (&(AfxdpXskMapSettings){ 0 });
  guint32 key = 0;

  stream_check (stream, AFXDP_XSK_MAP_SERVES, "");
  fail_if (bpf_map_delete_elem (firewall_map (), &key));
  generator_send_exact ("--rate=10000 --packets=100");
  g_assert_cmpuint (firewall_n_passed (), ==, 100);
  stream_check (stream, AFXDP_XSK_MAP_SERVES, "Somebody removed");
  stream_check (stream, AFXDP_XSK_MAP_SERVES, "");
  generator_send_exact ("--rate=10000 --packets=100");
  stream_read_until (stream, 100, 0);
  stream_close (stream, NULL);
}

/* Somebody enters another socket in the place of ours: it is said, and it is his until
 * he removes it. */
TEST (test_taken)
{
  Stream *stream = stream_open (&(AfxdpXskMapSettings){ 0 });
  int other = socket (AF_XDP, SOCK_RAW, 0);
  guint32 key = 0;

  fail_if (bpf_map_update_elem (firewall_map (), &key, &other, BPF_ANY));
  stream_check (stream, AFXDP_XSK_MAP_TAKEN, "took the place");
  stream_check (stream, AFXDP_XSK_MAP_TAKEN, "");
  close (other); /* which removes it */
  stream_check (stream, AFXDP_XSK_MAP_SERVES, "entered again");
  generator_send_exact ("--rate=10000 --packets=100");
  stream_read_until (stream, 100, 0);

  other = socket (AF_XDP, SOCK_RAW, 0);
  fail_if (bpf_map_update_elem (firewall_map (), &key, &other, BPF_ANY));
  stream_close (stream, NULL);
  fail_if (firewall_entry_is_empty (), "another one's entry was removed");
  close (other);
  fail_unless (firewall_entry_is_empty ());
}

/* The program is detached, and attached again. */
TEST (test_detached)
{
  Stream *stream = stream_open (&(AfxdpXskMapSettings){ 0 });

  firewall_detach ();
  stream_check (stream, AFXDP_XSK_MAP_NO_PROGRAM, "No XDP program");
  stream_check (stream, AFXDP_XSK_MAP_NO_PROGRAM, "");
  firewall_attach (XDP_FLAGS_DRV_MODE);
  stream_check (stream, AFXDP_XSK_MAP_SERVES, "is attached to rx0");
  generator_send_exact ("--rate=10000 --packets=100");
  stream_read_until (stream, 100, 0);
  stream_close (stream, NULL);
}

/* None is attached at first. */
TEST (test_attached_later)
{
  Stream *stream;

  firewall_detach ();
  stream = stream_open (&(AfxdpXskMapSettings){ 0 });
  stream_check (stream, AFXDP_XSK_MAP_NO_PROGRAM, "No XDP program");
  firewall_attach (XDP_FLAGS_DRV_MODE);
  stream_check (stream, AFXDP_XSK_MAP_SERVES, "is attached to rx0");
  stream_close (stream, NULL);
}

/* Another program: that is all that can be said, unless another map is pinned, too. */
TEST (test_other_program)
{
  Stream *stream = stream_open (&(AfxdpXskMapSettings){ 0 });
  int other;

  firewall_detach ();
  other = network_attach_program ("other");
  stream_check (stream, AFXDP_XSK_MAP_SERVES, "\"other\"");
  stream_check (stream, AFXDP_XSK_MAP_SERVES, "");
  /* What is only unpinned is still there. */
  fail_if (rename (FIREWALL_MAP, FIREWALL_PINS "elsewhere"));
  stream_check (stream, AFXDP_XSK_MAP_SERVES, "");
  fail_if (rename (FIREWALL_PINS "elsewhere", FIREWALL_MAP));
  firewall_renew ();
  stream_check (stream, AFXDP_XSK_MAP_MOVED, "Start the stream again");
  stream_check (stream, AFXDP_XSK_MAP_MOVED, "");
  stream_close (stream, NULL);
  close (other);
}

TEST (test_interface_removed)
{
  Stream *stream = stream_open (&(AfxdpXskMapSettings){ 0 });

  network_run ("ip link del rx0");
  stream_check (stream, AFXDP_XSK_MAP_NO_INTERFACE, "rx0 was removed");
  stream_check (stream, AFXDP_XSK_MAP_NO_INTERFACE, "");
  stream_close (stream, NULL);
}

static void
assert_refused (
    const AfxdpXskMapSettings *settings, AfxdpError code, const gchar *text)
{
  g_autoptr (GError) error = NULL;

  fail_if (try_to_open (settings, &error));
  fail_unless (g_error_matches (error, AFXDP_ERROR, code) &&
          strstr (error->message, text),
      "%d: %s", error->code, error->message);
}

static const struct
{
  AfxdpXskMapSettings settings;
  AfxdpError code;
  const gchar *text;
} refused[] = {
  { { .path = FIREWALL_PINS "nothing" }, AFXDP_ERROR_NOT_FOUND,
      "xsk-map=" FIREWALL_PINS "nothing: nothing is pinned there" },
  { { .path = "/etc/passwd" }, AFXDP_ERROR_SETTINGS,
      "not in a BPF file system" },
  { { .path = FIREWALL_PINS }, AFXDP_ERROR_PERMISSION, "Could not open" },
  { { .path = FIREWALL_PINS "numbers" }, AFXDP_ERROR_SETTINGS, "\"numbers\"" },
  { { .path = FIREWALL_PINS "program" }, AFXDP_ERROR_SETTINGS,
      "a BPF program or link" },
  { { .queue = 2 }, AFXDP_ERROR_SETTINGS, "has 2 entries" },
  { { .queue = 1 }, AFXDP_ERROR_SETTINGS, "rx0 has no RX queue 1" },
  { { .zero_copy = AFXDP_ZERO_COPY_REQUIRE }, AFXDP_ERROR_UNSUPPORTED,
      "refuses zero-copy" },
};

/* And the queue is free afterwards. */
TABLE_TEST (test_refused, refused)
{
  firewall_pin (firewall_other_map (), FIREWALL_PINS "numbers");
  firewall_pin (firewall_program (), FIREWALL_PINS "program");
  assert_refused (
      &refused[__i__].settings, refused[__i__].code, refused[__i__].text);
  stream_close (stream_open (&(AfxdpXskMapSettings){ 0 }), NULL);
}

static void
assert_busy (void)
{
  assert_refused (&(AfxdpXskMapSettings){ 0 }, AFXDP_ERROR_QUEUE_BUSY,
      "AF_XDP socket of another process");
}

/* A queue is one element's, one process's, and the entry one socket's. */
TEST (test_second)
{
  AfxdpXskMapSettings settings = { 0 };
  Stream *stream = stream_open (&settings);
  int other = socket (AF_XDP, SOCK_RAW, 0);
  guint32 key = 0;

  assert_refused (&settings, AFXDP_ERROR_QUEUE_BUSY,
      "Another element of this process receives from RX queue 0 of rx0");
  firewall_in_child (assert_busy);
  generator_send_exact ("--rate=10000 --packets=100");
  stream_read_until (stream, 100, 0);
  stream_close (stream, NULL);

  fail_if (bpf_map_update_elem (firewall_map (), &key, &other, BPF_ANY));
  assert_refused (&settings, AFXDP_ERROR_QUEUE_BUSY,
      "Entry 0 of xsk-map=" FIREWALL_MAP
      " is an AF_XDP socket of another process");
  fail_if (firewall_entry_is_empty ());
  close (other);
  stream_close (stream_open (&settings), NULL);
}

static void
assert_privileges (void)
{
  /* Fewer bytes than RLIMIT_MEMLOCK is, as a rule. */
  AfxdpXskMapSettings settings = { .ring_size = 64, .n_frames = 256 };
  Stream *stream;

  firewall_become_nobody (1 << CAP_NET_RAW | 1 << CAP_FOWNER | 1 << CAP_CHOWN);
  assert_refused (
      &settings, AFXDP_ERROR_PERMISSION, "allowed to read and write the pin");
  fail_if (chown (FIREWALL_MAP, FIREWALL_NOBODY, FIREWALL_NOBODY) ||
      chmod (FIREWALL_MAP, 0600));
  firewall_become_nobody (1 << CAP_NET_RAW);
  stream = stream_open (&settings);
  stream_check (stream, AFXDP_XSK_MAP_SERVES, "");
  firewall_become_nobody (0);
  stream_check (stream, AFXDP_XSK_MAP_SERVES, "");
  stream_close (stream, NULL);
  assert_refused (&settings, AFXDP_ERROR_PERMISSION, "CAP_NET_RAW is missing");
}

/* What it takes: CAP_NET_RAW and the pin. */
TEST (test_privileges)
{
  firewall_in_child (assert_privileges);
}

int
main (int argc, char **argv)
{
  network_require_privileges ();
  return suite_run (argc, argv, "xskmap", 60, firewall_up, firewall_down);
}
