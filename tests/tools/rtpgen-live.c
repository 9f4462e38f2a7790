/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loads the BPF program, runs it in threads of its own and watches its
 * variables from the caller's.
 *
 * Nothing but its count of repetitions (32 bits: some minutes) or a signal ends
 * a call: bpf_test_timer_continue() in net/bpf/test_run.c, Linux 6.18. So the
 * watcher interrupts it once the program says that it is done. Long before the
 * repetitions run out, a second thread makes the next call, and when that one
 * runs the first is interrupted: beginning and end of a call take 5 to 20 ms
 * each, which a gap between two calls would turn into a burst.
 *
 * For that moment two threads run the program, and share its variables. They
 * are bound to one CPU, and a batch cannot be preempted there (its softirqs are
 * off; not so on PREEMPT_RT), so that whole batches take turns.
 */
#include "rtpgen-live.h"

#include <errno.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "rtpgen.skel.h"

/* How often the watcher looks in general, and while it waits for a thread. */
#define LOOK_USECS 10000
#define WAIT_USECS 1000

/* A thread that calls BPF_PROG_TEST_RUN. */
typedef struct
{
  pthread_t thread;
  const struct bpf_program *entry;
  const volatile guint32 *finished; /* the program's */
  const guint8 *frame;              /* the template */
  guint32 frame_size;
  guint32 batch;
  gint retired;  /* atomic: another one has taken over */
  gint ended;    /* atomic; what follows is read after it */
  gint error;    /* an errno, or 0 */
  guint64 calls; /* made by this thread */
} Caller;

typedef struct
{
  struct rtpgen_bpf *program;
  Caller callers[2];
  guint current;
  guint64 calls;     /* of callers that have ended */
  guint64 call_runs; /* runs of the program after which a new call is made */
} Generator;

static void
ignore_signal (int number)
{
}

static gpointer
caller_run (gpointer user_data)
{
  Caller *self = user_data;

  do {
    LIBBPF_OPTS (bpf_test_run_opts, options, .data_in = self->frame,
        .data_size_in = self->frame_size,
        .repeat = -1, /* the kernel takes it as unsigned */
        .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = self->batch);

    self->calls++;
    if (bpf_prog_test_run_opts (bpf_program__fd (self->entry), &options) < 0 &&
        errno != EINTR)
      self->error = errno;
  } while (
      !self->error && !*self->finished && !g_atomic_int_get (&self->retired));
  g_atomic_int_set (&self->ended, 1);
  return NULL;
}

/* Starts a thread on the CPU that this one runs on. Returns an errno, or 0. */
static gint
caller_start (Caller *self, guint cpu)
{
  pthread_attr_t attributes;
  sigset_t blocked, old_mask;
  cpu_set_t set;
  gint error;

  self->retired = self->ended = self->error = 0;
  self->calls = 0;
  CPU_ZERO (&set);
  CPU_SET (cpu, &set);
  pthread_attr_init (&attributes);
  pthread_attr_setaffinity_np (&attributes, sizeof set, &set);
  /* The process's signals are the watcher's. */
  sigfillset (&blocked);
  sigdelset (&blocked, SIGUSR1);
  pthread_sigmask (SIG_BLOCK, &blocked, &old_mask);
  error = pthread_create (&self->thread, &attributes, caller_run, self);
  pthread_sigmask (SIG_SETMASK, &old_mask, NULL);
  pthread_attr_destroy (&attributes);
  return error;
}

/* Ends the thread's call, or waits until it has ended. Returns its errno. */
static gint
caller_stop (Caller *self)
{
  g_atomic_int_set (&self->retired, 1);
  while (!g_atomic_int_get (&self->ended)) {
    pthread_kill (self->thread, SIGUSR1);
    g_usleep (WAIT_USECS);
  }
  pthread_join (self->thread, NULL);
  return self->error;
}

/* Lets the other caller take over. Returns an errno, or 0. */
static gint
hand_over (Generator *self, guint cpu)
{
  struct rtpgen_bpf__bss *variables = self->program->bss;
  Caller *old = &self->callers[self->current];
  Caller *new = &self->callers[!self->current];
  gint error;

  variables->entered[!self->current] = 0;
  error = caller_start (new, cpu);
  if (error)
    return error;
  while (!variables->entered[!self->current] && !g_atomic_int_get (&new->ended))
    g_usleep (WAIT_USECS);
  self->current = !self->current;
  error = caller_stop (old);
  self->calls += old->calls;
  return error;
}

