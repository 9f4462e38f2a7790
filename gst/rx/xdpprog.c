/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loads and attaches the XDP program, owns its maps. */
#include "xdpprog.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/if_link.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "afxdp.skel.h"
#include "error.h"

struct _AfxdpXdpProg
{
  struct afxdp_bpf *skeleton;
  struct afxdp_slot *slots; /* n_queues of them for each slot */
  struct afxdp_queue *queues;
  guint n_queues;
  int link; /* -1 while not attached */
  AfxdpXdpMode mode;
  gboolean metadata;
};

/* Below the element nothing logs: the error carries what there is to say. */
static int
be_silent (enum libbpf_print_level level, const char *format, va_list args)
{
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
  return net_admin ? "CAP_BPF and CAP_NET_ADMIN are there, but in a user "
                     "namespace, or a security policy forbids it"
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
load (AfxdpXdpProg *prog)
{
  libbpf_print_fn_t former;
  int result;

  pthread_mutex_lock (&print_lock);
  former = libbpf_set_print (be_silent);
  result = afxdp_bpf__load (prog->skeleton);
  libbpf_set_print (former);
  pthread_mutex_unlock (&print_lock);
  return result;
}

static gsize
size_of_slots (const AfxdpXdpProg *prog)
{
  return (gsize) AFXDP_SLOTS * prog->n_queues * sizeof *prog->slots;
}

static gsize
size_of_queues (const AfxdpXdpProg *prog)
{
  return prog->n_queues * sizeof *prog->queues;
}

/* The memory of an array that the program shares with us, or NULL. */
static gpointer
map_words (struct bpf_map *map, gsize size, GError **error)
{
  gpointer words = mmap (
      NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd (map), 0);

  if (words != MAP_FAILED)
    return words;
  afxdp_error_set (error, errno, "Could not map the XDP program's counters");
  return NULL;
}

AfxdpXdpProg *
afxdp_xdpprog_new (guint n_queues, guint longest, GError **error)
{
  AfxdpXdpProg *prog = g_new0 (AfxdpXdpProg, 1);
  guint n = AFXDP_SLOTS * n_queues;
  int result;

  prog->link = -1;
  prog->n_queues = n_queues;
  prog->metadata = TRUE;
  prog->skeleton = afxdp_bpf__open ();
  if (!prog->skeleton) {
    load_error (error, errno);
    goto free_prog;
  }
  prog->skeleton->rodata->queues = n_queues;
  prog->skeleton->rodata->longest_packet = longest;
  bpf_map__set_max_entries (prog->skeleton->maps.slots, n);
  bpf_map__set_max_entries (prog->skeleton->maps.sockets, n);
  bpf_map__set_max_entries (prog->skeleton->maps.rx_queues, n_queues);
  result = load (prog);
  if (result) {
    load_error (error, -result);
    goto free_prog;
  }
  prog->slots =
      map_words (prog->skeleton->maps.slots, size_of_slots (prog), error);
  if (!prog->slots)
    goto free_prog;
  prog->queues =
      map_words (prog->skeleton->maps.rx_queues, size_of_queues (prog), error);
  if (!prog->queues)
    goto free_prog;
  return prog;

free_prog:
  afxdp_xdpprog_free (prog);
  return NULL;
}

void
afxdp_xdpprog_free (AfxdpXdpProg *prog)
{
  if (!prog)
    return;
  afxdp_xdpprog_detach (prog);
  if (prog->slots)
    munmap (prog->slots, size_of_slots (prog));
  if (prog->queues)
    munmap (prog->queues, size_of_queues (prog));
  afxdp_bpf__destroy (prog->skeleton);
  g_free (prog);
}

static int
entry_point (const AfxdpXdpProg *prog)
{
  return bpf_program__fd (prog->metadata ? prog->skeleton->progs.afxdp_metadata
                                         : prog->skeleton->progs.afxdp_plain);
}

/* Names what is attached already. The name needs CAP_SYS_ADMIN. */
static gchar *
foreign_program (int ifindex)
{
  struct bpf_prog_info info = { 0 };
  guint size = sizeof info;
  guint id = 0;
  int fd;

  if (bpf_xdp_query_id (ifindex, 0, &id) || !id)
    return g_strdup ("another XDP program");
  fd = bpf_prog_get_fd_by_id (id);
  if (fd >= 0 && !bpf_obj_get_info_by_fd (fd, &info, &size)) {
    close (fd);
    return g_strdup_printf ("the XDP program \"%s\" (id %u)", info.name, id);
  }
  if (fd >= 0)
    close (fd);
  return g_strdup_printf ("the XDP program with id %u", id);
}

static gboolean
attach_error (GError **error, int errnum, int ifindex, const gchar *interface)
{
  g_autofree gchar *foreign = NULL;

  switch (errnum) {
    case EBUSY:
    case EEXIST:
      foreign = foreign_program (ifindex);
      g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_FOREIGN,
          "%s is attached to %s already and is left alone; AF_XDP is for one "
          "process on an interface: end the other one, or detach its program",
          foreign, interface);
      return FALSE;
    case ENOSPC:
      return afxdp_error_set (error, errnum,
          "Could not attach the XDP program to %s: it has fewer RX queues than "
          "its veth peer has TX queues",
          interface);
    case ERANGE:
      return afxdp_error_set (error, errnum,
          "Could not attach the XDP program to %s: the MTU, its own or its "
          "peer's, is too large for the driver",
          interface);
    default:
      return afxdp_error_set (
          error, errnum, "Could not attach the XDP program to %s", interface);
  }
}

