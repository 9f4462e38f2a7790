/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attaches the XDP program, owns its maps. */
#include "xdpprog.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "afxdp.skel.h"
#include "error.h"
#include "foreign.h"
#include "fork.h"
#include "log.h"
#include "offloads.h"
#include "xdpload.h"

struct _AfxdpXdpProg
{
  struct afxdp_bpf *skeleton;
  /* n_queues of them for each slot; those of a part are there from the first stream
   * on that has a slot of it */
  struct afxdp_slot *parts[AFXDP_PARTS];
  struct afxdp_queue *queues;
  guint n_queues;
  int link;    /* -1 while not attached */
  int generic; /* the program for generic mode; -1: not loaded */
  AfxdpXdpMode mode;
  gboolean metadata;
};

static gsize
size_of_part (const AfxdpXdpProg *prog)
{
  return (gsize) AFXDP_SLOTS_OF_PART * prog->n_queues * sizeof **prog->parts;
}

static gsize
size_of_queues (const AfxdpXdpProg *prog)
{
  return prog->n_queues * sizeof *prog->queues;
}

/* The memory of an array that the program shares with us, or NULL. */
static gpointer
map_words (int map, gsize size, GError **error)
{
  gpointer words =
      mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);

  if (words != MAP_FAILED)
    return words;
  afxdp_error_set (error, errno, "Could not map the XDP program's counters");
  return NULL;
}

AfxdpXdpProg *
afxdp_xdpprog_new (guint n_queues, guint longest, GError **error)
{
  AfxdpXdpProg *prog = g_new0 (AfxdpXdpProg, 1);

  prog->link = prog->generic = -1;
  prog->n_queues = n_queues;
  prog->metadata = TRUE;
  prog->skeleton = afxdp_xdpload_new (n_queues, longest, error);
  if (!prog->skeleton)
    goto free_prog;
  prog->parts[0] = map_words (
      bpf_map__fd (prog->skeleton->maps.slots), size_of_part (prog), error);
  if (!prog->parts[0])
    goto free_prog;
  prog->queues = map_words (bpf_map__fd (prog->skeleton->maps.rx_queues),
      size_of_queues (prog), error);
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
  if (prog->generic >= 0)
    close (prog->generic);
  for (guint part = 0; part < AFXDP_PARTS; part++)
    if (prog->parts[part])
      munmap (prog->parts[part], size_of_part (prog));
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

static gboolean
attach_error (GError **error, int errnum, int ifindex, const gchar *interface)
{
  AfxdpForeign program = { 0 };
  g_autofree gchar *foreign = NULL;

  switch (errnum) {
    case EBUSY:
    case EEXIST:
      afxdp_foreign_look (&program, ifindex);
      foreign = afxdp_foreign_describe (&program);
      afxdp_foreign_clear (&program);
      g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_FOREIGN,
          "AF_XDP is not available: %s is attached to %s, and only one "
          "process can use AF_XDP on an interface. Detach it or end its "
          "process, or set mode=socket",
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
    case EINVAL:
      return afxdp_error_set (error, errnum,
          "Could not attach the XDP program to %s: most drivers refuse it "
          "when the MTU is too large for XDP, and say why in the kernel's "
          "log (dmesg); lower the MTU to 3000 or 1500",
          interface);
    default:
      return afxdp_error_set (
          error, errnum, "Could not attach the XDP program to %s", interface);
  }
}

/* The program for generic mode: one that knows packets of several datagrams, or,
 * where there can be none, the plain one. Returns -1 and sets error when neither
 * helps: several datagrams would be handed out as one. */
static int
generic_entry_point (
    AfxdpXdpProg *prog, const AfxdpNetdev *netdev, GError **error)
{
  g_autofree gchar *why = NULL;

  if (!afxdp_xdpload_check_descriptors (error))
    return -1;
  if (prog->metadata && prog->generic < 0)
    prog->generic = afxdp_xdpload_generic (prog->skeleton);
  if (prog->metadata && prog->generic >= 0)
    return prog->generic;
  AFXDP_INFO (AFXDP_LOG_XDP, netdev->name,
      "the program that knows packets of several datagrams cannot be had, "
      "which takes Linux 6.2 and CAP_PERFMON");
  why = afxdp_offloads_why_aggregated (netdev);
  if (!why)
    return entry_point (prog);
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED,
      "In generic mode on %s several datagrams could be handed out as one, "
      "since %s. Or give the process CAP_PERFMON, with which the XDP program "
      "can tell such packets from Linux 6.2 on",
      netdev->name, why);
  return -1;
}

