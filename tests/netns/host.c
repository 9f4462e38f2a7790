/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happens to the interface, and to the process, while a stream is received. */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "generator.h"
#include "network.h"
#include "player.h"
#include "receiver.h"
#include "soaking.h"
#include "tasks.h"

/* What it got through AF_XDP, so many more. */
static void
wait_for_more_by_af_xdp (Receiver *receiver, guint n)
{
  receiver_wait_stat (
      receiver, "delivered-xdp", receiver_stat (receiver, "delivered-xdp") + n);
}

static void
assert_no_error (Receiver *receiver)
{
  receiver_assert_no_error (receiver);
}

/* All of it came, whichever way. */
static void
assert_complete (Receiver *receiver, const GeneratorReport *sent)
{
  receiver_assert_reaches (receiver, "packets", sent->packets);
  fail_unless (receiver_stat (receiver, "lost") <= sent->dropped);
  receiver_assert_stat (receiver, "duplicates", 0);
  assert_no_error (receiver);
}

/* n packets, which all arrive. */
static void
send_and_receive (Receiver *receiver, const gchar *group, guint n)
{
  guint64 before = receiver_stat (receiver, "packets");
  gboolean is_ipv6 = strchr (group, ':') != NULL;
  GeneratorReport sent = generator_send_exact (
      "--destination=%s%s%s:5000 --rate=10000 --packets=%u "
      "--first-seq=%" G_GUINT64_FORMAT,
      is_ipv6 ? "[" : "", group, is_ipv6 ? "]" : "", n, before);

  receiver_wait_stat (receiver, "packets", before + sent.packets);
  assert_no_error (receiver);
}

/* Changes of the interface that concern no stream. */

static const struct
{
  const gchar *change;
  const gchar *undo; /* before the generator asks what rx0 dropped */
} changes[] = {
  { "ip link set rx0 name lan0", "ip link set lan0 name rx0" },
  { "ip addr del 10.9.0.2/24 dev rx0",
      "ip addr add 10.9.0.2/24 dev rx0 && ip route replace 224.0.0.0/4 dev "
      "rx0" },
  { "ip link set rx0 mtu 1400", "ip link set rx0 mtu 1500" },
  { "ip link set rx0 promisc on", "ip link set rx0 promisc off" },
  { "ip link set rx0 txqueuelen 77", "ip link set rx0 txqueuelen 1000" },
};

TABLE_TEST (test_changed, changes)
{
  Receiver *receiver = receiver_new ("multicast-iface=rx0", "fakesink");
  Generator *generator;
  GeneratorReport sent;

  receiver_play (receiver);
  generator = generator_start ("--rate=20000 --packets=40000");
  wait_for_more_by_af_xdp (receiver, 5000);
  network_run ("%s", changes[__i__].change);
  wait_for_more_by_af_xdp (receiver, 5000);
  network_run ("%s", changes[__i__].undo);
  sent = generator_finish (generator);
  assert_complete (receiver, &sent);
  receiver_assert_stat (receiver, "delivered-xdp", sent.packets);
  fail_unless_equals_int (receiver->modes->len, 1);
  receiver_free (receiver);
}

/* Descriptors are short. */
static gint netlink_is_refused, n_refused;

__attribute__ ((visibility ("default"))) int
socket (int domain, int type, int protocol)
{
  if (domain == AF_NETLINK && g_atomic_int_get (&netlink_is_refused)) {
    g_atomic_int_inc (&n_refused);
    errno = EMFILE;
    return -1;
  }
  return syscall (SYS_socket, domain, type, protocol);
}

/* When the interface gets another MAC address, nobody can be asked which. That is made
 * up for: the program knows packets to the host by it. */
