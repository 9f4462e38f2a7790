/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an interface can have of AF_XDP, before anything is set up there. */
#include "xskmode.h"

#include "afxdp.h"
#include "error.h"

gboolean
afxdp_xskmode_check_kind (const AfxdpNetdev *netdev, GError **error)
{
  static const struct
  {
    const gchar *kind, *why;
  } refused[] = {
    { "bond", "a bond, on which AF_XDP does not work" },
    { "team", "a team, on which AF_XDP does not work" },
    { "vlan",
        "a VLAN interface, on which AF_XDP does not work: XDP sees "
        "only packets that still have their tags" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    if (g_str_equal (netdev->kind, refused[i].kind)) {
      g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED, "%s is %s",
          netdev->name, refused[i].why);
      return FALSE;
    }
  if (netdev->loopback) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_UNSUPPORTED,
        "%s is the loopback interface, where AF_XDP gains nothing",
        netdev->name);
    return FALSE;
  }
  return TRUE;
}

const gchar *
afxdp_xskmode_why_no_zero_copy (
    const AfxdpNetdev *netdev, AfxdpZeroCopy zero_copy, gboolean generic)
{
  if (zero_copy == AFXDP_ZERO_COPY_NEVER)
    return "zero-copy=never";
  if (generic)
    return "the program runs in generic mode";
  if (!afxdp_netdev_may_have_zero_copy (netdev))
    return "the driver does not have it";
  return zero_copy == AFXDP_ZERO_COPY_AUTO &&
          afxdp_netdev_may_add_queues (netdev)
      ? "the driver adds RX queues for the program"
      : NULL;
}

/* A NIC that writes to the frames itself does so in units of its own: Intel's 82576,
 * I210, I225 and 82599 take whole KiB, and of a frame of 2048 bytes, of which the
 * driver gets 1792, the NIC uses 1024 (Linux 6.18, igb_configure_rx_ring(),
 * igc_configure_rx_ring(); igb then cuts packets in two). */
guint
afxdp_xskmode_frame_size (const AfxdpNetdev *netdev, gboolean zero_copy)
{
  /* Room for an Ethernet header with a tag, and a checksum behind. */
  return zero_copy || netdev->mtu + 22 > 2048 - AFXDP_HEADROOM ? 4096 : 2048;
}
