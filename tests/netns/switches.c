/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Faults on the way from the XDP program to the element. */
#include "switches.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <gst/check/gstcheck.h>
#include <linux/if_xdp.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "afxdp.h"
#include "leftover.h"
#include "../check/suite.h"

#ifndef SOL_XDP
#define SOL_XDP 283
#endif

/* The socket that got an RX ring last: owners of queues have one of one packet. */
static gint ring_socket = -1;
static gint stray_socket = -1;
static gint frame_size;
static gint limits_are_off;
static GThread *keeper; /* keeps them off */

/* The C library's, but for the note. */
__attribute__ ((visibility ("default"))) int
setsockopt (int fd, int level, int option, const void *value, socklen_t size)
{
  if (level == SOL_XDP && option == XDP_RX_RING && fd != stray_socket &&
      *(const int *) value > 1)
    g_atomic_int_set (&ring_socket, fd);
  if (level == SOL_XDP && option == XDP_UMEM_REG)
    g_atomic_int_set (
        &frame_size, ((const struct xdp_umem_reg *) value)->chunk_size);
  return syscall (SYS_setsockopt, fd, level, option, value, size);
}

/* A descriptor of this process's map of that name, which has so large values. */
static int
open_map (const gchar *name, guint value_size, guint *n)
{
  g_autoptr (GArray) objects = leftover_find_bpf (getpid ());
  int found = -1;

  for (guint i = 0; i < objects->len && found < 0; i++) {
    const LeftoverBpf *object = &g_array_index (objects, LeftoverBpf, i);
    struct bpf_map_info info = { 0 };
    __u32 size = sizeof info;
    int fd = bpf_map_get_fd_by_id (object->id);

    if (fd < 0)
      continue;
    if (!bpf_obj_get_info_by_fd (fd, &info, &size) &&
        g_str_equal (info.name, name) && info.value_size == value_size) {
      found = fd;
      *n = info.max_entries;
    } else {
      close (fd);
    }
  }
  fail_unless (found >= 0, "no map %s", name);
  return found;
}

/* The values of an array map; the mapping lasts as long as the process. */
typedef struct
{
  guint8 *values;
  guint n, value_size;
} Mapped;

static Mapped
map_values (const gchar *name, guint value_size)
{
  Mapped mapped = { .value_size = value_size };
  int fd = open_map (name, value_size, &mapped.n);
  gsize page = sysconf (_SC_PAGESIZE);
  gsize size = ((gsize) mapped.n * value_size + page - 1) / page * page;

  mapped.values = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  fail_unless (mapped.values != MAP_FAILED);
  close (fd);
  return mapped;
}

static void
for_each_value (const Mapped *mapped, void (*each) (gpointer value, guint i))
{
  for (guint i = 0; i < mapped->n; i++)
    each (mapped->values + (gsize) i * mapped->value_size, i);
}

/* Of each slot. */
static guint32 credits[AFXDP_SLOTS];

static void
credit_off (gpointer value, guint i)
{
  struct afxdp_slot *slot = value;
  guint32 now = slot->credit;

  if (!now || now == G_MAXUINT32)
    return;
  credits[i] = now;
  __atomic_store_n (&slot->credit, G_MAXUINT32, __ATOMIC_RELAXED);
}

static void
credit_on (gpointer value, guint i)
{
  struct afxdp_slot *slot = value;

  if (slot->credit == G_MAXUINT32)
    __atomic_store_n (&slot->credit, credits[i], __ATOMIC_RELAXED);
}

/* Whose credit was taken. */
static struct afxdp_slot *poor;
static guint32 its_credit;

static void
take_credit (gpointer value, G_GNUC_UNUSED guint i)
{
  struct afxdp_slot *slot = value;

  if (!slot->credit)
    return;
  poor = slot;
  its_credit = slot->credit;
  __atomic_store_n (&slot->credit, 0, __ATOMIC_RELAXED);
}

static const Mapped *
slots (void)
{
  static Mapped mapped;

  if (!mapped.values)
    mapped = map_values ("slots", sizeof (struct afxdp_slot));
  return &mapped;
}