TEST (test_changed_and_nobody_to_ask)
{
  g_autoptr (Receiver) receiver =
      receiver_start ("address=10.9.0.2 port=5000", "fakesink");
  Generator *generator;

  generator_send ("--method=socket --destination=10.9.0.2:5000 --rate=1000 "
                  "--packets=100");
  receiver_wait_stat (receiver, "delivered-xdp", 100);
  g_atomic_int_set (&netlink_is_refused, TRUE);
  network_run ("ip link set rx0 address 02:00:00:00:09:02");
  network_run ("ip link set rx0 txqueuelen 77");
  wait_until (g_atomic_int_get (&n_refused) > 1);
  g_atomic_int_set (&netlink_is_refused, FALSE);
  network_run_on_sender ("ip neigh flush dev tx0");
  generator = generator_start (
      "--method=socket --destination=10.9.0.2:5000 --rate=1000");
  wait_for_more_by_af_xdp (receiver, 100);
  generator_stop (generator);
  assert_no_error (receiver);
}

/* Packets that no frame has room for come by the socket, in their order. */
TEST (test_larger_packets)
{
  g_autoptr (Receiver) receiver =
      receiver_start ("multicast-iface=rx0", "fakesink");
  GeneratorReport small, large;

  small = generator_send ("--rate=10000 --packets=5000");
  receiver_wait_stat (receiver, "packets", small.packets);
  network_run_on_sender ("ip link set tx0 mtu 3400");
  network_run ("ip link set rx0 mtu 3400");
  large = generator_send ("--rate=5000 --packets=5000 --payload-size=3000 "
                          "--first-seq=5000 --method=socket");
  small.packets += large.packets;
  small.dropped += large.dropped;
  assert_complete (receiver, &small);
  receiver_assert_stat (receiver, "reordered", 0);
  fail_unless (receiver_stat (receiver, "delivered-socket") >= large.packets);
}

/* The interface is lost, and comes again. */

static void
remove_interface (void)
{
  network_run ("ip link del rx0");
}

static void
send_away (void)
{
  network_run ("ip link set rx0 netns %s", network_sender ());
}

static void
remove_elsewhere (void)
{
  send_away ();
  network_run_on_sender ("ip link del rx0");
}

/* The same one, with the same number. */
static void
fetch_back (void)
{
  network_run_on_sender ("ip link set rx0 netns %d", getpid ());
  network_set_up_wire ();
}

static const struct
{
  void (*lose) (void);
  void (*find) (void);
} ways[] = {
  { remove_interface, network_up_again },
  { remove_elsewhere, network_up_again },
  { send_away, fetch_back },
};

static gboolean
has_joined (const gchar *group)
{
  g_autofree gchar *output = network_output ("ip maddr show dev rx0");

  return strstr (output, group) != NULL;
}

TABLE_TEST (test_lost_and_found, ways)
{
  g_autoptr (Receiver) receiver =
      receiver_start ("multicast-iface=rx0", "fakesink");
  guint64 frames = receiver_stat (receiver, "frames");

  send_and_receive (receiver, "239.1.1.1", 5000);
  for (guint n = 1; n <= 2; n++) {
    ways[__i__].lose ();
    receiver_assert_reason (receiver, 2 * n - 1, "Interface rx0 was removed");
    ways[__i__].find ();
    receiver_wait_modes (receiver, 2 * n + 1);
    receiver_assert_mode (receiver, 2 * n, "af-xdp");
    fail_unless (has_joined ("239.1.1.1"));
    send_and_receive (receiver, "239.1.1.1", 5000);
    /* Those of one interface. */
    receiver_assert_stat (receiver, "frames", frames);
  }
  receiver_assert_stat (receiver, "delivered-xdp", 15000);
  receiver_assert_stat (receiver, "lost", 0);
  fail_unless_equals_int (receiver->warnings->len, 0);
}

/* The socket alone joins again. */

static const struct
{
  const gchar *properties;
  const gchar *group;
} sockets[] = {
  { "mode=socket multicast-iface=rx0", "239.1.1.1" },
  { "mode=socket multicast-iface=rx0 multicast-source=+10.9.0.1", "239.1.1.1" },
  { "mode=socket multicast-iface=rx0 multicast-source=-10.9.0.3", "239.1.1.1" },
  { "mode=socket address=239.1.1.1 port=5000", "239.1.1.1" }, /* by the route */
  { "multicast-iface=lo,rx0", "239.1.1.1" },
  { "mode=socket multicast-iface=rx0 address=ff15::1 port=5000", "ff15::1" },
  /* Bound to the interface by its scope. */
  { "mode=socket multicast-iface=rx0 address=ff12::1 port=5000", "ff12::1" },
};