gboolean
afxdp_xdpprog_check_free (int ifindex, const gchar *interface, GError **error)
{
  guint id = 0;

  return bpf_xdp_query_id (ifindex, 0, &id) || !id ||
      attach_error (error, EBUSY, ifindex, interface);
}

gboolean
afxdp_xdpprog_attach (AfxdpXdpProg *prog, const AfxdpNetdev *netdev,
    AfxdpXdpMode mode, GError **error)
{
  static const struct
  {
    AfxdpXdpMode mode;
    guint flag;
    const gchar *name;
  } attempts[] = {
    { AFXDP_XDP_MODE_NATIVE, XDP_FLAGS_DRV_MODE, "native" },
    { AFXDP_XDP_MODE_GENERIC, XDP_FLAGS_SKB_MODE, "generic" },
  };
  int program = entry_point (prog), errnum = 0;

  afxdp_xdpprog_detach (prog);
  for (guint i = 0; i < G_N_ELEMENTS (attempts); i++) {
    LIBBPF_OPTS (bpf_link_create_opts, options, .flags = attempts[i].flag);

    if (mode != AFXDP_XDP_MODE_AUTO && mode != attempts[i].mode)
      continue;
    if (attempts[i].mode == AFXDP_XDP_MODE_GENERIC)
      program = generic_entry_point (prog, netdev, error);
    if (program < 0)
      return FALSE;
    prog->link = bpf_link_create (program, netdev->index, BPF_XDP, &options);
    if (prog->link >= 0) {
      afxdp_fork_withhold (prog->link);
      prog->mode = attempts[i].mode;
      AFXDP_INFO (AFXDP_LOG_XDP, netdev->name,
          "the XDP program is attached in %s mode, %s", attempts[i].name,
          prog->metadata
              ? "with metadata"
              : "without metadata, for which the driver has no room");
      return TRUE;
    }
    errnum = errno;
    AFXDP_INFO (AFXDP_LOG_XDP, netdev->name, "bpf_link_create() in %s mode: %s",
        attempts[i].name, g_strerror (errnum));
    /* Generic mode helps where the driver has no XDP, and nowhere else. */
    if (errnum != EOPNOTSUPP)
      break;
  }
  return attach_error (error, errnum, netdev->index, netdev->name);
}

void
afxdp_xdpprog_detach (AfxdpXdpProg *prog)
{
  if (prog->link >= 0) {
    /* Whoever else has it. */
    bpf_link_detach (prog->link);
    afxdp_fork_close (prog->link);
  }
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
      error, errno, "Could not switch to the XDP program without metadata");
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

gboolean
afxdp_xdpprog_make_room (AfxdpXdpProg *prog, guint slot, GError **error)
{
  guint32 part = slot / AFXDP_SLOTS_OF_PART;
  struct afxdp_slot *words = NULL;
  int map;

  if (prog->parts[part])
    return TRUE;
  map = afxdp_xdpload_part (prog->n_queues);
  /* Entered, it is there as long as the program is. */
  if (map < 0 ||
      bpf_map_update_elem (
          bpf_map__fd (prog->skeleton->maps.more_slots), &part, &map, BPF_ANY))
    afxdp_error_set (error, errno,
        "Could not make room in the XDP program for more than %u streams%s",
        part * AFXDP_SLOTS_OF_PART,
        errno == EPERM ? ", which takes CAP_BPF" : "");
  else
    words = map_words (map, size_of_part (prog), error);
  if (map >= 0)
    close (map);
  prog->parts[part] = words;
  return words != NULL;
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
        "at most %d for all streams of the interface",
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
  return &prog->parts[slot / AFXDP_SLOTS_OF_PART]
                     [slot % AFXDP_SLOTS_OF_PART * prog->n_queues + queue];
}

struct afxdp_queue *
afxdp_xdpprog_queue (const AfxdpXdpProg *prog, guint queue)
{
  return &prog->queues[queue];
}