gboolean
afxdp_xdpprog_attach (AfxdpXdpProg *prog, int ifindex, const gchar *interface,
    AfxdpXdpMode mode, GError **error)
{
  static const struct
  {
    AfxdpXdpMode mode;
    guint flag;
  } attempts[] = {
    { AFXDP_XDP_MODE_NATIVE, XDP_FLAGS_DRV_MODE },
    { AFXDP_XDP_MODE_GENERIC, XDP_FLAGS_SKB_MODE },
  };
  int errnum = 0;

  afxdp_xdpprog_detach (prog);
  for (guint i = 0; i < G_N_ELEMENTS (attempts); i++) {
    LIBBPF_OPTS (bpf_link_create_opts, options, .flags = attempts[i].flag);

    if (mode != AFXDP_XDP_MODE_AUTO && mode != attempts[i].mode)
      continue;
    prog->link =
        bpf_link_create (entry_point (prog), ifindex, BPF_XDP, &options);
    if (prog->link >= 0) {
      prog->mode = attempts[i].mode;
      return TRUE;
    }
    errnum = errno;
    /* Generic mode helps where the driver has no XDP, and nowhere else. */
    if (errnum != EOPNOTSUPP)
      break;
  }
  return attach_error (error, errnum, ifindex, interface);
}

void
afxdp_xdpprog_detach (AfxdpXdpProg *prog)
{
  if (prog->link >= 0)
    close (prog->link);
  prog->link = -1;
}

gboolean
afxdp_xdpprog_is_attached (const AfxdpXdpProg *prog)
{
  struct bpf_link_info info = { 0 };
  guint size = sizeof info;

  return prog->link >= 0 &&
      !bpf_obj_get_info_by_fd (prog->link, &info, &size) && info.xdp.ifindex;
}

AfxdpXdpMode
afxdp_xdpprog_mode (const AfxdpXdpProg *prog)
{
  return prog->mode;
}

gboolean
afxdp_xdpprog_has_metadata (const AfxdpXdpProg *prog)
{
  return prog->metadata;
}

gboolean
afxdp_xdpprog_drop_metadata (AfxdpXdpProg *prog, GError **error)
{
  prog->metadata = FALSE;
  if (prog->link < 0 || !bpf_link_update (prog->link, entry_point (prog), NULL))
    return TRUE;
  return afxdp_error_set (
      error, errno, "Could not go over to the XDP program without metadata");
}

void
afxdp_xdpprog_set_mac (AfxdpXdpProg *prog, const guint8 mac[6])
{
  memcpy (prog->skeleton->bss->interface_mac, mac,
      sizeof prog->skeleton->bss->interface_mac);
}

