/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel refuses one thing after the other while a stream starts. The executable
 * has system calls of its own, which the plugin and libbpf find before the C
 * library's; it must be linked so.
 */
#include <dlfcn.h>
#include <errno.h>
#include <gst/check/gstcheck.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

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
  CALL_SOCKET,
  CALL_OPTION,
  CALL_BIND,
  CALL_MMAP,
} Call;

/* One call of the kind fails, after n others did not. */
static Call refused_call;
static int refused_with;
static gint left = -1; /* until then; below 0: it did, or none is to */

static gboolean
is_refused (Call call)
{
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
  if (number == SYS_bpf && is_refused (CALL_BPF))
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
  return ((int (*) (int, int, int, const void *, socklen_t)) real (
      "setsockopt")) (fd, level, option, value, size);
}

OURS int
bind (int fd, const struct sockaddr *address, socklen_t size)
{
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
  GeneratorReport sent =
      generator_finish (generator_start ("--rate=10000 --packets=300"));

  receiver_wait_stat (receiver, "packets", sent.packets);
  receiver_assert_stat (receiver, "packets", sent.packets);
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

GST_START_TEST (test_refused)
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
GST_END_TEST

static void
up_with_one_queue (void)
{
  network_up (1);
}

static Suite *
refused_suite (void)
{
  Suite *suite = suite_create ("refused");
  TCase *tcase = tcase_create ("refused");

  suite_add_tcase (suite, tcase);
  tcase_set_timeout (tcase, 120);
  tcase_add_checked_fixture (tcase, up_with_one_queue, network_down);
  tcase_add_loop_test (tcase, test_refused, 0, G_N_ELEMENTS (refusals));
  return suite;
}

int
main (int argc, char **argv)
{
  network_require_privileges ();
  gst_check_init (&argc, &argv);
  return gst_check_run_suite (refused_suite (), "refused", __FILE__);
}