TABLE_TEST (test_joined_again, sockets)
{
  const gchar *group = sockets[__i__].group;
  Receiver *receiver = receiver_new (sockets[__i__].properties, "fakesink");

  receiver_play (receiver);
  send_and_receive (receiver, group, 5000);
  remove_interface ();
  network_up_again ();
  wait_until (has_joined (group));
  send_and_receive (receiver, group, 5000);
  receiver_assert_stat (receiver, "delivered-socket", 10000);
  receiver_assert_stat (receiver, "lost", 0);
  receiver_free (receiver);
}

/* Renamed while it is received; made again under either name, and packets come from
 * the first moment on. */

static const gchar *const names_again[] = { "rx0", "lan0" };

static gpointer
keep_sending (gpointer data)
{
  struct sockaddr_in to = { .sin_family = AF_INET,
    .sin_port = g_htons (5000),
    .sin_addr.s_addr = g_htonl (0xef010101) };
  guint8 packet[12] = { 0x80, 33 };
  atomic_bool *ends = data;
  int fd = network_sender_socket (AF_INET, SOCK_DGRAM, 0);

  for (guint16 number = 0; !atomic_load (ends); number++) {
    packet[2] = number >> 8;
    packet[3] = number;
    /* Nothing happens to it while there is no route. */
    sendto (fd, packet, sizeof packet, 0, (struct sockaddr *) &to, sizeof to);
    g_usleep (500);
  }
  close (fd);
  return NULL;
}

TABLE_TEST (test_renamed_and_lost_under_traffic, names_again)
{
  g_autoptr (Receiver) receiver =
      receiver_new ("multicast-iface=rx0", "fakesink");
  atomic_bool ends = FALSE;
  GThread *sender = g_thread_new ("sender", keep_sending, &ends);
  guint64 before;

  receiver_play (receiver);
  wait_for_more_by_af_xdp (receiver, 100);
  network_run ("ip link set rx0 name lan0");
  wait_for_more_by_af_xdp (receiver, 100);
  network_run ("ip link del lan0");
  receiver_wait_modes (receiver, 2);
  network_up_again ();
  if (strcmp (names_again[__i__], "rx0"))
    network_run ("ip link set rx0 name %s", names_again[__i__]);
  wait_until (g_str_equal (receiver_last (receiver, "mode"), "af-xdp"));
  before = receiver_stat (receiver, "delivered-xdp");
  receiver_wait_stat (receiver, "delivered-xdp", before + 100);
  assert_no_error (receiver);
  fail_unless_equals_int (receiver->warnings->len, 0);
  atomic_store (&ends, TRUE);
  g_thread_join (sender);
}

static atomic_bool binding_refused;

/* In the C library's place. */
__attribute__ ((visibility ("default"))) int
setsockopt (int fd, int level, int option, const void *value, socklen_t size)
{
  if (option == SO_BINDTOIFINDEX && binding_refused) {
    errno = EPERM;
    return -1;
  }
  return syscall (SYS_setsockopt, fd, level, option, value, size);
}

/* As without CAP_NET_RAW, which may have been dropped. */
TEST (test_not_bound_again)
{
  g_autoptr (Receiver) receiver = receiver_start (
      "mode=socket multicast-iface=rx0 address=ff12::1 port=5000", "fakesink");

  binding_refused = TRUE;
  remove_interface ();
  network_up_again ();
  wait_until ((receiver_read_bus (receiver), receiver->warnings->len == 1));
  fail_unless (strstr (receiver->warnings->pdata[0],
                   "Could not bind the UDP socket to rx0"),
      "%s", (gchar *) receiver->warnings->pdata[0]);
  /* It is tried again, without a further word. */
  g_usleep (2500 * G_TIME_SPAN_MILLISECOND);
  receiver_assert_warnings (receiver, 1);
  binding_refused = FALSE;
  wait_until (has_joined ("ff12::1"));
  send_and_receive (receiver, "ff12::1", 1000);
  assert_no_error (receiver);
}