void
afxdp_xdpprog_flow_key (
    struct afxdp_flow_key *key, GInetAddress *address, guint16 port)
{
  gboolean ipv6 = g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6;

  memset (key, 0, sizeof *key);
  memcpy (key->address, g_inet_address_to_bytes (address),
      g_inet_address_get_native_size (address));
  key->port = g_htons (port);
  key->version = ipv6 ? 6 : 4;
}

gboolean
afxdp_xdpprog_set_flow (AfxdpXdpProg *prog, const struct afxdp_flow_key *key,
    guint slot, const AfxdpSources *sources, GError **error)
{
  static const enum afxdp_filter filters[] = {
    [AFXDP_SOURCES_ANY] = AFXDP_FILTER_NONE,
    [AFXDP_SOURCES_INCLUDE] = AFXDP_FILTER_INCLUDE,
    [AFXDP_SOURCES_EXCLUDE] = AFXDP_FILTER_EXCLUDE,
  };
  struct afxdp_flow flow = {
    .slot = slot,
    .filter = filters[afxdp_sources_kind (sources)],
  };

  if (!bpf_map_update_elem (
          bpf_map__fd (prog->skeleton->maps.flows), key, &flow, BPF_ANY))
    return TRUE;
  return afxdp_error_set (
      error, errno, "Could not add the stream's flow to the XDP program");
}

void
afxdp_xdpprog_remove_flow (AfxdpXdpProg *prog, const struct afxdp_flow_key *key)
{
  bpf_map_delete_elem (bpf_map__fd (prog->skeleton->maps.flows), key);
}

static struct afxdp_source_key
source_key (guint slot, const AfxdpSources *sources, guint i)
{
  struct afxdp_source_key key = {
    .slot = slot,
    .version = afxdp_sources_version (sources),
  };

  memcpy (
      key.address, afxdp_sources_get (sources, i), key.version == 6 ? 16 : 4);
  return key;
}

gboolean
afxdp_xdpprog_add_sources (
    AfxdpXdpProg *prog, guint slot, const AfxdpSources *sources, GError **error)
{
  int map = bpf_map__fd (prog->skeleton->maps.sources);
  guint8 present = 1;

  for (guint i = 0; i < afxdp_sources_n (sources); i++) {
    struct afxdp_source_key key = source_key (slot, sources, i);

    if (!bpf_map_update_elem (map, &key, &present, BPF_ANY))
      continue;
    afxdp_error_set (error, errno,
        "Could not add the stream's sources to the XDP program, which holds "
        "%d of all streams of the interface",
        AFXDP_SOURCES);
    afxdp_xdpprog_remove_sources (prog, slot, sources);
    return FALSE;
  }
  return TRUE;
}

void
afxdp_xdpprog_remove_sources (
    AfxdpXdpProg *prog, guint slot, const AfxdpSources *sources)
{
  int map = bpf_map__fd (prog->skeleton->maps.sources);

  for (guint i = 0; i < afxdp_sources_n (sources); i++) {
    struct afxdp_source_key key = source_key (slot, sources, i);

    bpf_map_delete_elem (map, &key);
  }
}

gboolean
afxdp_xdpprog_set_socket (
    AfxdpXdpProg *prog, guint slot, guint queue, int fd, GError **error)
{
  guint32 index = slot * prog->n_queues + queue;

  if (!bpf_map_update_elem (
          bpf_map__fd (prog->skeleton->maps.sockets), &index, &fd, BPF_ANY))
    return TRUE;
  return afxdp_error_set (
      error, errno, "Could not add an AF_XDP socket to the XDP program's map");
}

void
afxdp_xdpprog_remove_socket (AfxdpXdpProg *prog, guint slot, guint queue)
{
  guint32 index = slot * prog->n_queues + queue;

  bpf_map_delete_elem (bpf_map__fd (prog->skeleton->maps.sockets), &index);
}

struct afxdp_slot *
afxdp_xdpprog_slot (const AfxdpXdpProg *prog, guint slot, guint queue)
{
  return &prog->slots[slot * prog->n_queues + queue];
}

struct afxdp_queue *
afxdp_xdpprog_queue (const AfxdpXdpProg *prog, guint queue)
{
  return &prog->queues[queue];
}
