/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pinned XSKMAP: opening it, and who has one of its entries. */
#include "xskmappin.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "error.h"
#include "fork.h"
#include "xskfd.h"

/* Of bpf_obj_get(), whose errno says little of what is wrong: it is EACCES too for a
 * file that is no pin (Linux 6.18, bpf_inode_type()). */
static gboolean
open_error (const gchar *path, int errnum, GError **error)
{
  struct statfs system;

  if (errnum == ENOENT || errnum == ENOTDIR) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
        "xsk-map=%s: nothing is pinned there: %s. Start what pins the map "
        "first, and in a container mount the directory",
        path, g_strerror (errnum));
    return FALSE;
  }
  if (!statfs (path, &system) && system.f_type != BPF_FS_MAGIC) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "xsk-map=%s is not in a BPF file system, so no map can be pinned "
        "there; give the path of a pinned XSKMAP, such as "
        "/sys/fs/bpf/xsks_map",
        path);
    return FALSE;
  }
  if (errnum == EACCES || errnum == EPERM)
    return afxdp_error_set (error, errnum,
        "Could not open xsk-map=%s: the process must be allowed to read and "
        "write the pin (chown, chmod) and to search its directories; until "
        "Linux 5.18 it needs CAP_BPF too",
        path);
  return afxdp_error_set (error, errnum, "Could not open xsk-map=%s", path);
}

/* Programs and links can be pinned too, and have numbers of types of their own. */
static gboolean
is_map (int fd)
{
  g_autofree gchar *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autofree gchar *target = g_file_read_link (link, NULL);

  return !target || g_str_has_suffix (target, "bpf-map");
}

static gboolean
check_map (AfxdpXskMapPin *pin, const gchar *path, guint queue, GError **error)
{
  struct bpf_map_info map = { 0 };
  guint size = sizeof map;

  if (!is_map (pin->map)) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "xsk-map=%s is a BPF program or link, not an XSKMAP", path);
    return FALSE;
  }
  if (bpf_obj_get_info_by_fd (pin->map, &map, &size))
    return afxdp_error_set (
        error, errno, "Could not ask what xsk-map=%s is", path);
  if (map.type != BPF_MAP_TYPE_XSKMAP) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "xsk-map=%s is the BPF map \"%s\" (id %u) of type %u, not an XSKMAP "
        "(type %u)",
        path, map.name, map.id, map.type, BPF_MAP_TYPE_XSKMAP);
    return FALSE;
  }
  if (queue >= map.max_entries) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "xsk-map=%s has %u entries, and none for RX queue %u: set queue to "
        "one of 0 to %u",
        path, map.max_entries, queue, map.max_entries - 1);
    return FALSE;
  }
  pin->id = map.id;
  pin->n_entries = map.max_entries;
  g_strlcpy (pin->name, map.name, sizeof pin->name);
  return TRUE;
}

gboolean
afxdp_xsk_map_pin_open (
    AfxdpXskMapPin *pin, const gchar *path, guint queue, GError **error)
{
  *pin = (AfxdpXskMapPin){ .map = bpf_obj_get (path), .probe = -1 };
  if (pin->map < 0)
    return open_error (path, errno, error);
  if (check_map (pin, path, queue, error))
    pin->probe = afxdp_xskfd_new (error);
  if (pin->probe >= 0)
    return TRUE;
  afxdp_xsk_map_pin_close (pin);
  return FALSE;
}

void
afxdp_xsk_map_pin_close (AfxdpXskMapPin *pin)
{
  if (pin->probe >= 0)
    afxdp_fork_close (pin->probe);
  if (pin->map >= 0)
    close (pin->map);
  pin->probe = pin->map = -1;
}

gboolean
afxdp_xsk_map_pin_is_other (const AfxdpXskMapPin *pin, const gchar *path)
{
  struct bpf_map_info map = { 0 };
  guint size = sizeof map;
  int fd = bpf_obj_get (path);
  gboolean other;

  /* Who only unpins it takes nothing away: the program has the map. */
  if (fd < 0)
    return FALSE;
  other = !bpf_obj_get_info_by_fd (fd, &map, &size) && map.id != pin->id;
  close (fd);
  return other;
}

static int
update (AfxdpXskMapPin *pin, guint queue, int xsk, guint64 flags)
{
  guint32 key = queue;

  return bpf_map_update_elem (pin->map, &key, &xsk, flags) ? errno : 0;
}

gboolean
afxdp_xsk_map_pin_enter (AfxdpXskMapPin *pin, const gchar *path, guint queue,
    int xsk, GError **error)
{
  int errnum = update (pin, queue, xsk, BPF_NOEXIST);

  if (!errnum)
    return TRUE;
  if (errnum == EEXIST) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_QUEUE_BUSY,
        "Entry %u of xsk-map=%s is an AF_XDP socket of another process: end "
        "it, or set queue to another RX queue",
        queue, path);
    return FALSE;
  }
  return afxdp_error_set (error, errnum,
      "Could not enter an AF_XDP socket at %u of xsk-map=%s", queue, path);
}

/* There is no removal on a condition. The end of the socket would remove exactly its
 * own entries (xsk_delete_from_maps()), but whoever closes wants to read what came
 * until then. So: what is entered as ours is ours, and only who removed it and entered
 * another one within this microsecond would lose that. */
void
afxdp_xsk_map_pin_remove (AfxdpXskMapPin *pin, guint queue, int xsk)
{
  guint32 key = queue;

  if (!update (pin, queue, xsk, BPF_NOEXIST))
    bpf_map_delete_elem (pin->map, &key);
}

AfxdpXskMapEntry
afxdp_xsk_map_pin_check (AfxdpXskMapPin *pin, guint queue, int xsk)
{
  int errnum = update (pin, queue, pin->probe, BPF_NOEXIST);

  if (!errnum) {
    /* The probe is there, and drops what it gets: ours takes its place at once. Where
     * somebody was quicker, and removed it, there is nothing to replace. */
    errnum = update (pin, queue, xsk, BPF_EXIST);
    return errnum ? AFXDP_XSK_MAP_ENTRY_UNKNOWN : AFXDP_XSK_MAP_ENTRY_RETURNED;
  }
  if (errnum == EEXIST)
    errnum = update (pin, queue, xsk, BPF_NOEXIST);
  else
    return AFXDP_XSK_MAP_ENTRY_UNKNOWN;
  if (!errnum)
    return AFXDP_XSK_MAP_ENTRY_OURS;
  return errnum == EEXIST ? AFXDP_XSK_MAP_ENTRY_OTHER
                          : AFXDP_XSK_MAP_ENTRY_UNKNOWN;
}
