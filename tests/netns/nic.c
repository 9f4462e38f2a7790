/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NICs and drivers that do not what they say: nothing comes by AF_XDP although
 * packets come. That is noticed within a second, told, and left.
 *
 * A veth has no zero-copy. Where a test needs it, the plugin is told that it has:
 * the executable has some system calls of its own, which the plugin finds before the
 * C library's.
 */
#include <dlfcn.h>
#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/if_xdp.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "generator.h"
#include "netdev.h"
#include "network.h"
#include "receiver.h"
#include "switches.h"
#include "tasks.h"
#include "wire.h"
#include "../check/tap.h"

#ifndef SOL_XDP
#define SOL_XDP 283
#endif

#define DROP "fakesink name=sink sync=false"

/* Noticed within this. */
#define SOON (1 * G_TIME_SPAN_SECOND)

/* Whether bind() is believed to have got zero-copy, unless copy mode was asked for. */
static gint pretends;
static gint copies;

__attribute__ ((visibility ("default"))) int
bind (int fd, const struct sockaddr *address, socklen_t size)
{
  const struct sockaddr_xdp *xdp = (const struct sockaddr_xdp *) address;

  if (address->sa_family == AF_XDP && !(xdp->sxdp_flags & XDP_SHARED_UMEM))
    g_atomic_int_set (&copies, (xdp->sxdp_flags & XDP_COPY) != 0);
  return syscall (SYS_bind, fd, address, size);
}

__attribute__ ((visibility ("default"))) int
getsockopt (int fd, int level, int option, void *value, socklen_t *size)
{
  int result = syscall (SYS_getsockopt, fd, level, option, value, size);

  if (!result && level == SOL_XDP && option == XDP_OPTIONS &&
      g_atomic_int_get (&pretends) && !g_atomic_int_get (&copies))
    ((struct xdp_options *) value)->flags |= XDP_OPTIONS_ZEROCOPY;
  return result;
}

/* The interface says that it has zero-copy, and how large its ring is. */
#define NIC_RING 1024

__attribute__ ((visibility ("default"))) int
ioctl (int fd, unsigned long request, ...)
{
  struct ethtool_ringparam *ring;
  struct ifreq *interface;
  gpointer argument;
  va_list args;

  va_start (args, request);
  argument = va_arg (args, gpointer);
  va_end (args);
  interface = argument;
  if (request != SIOCETHTOOL || !g_atomic_int_get (&pretends) ||
      *(guint32 *) interface->ifr_data != ETHTOOL_GRINGPARAM)
    return syscall (SYS_ioctl, fd, request, argument);
  ring = (gpointer) interface->ifr_data;
  ring->rx_pending = NIC_RING;
  return 0;
}

/* linux/netdev.h, since Linux 6.3: NETDEV_CMD_DEV_GET, NETDEV_A_DEV_XDP_FEATURES and
 * NETDEV_XDP_ACT_XSK_ZEROCOPY. */
#define DEV_GET 1
#define XDP_FEATURES 3
#define XSK_ZEROCOPY 8

static void
add_zero_copy (struct nlmsghdr *header, int size)
{
  struct genlmsghdr *generic = NLMSG_DATA (header);
  struct rtattr *attribute = (gpointer) (generic + 1);
  int rest = size - NLMSG_LENGTH (GENL_HDRLEN);

  if (header->nlmsg_type <= GENL_ID_CTRL || generic->cmd != DEV_GET)
    return;
  for (; RTA_OK (attribute, rest); attribute = RTA_NEXT (attribute, rest))
    if (attribute->rta_type == XDP_FEATURES)
      *(guint8 *) RTA_DATA (attribute) |= XSK_ZEROCOPY; /* little-endian */
}

__attribute__ ((visibility ("default"))) ssize_t
recv (int fd, void *buffer, size_t size, int flags)
{
  ssize_t n = syscall (SYS_recvfrom, fd, buffer, size, flags, NULL, NULL);
  socklen_t length = sizeof (int);
  int protocol = -1;

  if (n > 0 && g_atomic_int_get (&pretends) &&
      !syscall (
          SYS_getsockopt, fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) &&
      protocol == NETLINK_GENERIC)
    add_zero_copy (buffer, n);
  return n;
}

