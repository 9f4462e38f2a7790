/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The daemon's heartbeat. */
#include "beat.h"

#include <stdatomic.h>

#include "clock.h"
#include "protocol.h"
#include "sharedmemory.h"
#include "thread.h"

struct _AfxdpBeat
{
  AfxdpSharedMemory memory;
  atomic_bool quit;
  pthread_t thread;
};

static void
beat_once (AfxdpBeat *beat, guint64 now)
{
  struct afxdp_beat *shared = beat->memory.address;

  __atomic_store_n (&shared->time, now, __ATOMIC_RELEASE);
}

/* To moments of a fixed distance, so that the time that a beat takes adds up to
 * nothing; after a standstill it does not catch up. */
static gpointer
run (gpointer data)
{
  AfxdpBeat *beat = data;
  guint64 next = afxdp_now ();

  while (!atomic_load (&beat->quit)) {
    guint64 now = afxdp_now ();
    struct timespec time;

    beat_once (beat, now);
    next = MAX (next + AFXDP_PROTOCOL_BEAT_INTERVAL, now);
    time.tv_sec = next / AFXDP_S;
    time.tv_nsec = next % AFXDP_S;
    clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
  }
  return NULL;
}

AfxdpBeat *
afxdp_beat_new (GError **error)
{
  AfxdpBeat *beat = g_new0 (AfxdpBeat, 1);

  if (afxdp_shared_memory_init (&beat->memory, "afxdp-beat",
          sizeof (struct afxdp_beat), AFXDP_SHARED_READ, error)) {
    /* Whoever reads it at once finds a daemon that lives. */
    beat_once (beat, afxdp_now ());
    if (afxdp_thread_start (&beat->thread, "afxdp-beat", run, beat, error))
      return beat;
  }
  afxdp_shared_memory_clear (&beat->memory);
  g_free (beat);
  return NULL;
}

void
afxdp_beat_free (AfxdpBeat *beat)
{
  if (!beat)
    return;
  atomic_store (&beat->quit, TRUE);
  pthread_join (beat->thread, NULL);
  afxdp_shared_memory_clear (&beat->memory);
  g_free (beat);
}

int
afxdp_beat_memory (const AfxdpBeat *beat)
{
  return beat->memory.fd;
}
