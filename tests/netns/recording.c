/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * MPEG-TS over RTP, recorded on a file system that freezes. What the host has no
 * room for meanwhile is lost, and told while the stall lasts; what is in the file
 * and what is told to be lost are all that was sent; and the recording goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <gio/gio.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "generator.h"
#include "network.h"
#include "receiver.h"

#define SKIP 77

#define RATE 20000
#define BEFORE 600 /* ms of the stream before and after the stall */
#define AFTER 800
/* The receiver holds less than is sent in the shortest stall. */
#define LIMITS "umem-frames=4096 ring-size=1024 buffer-size=1500000"
#define QUEUE "queue max-size-bytes=3000000 max-size-buffers=0 max-size-time=0"

/* rtpgen's: seven packets, and the index of the RTP packet in the first. */
#define BLOCK 1316
#define INDEX_AT 8

static const struct
{
  const gchar *mode;
  guint time; /* of the stall, in ms */
} cases[] = {
  { "auto", 500 },
  { "auto", 2000 },
  { "auto", 5000 },
  { "socket", 500 },
  { "socket", 2000 },
};

/* The disk. */

static gchar *directory, *image, *disk;

/* On a loop device of memory, so that no other load on the machine's own disk
 * makes it slow; in a mount namespace of this process, so that it is gone with it.
 * Returns what was tried in vain, or NULL. */
static const gchar *
make_disk (void)
{
  g_autofree gchar *format = NULL;
  g_autofree gchar *mount_it = NULL;
  gint status = 0;

  directory = g_dir_make_tmp ("afxdp-disk-XXXXXX", NULL);
  image = g_build_filename (directory, "image", NULL);
  disk = g_build_filename (directory, "disk", NULL);
  format = g_strdup_printf (
      "sh -c 'truncate -s 400M %s && mkfs.ext4 -q -m 0 %s'", image, image);
  mount_it = g_strdup_printf ("mount -o loop %s %s", image, disk);
  if (unshare (CLONE_NEWNS) ||
      mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
    return "a mount namespace";
  if (mount ("tmpfs", directory, "tmpfs", 0, NULL))
    return "a tmpfs";
  if (g_mkdir (disk, 0700) ||
      !g_spawn_command_line_sync (format, NULL, NULL, &status, NULL) || status)
    return "mkfs.ext4";
  if (!g_spawn_command_line_sync (mount_it, NULL, NULL, &status, NULL) ||
      status)
    return "mount -o loop";
  return NULL;
}

static void
remove_disk (void)
{
  /* What is frozen cannot go: that thaws by itself. And the loop device lets its
   * file go a little later. */
  while (umount (disk) && errno == EBUSY)
    g_usleep (10000);
  while (umount (directory) && errno == EBUSY)
    g_usleep (10000);
  g_rmdir (directory);
  g_free (image);
  g_free (disk);
  g_free (directory);
}

/* A process of its own, which thaws it whatever becomes of the test. */
static GSubprocess *
freeze_disk (guint ms)
{
  g_autofree gchar *line =
      g_strdup_printf ("fsfreeze -f %s && sleep %u.%03u; fsfreeze -u %s", disk,
          ms / 1000, ms % 1000, disk);
  GSubprocess *freezer =
      g_subprocess_new (0, NULL, "setsid", "sh", "-c", line, NULL);

  fail_unless (freezer != NULL);
  return freezer;
}

/* What was recorded. */

/* Asserts that each block is one that was sent, in the order of sending; returns
 * how many there are. */
static guint64
count_blocks (const gchar *location)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (location, FALSE, NULL);
  const guint8 *data;
  guint64 n;
  gint64 before = -1;

  fail_unless (file != NULL);
  data = (const guint8 *) g_mapped_file_get_contents (file);
  n = g_mapped_file_get_length (file) / BLOCK;
  fail_unless_equals_uint64 (g_mapped_file_get_length (file) % BLOCK, 0);
  for (guint64 i = 0; i < n; i++) {
    const guint8 *block = data + i * BLOCK;
    const gint64 index = GST_READ_UINT64_BE (block + INDEX_AT);

    for (guint at = 0; at < BLOCK; at += 188)
      fail_unless_equals_int (block[at], 0x47);
    fail_unless (index > before,
        "packet %" G_GINT64_FORMAT " is behind %" G_GINT64_FORMAT, index,
        before);
    before = index;
  }
  return n;
}

/* What is told. */

/* While the disk stands still, what the kernel has dropped so far is told within a
 * second. Returns when the disk goes on. */
static void
watch_stall (Receiver *receiver, GSubprocess *freezer, guint64 drops_before,
    const gchar *name)
{
  const gchar *pid = g_subprocess_get_identifier (freezer);
  guint64 a_second_ago[10] = { 0 };

  for (guint tick = 0; pid && !kill (atoi (pid), 0); tick++) {
    const guint64 told =
        receiver_stat (receiver, "lost") + receiver_stat (receiver, "pending");
    const guint64 now = network_socket_drops () - drops_before;

    fail_unless (told >= a_second_ago[tick % 10],
        "%s: %" G_GUINT64_FORMAT " packets were dropped a second ago, and "
        "%" G_GUINT64_FORMAT " told: %s",
        name, a_second_ago[tick % 10], told, receiver_describe (receiver));
    fail_unless (told <= now, "%s: more is told than was dropped: %s", name,
        receiver_describe (receiver));
    a_second_ago[tick % 10] = now;
    g_usleep (100000);
    receiver_read_bus (receiver);
    pid = g_subprocess_get_identifier (freezer);
  }
}

