/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The frame area: who owns a frame, how it comes home, and when the area goes.
 */
#include "umem.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "kernel.h"
#include "suite.h"

#define N_FRAMES 16
#define FRAME_SIZE 2048

#define N_THREADS 4
#define N_BATCHES 4000
#define END (AFXDP_NO_FRAME - 1) /* of which 1 more is not NULL on 32 bits */

static AfxdpUmem *umem;
static guint n_destroyed;

static AfxdpUmem *
new_umem (guint n_frames)
{
  GError *error = NULL;
  AfxdpUmem *new_one = afxdp_umem_new (n_frames, FRAME_SIZE, &error);

  g_assert_no_error (error);
  return new_one;
}

static void
set_up (void)
{
  umem = new_umem (N_FRAMES);
  n_destroyed = 0;
}

static void
tear_down (void)
{
  afxdp_umem_unref (umem);
}

static guint32
take_one (void)
{
  guint32 frame = AFXDP_NO_FRAME;

  fail_unless_equals_int (afxdp_umem_take (umem, &frame, 1, FALSE), 1);
  return frame;
}

static guint32
lend_one (AfxdpAccount *account)
{
  guint32 frame = take_one ();

  afxdp_account_reserve (account, 1);
  afxdp_account_lend (account, frame);
  return frame;
}

static gboolean
is_mapped (gpointer address)
{
  gsize page_size = sysconf (_SC_PAGESIZE);
  gpointer page =
      GSIZE_TO_POINTER (GPOINTER_TO_SIZE (address) & ~(page_size - 1));
  unsigned char resident;

  if (!mincore (page, page_size, &resident))
    return TRUE;
  fail_unless_equals_int (errno, ENOMEM);
  return FALSE;
}

static void
count_destroyed (gpointer owner)
{
  (*(guint *) owner)++;
}

/* Takes all frames, and fails unless each came once. */
static void
assert_all_home (AfxdpUmem *area, guint n_frames)
{
  g_autofree guint32 *frames = g_new (guint32, n_frames + 1);
  g_autofree gboolean *seen = g_new0 (gboolean, n_frames);

  fail_unless_equals_int (afxdp_umem_n_free (area), n_frames);
  fail_unless_equals_int (
      afxdp_umem_take (area, frames, n_frames + 1, FALSE), n_frames);
  for (guint i = 0; i < n_frames; i++) {
    fail_unless (frames[i] < n_frames && !seen[frames[i]]);
    seen[frames[i]] = TRUE;
  }
  afxdp_umem_give (area, frames, n_frames);
}

TEST (test_geometry)
{
  guint8 *area = afxdp_umem_area (umem);

  fail_unless_equals_int (afxdp_umem_n_frames (umem), N_FRAMES);
  fail_unless_equals_int (afxdp_umem_frame_size (umem), FRAME_SIZE);
  fail_unless_equals_int (afxdp_umem_size (umem), N_FRAMES * FRAME_SIZE);
  fail_unless_equals_int (GPOINTER_TO_SIZE (area) % sysconf (_SC_PAGESIZE), 0);
  for (guint32 i = 0; i < N_FRAMES; i++) {
    fail_unless (afxdp_umem_frame (umem, i) == area + i * FRAME_SIZE);
    fail_unless_equals_int (afxdp_umem_frame_at (umem, i * FRAME_SIZE), i);
    fail_unless_equals_int (
        afxdp_umem_frame_at (umem, (i + 1) * FRAME_SIZE - 1), i);
  }
}

/* What a 32-bit host cannot say would otherwise wrap, and be too little memory. */
TEST (test_bytes)
{
  guint64 bytes;

  fail_unless (afxdp_umem_bytes (1 << 20, 2048, G_MAXUINT32, &bytes));
  fail_unless_equals_uint64 (bytes, 1u << 31);
  fail_unless (afxdp_umem_bytes ((1 << 20) - 1, 4096, G_MAXUINT32, &bytes));
  fail_if (afxdp_umem_bytes (1 << 20, 4096, G_MAXUINT32, &bytes));
  fail_unless_equals_uint64 (bytes, G_GUINT64_CONSTANT (1) << 32);
  fail_if (afxdp_umem_bytes (G_MAXUINT, G_MAXUINT, G_MAXUINT32, &bytes));
  fail_unless (afxdp_umem_bytes (G_MAXUINT, G_MAXUINT, G_MAXUINT64, &bytes));
}