static void
frames_off (gpointer value, G_GNUC_UNUSED guint i)
{
  struct afxdp_queue *queue = value;

  __atomic_store_n (&queue->frames, G_MAXUINT64 / 2, __ATOMIC_RELAXED);
}

static const Mapped *
queues (void)
{
  static Mapped mapped;

  if (!mapped.values)
    mapped = map_values ("rx_queues", sizeof (struct afxdp_queue));
  return &mapped;
}

static void
limits_off (void)
{
  for_each_value (slots (), credit_off);
  for_each_value (queues (), frames_off);
}

/* For how long nobody kept them off, at most, µs. */
static gint64 limits_left;

/* Before all others: a fill ring lasts for some 20 ms only. */
static gpointer
keep_limits_off (gpointer data)
{
  struct sched_param priority = { .sched_priority = 1 };
  gint64 before = g_get_monotonic_time (), now;

  pthread_setschedparam (pthread_self (), SCHED_FIFO, &priority);
  while (g_atomic_int_get (&limits_are_off)) {
    limits_off ();
    now = g_get_monotonic_time ();
    limits_left = MAX (limits_left, now - before);
    before = now;
    g_usleep (500);
  }
  return NULL;
}

void
switches_excuse (void)
{
  if (limits_left > 5 * G_TIME_SPAN_MILLISECOND)
    suite_skip ("the machine left the limits on for %" G_GINT64_FORMAT " ms",
        limits_left / G_TIME_SPAN_MILLISECOND);
}

void
switches_limits_off (void)
{
  limits_left = 0;
  limits_off ();
  g_atomic_int_set (&limits_are_off, TRUE);
  keeper = g_thread_new ("limits-off", keep_limits_off, NULL);
}

void
switches_limits_on (void)
{
  if (!keeper)
    return;
  g_atomic_int_set (&limits_are_off, FALSE);
  g_thread_join (g_steal_pointer (&keeper));
  for_each_value (slots (), credit_on);
}

void
switches_credit_off (void)
{
  for_each_value (slots (), take_credit);
  fail_unless (poor != NULL);
}

void
switches_credit_on (void)
{
  __atomic_store_n (&poor->credit, its_credit, __ATOMIC_RELAXED);
}

/* One queue: a slot's index is its number, and there is one stream. */
static void
direct_to (int socket)
{
  static int map = -1; /* at once: a fault of some ms must not last longer */
  guint32 key = 0, n;

  if (map < 0)
    map = open_map ("sockets", sizeof (guint32), &n);
  fail_unless (!bpf_map_update_elem (map, &key, &socket, BPF_EXIST),
      "could not put socket %d into the map: %s", socket, g_strerror (errno));
}

void
switches_misdirect (void)
{
  int entries = 64;

  stray_socket = socket (AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
  fail_unless (stray_socket >= 0);
  fail_if (setsockopt (
      stray_socket, SOL_XDP, XDP_RX_RING, &entries, sizeof entries));
  direct_to (stray_socket);
}

void
switches_direct (void)
{
  direct_to (g_atomic_int_get (&ring_socket));
  close (stray_socket);
  stray_socket = -1;
}

guint
switches_frame_size (void)
{
  return g_atomic_int_get (&frame_size);
}

static guint64 outstanding;

static void
add_outstanding (gpointer value, G_GNUC_UNUSED guint i)
{
  const struct afxdp_slot *slot = value;

  outstanding += __atomic_load_n (&slot->redirected, __ATOMIC_RELAXED) -
      __atomic_load_n (&slot->released, __ATOMIC_RELAXED);
}

guint64
switches_outstanding (void)
{
  outstanding = 0;
  for_each_value (slots (), add_outstanding);
  return outstanding;
}

static struct xdp_statistics
statistics (void)
{
  struct xdp_statistics values = { 0 };
  socklen_t size = sizeof values;

  fail_if (getsockopt (g_atomic_int_get (&ring_socket), SOL_XDP, XDP_STATISTICS,
      &values, &size));
  return values;
}

guint64
switches_rx_ring_full (void)
{
  return statistics ().rx_ring_full;
}

guint64
switches_rx_dropped (void)
{
  return statistics ().rx_dropped;
}
