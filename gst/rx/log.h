/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What rx/ tells those who look for a fault: one function takes it all, by room. The
 * element's is gstafxdplog.c; without one nothing is told.
 *
 * INFO says what was opened, attached or chosen, and why; DEBUG each change of path,
 * grace period, queue, rebalance or attachment, with its cause; LOG is for each batch,
 * TRACE for each packet. No address and no content of packets above DEBUG. Arguments are
 * evaluated only when the message is wanted. Any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* As GstDebugLevel has them. */
typedef enum
{
  AFXDP_LOG_LEVEL_INFO = 4,
  AFXDP_LOG_LEVEL_DEBUG = 5,
  AFXDP_LOG_LEVEL_LOG = 6,
  AFXDP_LOG_LEVEL_TRACE = 7,
} AfxdpLogLevel;

typedef enum
{
  AFXDP_LOG_XDP,
  AFXDP_LOG_STREAM,
  AFXDP_LOG_STATS,
  AFXDP_N_LOGS,
} AfxdpLogRoom;

/* name: of the interface or stream that it is about, or NULL. May be called for what
 * nobody wants. */
typedef void (*AfxdpLogFunction) (AfxdpLogRoom room, AfxdpLogLevel level,
    const gchar *file, const gchar *function, gint line, const gchar *name,
    const gchar *format, va_list arguments);

/* Before any other function of rx/ is called. highest: where the level stands above
 * which nobody wants anything; it may change at any time. */
void afxdp_log_init (AfxdpLogFunction function, const gint *highest);

/* Of these, for AFXDP_INFO() and the like alone. */
extern const gint *afxdp_log_highest;
void afxdp_log (AfxdpLogRoom room, AfxdpLogLevel level, const gchar *file,
    const gchar *function, gint line, const gchar *name, const gchar *format,
    ...) G_GNUC_PRINTF (7, 8);

/* Whether a message may be wanted: for what is to be computed only for it. */
static inline gboolean
afxdp_log_is_wanted (AfxdpLogLevel level)
{
  return G_UNLIKELY ((gint) level <= *afxdp_log_highest);
}

#define AFXDP_LOG_AT(level, room, name, ...)                              \
  do {                                                                    \
    if (afxdp_log_is_wanted (level))                                      \
      afxdp_log (                                                         \
          room, level, __FILE__, G_STRFUNC, __LINE__, name, __VA_ARGS__); \
  } while (0)

/* AFXDP_INFO (AFXDP_LOG_XDP, netdev->name, "attached in %s mode", mode); */
#define AFXDP_INFO(...) AFXDP_LOG_AT (AFXDP_LOG_LEVEL_INFO, __VA_ARGS__)
#define AFXDP_DEBUG(...) AFXDP_LOG_AT (AFXDP_LOG_LEVEL_DEBUG, __VA_ARGS__)
#define AFXDP_LOG(...) AFXDP_LOG_AT (AFXDP_LOG_LEVEL_LOG, __VA_ARGS__)
#define AFXDP_TRACE(...) AFXDP_LOG_AT (AFXDP_LOG_LEVEL_TRACE, __VA_ARGS__)

G_END_DECLS