TEST (test_no_memory)
{
  g_autoptr (GError) error = NULL;

  /* More than a process has addresses. */
  fail_if (afxdp_umem_new (1u << 31, 1u << 16, &error));
  fail_unless (g_error_matches (error, AFXDP_ERROR, AFXDP_ERROR_MEMORY));
  fail_unless (strstr (error->message, "2147483648 frames of 65536"));
}

TEST (test_take_and_give)
{
  guint32 frames[N_FRAMES + 1], some[3];

  assert_all_home (umem, N_FRAMES);
  fail_unless_equals_int (afxdp_umem_take (umem, frames, 0, FALSE), 0);
  fail_unless_equals_int (afxdp_umem_take (umem, frames, 5, FALSE), 5);
  fail_unless_equals_int (afxdp_umem_n_free (umem), N_FRAMES - 5);
  /* No more than there are. */
  fail_unless_equals_int (
      afxdp_umem_take (umem, frames + 5, N_FRAMES, FALSE), N_FRAMES - 5);
  fail_unless_equals_int (afxdp_umem_take (umem, frames, 1, FALSE), 0);
  /* The most recently used ones come first, while their cache is warm. */
  afxdp_umem_give (umem, frames, N_FRAMES - 3);
  afxdp_umem_give (umem, frames + N_FRAMES - 3, 3);
  fail_unless_equals_int (afxdp_umem_take (umem, some, 3, FALSE), 3);
  for (guint i = 0; i < 3; i++)
    fail_unless_equals_int (some[i], frames[N_FRAMES - 1 - i]);
  afxdp_umem_give (umem, some, 3);
  assert_all_home (umem, N_FRAMES);
}

/* Every way that umem.h draws. */
TEST (test_ways_of_a_frame)
{
  AfxdpAccount *account = afxdp_account_new (umem);
  guint32 frames[4];

  fail_unless_equals_int (afxdp_umem_take (umem, frames, 4, TRUE), 4);
  afxdp_umem_reclaim (umem, frames, 2);
  fail_unless_equals_int (afxdp_umem_n_free (umem), N_FRAMES - 2);
  afxdp_umem_arrived (umem, frames[2]);
  afxdp_umem_give (umem, &frames[2], 1);
  afxdp_umem_arrived (umem, frames[3]);
  afxdp_account_reserve (account, 1);
  afxdp_account_lend (account, frames[3]);
  fail_unless_equals_int (afxdp_umem_n_free (umem), N_FRAMES - 1);
  afxdp_umem_give_back (umem, frames[3]);
  assert_all_home (umem, N_FRAMES);
  afxdp_account_close (account);
}

TEST (test_accounts)
{
  AfxdpAccount *one = afxdp_account_new (umem);
  AfxdpAccount *other = afxdp_account_new (umem);
  guint32 frame, frame_of_other, frames[N_FRAMES];

  fail_unless (afxdp_account_umem (one) == umem);
  fail_unless_equals_int (afxdp_account_held (one), 0);
  /* What is announced counts from then on. */
  afxdp_account_reserve (one, 5);
  fail_unless_equals_int (afxdp_account_held (one), 5);
  frame = take_one ();
  afxdp_account_lend (one, frame);
  afxdp_account_unreserve (one, 4);
  fail_unless_equals_int (afxdp_account_held (one), 1);
  frame_of_other = lend_one (other);
  fail_unless_equals_int (afxdp_account_held (one), 1);
  afxdp_umem_give_back (umem, frame_of_other);
  fail_unless_equals_int (afxdp_account_held (one), 1);
  fail_unless_equals_int (afxdp_account_held (other), 0);
  afxdp_umem_give_back (umem, frame);
  fail_unless_equals_int (afxdp_account_held (one), 0);
  afxdp_account_unreserve (one, 0);
  /* A frame that has come home may go to anybody. */
  for (guint i = 0; i < N_FRAMES; i++)
    frames[i] = lend_one (other);
  fail_unless_equals_int (afxdp_account_held (one), 0);
  fail_unless_equals_int (afxdp_account_held (other), N_FRAMES);
  for (guint i = 0; i < N_FRAMES; i++)
    afxdp_umem_give_back (umem, frames[i]);
  fail_unless_equals_int (afxdp_account_held (one), 0);
  fail_unless_equals_int (afxdp_account_held (other), 0);
  afxdp_account_close (one);
  afxdp_account_close (other);
  afxdp_account_close (NULL);
}