static guint64
lost_at (const GPtrArray *gaps, const gchar *place)
{
  guint64 sum = 0, missing;

  for (guint i = 0; i < gaps->len; i++)
    if (g_str_equal (
            gst_structure_get_string (gaps->pdata[i], "where"), place) &&
        gst_structure_get_uint64 (gaps->pdata[i], "missing", &missing))
      sum += missing;
  return sum;
}

TABLE_TEST (test_frozen_disk, cases)
{
  const guint time = cases[__i__].time;
  g_autofree gchar *name =
      g_strdup_printf ("%s, frozen for %u ms", cases[__i__].mode, time);
  g_autofree gchar *location = g_build_filename (disk, "programme.ts", NULL);
  g_autofree gchar *properties = g_strdup_printf (
      "mode=%s multicast-iface=rx0 gap-interval=0 " LIMITS, cases[__i__].mode);
  g_autofree gchar *rest = g_strdup_printf (
      "application/x-rtp,media=video,encoding-name=MP2T,clock-rate=90000,"
      "payload=33 ! rtpmp2tdepay ! " QUEUE " ! filesink async=false "
      "location=%s",
      location);
  g_autoptr (Receiver) receiver = receiver_new (properties, rest);
  guint64 drops, before, blocks, lost;
  GSubprocess *freezer;
  Generator *generator;
  GeneratorReport sent;

  network_drop_in_socket ();
  receiver_play (receiver);
  before = network_socket_drops ();
  generator = generator_start (
      "--rate=%u --first-seq=%u", RATE, g_random_int_range (0, 65536));
  receiver_wait_stat (receiver, "packets", RATE / 1000 * BEFORE);
  freezer = freeze_disk (time);
  watch_stall (receiver, freezer, before, name);
  fail_unless (g_subprocess_wait_check (freezer, NULL, NULL));
  receiver_wait_stat (receiver, "packets",
      receiver_stat (receiver, "packets") + RATE / 1000 * AFTER);
  sent = generator_stop (generator);
  drops = network_socket_drops () - before;
  receiver_wait_stat (receiver, "packets", sent.packets - drops);
  /* Drops are told with the packet behind them, or within 100 ms. */
  receiver_wait_stat (receiver, "lost", sent.dropped + drops);
  gst_element_send_event (receiver->pipeline, gst_event_new_eos ());
  receiver_wait_eos (receiver);
  receiver_set_state (receiver, GST_STATE_NULL);
  receiver_read_bus (receiver);

  blocks = count_blocks (location);
  lost = receiver_stat (receiver, "lost");
  printf ("%s: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
          " packets in the file, %" G_GUINT64_FORMAT
          " dropped by the socket, %" G_GUINT64_FORMAT " told as lost\n",
      name, blocks, sent.sent[0], drops, lost);
  fflush (stdout);
  fail_unless (drops > 500, "%s: the stall made no difference", name);
  fail_unless_equals_uint64 (blocks, receiver_stat (receiver, "packets"));
  fail_unless (blocks + lost == sent.sent[0], "%s: %s", name,
      receiver_describe (receiver));
  receiver_assert_stat (receiver, "dropped-socket-buffer", drops);
  receiver_assert_stat (receiver, "lost-socket-buffer", drops);
  fail_unless_equals_uint64 (receiver_stat (receiver, "lost-network") +
          receiver_stat (receiver, "lost-nic"),
      sent.dropped);
  fail_unless_equals_uint64 (lost_at (receiver->gaps, "socket-buffer"), drops);
  receiver_assert_balanced (receiver);
  g_object_unref (freezer);
}

static void
up_with_a_disk (void)
{
  const gchar *fault = make_disk ();

  fail_if (fault, "cannot: %s", fault);
  network_up (1);
}

static void
down (void)
{
  network_down ();
  remove_disk ();
}

/* Exits with 77 and the reason, where there can be no such disk. What else fails is
 * for the tests to fail at. */
static void
require_disk (void)
{
  static const gchar *const programs[] = { "mkfs.ext4", "fsfreeze" };
  const gchar *missing = NULL;
  int fd = open ("/dev/loop-control", O_RDWR | O_CLOEXEC);

  if (fd < 0)
    missing = "loop devices";
  else
    close (fd);
  for (guint i = 0; i < G_N_ELEMENTS (programs); i++) {
    g_autofree gchar *path = g_find_program_in_path (programs[i]);

    if (!path)
      missing = programs[i];
  }
  if (!missing)
    return;
  printf ("skipped: a file system that can be frozen needs %s\n", missing);
  exit (SKIP);
}

int
main (int argc, char **argv)
{
  network_require_privileges ();
  require_disk ();
  return suite_run (argc, argv, "recording", 60, up_with_a_disk, down);
}
