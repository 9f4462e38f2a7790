/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel refuses one thing after the other while a stream starts. The executable
 * has system calls of its own, which the plugin and libbpf find before the C
 * library's; it must be linked so.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_xdp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "afxdp.h"
#include "crowd.h"
#include "generator.h"
#include "leftover.h"
#include "network.h"
#include "receiver.h"

#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef SOL_XDP
#define SOL_XDP 283
#endif

typedef enum
{
  CALL_BPF,
  CALL_MAP, /* bpf(), for a new map */
  CALL_SOCKET,
  CALL_OPTION,
  CALL_BIND,
  CALL_MMAP,
} Call;

/* One call of the kind fails, after n others did not. */
static Call refused_call;
static int refused_with;
static gint left = -1; /* until then; below 0: it did, or none is to */

/* All of the kind are refused. */
static gboolean for_ever;
static gint n_registered;    /* UMEMs */
static gint n_named_foreign; /* sockets to share with that are no AF_XDP ones */

static gboolean
is_refused (Call call)
{
  if (for_ever && call == refused_call) {
    errno = refused_with;
    return TRUE;
  }
  if (call != refused_call || g_atomic_int_get (&left) < 0 ||
      g_atomic_int_add (&left, -1))
    return FALSE;
  errno = refused_with;
  return TRUE;
}

static gpointer
real (const gchar *name)
{
  gpointer function = dlsym (RTLD_NEXT, name);

  g_assert (function);
  return function;
}

#define OURS __attribute__ ((visibility ("default")))

