/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loads the XDP programs. */
#include "xdpload.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "afxdp.h"
#include "afxdp.skel.h"
#include "error.h"
#include "generic.skel.h"
#include "log.h"

/* That loading takes: BTF, nine maps, two programs, and libbpf's probes. */
#define DESCRIPTORS 16

/* Its warnings are for DEBUG, its chatter for TRACE. */
static int
tell (enum libbpf_print_level level, const char *format, va_list args)
{
  AfxdpLogLevel ours = AFXDP_LOG_LEVEL_DEBUG + level;
  g_autofree gchar *text = NULL;

  if (!afxdp_log_is_wanted (ours))
    return 0;
  text = g_strdup_vprintf (format, args);
  AFXDP_LOG_AT (ours, AFXDP_LOG_XDP, NULL, "%s", g_strchomp (text));
  return 0;
}

/* Why the kernel refused; it does not say. */
static const gchar *
refusal (int errnum)
{
  gboolean bpf = afxdp_has_capability (CAP_BPF);
  gboolean net_admin = afxdp_has_capability (CAP_NET_ADMIN);

  if (errnum == EACCES)
    return afxdp_has_capability (CAP_PERFMON)
        ? "the verifier refuses it"
        : "the verifier asks for CAP_PERFMON";
  if (!bpf)
    return net_admin ? "CAP_BPF is missing"
                     : "CAP_BPF and CAP_NET_ADMIN are missing";
  return net_admin ? "CAP_BPF and CAP_NET_ADMIN are there, but only in a "
                     "user namespace, or a security policy forbids it"
                   : "CAP_NET_ADMIN is missing";
}

/* libbpf's print function is one for the process. */
static pthread_mutex_t print_lock = PTHREAD_MUTEX_INITIALIZER;

static gboolean
load_error (GError **error, int errnum)
{
  if (errnum == EPERM || errnum == EACCES)
    return afxdp_error_set (
        error, errnum, "Could not load the XDP program: %s", refusal (errnum));
  return afxdp_error_set (error, errnum, "Could not load the XDP program");
}

static int
load (struct bpf_object_skeleton *skeleton)
{
  libbpf_print_fn_t former;
  int result;

  pthread_mutex_lock (&print_lock);
  former = libbpf_set_print (tell);
  result = bpf_object__load_skeleton (skeleton);
  libbpf_set_print (former);
  pthread_mutex_unlock (&print_lock);
  return result;
}

gboolean
afxdp_xdpload_check_descriptors (GError **error)
{
  return afxdp_error_has_descriptors (DESCRIPTORS) ||
      load_error (error, EMFILE);
}

int
afxdp_xdpload_part (guint n_queues)
{
  LIBBPF_OPTS (bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);

  return bpf_map_create (BPF_MAP_TYPE_ARRAY, "slots", sizeof (guint32),
      sizeof (struct afxdp_slot), AFXDP_SLOTS_OF_PART * n_queues, &options);
}

struct afxdp_bpf *
afxdp_xdpload_new (guint n_queues, guint longest, GError **error)
{
  struct afxdp_bpf *skeleton;
  int result, example;

  if (!afxdp_xdpload_check_descriptors (error))
    return NULL;
  skeleton = afxdp_bpf__open ();
  if (!skeleton) {
    load_error (error, errno);
    return NULL;
  }
  skeleton->rodata->queues = n_queues;
  skeleton->rodata->longest_packet = longest;
  bpf_map__set_max_entries (
      skeleton->maps.slots, AFXDP_SLOTS_OF_PART * n_queues);
  bpf_map__set_max_entries (skeleton->maps.sockets, AFXDP_SLOTS * n_queues);
  bpf_map__set_max_entries (skeleton->maps.rx_queues, n_queues);
  /* What is entered there has to be like this one. (The size of libbpf's own cannot be
   * set: 1.1 crashes.) */
  example = afxdp_xdpload_part (n_queues);
  bpf_map__set_inner_map_fd (skeleton->maps.more_slots, example);
  result = example < 0 ? example : load (skeleton->skeleton);
  if (example >= 0)
    close (example);
  if (!result)
    return skeleton;
  load_error (error, -result);
  afxdp_bpf__destroy (skeleton);
  return NULL;
}

/* The kernel's SMP_CACHE_BYTES. */
#if defined __s390x__
#define CACHE_LINE 256
#elif defined __powerpc64__
#define CACHE_LINE 128
#else
#define CACHE_LINE 64
#endif

/* Both programs have the same maps. */
static void
share_maps (struct bpf_object *object, struct bpf_object *with)
{
  struct bpf_map *map;

  bpf_object__for_each_map (map, object)
  {
    struct bpf_map *other =
        bpf_object__find_map_by_name (with, bpf_map__name (map));

    /* What is read-only is its own: there is more of it. */
    if (other && !strstr (bpf_map__name (map), ".rodata"))
      bpf_map__reuse_fd (map, bpf_map__fd (other));
  }
}

int
afxdp_xdpload_generic (const struct afxdp_bpf *beside)
{
  struct generic_bpf *skeleton = generic_bpf__open ();
  int fd = -1;

  if (!skeleton)
    return -1;
  skeleton->rodata->queues = beside->rodata->queues;
  skeleton->rodata->longest_packet = beside->rodata->longest_packet;
  skeleton->rodata->cache_line = CACHE_LINE;
  bpf_program__set_autoload (skeleton->progs.afxdp_metadata, FALSE);
  bpf_program__set_autoload (skeleton->progs.afxdp_plain, FALSE);
  share_maps (skeleton->obj, beside->obj);
  if (!load (skeleton->skeleton))
    fd = fcntl (
        bpf_program__fd (skeleton->progs.afxdp_generic), F_DUPFD_CLOEXEC, 0);
  generic_bpf__destroy (skeleton);
  return fd;
}
