/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What sleeping costs on this machine: threads that do nothing but sleep until
 * the next multiple of an interval, as receivers with "coalesce" do. No receiver
 * with a thread for each stream can cost less.
 *
 *   wakeups THREADS INTERVAL_US SECONDS
 *
 * prints the processor time of one wake-up, in ns.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define NS 1000000000

static uint64_t interval;
static atomic_bool over;
static _Atomic uint64_t wakeups;

static void *
sleep_again_and_again (void *data)
{
  while (!atomic_load (&over)) {
    struct timespec time;
    uint64_t until;

    clock_gettime (CLOCK_MONOTONIC, &time);
    until = time.tv_sec * (uint64_t) NS + time.tv_nsec + interval;
    until -= until % interval;
    time = (struct timespec){ until / NS, until % NS };
    clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
    atomic_fetch_add (&wakeups, 1);
  }
  return NULL;
}

static uint64_t
processor_time (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * (uint64_t) NS +
      (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * (uint64_t) 1000;
}

int
main (int argc, char **argv)
{
  pthread_t *threads;
  uint64_t before;
  int n;

  if (argc != 4) {
    fprintf (stderr, "usage: %s THREADS INTERVAL_US SECONDS\n", argv[0]);
    return 2;
  }
  n = atoi (argv[1]);
  interval = strtoull (argv[2], NULL, 10) * 1000;
  threads = calloc (n, sizeof *threads);
  for (int i = 0; i < n; i++)
    if (pthread_create (&threads[i], NULL, sleep_again_and_again, NULL)) {
      perror ("Could not start a thread");
      return 2;
    }
  before = processor_time ();
  atomic_store (&wakeups, 0);
  sleep (atoi (argv[3]));
  printf ("%llu\n",
      (unsigned long long) ((processor_time () - before) /
          atomic_load (&wakeups)));
  atomic_store (&over, 1);
  for (int i = 0; i < n; i++)
    pthread_join (threads[i], NULL);
  free (threads);
  return 0;
}