TEST (test_outlives_its_stream)
{
  AfxdpAccount *account = afxdp_account_new (umem);
  guint32 frames[2] = { lend_one (account), lend_one (account) };
  guint8 *bytes = afxdp_umem_frame (umem, frames[1]);

  memset (bytes, 0x5a, FRAME_SIZE);
  afxdp_umem_set_owner (umem, &n_destroyed, count_destroyed);
  afxdp_account_close (account);
  afxdp_umem_unref (umem); /* as the stream does; umem is borrowed from here */
  afxdp_umem_give_back (umem, frames[0]);
  fail_unless_equals_int (n_destroyed, 0);
  for (guint i = 0; i < FRAME_SIZE; i++)
    fail_unless_equals_int (bytes[i], 0x5a);
  afxdp_umem_give_back (g_steal_pointer (&umem), frames[1]);
  fail_unless_equals_int (n_destroyed, 1);
  fail_if (is_mapped (bytes));
}

TEST (test_references)
{
  guint8 *bytes = afxdp_umem_frame (umem, 0);

  afxdp_umem_set_owner (umem, &n_destroyed, count_destroyed);
  fail_unless (afxdp_umem_ref (umem) == umem);
  afxdp_umem_unref (umem);
  fail_unless_equals_int (n_destroyed, 0);
  fail_unless (is_mapped (bytes));
  afxdp_umem_unref (g_steal_pointer (&umem));
  fail_unless_equals_int (n_destroyed, 1);
  fail_if (is_mapped (bytes));
  afxdp_umem_unref (NULL);
}

TEST (test_owner)
{
  static const guint8 zeros[AFXDP_FRAME_ROOM] = { 0 };
  AfxdpUmem *area = new_umem (2);
  guint8 *room = afxdp_umem_room (area);

  fail_if (afxdp_umem_owner (area));
  afxdp_umem_set_owner (area, &n_destroyed, count_destroyed);
  fail_unless (afxdp_umem_owner (area) == &n_destroyed);
  for (guint i = 0; i < 2; i++)
    fail_if (memcmp (room + i * AFXDP_FRAME_ROOM, zeros, sizeof zeros));
  fail_unless_equals_int (n_destroyed, 0);
  afxdp_umem_unref (area);
  fail_unless_equals_int (n_destroyed, 1);
  fail_if (is_mapped (room));
}

/* The kernel writes to the pages: after a fork they must stay ours. */
TEST (test_not_inherited)
{
  gpointer area = afxdp_umem_area (umem);
  pid_t child;
  int status;

  kernel_needs_dontfork ();
  child = fork ();
  if (!child)
    _exit (is_mapped (area) ? 1 : 0);
  waitpid (child, &status, 0);
  fail_unless (WIFEXITED (status) && !WEXITSTATUS (status));
  fail_unless (is_mapped (area));
}

/* Memory of somebody else, who fills its frames in the place of the kernel. */