/* Runs the loaded program to the end of its plan. Returns an errno, or 0. */
static gint
generator_run (Generator *self, const volatile sig_atomic_t *stop)
{
  struct rtpgen_bpf__bss *variables = self->program->bss;
  const guint cpu = sched_getcpu ();
  guint64 call_start = 0;
  gint error, call_error;

  error = caller_start (&self->callers[0], cpu);
  if (error)
    return error;
  while (!error && !variables->finished &&
      !g_atomic_int_get (&self->callers[self->current].ended)) {
    if (*stop)
      variables->stop = 1;
    if (variables->runs - call_start > self->call_runs) {
      call_start = variables->runs;
      error = hand_over (self, cpu);
    }
    g_usleep (LOOK_USECS);
  }
  call_error = caller_stop (&self->callers[self->current]);
  self->calls += self->callers[self->current].calls;
  return error ? error : call_error;
}

static struct rtpgen_bpf *
load_program (const RtpgenJob *job, GError **error)
{
  struct rtpgen_bpf *program = rtpgen_bpf__open ();

  if (program) {
    program->rodata->interface_index = job->interface->index;
    program->rodata->batch_size = job->options->batch;
    if (rtpgen_bpf__load (program) == 0) {
      program->bss->plan = job->plan;
      memcpy (program->bss->stretches, job->stretches,
          sizeof program->bss->stretches);
      memcpy (program->bss->flows, job->flows,
          job->plan.flows * sizeof *job->flows);
      return program;
    }
  }
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno),
      "Cannot load the BPF program that makes live frames: %s. It needs "
      "CAP_BPF and CAP_NET_ADMIN and Linux 5.18; --method socket needs neither",
      g_strerror (errno));
  rtpgen_bpf__destroy (program);
  return NULL;
}

static void
read_results (const struct rtpgen_bpf *program, RtpgenJob *job, RtpgenRun *run)
{
  memcpy (
      job->flows, program->bss->flows, job->plan.flows * sizeof *job->flows);
  run->start_ns = program->bss->schedule.start_ns;
  run->last_ns = program->bss->last_ns;
  run->late_max_ns = program->bss->late_max_ns;
  run->failed = program->bss->failed;
}

/* The template: room for headers and RTP header, then the payload. */
static guint8 *
make_frame (const RtpgenJob *job, guint32 *size)
{
  const gsize before = job->headers + 12;
  guint8 *frame = g_malloc0 (before + job->payload_size);

  memcpy (frame + before, job->payload, job->payload_size);
  *size = before + job->payload_size;
  return frame;
}

static gint
run_program (struct rtpgen_bpf *program, const RtpgenJob *job,
    const volatile sig_atomic_t *stop, RtpgenRun *run)
{
  const struct sigaction action = { .sa_handler = ignore_signal };
  const struct bpf_program *entries[2] = { program->progs.rtpgen_send_even,
    program->progs.rtpgen_send_odd };
  Generator generator = { .program = program,
    .call_runs = job->options->call_runs };
  struct sigaction old_action;
  guint32 frame_size;
  gint error;
  g_autofree guint8 *frame = make_frame (job, &frame_size);

  for (guint i = 0; i < G_N_ELEMENTS (entries); i++) {
    generator.callers[i].entry = entries[i];
    generator.callers[i].finished = &program->bss->finished;
    generator.callers[i].frame = frame;
    generator.callers[i].frame_size = frame_size;
    generator.callers[i].batch = job->options->batch;
  }
  sigaction (SIGUSR1, &action, &old_action);
  error = generator_run (&generator, stop);
  sigaction (SIGUSR1, &old_action, NULL);
  run->calls = generator.calls;
  return error;
}

gboolean
rtpgen_live_run (RtpgenJob *job, const volatile sig_atomic_t *stop,
    RtpgenRun *run, GError **error)
{
  struct rtpgen_bpf *program = load_program (job, error);
  gint code;

  if (!program)
    return FALSE;
  code = run_program (program, job, stop, run);
  read_results (program, job, run);
  rtpgen_bpf__destroy (program);
  if (code == 0)
    return TRUE;
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (code),
      "Cannot run the BPF program on live frames with %" G_GSIZE_FORMAT
      " bytes of RTP payload: %s%s",
      job->payload_size, g_strerror (code),
      code == EINVAL ? ". A live frame holds 3408 bytes in Linux 6.18; the "
                       "flag for live frames is there since 5.18"
                     : "");
  return FALSE;
}
