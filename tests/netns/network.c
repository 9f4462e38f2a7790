/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two hosts on one wire, for one test. */
#include "network.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SKIP 77
/* No test needs this long, unless what it waits for never comes. */
#define PATIENCE (30 * G_TIME_SPAN_SECOND)

/* More than there are processes. */
#define WIRE_INDEX (1 << 22)
#define SECOND_WIRE_INDEX (1 << 30)

static pid_t holder; /* keeps the sending host's namespace open */
static gchar *sender;
static guint wires; /* made in its place before this one */

/* Interface numbers repeat in every namespace, and links of all of them are in
 * one list: ours has a number that no other test has at the same time. */
static int
receiver_index (void)
{
  return 1000 + getpid () + wires * WIRE_INDEX;
}

static gboolean
make_namespace (void)
{
  return !unshare (CLONE_NEWNET);
}

void
network_require_privileges (void)
{
  pid_t child = fork ();
  int status;

  if (!child)
    _exit (make_namespace () ? 0 : errno);
  waitpid (child, &status, 0);
  /* For whatever else fails, the tests do too. */
  if (!WIFEXITED (status) || WEXITSTATUS (status) != EPERM)
    return;
  printf ("skipped: network namespaces need root: %s\n",
      g_strerror (WEXITSTATUS (status)));
  exit (SKIP);
}

static gchar *
run (const gchar *prefix, const gchar *format, va_list args)
{
  g_autofree gchar *command = g_strdup_vprintf (format, args);
  g_autofree gchar *quoted = g_shell_quote (command);
  g_autofree gchar *line = g_strconcat (prefix, "sh -c ", quoted, NULL);
  g_autofree gchar *errors = NULL;
  g_autoptr (GError) error = NULL;
  gchar *output = NULL;
  gint status = 0;

  if (!g_spawn_command_line_sync (line, &output, &errors, &status, &error))
    fail ("%s: %s", line, error->message);
  if (!g_spawn_check_wait_status (status, &error))
    fail ("%s: %s\n%s", line, error->message, errors);
  return output;
}

void
network_run (const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  g_free (run ("", format, args));
  va_end (args);
}

void
network_run_on_sender (const gchar *format, ...)
{
  g_autofree gchar *prefix = g_strdup_printf ("nsenter --net=%s ", sender);
  va_list args;

  va_start (args, format);
  g_free (run (prefix, format, args));
  va_end (args);
}

gchar *
network_output (const gchar *format, ...)
{
  gchar *output;
  va_list args;

  va_start (args, format);
  output = run ("", format, args);
  va_end (args);
  return output;
}

/* A child in a namespace of its own that lives as long as we do. */
static void
start_holder (void)
{
  int ready[2];
  gchar byte;

  fail_unless (!pipe (ready));
  holder = fork ();
  if (!holder) {
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    if (!make_namespace () || write (ready[1], "", 1) != 1)
      _exit (1);
    for (;;)
      pause ();
  }
  close (ready[1]);
  fail_unless_equals_int (read (ready[0], &byte, 1), 1);
  close (ready[0]);
  sender = g_strdup_printf ("/proc/%d/ns/net", holder);
}

static void
make_wire (guint room)
{
  network_run ("ip link add rx0 index %d numrxqueues %u numtxqueues %u "
               "type veth peer name tx0 netns %d "
               "numrxqueues %u numtxqueues %u",
      receiver_index (), room, room, holder, room, room);
}

/* The kernel tells one end that the other one is up a little later. */
static void
wait_for_carrier (const gchar *device)
{
  network_run_on_sender (
      "until ip link show %s | grep -q LOWER_UP; do sleep 0.01; done", device);
}

