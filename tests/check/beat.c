/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The heartbeat of the distributor daemon, as a client sees it. */
#include "beat.h"

#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "protocol.h"
#include "suite.h"

static guint64
time_of (const struct afxdp_beat *shared)
{
  return __atomic_load_n (&shared->time, __ATOMIC_ACQUIRE);
}

/* Waits for the next one, and returns its time. */
static guint64
next_beat (const struct afxdp_beat *shared)
{
  guint64 before = time_of (shared);

  while (time_of (shared) == before)
    g_usleep (100);
  return time_of (shared);
}

TEST (test_beat)
{
  g_autoptr (GError) error = NULL;
  guint64 begin = afxdp_now (), earliest, last = 0;
  AfxdpBeat *beat = afxdp_beat_new (&error);
  int fd = dup (afxdp_beat_memory (beat));
  const struct afxdp_beat *shared =
      mmap (NULL, sizeof *shared, PROT_READ, MAP_SHARED, fd, 0);

  g_assert_no_error (error);
  fail_unless (shared != MAP_FAILED);
  /* It lives from the beginning. */
  fail_unless (time_of (shared) >= begin);
  earliest = next_beat (shared);
  for (guint i = 0; i < 20; i++)
    last = next_beat (shared);
  fail_unless (last <= afxdp_now ());
  fail_unless (last - earliest >= 19 * AFXDP_PROTOCOL_BEAT_INTERVAL);
  if (last - earliest > 40 * AFXDP_PROTOCOL_BEAT_INTERVAL)
    suite_skip ("20 beats took %.0f ms", (last - earliest) / 1e6);

  fail_unless (mmap (NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED,
                   fd, 0) == MAP_FAILED);
  afxdp_beat_free (beat);
  /* What a client has mapped stays, with the last time. */
  last = time_of (shared);
  g_usleep (50000);
  fail_unless_equals_uint64 (time_of (shared), last);
  munmap ((gpointer) shared, sizeof *shared);
  close (fd);
}

SUITE ("beat", 20, NULL, NULL)
