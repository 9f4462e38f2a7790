/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an interface says that it dropped, while its queues come and go. The
 * executable has an ioctl() of its own, in the C library's place.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "netcounters.h"
#include "netdev.h"
#include "network.h"
#include "receiver.h"

#define N_PACKETS 200
/* More than a driver ever told of. */
#define MANY 20000

static void (*between) (void); /* the question how many, and that for them */
static gboolean kernel_is_old;
static guint n_values; /* asked for */

/* A kernel that does not look at what it was asked for: as if the driver had got
 * hundreds of queues meanwhile. */
static void
write_many (struct ethtool_stats *values)
{
  memset (&values->data[values->n_stats], 0, MANY * sizeof *values->data);
  values->n_stats += MANY;
}

__attribute__ ((visibility ("default"))) int
ioctl (int fd, unsigned long request, ...)
{
  void (*change) (void) = between;
  guint32 command = 0;
  gpointer argument;
  va_list list;
  int result;

  va_start (list, request);
  argument = va_arg (list, gpointer);
  va_end (list);
  if (request == SIOCETHTOOL)
    memcpy (&command, ((struct ifreq *) argument)->ifr_data, sizeof command);
  if (command == ETHTOOL_GSTATS)
    n_values++;
  if (change && command == ETHTOOL_GSTATS) {
    between = NULL;
    change ();
  }
  result = syscall (SYS_ioctl, fd, request, argument);
  if (!result && command == ETHTOOL_GSTATS && kernel_is_old)
    write_many ((gpointer) ((struct ifreq *) argument)->ifr_data);
  return result;
}

/* Every packet is redirected to an interface that is not there. */
static int
misdirect (void)
{
  const struct bpf_insn code[] = {
    { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 1 << 30 },
    { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 0 },
    { .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect },
    { .code = BPF_JMP | BPF_EXIT },
  };
  LIBBPF_OPTS (bpf_link_create_opts, options, .flags = XDP_FLAGS_DRV_MODE);
  int prog = bpf_prog_load (
      BPF_PROG_TYPE_XDP, "misdirect", "GPL", code, G_N_ELEMENTS (code), NULL);
  int link = bpf_link_create (prog, if_nametoindex ("rx0"), BPF_XDP, &options);

  fail_unless (prog >= 0 && link >= 0, "%s", g_strerror (errno));
  close (prog);
  return link;
}

/* From many ports, so that they spread over the queues. */
static void
send_some (void)
{
  struct sockaddr_in to = { .sin_family = AF_INET,
    .sin_port = htons (5000),
    .sin_addr.s_addr = inet_addr ("239.1.1.1") };

  for (guint i = 0; i < N_PACKETS; i++) {
    int fd = network_sender_socket (AF_INET, SOCK_DGRAM, 0);

    fail_unless (sendto (fd, "", 1, 0, (struct sockaddr *) &to, sizeof to) == 1,
        "%s", g_strerror (errno));
    close (fd);
  }
}

static guint64
failed_on_both_queues (void)
{
  return MIN (network_counter ("rx_queue_0_drops"),
      network_counter ("rx_queue_1_drops"));
}

static void
use_one_queue (void)
{
  network_run_on_sender ("ethtool -L tx0 tx 1");
  network_run ("ethtool -L rx0 rx 1");
}

static void
use_all_queues (void)
{
  network_run ("ethtool -L rx0 rx 4");
  network_run_on_sender ("ethtool -L tx0 tx 4");
}

static void
assert_no_drops (AfxdpNetdevDrops *drops)
{
  g_autoptr (GError) error = NULL;
  AfxdpNetdev netdev;

  fail_unless (afxdp_netdev_by_name ("rx0", &netdev, &error));
  fail_unless (afxdp_netdev_ask_drops (&netdev, drops, &error), "%s",
      error ? error->message : "");
  fail_unless_equals_uint64 (drops->n, 0);
}

/* A queue that goes takes its counters along, and the sum goes on. */
TEST (test_queues_go)
{
  AfxdpNetdevDrops drops = { 0 };
  int link = misdirect ();

  assert_no_drops (&drops);
  send_some ();
  wait_until (failed_on_both_queues ());
  assert_no_drops (&drops);
  use_one_queue ();
  assert_no_drops (&drops);
  use_all_queues ();
  assert_no_drops (&drops);
  send_some ();
  assert_no_drops (&drops);
  close (link);
}

/* Between two of the questions. */
TEST (test_queues_change_meanwhile)
{
  static void (*const changes[]) (
      void) = { use_one_queue, use_all_queues, use_one_queue };
  AfxdpNetdevDrops drops = { 0 };
  int link = misdirect ();

  assert_no_drops (&drops);
  send_some ();
  wait_until (failed_on_both_queues ());
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++) {
    between = changes[i];
    assert_no_drops (&drops);
    fail_if (between);
  }
  close (link);
}

/* Counters that nobody asked for damage nothing, and what cannot be told is not. */
TEST (test_old_kernel)
{
  AfxdpNetdevDrops drops = { 0 };
  g_autoptr (GError) error = NULL;
  AfxdpNetdev netdev;

  fail_unless (afxdp_netdev_by_name ("rx0", &netdev, NULL));
  kernel_is_old = TRUE;
  fail_if (afxdp_netdev_ask_drops (&netdev, &drops, &error));
  fail_unless (error != NULL);
  fail_unless (n_values > 1, "it was not asked again");
  kernel_is_old = FALSE;
  assert_no_drops (&drops);
}

static void
up_with_two_queues (void)
{
  network_up_with_room (2, 4);
}

NETNS_SUITE ("counters", up_with_two_queues)