TEST (test_over_foreign_memory)
{
  g_autofree guint8 *memory = g_malloc0 (N_FRAMES * FRAME_SIZE);
  g_autoptr (GError) error = NULL;
  guint n_released = 0;
  AfxdpUmem *area = afxdp_umem_new_over (
      memory, N_FRAMES, FRAME_SIZE, count_destroyed, &n_released, &error);
  AfxdpAccount *account;
  guint32 frames[] = { 3, 5 }, taken[4];

  g_assert_no_error (error);
  fail_unless (afxdp_umem_is_readonly (area));
  fail_if (afxdp_umem_is_readonly (umem));
  fail_unless (afxdp_umem_area (area) == memory);
  fail_unless (afxdp_umem_frame (area, 5) == memory + 5 * FRAME_SIZE);
  /* All of it is his at first. */
  fail_unless_equals_int (afxdp_umem_n_free (area), 0);
  fail_unless_equals_int (afxdp_umem_take (area, taken, 4, TRUE), 0);
  memset (memory, 7, N_FRAMES * FRAME_SIZE);
  afxdp_umem_populate (area, N_FRAMES);
  for (guint i = 0; i < N_FRAMES * FRAME_SIZE; i++)
    fail_unless (memory[i] == 7, "byte %u was written to", i);
  afxdp_umem_arrived (area, 3);
  afxdp_umem_arrived (area, 5);
  afxdp_umem_give (area, frames, 1);
  account = afxdp_account_new (area);
  afxdp_account_reserve (account, 1);
  afxdp_account_lend (account, 5);
  fail_unless_equals_int (afxdp_umem_take (area, taken, 4, TRUE), 1);
  fail_unless_equals_int (taken[0], 3);
  /* It goes when the last frame comes home, and nobody unmaps it. */
  afxdp_account_close (account);
  afxdp_umem_unref (area);
  fail_unless_equals_int (n_released, 0);
  afxdp_umem_give_back (area, 5);
  fail_unless_equals_int (n_released, 1);
  fail_unless_equals_int (memory[5 * FRAME_SIZE], 7);
}

/* Giving back, from many threads. */

typedef struct
{
  AfxdpUmem *umem;
  GAsyncQueue *frames; /* number + 1, since NULL is none; END too */
  gint *lent;          /* of each frame: whether it is downstream */
} Round;

static gpointer
give_all_back (gpointer user_data)
{
  Round *round = user_data;
  gsize number;

  while ((number = GPOINTER_TO_SIZE (g_async_queue_pop (round->frames)) - 1) !=
      END) {
    g_assert_true (
        g_atomic_int_compare_and_exchange (&round->lent[number], TRUE, FALSE));
    afxdp_umem_give_back (round->umem, number);
  }
  return NULL;
}

static void
push (Round *round, gsize number)
{
  g_async_queue_push (round->frames, GSIZE_TO_POINTER (number + 1));
}

static void
lend_many (Round *round, AfxdpAccount *account)
{
  for (guint i = 0; i < N_BATCHES; i++) {
    guint32 frames[32];
    guint n =
        afxdp_umem_take (round->umem, frames, G_N_ELEMENTS (frames), FALSE);

    if (!n)
      g_thread_yield ();
    afxdp_account_reserve (account, n);
    for (guint j = 0; j < n; j++) {
      fail_unless (g_atomic_int_compare_and_exchange (
          &round->lent[frames[j]], FALSE, TRUE));
      afxdp_account_lend (account, frames[j]);
      push (round, frames[j]);
    }
  }
}

/* Frames go round between one thread that takes and some that free. */
static void
go_round (AfxdpUmem *area)
{
  guint n_frames = afxdp_umem_n_frames (area);
  g_autoptr (GAsyncQueue) queue = g_async_queue_new ();
  g_autofree gint *lent = g_new0 (gint, n_frames);
  Round round = { area, queue, lent };
  AfxdpAccount *account = afxdp_account_new (area);
  GThread *threads[N_THREADS];

  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("downstream", give_all_back, &round);
  lend_many (&round, account);
  for (guint i = 0; i < N_THREADS; i++)
    push (&round, END);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  fail_unless_equals_int (afxdp_account_held (account), 0);
  afxdp_account_close (account);
  assert_all_home (area, n_frames);
}

TEST (test_threads_give_back)
{
  g_autoptr (AfxdpUmem) area = new_umem (256);

  go_round (area);
}

/* Filling a hungry fill ring. */

static void
count_refill (gpointer user_data)
{
  (*(guint *) user_data)++;
}

TEST (test_refill)
{
  AfxdpAccount *account = afxdp_account_new (umem);
  guint n = 0, n_later = 0;

  afxdp_umem_set_hungry (umem, TRUE);
  afxdp_umem_give_back (umem, lend_one (account)); /* nobody to call */
  afxdp_umem_set_hungry (umem, FALSE);
  afxdp_umem_set_refill (umem, count_refill, &n);
  afxdp_umem_give_back (umem, lend_one (account));
  fail_unless_equals_int (n, 0);
  afxdp_umem_set_hungry (umem, TRUE);
  fail_unless_equals_int (n, 0);
  afxdp_umem_give_back (umem, lend_one (account));
  afxdp_umem_give_back (umem, lend_one (account));
  fail_unless_equals_int (n, 2);
  afxdp_umem_set_refill (umem, count_refill, &n_later);
  afxdp_umem_give_back (umem, lend_one (account));
  afxdp_umem_set_refill (umem, NULL, NULL);
  afxdp_umem_give_back (umem, lend_one (account));
  fail_unless_equals_int (n, 2);
  fail_unless_equals_int (n_later, 1);
  afxdp_account_close (account);
}

