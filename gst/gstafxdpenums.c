/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The enumerations among the element's properties, as GTypes. */
#include "gstafxdpenums.h"

#include "stream.h"

static const GEnumValue modes[] = {
  { AFXDP_MODE_AUTO, "AF_XDP whenever it is available, otherwise the socket",
      "auto" },
  { AFXDP_MODE_AF_XDP, "AF_XDP, and an error when it is not available",
      "af-xdp" },
  { AFXDP_MODE_SOCKET, "The kernel's socket only", "socket" },
  { 0 },
};

static const GEnumValue current_modes[] = {
  { AFXDP_PATH_NONE, "Nothing is received", "none" },
  { AFXDP_PATH_FAST, "Through AF_XDP", "af-xdp" },
  { AFXDP_PATH_SLOW, "Through the kernel's socket", "socket" },
  { 0 },
};

static const GEnumValue xdp_modes[] = {
  { AFXDP_XDP_MODE_AUTO, "In the driver if it can, else in the generic hook",
      "auto" },
  { AFXDP_XDP_MODE_NATIVE, "In the network driver", "native" },
  { AFXDP_XDP_MODE_GENERIC, "In the kernel's generic hook", "generic" },
  { 0 },
};

static const GEnumValue zero_copies[] = {
  { AFXDP_ZERO_COPY_AUTO, "If the driver supports it", "auto" },
  { AFXDP_ZERO_COPY_REQUIRE, "No AF_XDP without zero-copy", "require" },
  { AFXDP_ZERO_COPY_NEVER, "The kernel copies each packet", "never" },
  { 0 },
};

static const GEnumValue socket_timestamps[] = {
  { GST_AFXDP_SOCKET_TIMESTAMP_DISABLED,
      "Arrival times, unless do-timestamp is off", "disabled" },
  { GST_AFXDP_SOCKET_TIMESTAMP_REALTIME,
      "Arrival times, also when do-timestamp is off", "realtime" },
  { 0 },
};

/* Names of their own: a second registration of a name that the udp plugin has
 * would break whichever of both is loaded second. */
#define DEFINE_ENUM(function, name, values)                   \
  GType function (void)                                       \
  {                                                           \
    static gsize type = 0;                                    \
    if (g_once_init_enter (&type)) {                          \
      GType new_type = g_enum_register_static (name, values); \
      gst_type_mark_as_plugin_api (new_type, 0);              \
      g_once_init_leave (&type, new_type);                    \
    }                                                         \
    return type;                                              \
  }

DEFINE_ENUM (gst_afxdp_mode_get_type, "GstAfxdpMode", modes)
DEFINE_ENUM (
    gst_afxdp_current_mode_get_type, "GstAfxdpCurrentMode", current_modes)
DEFINE_ENUM (gst_afxdp_xdp_mode_get_type, "GstAfxdpXdpMode", xdp_modes)
DEFINE_ENUM (gst_afxdp_zero_copy_get_type, "GstAfxdpZeroCopy", zero_copies)
DEFINE_ENUM (gst_afxdp_socket_timestamp_get_type, "GstAfxdpSocketTimestamp",
    socket_timestamps)

const gchar *
gst_afxdp_enum_nick (GType type, gint value)
{
  GEnumClass *klass = g_type_class_ref (type);
  const gchar *nick = g_enum_get_value (klass, value)->value_nick;

  g_type_class_unref (klass); /* static types stay */
  return nick;
}

const gchar *
gst_afxdp_xdp_mode_name (AfxdpPath path, AfxdpXdpMode mode)
{
  if (path != AFXDP_PATH_FAST)
    return "none";
  return gst_afxdp_enum_nick (GST_TYPE_AFXDP_XDP_MODE, mode);
}
