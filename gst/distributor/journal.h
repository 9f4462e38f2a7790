/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon's log: one line to stderr for each event, with the priority in front of it
 * when that is the journal's. Any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* As syslog has them. */
typedef enum
{
  AFXDP_JOURNAL_ERROR = 3,
  AFXDP_JOURNAL_WARNING = 4,
  AFXDP_JOURNAL_NOTICE = 5,
  AFXDP_JOURNAL_INFO = 6,
  AFXDP_JOURNAL_DEBUG = 7,
} AfxdpJournalLevel;

/* Before anything else; also takes what rx/ tells. verbose: as in the settings; with 2
 * DEBUG is told too. From here on SIGPIPE is ignored. */
void afxdp_journal_init (guint verbose);
void afxdp_journal (AfxdpJournalLevel level, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);

G_END_DECLS