/* Puts the frame that came home into a fill ring, as a distributor does. */
static void
refill_from (gpointer user_data)
{
  AfxdpUmem *area = user_data;
  guint32 frame;

  g_assert_cmpuint (afxdp_umem_take (area, &frame, 1, TRUE), ==, 1);
  afxdp_umem_reclaim (area, &frame, 1);
}

/* The frame is home, and the area still there, when the function is called. */
TEST (test_refill_with_the_last_frame)
{
  AfxdpAccount *account = afxdp_account_new (umem);
  guint32 frames[N_FRAMES];

  afxdp_umem_set_owner (umem, &n_destroyed, count_destroyed);
  fail_unless_equals_int (
      afxdp_umem_take (umem, frames, N_FRAMES, FALSE), N_FRAMES);
  afxdp_account_reserve (account, 1);
  afxdp_account_lend (account, frames[0]);
  afxdp_account_close (account);
  afxdp_umem_set_refill (umem, refill_from, umem);
  afxdp_umem_set_hungry (umem, TRUE);
  afxdp_umem_unref (umem);
  afxdp_umem_give_back (g_steal_pointer (&umem), frames[0]);
  fail_unless_equals_int (n_destroyed, 1);
}

typedef struct
{
  gint running;
  gint n;
} Refills;

static void
refill_alone (gpointer user_data)
{
  Refills *refills = user_data;

  g_assert_cmpint (g_atomic_int_add (&refills->running, 1), ==, 0);
  g_thread_yield ();
  g_atomic_int_add (&refills->running, -1);
  g_atomic_int_inc (&refills->n);
}

TEST (test_refills_are_one_at_a_time)
{
  g_autoptr (AfxdpUmem) area = new_umem (256);
  Refills refills = { 0, 0 };

  afxdp_umem_set_refill (area, refill_alone, &refills);
  afxdp_umem_set_hungry (area, TRUE);
  go_round (area);
  fail_unless (refills.n > 0);
  afxdp_umem_set_refill (area, NULL, NULL);
}

/* A refill function that takes its time while another thread ends it. */
typedef struct
{
  AfxdpUmem *umem;
  guint32 frame;
  GMutex lock;
  GCond changed;
  gboolean running, go_on;
  gint finished, ended; /* atomic */
  gint ender;           /* atomic: thread id */
} SlowRefill;

static void
refill_slowly (gpointer user_data)
{
  SlowRefill *slow = user_data;

  g_mutex_lock (&slow->lock);
  slow->running = TRUE;
  g_cond_broadcast (&slow->changed);
  while (!slow->go_on)
    g_cond_wait (&slow->changed, &slow->lock);
  g_mutex_unlock (&slow->lock);
  g_atomic_int_set (&slow->finished, TRUE);
}

static gpointer
give_back (gpointer user_data)
{
  SlowRefill *slow = user_data;

  afxdp_umem_give_back (slow->umem, slow->frame);
  return NULL;
}

static gpointer
end_refill (gpointer user_data)
{
  SlowRefill *slow = user_data;

  g_atomic_int_set (&slow->ender, gettid ());
  afxdp_umem_set_refill (slow->umem, NULL, NULL);
  g_assert_true (g_atomic_int_get (&slow->finished));
  g_atomic_int_set (&slow->ended, TRUE);
  return NULL;
}

static gboolean
is_asleep (gint thread)
{
  g_autofree gchar *path = g_strdup_printf ("/proc/self/task/%d/stat", thread);
  g_autofree gchar *stat = NULL;

  return g_file_get_contents (path, &stat, NULL, NULL) &&
      strstr (stat, ") S ") != NULL;
}