static atomic_bool kernel_is_old;

/* In the C library's place. */
__attribute__ ((visibility ("default"))) int
uname (struct utsname *name)
{
  int result = syscall (SYS_uname, name);

  if (kernel_is_old)
    strcpy (name->release, "6.1.0-40-amd64");
  return result;
}

/* In generic mode the kernel had a race where streams share a queue. */
TEST (test_generic_mode_of_an_old_kernel)
{
  Receiver *first = receiver_new ("xdp-mode=generic", "fakesink");
  Receiver *second =
      receiver_new ("xdp-mode=generic address=239.1.1.2 port=5000", "fakesink");
  const gchar *reason;

  kernel_is_old = TRUE;
  receiver_play_by (first, "af-xdp");
  receiver_play_by (second, "socket");
  reason = receiver_reason (second, 0);
  fail_unless (strstr (reason, "before Linux 6.15"), "%s", reason);
  receiver_free (first);
  receiver_assert_mode (second, 1, "af-xdp");
  receiver_free (second);
}

TEST (test_lost_for_good)
{
  g_autoptr (Receiver) receiver =
      receiver_start ("multicast-iface=rx0", "fakesink");

  remove_interface ();
  receiver_wait_modes (receiver, 2);
}

/* What waits for an interface that does not come does so in its sleep. */
TEST (test_lost_and_nothing_to_do)
{
  g_autoptr (Receiver) receiver =
      receiver_start ("multicast-iface=rx0", "fakesink");
  guint64 before;

  send_and_receive (receiver, "239.1.1.1", 5000);
  remove_interface ();
  receiver_wait_modes (receiver, 2);
  /* Statistics, which ask what the interface dropped. */
  g_usleep (2 * G_TIME_SPAN_SECOND);
  before = tasks_sleeps (0, "afxdp-control");
  g_usleep (3 * G_TIME_SPAN_SECOND);
  g_assert_cmpuint (tasks_sleeps (0, "afxdp-control") - before, <, 20);
}

/* It comes while a stream pauses, which then ends. */
TEST (test_found_by_others)
{
  Receiver *receiver = receiver_new ("multicast-iface=rx0", "fakesink");
  Receiver *other = receiver_new (
      "address=239.1.1.2 port=5000 multicast-iface=rx0", "fakesink");

  receiver_play (receiver);
  receiver_play (other);
  remove_interface ();
  receiver_wait_modes (receiver, 2);
  receiver_wait_modes (other, 2);
  receiver_set_state (receiver, GST_STATE_PAUSED);
  network_up_again ();
  receiver_wait_modes (other, 3);
  receiver_free (receiver);
  send_and_receive (other, "239.1.1.2", 5000);
  receiver_free (other);
  fail_if (network_has_program ());
}

/* The host's clock is set. */

/* The clock of this process alone: s that it is ahead of the one that the kernel
 * stamps packets with. */
static atomic_int clock_ahead;

/* In the C library's place. */
__attribute__ ((visibility ("default"))) int
clock_gettime (clockid_t id, struct timespec *time)
{
  if (syscall (SYS_clock_gettime, id, time))
    return -1;
  if (id == CLOCK_REALTIME)
    time->tv_sec += clock_ahead;
  return 0;
}

static const gint clock_jumps[] = { 3600, -3600, 40000000, -40000000 };

static GstPadProbeReturn
note_time (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  _Atomic guint64 *last = user_data;

  atomic_store (last, GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info)));
  return GST_PAD_PROBE_OK;
}

