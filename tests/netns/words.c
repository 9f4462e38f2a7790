/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is told when something is missing, or somebody else has it. */
#include <stdio.h>
#include <unistd.h>

#include "generator.h"
#include "network.h"
#include "player.h"
#include "receiver.h"

/* Few descriptors: whichever call runs out of them, the limit is named. */
LOOP_TEST (test_few_descriptors, 5)
{
  gint n = 17 + __i__;
  g_autofree gchar *prefix = g_strdup_printf ("prlimit --nofile=%d:%d", n, n);
  g_autoptr (Player) player = player_start (prefix, "stats-interval=0");
  const gchar *line = player_wait_line (player, "GstAfxdpSrcMode");

  fail_unless (strstr (line, "RLIMIT_NOFILE"), "%d: %s", n, line);
}

/* Another process has the group, and the kernel's sockets get nothing of it: that is
 * said, with its name, and what to do; as long as it is so. */
LOOP_TEST (test_second_process, 2)
{
  const gchar *properties = __i__ ? "mode=socket" : "";
  Player *player = player_start ("", "stats-interval=0");
  g_autoptr (Receiver) receiver = receiver_new (properties, "fakesink");
  g_autofree gchar *process = NULL;
  const gchar *reason;
  guint n;

  player_wait_line (player, "mode=(string)af-xdp");
  process = g_strdup_printf ("(process %d)", player_pid (player));
  receiver_play_by (receiver, "socket");
  reason = receiver_reason (receiver, 0);
  fail_unless (strstr (reason, process), "%s", reason);
  fail_unless (strstr (reason, "this stream gets none"), "%s", reason);
  fail_unless (strstr (reason, "set mode=socket in the other"), "%s", reason);
  receiver_assert_warnings (receiver, 1);
  generator_send ("--rate=10000 --packets=1000");
  receiver_assert_stat (receiver, "packets", 0);

  n = receiver->modes->len;
  player_free (player);
  do
    reason = receiver_reason (receiver, n++);
  while (strstr (reason, "this stream gets none"));
}

/* Demanded, AF_XDP is an error that says the same. */
TEST (test_second_process_insists)
{
  g_autoptr (Player) player = player_start ("", "stats-interval=0");
  g_autoptr (Receiver) receiver = receiver_new ("mode=af-xdp", "fakesink");

  player_wait_line (player, "mode=(string)af-xdp");
  receiver_assert_refused (receiver, GST_STATE_READY);
  fail_unless (strstr (receiver_wait_error (receiver), "takes the packets"),
      "%s", receiver->error);
}

/* Of another group it takes nothing. */
TEST (test_second_process_of_another_group)
{
  g_autoptr (Player) player = player_start ("", "stats-interval=0");
  Receiver *receiver =
      receiver_new ("multicast-group=239.1.1.2 port=5000", "fakesink");
  const gchar *reason;

  player_wait_line (player, "mode=(string)af-xdp");
  receiver_play (receiver);
  reason = receiver_reason (receiver, 0);
  fail_unless (strstr (reason, "\"afxdp_metadata\""), "%s", reason);
  fail_if (strstr (reason, "gets none"), "%s", reason);
  receiver_assert_warnings (receiver, 0);
  generator_send_exact (
      "--destination=239.1.1.2:5000 --rate=10000 --packets=1000");
  receiver_wait_stat (receiver, "packets", 1000);
  receiver_free (receiver);
}

/* The capability is there, and does not count. */
TEST (test_user_namespace)
{
  g_autofree gchar *said = network_output (
      "unshare --user --map-root-user --net sh -c '"
      "ip link add rx0 type veth peer name tx0 && ip link set rx0 up && "
      /* Until nobody reads any more what it prints. */
      "prlimit --memlock=8388608:8388608 timeout 30 gst-launch-1.0 -m afxdpsrc "
      "multicast-group=239.1.1.1 port=5000 multicast-iface=rx0 "
      "stats-interval=50000000 ! fakesink; true' | "
      "grep -m 1 GstAfxdpSrcMode");

  fail_unless (strstr (said, "user\\ namespace"), "%s", said);
  fail_if (strstr (said, "is\\ missing"), "%s", said);
}

/* What it says in the log at a level, of the rooms below the element. */
static void
collect_log (GstDebugCategory *category, GstDebugLevel level, const gchar *file,
    const gchar *function, gint line, GObject *object, GstDebugMessage *message,
    gpointer user_data)
{
  if (g_str_has_prefix (gst_debug_category_get_name (category), "afxdp-"))
    g_string_append_printf (
        user_data, "%d %s\n", level, gst_debug_message_get (message));
}

static gchar *
log_of_refused_start (GstDebugLevel level)
{
  GString *log = g_string_new (NULL);
  Receiver *receiver = receiver_new ("mode=af-xdp", "fakesink");

  gst_debug_set_threshold_for_name ("afxdp*", level);
  gst_debug_remove_log_function (NULL);
  gst_debug_add_log_function (collect_log, log, NULL);
  fail_unless_equals_int (
      gst_element_set_state (receiver->pipeline, GST_STATE_READY),
      GST_STATE_CHANGE_FAILURE);
  receiver_wait_error (receiver);
  receiver_free (receiver);
  gst_debug_remove_log_function_by_data (log);
  gst_debug_unset_threshold_for_name ("afxdp*");
  return g_string_free (log, FALSE);
}

static const struct
{
  GstDebugLevel level;
  const gchar *steps[5]; /* in this order */
} logs[] = {
  { GST_LEVEL_WARNING, { NULL } },
  { GST_LEVEL_INFO,
      { "4 rx0: AF_XDP is set up", "4 rx0: XDP programs loaded",
          "4 rx0: not attached", "\"foreign\"", NULL } },
  { GST_LEVEL_DEBUG,
      { "5 rx0, 239.1.1.1 port 5000: registered", "4 rx0: not attached",
          "5 rx0, 239.1.1.1 port 5000: published", "\"foreign\"", NULL } },
};

/* A start that fails can be read step by step, and nothing below the level is said. */
TABLE_TEST (test_log, logs)
{
  int foreign = network_attach_program ("foreign");
  g_autofree gchar *log = log_of_refused_start (logs[__i__].level);
  g_auto (GStrv) lines = g_strsplit (log, "\n", -1);
  const gchar *at = log;

  for (guint i = 0; logs[__i__].steps[i]; i++) {
    at = strstr (at, logs[__i__].steps[i]);
    fail_unless (at != NULL, "no \"%s\" in %s", logs[__i__].steps[i], log);
  }
  for (guint i = 0; lines[i] && *lines[i]; i++)
    fail_unless (atoi (lines[i]) <= (gint) logs[__i__].level, "%s", lines[i]);
  close (foreign);
}

NETNS_SUITE ("words", network_up_with_one_queue)