TEST (test_end_waits_for_refill)
{
  AfxdpAccount *account = afxdp_account_new (umem);
  SlowRefill slow = { .umem = umem, .frame = lend_one (account) };
  GThread *giver, *ender;

  g_mutex_init (&slow.lock);
  g_cond_init (&slow.changed);
  afxdp_umem_set_refill (umem, refill_slowly, &slow);
  afxdp_umem_set_hungry (umem, TRUE);
  giver = g_thread_new ("giver", give_back, &slow);
  g_mutex_lock (&slow.lock);
  while (!slow.running)
    g_cond_wait (&slow.changed, &slow.lock);
  g_mutex_unlock (&slow.lock);

  ender = g_thread_new ("ender", end_refill, &slow);
  while (!g_atomic_int_get (&slow.ended) &&
      !(g_atomic_int_get (&slow.ender) &&
          is_asleep (g_atomic_int_get (&slow.ender))))
    g_thread_yield ();
  fail_if (g_atomic_int_get (&slow.ended));
  /* Nobody waits for it who gives back a frame meanwhile. */
  afxdp_umem_give_back (umem, lend_one (account));

  g_mutex_lock (&slow.lock);
  slow.go_on = TRUE;
  g_cond_broadcast (&slow.changed);
  g_mutex_unlock (&slow.lock);
  g_thread_join (giver);
  g_thread_join (ender);
  fail_unless (slow.ended);
  g_mutex_clear (&slow.lock);
  g_cond_clear (&slow.changed);
  afxdp_account_close (account);
}

#ifdef AFXDP_CHECK_FRAMES
/* What the checked build aborts at: a wrong move of a frame. */

SIGNAL_TEST (test_given_twice, SIGABRT)
{
  guint32 frame = take_one ();

  afxdp_umem_give (umem, &frame, 1);
  afxdp_umem_give (umem, &frame, 1);
}

SIGNAL_TEST (test_given_back_twice, SIGABRT)
{
  AfxdpAccount *account = afxdp_account_new (umem);
  guint32 frame = lend_one (account);

  afxdp_account_reserve (account, 1);
  afxdp_umem_give_back (umem, frame);
  afxdp_umem_give_back (umem, frame);
}

SIGNAL_TEST (test_lent_by_the_kernel, SIGABRT)
{
  AfxdpAccount *account = afxdp_account_new (umem);
  guint32 frame;

  afxdp_umem_take (umem, &frame, 1, TRUE);
  afxdp_account_reserve (account, 1);
  afxdp_account_lend (account, frame);
}

SIGNAL_TEST (test_arrived_twice, SIGABRT)
{
  guint32 frame;

  afxdp_umem_take (umem, &frame, 1, TRUE);
  afxdp_umem_arrived (umem, frame);
  afxdp_umem_arrived (umem, frame);
}

SIGNAL_TEST (test_reclaimed_from_the_element, SIGABRT)
{
  guint32 frame = take_one ();

  afxdp_umem_reclaim (umem, &frame, 1);
}
#endif

/* Pages of the area, from frame on, that are there. */
static guint
count_pages (AfxdpUmem *area, guint frame, guint n)
{
  gsize page = sysconf (_SC_PAGESIZE);
  gsize size = (gsize) n * afxdp_umem_frame_size (area);
  g_autofree guchar *there = g_malloc (size / page);
  guint sum = 0;

  fail_unless (!mincore (afxdp_umem_frame (area, frame), size, there));
  for (guint i = 0; i < size / page; i++)
    sum += there[i] & 1;
  return sum;
}

/* Frames of a page each, so that they can be told apart; and few enough that none of
 * them is in a huge page. */
TEST (test_populate)
{
  guint page = sysconf (_SC_PAGESIZE);
  AfxdpUmem *area = afxdp_umem_new (128, page, NULL);

  kernel_needs_populate ();
  afxdp_umem_populate (area, 16);
  fail_unless_equals_int (count_pages (area, 0, 16), 16);
  fail_unless_equals_int (count_pages (area, 16, 112), 0);
  afxdp_umem_populate (area, G_MAXUINT);
  fail_unless_equals_int (count_pages (area, 0, 128), 128);
  afxdp_umem_unref (area);
}

SUITE ("umem", 60, set_up, tear_down)
