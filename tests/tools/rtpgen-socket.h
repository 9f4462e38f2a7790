/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sends a job with sendmmsg(): one connected UDP socket for each flow, and a
 * second one for its marker packets where these have an IP option.
 *
 * Runs in the caller's thread.
 */
#pragma once

#include <signal.h>

#include "rtpgen-job.h"

G_BEGIN_DECLS

/*
 * Returns when all is sent or *stop is not 0, with run and the job's flows
 * filled in. On an error they hold what had been sent before it.
 */
gboolean rtpgen_socket_run (RtpgenJob *job, const volatile sig_atomic_t *stop,
    RtpgenRun *run, GError **error);

G_END_DECLS