void
network_set_up_wire (void)
{
  /* Before anything is attached: a program's end must not throw the ring away,
   * and live frames need somebody to take them. And no address that is found to
   * be unique a second or two later: the distributor heeds each such event. */
  network_run ("ethtool -K rx0 gro on && "
               "echo 0 > /proc/sys/net/ipv6/conf/rx0/accept_dad && "
               "ip addr replace 10.9.0.2/24 dev rx0 && "
               "ip addr replace fd09::2/64 dev rx0 nodad && "
               "ip link set rx0 up && "
               "ip route replace 224.0.0.0/4 dev rx0");
  /* For an end that may send TSO, a veth has what sockets send go through the backlog
   * of the processor that sends, and not through its own ring, unless an XDP program
   * is attached: who changes processors, or whose queueing discipline does, is
   * overtaken. */
  network_run_on_sender ("ethtool -K tx0 tso off && "
                         "ip addr replace 10.9.0.1/24 dev tx0 && "
                         "ip addr replace fd09::1/64 dev tx0 nodad && "
                         "ip link set tx0 up && "
                         "ip route replace 224.0.0.0/4 dev tx0");
  wait_for_carrier ("tx0");
}

void
network_add_wire (void)
{
  network_run ("ip link add rx1 index %d type veth peer name tx1 netns %d && "
               "ethtool -K rx1 gro on && "
               "echo 0 > /proc/sys/net/ipv6/conf/rx1/accept_dad && "
               "ip addr add 10.9.1.2/24 dev rx1 && ip link set rx1 up",
      receiver_index () + SECOND_WIRE_INDEX, holder);
  network_run_on_sender ("ethtool -K tx1 tso off && "
                         "ip addr add 10.9.1.1/24 dev tx1 && "
                         "ip link set tx1 up");
  wait_for_carrier ("tx1");
}

void
network_up_with_two_wires (void)
{
  network_up (1);
  network_add_wire ();
}

void
network_link_up (void)
{
  network_run ("ip link set rx0 up");
  wait_for_carrier ("tx0");
}

void
network_up_with_room (guint queues, guint room)
{
  fail_unless (make_namespace (), "%s", g_strerror (errno));
  start_holder ();
  network_run ("ip link set lo up");
  network_run_on_sender ("ip link set lo up");
  make_wire (room);
  if (room > 1) {
    network_run ("ethtool -L rx0 rx %u tx %u", queues, queues);
    network_run_on_sender ("ethtool -L tx0 rx %u tx %u", queues, queues);
  }
  network_set_up_wire ();
}

void
network_up_again (void)
{
  wires++;
  make_wire (1);
  network_set_up_wire ();
}

void
network_up (guint queues)
{
  network_up_with_room (queues, queues);
}

void
network_up_with_one_queue (void)
{
  network_up (1);
}

void
network_up_with_two_queues (void)
{
  network_up (2);
}

void
network_down (void)
{
  kill (holder, SIGKILL);
  waitpid (holder, NULL, 0);
  g_clear_pointer (&sender, g_free);
}

const gchar *
network_sender (void)
{
  return sender;
}

