/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rtpgen: sends RTP through one end of a veth pair, for tests and benchmarks.
 *
 *   nsenter --net=/run/netns/SENDER rtpgen --interface vethS --cpu 0 \
 *       --destination 239.1.1.1:5000 --rate 390000 --duration 3 --json
 *
 * sends 1,170,000 packets of 1316 bytes of RTP payload, evenly spaced, as BPF
 * live frames. `--method socket` sends with sendmmsg() instead. The receiving
 * end must have NAPI for live frames: `ethtool -K vethR gro on`.
 *
 * What a test can rely on:
 *  - exit status 0 says that every packet of the report left the peer's receive
 *    ring, into its XDP program or stack: the veth's own counters were compared
 *    with the count. 1: it dropped some. 2: error of usage or set-up. 3: none
 *    dropped, but slower than 99 % of --rate, and by more than 10 ms.
 *  - packets are as many as asked for: --packets, or --duration times --rate,
 *    however late; only at --rate 0 does --duration end by the clock. A run
 *    with a rate gives up one second after its --duration, and SIGINT or
 *    SIGTERM end any run early: then "packets" is less than "asked-packets".
 *  - the packet with index i of a flow has sequence number first-seq + i and
 *    timestamp i * 90000 * flows / rate, and its index (64 bits) stands 8 bytes
 *    into the payload; a duplicate equals its original to the byte.
 *  - a CPU that was taken away is caught up with at full speed, so that the
 *    average is exact; "late-max" in the report says for how long at most.
 *
 * Recipes:
 *   a video of 25 frames/s whose last packets are short and have an IP option:
 *     --rate 390000 --marker-every 15600 --marker-size 345 --marker-ip-option
 *   lose the last 5 of every 1000 packets: --gap 995:5 --script-every 1000
 *   8 flows over several RX queues: --method socket --flows 8
 *   overload on purpose: two generators on two CPUs; both exit with 1
 *
 * This file owns the course of a run and the process: arguments, CPU, signals,
 * exit status.
 */
#include <errno.h>
#include <locale.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "rtpgen-live.h"
#include "rtpgen-report.h"
#include "rtpgen-socket.h"

static volatile sig_atomic_t stop;

static void
set_stop (int number)
{
  stop = 1;
}

static void
catch_signals (void)
{
  const struct sigaction action = { .sa_handler = set_stop };

  sigaction (SIGINT, &action, NULL);
  sigaction (SIGTERM, &action, NULL);
}

/* The whole process: a watcher elsewhere would disturb the receiver's CPU. */
static gboolean
pin (gint64 cpu, GError **error)
{
  cpu_set_t set;

  if (cpu < 0)
    return TRUE;
  CPU_ZERO (&set);
  CPU_SET (cpu, &set);
  if (sched_setaffinity (0, sizeof set, &set) == 0)
    return TRUE;
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno),
      "Cannot run on CPU %" G_GINT64_FORMAT ": %s", cpu, g_strerror (errno));
  return FALSE;
}

static gboolean
set_priority (gboolean realtime, GError **error)
{
  const struct sched_param param = { .sched_priority = 1 };

  if (!realtime || !sched_setscheduler (0, SCHED_FIFO, &param))
    return TRUE;
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno),
      "Cannot run with --realtime: %s", g_strerror (errno));
  return FALSE;
}

static gboolean
run_job (
    RtpgenJob *job, RtpgenRun *run, RtpgenDelivery *delivery, GError **error)
{
  const RtpgenMethod method = job->options->method;
  RtpgenCounters before;

  if (!rtpgen_interface_read_counters (job->interface, &before, error))
    return FALSE;
  if (!(method == RTPGEN_METHOD_LIVE
              ? rtpgen_live_run (job, &stop, run, error)
              : rtpgen_socket_run (job, &stop, run, error)))
    return FALSE;
  return rtpgen_delivery_judge (job->interface, method, &before,
      rtpgen_job_count_packets (job), delivery, error);
}

static gint
fail (const GError *error)
{
  fprintf (stderr, "rtpgen: %s\n", error->message);
  return RTPGEN_VERDICT_ERROR;
}

int
main (int argc, char **argv)
{
  g_autoptr (RtpgenOptions) options = NULL;
  g_autoptr (RtpgenJob) job = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gchar *report = NULL, *complaints = NULL;
  RtpgenDelivery delivery;
  RtpgenRun run = { 0 };

  setlocale (LC_CTYPE, "");
  options = rtpgen_options_new (&argc, &argv, &error);
  if (!options)
    return fail (error);
  catch_signals ();
  if (!pin (options->cpu, &error) || !set_priority (options->realtime, &error))
    return fail (error);
  job = rtpgen_job_new (options, &error);
  if (!job || !run_job (job, &run, &delivery, &error))
    return fail (error);

  report = options->json ? rtpgen_report_to_json (job, &run, &delivery)
                         : rtpgen_report_to_text (job, &run, &delivery);
  complaints = rtpgen_report_complain (job, &run, &delivery);
  fputs (report, stdout);
  if (*complaints)
    fprintf (stderr, "rtpgen: %s", complaints);
  return rtpgen_report_judge (job, &run, &delivery);
}
