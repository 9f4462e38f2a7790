/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Questions to the driver of an interface. */
#include "ethtool.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

gboolean
afxdp_ethtool_ask (int index, gpointer question)
{
  struct ifreq request = { .ifr_ifindex = index };
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  gboolean answered;

  if (fd < 0)
    return FALSE;
  answered = !ioctl (fd, SIOCGIFNAME, &request);
  request.ifr_data = question;
  answered = answered && !ioctl (fd, SIOCETHTOOL, &request);
  close (fd);
  return answered;
}

guint
afxdp_ethtool_count (int index, guint set)
{
  union
  {
    struct ethtool_sset_info info;
    guint8 room[sizeof (struct ethtool_sset_info) + sizeof (guint32)];
  } question = { .info = { .cmd = ETHTOOL_GSSET_INFO,
                     .sset_mask = G_GUINT64_CONSTANT (1) << set } };

  return afxdp_ethtool_ask (index, &question) && question.info.sset_mask
      ? question.info.data[0]
      : 0;
}