static void
pretend_zero_copy (void)
{
  g_atomic_int_set (&pretends, TRUE);
}

/* The fill ring, which the driver of a NIC takes frames from. */

static guint8 *fill_ring;
static gint n_woken;

__attribute__ ((visibility ("default"))) void *
mmap (
    void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
  static void *(*next) (void *, size_t, int, int, int, off64_t);
  gpointer memory;

  /* Of the system call there are several kinds. */
  if (!next)
    next = dlsym (RTLD_NEXT, "mmap64");
  memory = next (address, size, protection, flags, fd, offset);
  if (fd >= 0 && (guint64) offset == XDP_UMEM_PGOFF_FILL_RING)
    g_atomic_pointer_set (&fill_ring, memory);
  return memory;
}

/* A driver is woken by this. */
__attribute__ ((visibility ("default"))) ssize_t
recvfrom (int fd, void *restrict buffer, size_t size, int flags,
    struct sockaddr *restrict address, socklen_t *restrict length)
{
  if (!buffer)
    g_atomic_int_inc (&n_woken);
  return syscall (SYS_recvfrom, fd, buffer, size, flags, address, length);
}

static struct xdp_ring_offset
fill_offsets (void)
{
  struct xdp_mmap_offsets offsets;
  socklen_t size = sizeof offsets;
  int fd = socket (AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

  fail_unless (!syscall (
      SYS_getsockopt, fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &size));
  close (fd);
  return offsets.fr;
}

static guint32 *
fill_word (guint64 offset)
{
  fail_unless (fill_ring != NULL);
  return (guint32 *) (fill_ring + offset);
}

/* Frames that it holds. */
static guint
n_in_fill_ring (void)
{
  struct xdp_ring_offset offsets = fill_offsets ();
  guint32 consumed =
      __atomic_load_n (fill_word (offsets.consumer), __ATOMIC_ACQUIRE);

  return __atomic_load_n (fill_word (offsets.producer), __ATOMIC_ACQUIRE) -
      consumed;
}

/* As a driver does that found too few frames. */
static void
ask_to_be_woken (gboolean asks)
{
  __atomic_store_n (fill_word (fill_offsets ().flags),
      asks ? XDP_RING_NEED_WAKEUP : 0, __ATOMIC_RELEASE);
}

/* Packets of the stream as a NIC gives them to the host that has room for 1024
 * bytes: what follows is missing. */

#define CUT_SIZE 1024
#define PAYLOAD_SIZE 1328

typedef struct
{
  gint64 time;
  guint64 waited; /* ns, by all our threads, for a processor */
} Moment;

static Moment
this_moment (void)
{
  return (
      Moment){ g_get_monotonic_time (), tasks_sum (0, "", "schedstat", " ") };
}

/* If it was late by no more than the threads have waited for, that is the machine's
 * fault. */
static void
assert_within (const Moment *since, gint64 most)
{
  Moment now = this_moment ();
  gint64 late = now.time - since->time - most;
  gint64 waited = (now.waited - since->waited) / 1000;

  if (late > 0 && late <= waited)
    suite_skip ("our threads waited %" G_GINT64_FORMAT
                " ms for a processor, and it was late by %" G_GINT64_FORMAT,
        waited / 1000, late / 1000);
  g_assert_cmpint (late, <=, 0);
}

static void
assert_soon (const Moment *since)
{
  assert_within (since, SOON);
}

/* Sends packets cut off, 500 in a second, until condition is so of receiver, which
 * must be within most. */
static void
send_cut_packets_within (
    Receiver *receiver, gboolean (*condition) (Receiver *receiver), gint64 most)
{
  int fd = wire_open ();
  Moment begin = { 0 };

  for (guint i = 0; !condition (receiver); i++) {
    const guint8 payload[PAYLOAD_SIZE] = { 0x80, 33, i >> 8, i };
    g_autoptr (GByteArray) frame =
        wire_make_frame (NULL, 0, payload, sizeof payload);

    wire_send (fd, frame->data, CUT_SIZE);
    if (!i)
      begin = this_moment ();
    assert_within (&begin, most);
    g_usleep (2000);
  }
  close (fd);
}

static void
send_cut_packets_until (
    Receiver *receiver, gboolean (*condition) (Receiver *receiver))
{
  send_cut_packets_within (receiver, condition, SOON);
}

/* Whether the last of what was told has words in its reason. */
static gboolean
says (Receiver *receiver, const gchar *words)
{
  return strstr (receiver_last (receiver, "reason"), words) != NULL;
}

/* Whether any of it has. */
static gboolean
has_said (Receiver *receiver, const gchar *words)
{
  receiver_read_bus (receiver);
  for (guint i = 0; i < receiver->modes->len; i++)
    if (strstr (receiver_reason (receiver, i), words))
      return TRUE;
  return FALSE;
}

static gboolean
has_told_of_cut_packets (Receiver *receiver)
{
  return has_said (receiver, "with their end cut off");
}

static gboolean
is_in_mode (Receiver *receiver, const gchar *mode, gboolean zero_copy)
{
  const GstStructure *last;
  gboolean is_zero_copy;

  receiver_read_bus (receiver);
  last = receiver->modes->pdata[receiver->modes->len - 1];
  fail_unless (gst_structure_get_boolean (last, "zero-copy", &is_zero_copy));
  return g_str_equal (gst_structure_get_string (last, "mode"), mode) &&
      is_zero_copy == zero_copy;
}

/* It goes on, by AF_XDP or not: all of it, and in order. */
static void
assert_goes_on (Receiver *receiver, const gchar *column)
{
  guint64 before = receiver_stat (receiver, column);
  guint64 lost = receiver_stat (receiver, "lost");
  GeneratorReport sent = generator_send ("--rate=20000 --packets=20000 "
                                         "--ssrc=%u",
      g_random_int ());

  receiver_wait_stat (receiver, column, before + sent.packets);
  fail_unless (receiver_stat (receiver, "lost") - lost <= sent.dropped);
}

/* The NIC that igb drives, with frames of 2048 bytes. */
LOOP_TEST (test_cut_in_zero_copy, 2)
{
  Receiver *receiver;
  GeneratorReport sent;

  pretend_zero_copy ();
  receiver = receiver_start ("", DROP);
  fail_unless (is_in_mode (receiver, "af-xdp", TRUE));
  if (__i__) {
    sent = generator_send ("--rate=20000 --packets=20000");
    receiver_wait_stat (receiver, "delivered-xdp", sent.packets);
  }
  send_cut_packets_until (receiver, has_told_of_cut_packets);
  wait_until (is_in_mode (receiver, "af-xdp", FALSE));
  fail_unless (says (receiver, "zero-copy was given up"));
  assert_goes_on (receiver, "delivered-xdp");
  receiver_free (receiver);

  /* And nobody tries it again. */
  receiver = receiver_start ("", DROP);
  wait_until (is_in_mode (receiver, "af-xdp", FALSE));
  fail_unless (says (receiver, "zero-copy was given up"));
  assert_goes_on (receiver, "delivered-xdp");
  receiver_free (receiver);
}

static gboolean
has_left_zero_copy (Receiver *receiver)
{
  return has_said (receiver, "zero-copy was given up");
}

/* Somebody sends a stream nothing but cut packets, while the others get whole ones:
 * they keep zero-copy. When they end it may be the driver after all. */
LOOP_TEST (test_cut_for_one_in_zero_copy, 2)
{
  g_autoptr (Receiver) receiver = NULL;
  g_autoptr (Receiver) other = NULL;
  Generator *generator;

  pretend_zero_copy ();
  receiver = receiver_start ("", DROP);
  other = receiver_start ("multicast-group=239.1.1.9 port=5000", DROP);
  generator = generator_start ("--rate=1000 --destination=239.1.1.9:5000");
  receiver_wait_stat (other, "delivered-xdp", 100);
  send_cut_packets_until (receiver, has_told_of_cut_packets);
  fail_unless (is_in_mode (receiver, "socket", FALSE));
  if (__i__) {
    generator_stop (generator);
    /* The others got some while it was watched for the first time. */
    send_cut_packets_within (receiver, has_left_zero_copy, 2 * SOON);
    wait_until (is_in_mode (receiver, "af-xdp", FALSE));
    wait_until (is_in_mode (other, "af-xdp", FALSE));
  } else {
    generator_send ("--rate=20000 --packets=1000");
    wait_until (is_in_mode (receiver, "af-xdp", TRUE));
    generator_stop (generator);
    fail_unless (is_in_mode (other, "af-xdp", TRUE));
    assert_goes_on (receiver, "delivered-xdp");
  }
}

/* A sender or a network that cuts them: AF_XDP waits for whole ones. */
TEST (test_cut_in_copy_mode)
{
  g_autoptr (Receiver) receiver = receiver_start ("", DROP);

  send_cut_packets_until (receiver, has_told_of_cut_packets);
  fail_unless (says (receiver, "copy mode"));
  fail_unless (is_in_mode (receiver, "socket", FALSE));
  generator_send ("--rate=20000 --packets=1000");
  wait_until (is_in_mode (receiver, "af-xdp", FALSE));
  assert_goes_on (receiver, "delivered-xdp");
}

/* The kernel drops what is redirected, as where the sockets are a bond's. */
LOOP_TEST (test_undelivered, 2)
{
  gboolean zero_copy = __i__;
  g_autoptr (Receiver) receiver = NULL;
  Generator *generator;
  GeneratorReport sent;
  Moment begin;

  if (zero_copy)
    pretend_zero_copy ();
  receiver = receiver_start ("", DROP);
  generator = generator_start ("--rate=20000 --packets=100000");
  receiver_wait_stat (receiver, "delivered-xdp", 1000);
  switches_misdirect ();
  begin = this_moment ();
  wait_until (has_said (receiver, "the kernel dropped them all"));
  assert_soon (&begin);
  wait_until (is_in_mode (receiver, zero_copy ? "af-xdp" : "socket", FALSE));
  sent = generator_finish (generator);
  /* What is sent later comes. */
  receiver_wait_stat (receiver, "packets", 60000);
  g_assert_cmpuint (receiver_stat (receiver, "lost-network"), <=, sent.dropped);
  assert_goes_on (receiver, zero_copy ? "delivered-xdp" : "delivered-socket");
}

/* A driver that does not run the program any more, as vmxnet3's after its link was
 * down or its MTU changed. Attaching it again helps, whenever that happens. */
TEST (test_unseen)
{
  g_autoptr (Receiver) receiver = receiver_start ("", DROP);
  GeneratorReport sent;
  Generator *generator = generator_start ("--rate=20000");

  for (guint n = 1; n <= 3; n++) {
    guint32 unseen;
    Moment begin;

    receiver_wait_stat (receiver, "delivered-xdp",
        receiver_stat (receiver, "delivered-xdp") + 1000);
    begin = this_moment ();
    unseen = network_replace_program ();
    wait_until (network_program_on ("rx0") != unseen);
    assert_soon (&begin);
    /* Of several changes in a second only the last is told at once. */
    wait_until (has_said (receiver, "attached again"));
    wait_until (is_in_mode (receiver, "af-xdp", FALSE));
  }
  sent = generator_stop (generator);
  receiver_assert_reaches (receiver, "packets", sent.packets);
}

/* Waits until it is, or is not any more. */
static gboolean
is_attached_again (Receiver *receiver)
{
  wait_until (network_has_program () || has_said (receiver, "has not helped"));
  return network_has_program ();
}

/* When it does not help, it is not done again. The sender stops before the program is
 * attached again, which comes later each time, so that it sees none of its packets;
 * where that took too long, it has helped. */
TEST (test_unseen_for_good)
{
  g_autoptr (Receiver) receiver = receiver_start ("", DROP);
  Moment begin;

  /* A stream that never came may be one that nobody sends. */
  receiver_wait_stat (receiver, "delivered-xdp",
      generator_send ("--rate=20000 --packets=2000").packets);
  while (is_attached_again (receiver)) {
    guint64 packets = receiver_stat (receiver, "packets");
    guint32 unseen = network_replace_program ();
    Generator *generator;

    generator = generator_start ("--rate=20000");
    receiver_wait_stat (receiver, "packets", packets + 1);
    begin = this_moment ();
    wait_until (network_program_on ("rx0") != unseen);
    assert_soon (&begin);
    generator_stop (generator);
  }
  fail_unless (is_in_mode (receiver, "socket", FALSE));
  fail_if (network_has_program ());
}

/* Nothing of that is said of streams that are well, or that nobody sends. */

static void
assert_untroubled (Receiver *receiver)
{
  static const gchar *const words[] = { "cut off", "ran the XDP program",
    "dropped them all", "zero-copy was given up" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    fail_if (has_said (receiver, words[i]), "%s", words[i]);
}

/* For longer than any verdict takes. */
#define LONG (2 * G_TIME_SPAN_SECOND)

static void
be_idle_beside_traffic (Receiver *receiver)
{
  generator_send ("--rate=50000 --duration=2 --destination=239.1.1.9:5000");
}

static void
be_idle_beside_a_stream (Receiver *receiver)
{
  g_autoptr (Receiver) other =
      receiver_start ("multicast-group=239.1.1.9 port=5000", DROP);
  GeneratorReport sent =
      generator_send ("--rate=50000 --duration=2 --destination=239.1.1.9:5000");

  wait_until (receiver_arrived (other) == sent.packets);
  assert_untroubled (other);
}

static void
be_paused (Receiver *receiver)
{
  Generator *generator = generator_start ("--rate=20000 --duration=3");

  receiver_wait_stat (receiver, "packets", 1000);
  receiver_set_state (receiver, GST_STATE_PAUSED);
  g_usleep (LONG);
  receiver_set_state (receiver, GST_STATE_PLAYING);
  generator_finish (generator);
}

static void
be_stalled (Receiver *receiver)
{
  g_autoptr (Tap) tap = tap_new_counting (receiver->src);
  Generator *generator = generator_start ("--rate=20000 --duration=3");

  receiver_wait_stat (receiver, "packets", 1000);
  tap_hold (tap);
  g_usleep (LONG);
  tap_let_go (tap);
  generator_finish (generator);
  receiver_wait_stat (receiver, "packets", 20000);
}

static void (*const quiet_times[]) (Receiver *receiver) = {
  be_idle_beside_traffic,
  be_idle_beside_a_stream,
  be_paused,
  be_stalled,
};

/* A stream has no credit while the program is replaced, for a driver without room for
 * metadata: its path is closed until it has, and not opened for each packet. */
TEST (test_no_credit)
{
  g_autoptr (Receiver) receiver = receiver_start ("", DROP);
  Generator *generator = generator_start ("--rate=2000");
  guint n;

  receiver_wait_stat (receiver, "delivered-xdp", 100);
  switches_credit_off ();
  wait_until (is_in_mode (receiver, "socket", FALSE));
  n = receiver->modes->len;
  receiver_wait_stat (receiver, "delivered-socket",
      receiver_stat (receiver, "delivered-socket") + 1000);
  receiver_read_bus (receiver);
  fail_unless_equals_int (receiver->modes->len, n);
  switches_credit_on ();
  wait_until (is_in_mode (receiver, "af-xdp", FALSE));
  generator_stop (generator);
}

FIXTURE (network_up_with_two_queues, network_down)

static gboolean
has_counted_cut_packets (Receiver *receiver)
{
  return receiver_queue_sum (receiver, "cut") > 0;
}

/* On a queue where no whole one has come: the stream is there, and that is told. */
TEST (test_cut_from_the_start)
{
  g_autoptr (Receiver) receiver = receiver_start_by ("", DROP, "socket");

  send_cut_packets_until (receiver, has_counted_cut_packets);
  network_run ("ip link set rx0 txqueuelen 77");
  send_cut_packets_until (receiver, has_told_of_cut_packets);
}

TABLE_TEST (test_no_false_alarm, quiet_times)
{
  g_autoptr (Receiver) receiver = NULL;

  pretend_zero_copy ();
  receiver = receiver_start ("", DROP);
  quiet_times[__i__](receiver);
  assert_untroubled (receiver);
}

FIXTURE (network_up_with_one_queue, network_down)

/* Where the driver may have zero-copy frames are large, and those of the NIC's ring
 * come on top. */
TEST (test_frames_for_zero_copy)
{
  static const struct
  {
    const gchar *properties;
    guint frame_size, more;
  } kinds[] = {
    { "", 4096, NIC_RING },
    { "umem-frames=32768", 4096, 0 },
    { "zero-copy=never", 2048, 0 },
    { "xdp-mode=generic", 2048, 0 },
  };
  guint n_frames;

  pretend_zero_copy ();
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    Receiver *receiver = receiver_new (kinds[i].properties, DROP);

    receiver_play (receiver);
    fail_unless_equals_int (switches_frame_size (), kinds[i].frame_size);
    n_frames = receiver_stat (receiver, "frames");
    receiver_free (receiver);
    receiver = receiver_new ("umem-frames=32768 zero-copy=never", DROP);
    receiver_play (receiver);
    fail_unless_equals_int (
        n_frames - receiver_stat (receiver, "frames"), kinds[i].more);
    receiver_free (receiver);
  }
}

static guint least_left;

static gpointer
watch_fill_ring (gpointer ends)
{
  while (!g_atomic_int_get ((gint *) ends)) {
    least_left = MIN (least_left, n_in_fill_ring ());
    g_usleep (500);
  }
  return NULL;
}

/* A packet needs a frame in the NIC before the program runs, and so no stream gets
 * those, be it that it reads nothing or keeps all. */
LOOP_TEST (test_nic_keeps_its_frames, 2)
{
  Receiver *receiver;
  Tap *tap;
  GeneratorReport sent;
  gint ends = FALSE;
  GThread *thread;

  pretend_zero_copy ();
  receiver = receiver_new ("umem-frames=8192 ring-size=8192", DROP);
  tap = tap_new_counting (receiver->src);
  receiver_play (receiver);
  least_left = G_MAXUINT;
  thread = g_thread_new ("watch", watch_fill_ring, &ends);
  if (__i__)
    tap_hold (tap);
  else
    tap_keep (tap, TRUE);
  sent = generator_send ("--rate=20000 --packets=40000");
  if (__i__) {
    tap_let_go (tap);
    receiver_wait_stat (receiver, "packets", 10000);
  } else {
    receiver_wait_stat (receiver, "packets", sent.packets);
    tap_drop (tap);
  }
  g_atomic_int_set (&ends, TRUE);
  g_thread_join (thread);
  /* Packets for which the program runs while we count, and a refill of 64. */
  g_assert_cmpuint (least_left, >=, NIC_RING - 64);
  receiver_set_state (receiver, GST_STATE_NULL);
  tap_free (tap);
  receiver_free (receiver);
}

/* It says so when nobody refills any more, and is woken all the same, but not for
 * ever so often. */
TEST (test_driver_is_woken)
{
  GeneratorReport sent;
  g_autoptr (Receiver) receiver = NULL;
  Moment begin;
  gint n;

  pretend_zero_copy ();
  receiver = receiver_start ("", DROP);
  sent = generator_send ("--rate=20000 --packets=20000");
  receiver_wait_stat (receiver, "packets", sent.packets);
  fail_unless_equals_int (g_atomic_int_get (&n_woken), 0);
  begin = this_moment ();
  ask_to_be_woken (TRUE);
  wait_until (g_atomic_int_get (&n_woken) > 0);
  assert_soon (&begin);

  /* By each thread, before it sleeps. */
  n = g_atomic_int_get (&n_woken);
  sent = generator_send ("--rate=1000 --packets=1000");
  receiver_wait_stat (receiver, "packets", sent.packets + 20000);
  n = g_atomic_int_get (&n_woken) - n;
  g_assert_cmpint (n, >, 100);
  g_assert_cmpint (n, <, 10000);
  ask_to_be_woken (FALSE);
}

/* No NIC, no zero-copy: frames are as small as packets allow. */
TEST (test_no_zero_copy_on_veth)
{
  AfxdpNetdev netdev;

  fail_unless (afxdp_netdev_by_name ("rx0", &netdev, NULL));
  fail_if (afxdp_netdev_may_have_zero_copy (&netdev));
  fail_unless_equals_int (afxdp_netdev_rx_ring (&netdev), 0);
}

NETNS_SUITE ("nic", network_up_with_one_queue)