/* A socket stays in the namespace that it was made in. */
int
network_sender_socket (int domain, int type, int protocol)
{
  int here = open ("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  int there = open (sender, O_RDONLY | O_CLOEXEC);
  int fd;

  fail_unless (!setns (there, CLONE_NEWNET), "%s", g_strerror (errno));
  fd = socket (domain, type | SOCK_CLOEXEC, protocol);
  fail_unless (fd >= 0, "%s", g_strerror (errno));
  fail_unless (!setns (here, CLONE_NEWNET), "%s", g_strerror (errno));
  close (there);
  close (here);
  return fd;
}

guint64
network_counter (const gchar *name)
{
  g_autofree gchar *output =
      network_output ("ethtool -S rx0 | sed -n 's/^ *%s: //p'", name);

  fail_unless (*output, "rx0 has no counter %s", name);
  return g_ascii_strtoull (output, NULL, 10);
}

/* What waits in the sockets of port, by one of /proc/net's tables. */
static guint64
backlog (const gchar *table, guint port)
{
  g_autofree gchar *name = g_strconcat ("/proc/thread-self/net/", table, NULL);
  g_autofree gchar *text = NULL;
  g_auto (GStrv) lines = NULL;
  guint64 sum = 0;

  fail_unless (g_file_get_contents (name, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    guint local, waiting;

    if (sscanf (lines[i], " %*d: %*[^:]:%x %*s %*s %*x:%x", &local, &waiting) ==
            2 &&
        local == port)
      sum += waiting;
  }
  return sum;
}

void
network_wait_for_backlog (guint port, guint64 bytes)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;

  while (backlog ("udp", port) + backlog ("udp6", port) < bytes) {
    fail_if (g_get_monotonic_time () > deadline,
        "%" G_GUINT64_FORMAT " bytes never waited in port %u", bytes, port);
    g_usleep (1000);
  }
}

void
network_drop_in_socket (void)
{
  network_run ("echo 1 >/proc/sys/net/ipv4/conf/rx0/forwarding");
}

guint64
network_socket_drops (void)
{
  g_autofree gchar *output = network_output (
      "cat /proc/net/udp /proc/net/udp6 | "
      "awk '$NF ~ /^[0-9]+$/ { sum += $NF } END { print sum + 0 }'");

  return g_ascii_strtoull (output, NULL, 10);
}

guint32
network_program_on (const gchar *interface)
{
  guint index = if_nametoindex (interface);
  guint32 id = 0;

  if (index)
    fail_if (bpf_xdp_query_id (index, 0, &id), "%s", g_strerror (errno));
  return id;
}

gboolean
network_has_program_on (const gchar *interface)
{
  return network_program_on (interface) != 0;
}

gboolean
network_has_program (void)
{
  return network_has_program_on ("rx0");
}

/* The descriptor of the one link that attaches a program to the interface. */
static int
open_link (const gchar *interface, guint *id, struct bpf_link_info *info)
{
  const guint index = if_nametoindex (interface);
  int found = -1;
  guint next = 0;

  while (!bpf_link_get_next_id (next, &next)) {
    struct bpf_link_info link = { 0 };
    guint size = sizeof link;
    int fd = bpf_link_get_fd_by_id (next);

    if (fd < 0)
      continue;
    if (!bpf_obj_get_info_by_fd (fd, &link, &size) &&
        link.type == BPF_LINK_TYPE_XDP && link.xdp.ifindex == index) {
      fail_unless (found < 0, "two programs on %s", interface);
      found = fd;
      *id = next;
      *info = link;
    } else {
      close (fd);
    }
  }
  fail_unless (found >= 0, "no program on %s", interface);
  return found;
}

gchar *
network_describe_program (void)
{
  struct bpf_link_info link;
  guint id;

  close (open_link ("rx0", &id, &link));
  return g_strdup_printf ("program %u by link %u", link.prog_id, id);
}

void
network_detach_program_of (const gchar *interface)
{
  struct bpf_link_info link;
  guint id;
  int fd = open_link (interface, &id, &link);

  fail_unless (!bpf_link_detach (fd));
  close (fd);
}

void
network_detach_program (void)
{
  network_detach_program_of ("rx0");
}

static int
load_program (const gchar *name)
{
  static const struct bpf_insn pass[] = {
    { .code = BPF_ALU64 | BPF_MOV | BPF_K,
        .dst_reg = BPF_REG_0,
        .imm = XDP_PASS },
    { .code = BPF_JMP | BPF_EXIT },
  };
  /* As libbpf loads ours; a link takes no other kind in its place. */
  LIBBPF_OPTS (bpf_prog_load_opts, options, .expected_attach_type = BPF_XDP,
      .prog_flags = BPF_F_XDP_HAS_FRAGS);
  int prog = bpf_prog_load (
      BPF_PROG_TYPE_XDP, name, "GPL", pass, G_N_ELEMENTS (pass), &options);

  fail_unless (prog >= 0, "%s", g_strerror (errno));
  return prog;
}

guint32
network_replace_program (void)
{
  int prog = load_program ("replacement");
  struct bpf_link_info info;
  guint32 replacement;
  guint id;
  int link = open_link ("rx0", &id, &info);

  fail_unless (!bpf_link_update (link, prog, NULL), "%s", g_strerror (errno));
  replacement = network_program_on ("rx0");
  close (link);
  close (prog);
  return replacement;
}

int
network_attach_program_to (const gchar *interface, const gchar *name)
{
  int prog = load_program (name);
  int link = bpf_link_create (prog, if_nametoindex (interface), BPF_XDP, NULL);

  fail_unless (link >= 0, "%s", g_strerror (errno));
  close (prog);
  return link;
}

int
network_attach_program (const gchar *name)
{
  return network_attach_program_to ("rx0", name);
}