OURS long
syscall (long number, ...)
{
  long a[6];
  va_list list;

  va_start (list, number);
  for (guint i = 0; i < G_N_ELEMENTS (a); i++)
    a[i] = va_arg (list, long);
  va_end (list);
  if (number == SYS_bpf &&
      (is_refused (CALL_BPF) ||
          (a[0] == BPF_MAP_CREATE && is_refused (CALL_MAP))))
    return -1;
  return ((long (*) (long, ...)) real ("syscall")) (
      number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

OURS int
socket (int domain, int type, int protocol)
{
  if (domain == AF_XDP && is_refused (CALL_SOCKET))
    return -1;
  return ((int (*) (int, int, int)) real ("socket")) (domain, type, protocol);
}

OURS int
setsockopt (int fd, int level, int option, const void *value, socklen_t size)
{
  if (level == SOL_XDP && is_refused (CALL_OPTION))
    return -1;
  if (level == SOL_XDP && option == XDP_UMEM_REG)
    g_atomic_int_inc (&n_registered);
  return ((int (*) (int, int, int, const void *, socklen_t)) real (
      "setsockopt")) (fd, level, option, value, size);
}

static gboolean
names_foreign (const struct sockaddr_xdp *address)
{
  int domain = 0;
  socklen_t size = sizeof domain;

  return address->sxdp_flags & XDP_SHARED_UMEM &&
      (getsockopt (address->sxdp_shared_umem_fd, SOL_SOCKET, SO_DOMAIN, &domain,
           &size) ||
          domain != AF_XDP);
}

OURS int
bind (int fd, const struct sockaddr *address, socklen_t size)
{
  if (address->sa_family == AF_XDP &&
      names_foreign ((const struct sockaddr_xdp *) address))
    g_atomic_int_inc (&n_named_foreign);
  if (address->sa_family == AF_XDP && is_refused (CALL_BIND))
    return -1;
  return ((int (*) (int, const struct sockaddr *, socklen_t)) real ("bind")) (
      fd, address, size);
}

OURS void *
mmap64 (void *at, size_t size, int access, int flags, int fd, off64_t offset)
{
  if (is_refused (CALL_MMAP))
    return MAP_FAILED;
  return ((void *(*) (void *, size_t, int, int, int, off64_t)) real (
      "mmap64")) (at, size, access, flags, fd, offset);
}

static const struct
{
  Call call;
  int error;
  guint least; /* of them there are while a stream starts */
} refusals[] = {
  { CALL_BPF, EPERM, 15 },
  { CALL_BPF, ENOMEM, 15 },
  { CALL_SOCKET, EPERM, 2 },
  { CALL_SOCKET, EMFILE, 2 },
  { CALL_OPTION, ENOMEM, 4 },
  { CALL_OPTION, ENOBUFS, 4 },
  { CALL_BIND, EBUSY, 1 },
  { CALL_BIND, EOPNOTSUPP, 1 },
  { CALL_MMAP, ENOMEM, 5 },
};

/* And blames nothing that is there. A queue may also be the former receiver's
 * still: the kernel takes its time. */
static gboolean
names_cause (const gchar *text, int error)
{
  if (error == EPERM && strstr (text, "is missing"))
    return FALSE;
  return strstr (text, g_strerror (error)) || strstr (text, "not yet released");
}

/* It gets its stream all the same, and says why not by AF_XDP. */
static void
assert_plays (Receiver *receiver, guint n)
{
  /* Also what is done when the flow shows. */
  GeneratorReport sent = generator_send ("--rate=10000 --packets=300");

  receiver_assert_reaches (receiver, "packets", sent.packets);
  fail_unless (receiver_stat (receiver, "lost") <= sent.dropped);
  receiver_read_bus (receiver);
  fail_if (receiver->error, "after %u: %s", n, receiver->error);
  for (guint i = 0; i < receiver->modes->len; i++) {
    const GstStructure *mode = receiver->modes->pdata[i];
    const gchar *reason = gst_structure_get_string (mode, "reason");

    if (g_str_equal (gst_structure_get_string (mode, "mode"), "socket"))
      fail_unless (
          names_cause (reason, refused_with), "after %u: %s", n, reason);
  }
}

/* Returns whether anything was refused. */
static gboolean
start_and_refuse (guint i, guint n)
{
  Receiver *receiver = receiver_new ("", "fakesink");
  gboolean refused;

  refused_call = refusals[i].call;
  refused_with = refusals[i].error;
  g_atomic_int_set (&left, n);
  gst_element_set_state (receiver->pipeline, GST_STATE_PLAYING);
  wait_until (
      (receiver_read_bus (receiver), receiver->error || receiver->modes->len));
  if (!receiver->error)
    assert_plays (receiver, n);
  else
    fail_unless (names_cause (receiver->error, refused_with), "after %u: %s", n,
        receiver->error);
  refused = g_atomic_int_get (&left) < 0;
  g_atomic_int_set (&left, -1);
  receiver_free (receiver);
  fail_if (network_has_program (), "after %u", n);
  return refused;
}

TABLE_TEST (test_refused, refusals)
{
  guint n = 0, descriptors;

  /* What GStreamer and GLib open once. */
  start_and_refuse (__i__, G_MAXINT);
  descriptors = leftover_descriptors ();
  while (start_and_refuse (__i__, n))
    n++;
  g_printerr ("%u calls\n", n);
  fail_unless (n >= refusals[__i__].least, "only %u were refused", n);
  wait_until (leftover_descriptors () <= descriptors);
}

/* What was refused once, and is not refused any more, costs AF_XDP for a second
 * or two, and not for good. */

static const struct
{
  Call call;
  int error;
} passing[] = {
  { CALL_OPTION, ENOMEM },
  { CALL_OPTION, ENOBUFS },
  { CALL_SOCKET, EMFILE },
  { CALL_BIND, EBUSY },
  { CALL_BPF, ENOMEM },
  { CALL_MMAP, ENOMEM },
};

TABLE_TEST (test_refused_once, passing)
{
  gboolean refused = TRUE;

  refused_call = passing[__i__].call;
  refused_with = passing[__i__].error;
  for (guint n = 0; refused; n++) {
    Receiver *receiver = receiver_new ("", "fakesink");
    gint64 deadline = g_get_monotonic_time () + 5 * G_TIME_SPAN_SECOND;

    g_atomic_int_set (&left, n);
    gst_element_set_state (receiver->pipeline, GST_STATE_PLAYING);
    /* A descriptor that was closed is in use again, by somebody else. */
    for (guint i = 0; i < 4; i++)
      fcntl (STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    do {
      g_usleep (G_TIME_SPAN_MILLISECOND);
      receiver_read_bus (receiver);
      fail_if (g_get_monotonic_time () > deadline, "after %u: %s", n,
          receiver_describe (receiver));
    } while (!receiver->error &&
        g_strcmp0 (receiver_last (receiver, "mode"), "af-xdp"));
    /* Without memory of its own the socket is an error, which names it. */
    if (receiver->error)
      fail_unless (
          names_cause (receiver->error, refused_with), "%s", receiver->error);
    refused = g_atomic_int_get (&left) < 0;
    g_atomic_int_set (&left, -1);
    receiver_free (receiver);
  }
  fail_unless_equals_int (n_named_foreign, 0);
}

/* Where bpf() is forbidden, as in most containers, nothing is spent on AF_XDP. */
TEST (test_forbidden)
{
  Receiver *receiver = receiver_new ("", "fakesink");
  gint64 begin = g_get_monotonic_time ();

  refused_call = CALL_BPF;
  refused_with = EPERM;
  for_ever = TRUE;
  receiver_set_state (receiver, GST_STATE_READY);
  g_printerr (
      "READY after %" G_GINT64_FORMAT " us\n", g_get_monotonic_time () - begin);
  receiver_play_by (receiver, "socket");
  fail_unless_equals_int (n_registered, 0);
  /* Nor is it when it is tried with nothing else allowed. */
  receiver_free (receiver);
  receiver = receiver_new ("mode=af-xdp", "fakesink");
  receiver_assert_refused (receiver, GST_STATE_PLAYING);
  receiver_wait_error (receiver);
  fail_unless (names_cause (receiver->error, EPERM), "%s", receiver->error);
  fail_unless_equals_int (n_registered, 0);
  for_ever = FALSE;
  receiver_free (receiver);
}

/* Nor where somebody else's program keeps the interface, for as long as it does. */
TEST (test_occupied)
{
  int foreign = network_attach_program ("foreign");
  g_autoptr (Receiver) receiver = receiver_start_by ("", "fakesink", "socket");

  receiver_assert_reason (receiver, 0, "\"foreign\"");
  fail_unless_equals_int (n_registered, 0);
  close (foreign);
  receiver_wait_mode (receiver, 1, "af-xdp");
  fail_unless_equals_int (n_registered, 1);
}

/* The first slots are taken, and there are no words for others: as without CAP_BPF, which
 * may have been dropped. Those of a stream that has just left are used again. */
TEST (test_no_more_slots)
{
  g_autoptr (Crowd) crowd =
      crowd_new (AFXDP_SLOTS_OF_PART, "receiver=all ring-size=64");
  g_autoptr (Receiver) last = NULL;
  g_autoptr (Receiver) one_more = NULL;

  crowd_raise_descriptor_limit ();
  crowd_play_by_af_xdp (crowd);
  refused_call = CALL_MAP;
  refused_with = EPERM;
  for_ever = TRUE;
  receiver_set_state (crowd->receivers[0], GST_STATE_NULL);
  last = receiver_start_by ("receiver=all", CROWD_SINK, "af-xdp");
  one_more = receiver_start_by (
      "receiver=all multicast-group=239.1.1.2", CROWD_SINK, "socket");
  receiver_assert_reason (one_more, 0, "CAP_BPF");
  for_ever = FALSE;
}

int
main (int argc, char **argv)
{
  network_require_privileges ();
  return suite_run (
      argc, argv, "refused", 120, network_up_with_one_queue, network_down);
}
