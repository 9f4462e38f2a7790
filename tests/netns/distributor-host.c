/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the distributor daemon has of its host: it holds its interfaces, with or without
 * clients, and waits for those that are away. */
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "generator.h"
#include "network.h"
#include "player.h"
#include "receiver.h"

/* A process in a network with nothing in it but lo, which is down. */
#define CONTAINER                                               \
  "setpriv --reuid 65534 --regid 65534 --clear-groups unshare " \
  "--user --map-root-user --net"

#define ATTACHED "\"attached\" : true"
#define WITHOUT_DAEMON "distributor=\"\" "

/* Through the daemon's AF_XDP: so many packets come, and none is lost. */
static void
receive_exact (const gchar *properties, const gchar *options)
{
  g_autoptr (Receiver) receiver = receiver_new (properties, "fakesink");
  g_autofree gchar *line = g_strdup_printf ("%s --packets=5000", options);

  receiver_play (receiver);
  g_assert_cmpstr (receiver_last (receiver, "provider"), ==, "distributor");
  receiver_wait_mode (receiver, 0, "af-xdp");
  generator_send_exact ("%s", line);
  receiver_assert_nothing_lost (receiver, 5000);
}

static gboolean
has_said (Daemon *daemon, const gchar *words)
{
  g_autofree gchar *log = daemon_log (daemon);

  return strstr (log, words) != NULL;
}

/* The interface's program is one and the same, from the daemon's beginning to its end, and
 * nobody else gets in between two clients. */
TEST (test_held)
{
  g_autoptr (Daemon) daemon = daemon_start ("");
  g_autofree gchar *program = NULL, *later = NULL;
  g_autoptr (Receiver) other = NULL;

  wait_until (network_has_program ());
  wait_until (daemon_says (daemon, ATTACHED));
  fail_unless (daemon_says (daemon, "\"xdp-mode\" : \"native\""));
  fail_unless (has_said (daemon, "rx0: the XDP program is attached (native)"));
  program = network_describe_program ();
  receive_exact ("", "--rate=10000");
  receive_exact ("", "--rate=10000");
  wait_until (!daemon_n_clients (daemon));
  later = network_describe_program ();
  fail_unless_equals_string (program, later);
  other = receiver_start_by (WITHOUT_DAEMON, "fakesink", "socket");
  receiver_assert_reason (other, 0, "afxdp");
  daemon_terminate (daemon);
  fail_if (network_has_program ());
}

TEST (test_not_held)
{
  g_autoptr (Daemon) daemon = daemon_start ("--mode=socket");
  g_autoptr (Receiver) receiver = receiver_start_by ("", "fakesink", "socket");

  g_assert_cmpstr (receiver_last (receiver, "provider"), ==, "distributor");
  generator_send_exact ("--rate=10000 --packets=5000");
  receiver_assert_nothing_lost (receiver, 5000);
  fail_if (network_has_program ());
  fail_if (daemon_says (daemon, ATTACHED));
}

/* By somebody with bpftool. */
TEST (test_detached)
{
  g_autoptr (Daemon) daemon = daemon_start ("");

  wait_until (network_has_program ());
  network_detach_program ();
  wait_until (network_has_program ());
  fail_unless (has_said (daemon, "Somebody detached the XDP program"));
  receive_exact ("", "--rate=10000");
}

/* Somebody was there before; the reason is told, and the daemon takes his place when he
 * has gone. */
TEST (test_taken)
{
  int foreign = network_attach_program ("foreign");
  g_autoptr (Daemon) daemon = daemon_start ("");

  wait_until (has_said (daemon, "rx0: the XDP program is not attached: "));
  fail_if (daemon_says (daemon, ATTACHED));
  fail_unless (daemon_says (daemon, "foreign"));
  close (foreign);
  wait_until (daemon_says (daemon, ATTACHED));
  receive_exact ("", "--rate=10000");
}

/* With mode=af-xdp a stream without AF_XDP ends, and says why; nobody waits for that
 * meanwhile. */
TEST (test_demanding)
{
  g_autoptr (Daemon) daemon = daemon_start ("--mode=af-xdp");
  g_autoptr (Receiver) receiver = receiver_new ("", "fakesink");
  int foreign;

  wait_until (daemon_says (daemon, ATTACHED));
  network_detach_program ();
  foreign = network_attach_program ("foreign");
  wait_until (has_said (daemon, "Somebody detached"));
  receiver_play (receiver);
  if (strstr (receiver_reason (receiver, 0), "The distributor refuses"))
    suite_skip ("the machine took too long to play");
  g_assert_cmpstr (receiver_last (receiver, "provider"), ==, "distributor");
  receiver_wait_reason (receiver, 0,
      "The distributor has ended the stream: The distributor daemon is to "
      "receive through AF_XDP alone");
  receiver_wait_reason (receiver, 1,
      "The distributor refuses: The distributor "
      "daemon is to receive through AF_XDP");
  g_assert_cmpstr (receiver_last (receiver, "mode"), ==, "socket");
  generator_send_exact ("--rate=10000 --packets=5000");
  receiver_assert_nothing_lost (receiver, 5000);
  close (foreign);
  wait_until (daemon_says (daemon, ATTACHED));
  receiver_wait_mode (receiver, 0, "af-xdp");
}

/* And made again, under the same name. */
TEST (test_removed)
{
  g_autoptr (Daemon) daemon = daemon_start ("");

  wait_until (network_has_program ());
  receive_exact ("", "--rate=10000");
  network_run ("ip link del rx0");
  wait_until (has_said (daemon, "rx0: its streams are refused"));
  network_up_again ();
  wait_until (network_has_program ());
  wait_until (daemon_says (daemon, ATTACHED));
  receive_exact ("multicast-iface=rx0", "--rate=10000");
}

/* One that is not there when the daemon begins costs the others nothing, and is held when
 * it comes. */
TEST (test_late)
{
  g_autoptr (Daemon) daemon =
      daemon_start ("--group=nogroup --interface=late0 --interface=rx0");
  g_autoptr (Player) early = NULL;
  g_autoptr (Receiver) receiver = NULL;

  fail_unless (has_said (daemon, "late0: its streams are refused"));
  fail_unless (daemon_says (daemon, "\"present\" : false"));
  receive_exact ("multicast-iface=rx0", "--rate=10000");
  early = player_start (CONTAINER, "multicast-iface=late0");
  wait_until (has_said (daemon, "receives on late0, which is not there now"));
  network_run ("ip link add late0 up type veth peer late1");
  network_run ("ip link set late1 up");
  network_run ("ip address add 10.9.7.2/24 dev late0");
  wait_until (network_has_program_on ("late0"));
  receiver = receiver_new ("multicast-iface=late0", "fakesink");
  receiver_play (receiver);
  g_assert_cmpstr (receiver_last (receiver, "provider"), ==, "distributor");
  receive_exact ("multicast-iface=rx0 multicast-group=239.1.1.2 port=5000",
      "--destination=239.1.1.2:5000 --rate=10000");
}

NETNS_SUITE ("distributor-host", network_up_with_one_queue)
