/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When what is read from a socket arrived, though the thread that reads stands still. */
#include "socketinput.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "kernel.h"
#include "loopback.h"
#include "suite.h"

#define BATCH 32
/* Longer than a packet may take in the kernel. */
#define STOP (1500 * G_GUINT64_CONSTANT (1000000))

static Loopback *loopback;
static gboolean
    stops; /* at the end of the next recvmmsg(), and a packet comes */

/* In the C library's place. */
int
recvmmsg (int fd, struct mmsghdr *messages, unsigned int n, int flags,
    struct timespec *timeout)
{
  int got = syscall (SYS_recvmmsg, fd, messages, n, flags, timeout);

  if (stops) {
    stops = FALSE;
    loopback_send_rtp (loopback, 33, 1);
    g_usleep (STOP / 1000);
  }
  return got;
}

/* The kernel begins to stamp packets some time after the first socket of the host has
 * asked for it (net_enable_timestamp(), Linux 6.18); what comes before has the time at
 * which it is read. */
static void
wait_for_stamps (AfxdpInput *input)
{
  guint64 sent, arrival;

  do {
    sent = afxdp_now ();
    loopback_send_rtp (loopback, 33, 0);
    g_usleep (2000);
    afxdp_input_read (input, 0);
    fail_unless_equals_int (input->end, 1);
    arrival = input->packets[0].arrival;
    afxdp_input_discard (input);
  } while (arrival >= sent + 1000000);
}

/* As a thread does whose process is stopped, or whose machine is: right behind a
 * call of the kernel, as a rule. */
TEST (test_stop)
{
  AfxdpDrops drops = { 0 };
  AfxdpStreamSettings settings = { .batch = BATCH };
  g_autoptr (GError) error = NULL;
  AfxdpSocket *socket;
  AfxdpSocketInput slow;
  AfxdpInput *input = &slow.input;
  guint64 sent;

  kernel_needs_arrival_times ();
  loopback = loopback_new ();
  settings.address = loopback->address;
  settings.port = loopback->port;
  socket = afxdp_socket_new (&settings, NULL, 0, &error);
  g_assert_no_error (error);
  afxdp_socket_input_init (&slow, socket, BATCH, &drops);

  wait_for_stamps (input);
  stops = TRUE;
  sent = afxdp_now ();
  afxdp_input_read (input, 0);
  fail_unless_equals_int (input->end, 0);
  fail_if (stops);
  afxdp_input_read (input, 0);
  fail_unless_equals_int (input->end, 1);
  fail_unless (input->packets[0].arrival < sent + STOP / 2,
      "it arrived %" G_GUINT64_FORMAT " ms after it was sent",
      (input->packets[0].arrival - sent) / 1000000);

  afxdp_input_discard (input);
  afxdp_input_clear (input);
  afxdp_socket_free (socket);
  loopback_free (loopback);
}

SUITE ("input", 0, NULL, NULL)
