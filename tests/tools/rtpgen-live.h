/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sends a job as BPF live frames: one long BPF_PROG_TEST_RUN with the pacing
 * inside the program, since each call costs tens of milliseconds.
 *
 * One run at a time in a process. Uses SIGUSR1.
 */
#pragma once

#include <signal.h>

#include "rtpgen-job.h"

G_BEGIN_DECLS

/*
 * Returns when all is sent or *stop is not 0, with run and the job's flows
 * filled in. On an error they hold what had been sent before it.
 */
gboolean rtpgen_live_run (RtpgenJob *job, const volatile sig_atomic_t *stop,
    RtpgenRun *run, GError **error);

G_END_DECLS