/* Of each packet the kernel tells when it came, by that clock. */
TABLE_TEST (test_clock_set, clock_jumps)
{
  Receiver *receiver =
      receiver_new ("multicast-iface=rx0 mode=socket batch-size=1", "fakesink");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (receiver->src, "src");
  gint64 begin = g_get_monotonic_time ();
  _Atomic guint64 last = 0;
  guint64 before;

  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_BUFFER, note_time, (gpointer) &last, NULL);
  receiver_play (receiver);
  send_and_receive (receiver, "239.1.1.1", 1000);
  before = last;
  atomic_store (&clock_ahead, clock_jumps[__i__]);
  send_and_receive (receiver, "239.1.1.1", 1000);
  fail_unless (last > before);
  fail_unless (last / 1000 < (guint64) (g_get_monotonic_time () - begin));
  /* None is said to have waited for as long as the jump. */
  fail_unless (receiver_stat (receiver, "latency-max") < 10 * GST_SECOND);
  receiver_assert_stat (receiver, "lost", 0);
  receiver_free (receiver);
}

/* The process. */

/* What came meanwhile waits, or was lost where the statistics say. */
TEST (test_stopped_for_seconds)
{
  g_autoptr (Player) player = player_start ("", "stats-interval=100000000");
  Generator *generator;
  GeneratorReport sent;
  const gchar *line;
  guint64 before, packets, lost;

  player_wait_line (player, "mode=(string)af-xdp");
  generator = generator_start ("--rate=20000 --packets=160000");
  before = player_stat (
      player_wait_stat (player, "delivered-xdp", 10000), "delivered-xdp");
  fail_if (kill (player_pid (player), SIGSTOP));
  g_usleep (5 * G_TIME_SPAN_SECOND); /* that is the fault */
  fail_if (kill (player_pid (player), SIGCONT));
  sent = generator_finish (generator);
  do {
    line = player_wait_stat (player, "packets", 1);
    packets = player_stat (line, "packets");
    lost = player_stat (line, "lost");
  } while (packets + lost < sent.packets);
  /* So much is certain: 100,000 came, and rings and socket hold fewer. */
  fail_unless (lost > 10000, "%s", line);
  fail_unless (packets + lost <= sent.packets + sent.dropped, "%s", line);
  fail_unless (player_stat (line, "lost-network") +
              player_stat (line, "lost-nic") +
              player_stat (line, "lost-unknown") <=
          sent.dropped,
      "%s", line);
  /* More than its ring held: the path is open again. */
  fail_unless (
      player_stat (line, "delivered-xdp") > before + 20000, "%s", line);
}

#define N_THREADS 8
#define N_CHANGES 104 /* of all of them */

typedef struct
{
  Receiver *receiver;
  guint32 seed;
} Changer;

static gpointer
change_states (gpointer data)
{
  static const GstState states[] = { GST_STATE_NULL, GST_STATE_READY,
    GST_STATE_PAUSED, GST_STATE_PLAYING };
  Changer *changer = data;
  g_autoptr (GRand) rand = g_rand_new_with_seed (changer->seed);

  for (guint i = 0; i < N_CHANGES / N_THREADS; i++)
    gst_element_set_state (changer->receiver->pipeline,
        states[g_rand_int_range (rand, 0, G_N_ELEMENTS (states))]);
  return NULL;
}

TEST (test_states_from_many_threads)
{
  g_autoptr (Receiver) receiver = receiver_new ("", "fakesink");
  Generator *generator = generator_start ("--rate=20000 --packets=2000000");
  Changer changers[N_THREADS];
  GThread *threads[N_THREADS];
  g_autoptr (GRand) rand = soaking_random ();

  for (guint i = 0; i < N_THREADS; i++) {
    changers[i] = (Changer){ receiver, g_rand_int (rand) };
    threads[i] = g_thread_new ("changer", change_states, &changers[i]);
  }
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  receiver_set_state (receiver, GST_STATE_READY);
  receiver_play (receiver);
  wait_for_more_by_af_xdp (receiver, 5000);
  receiver_set_state (receiver, GST_STATE_NULL);
  fail_if (network_has_program ());
  assert_no_error (receiver);
  generator_stop (generator);
}

NETNS_SUITE ("host", network_up_with_one_queue)
