/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines of the log. */
#include "journal.h"

#include <signal.h>
#include <unistd.h>

#include "log.h"

static gboolean to_journal;
static AfxdpJournalLevel least = AFXDP_JOURNAL_INFO;
/* Nothing of rx/ is below INFO. */
static gint highest = AFXDP_LOG_LEVEL_INFO - 1;

/* In one piece, so that lines of several threads are not mixed. What cannot be written
 * is lost: there is nowhere else to tell it. */
static void
write_line (AfxdpJournalLevel level, const gchar *name, const gchar *text)
{
  g_autoptr (GString) line = g_string_new (NULL);
  gssize written;

  if (to_journal)
    g_string_append_printf (line, "<%d>", level);
  if (name)
    g_string_append_printf (line, "%s: ", name);
  g_string_append (line, text);
  /* A reason may have been somebody else's text. */
  for (gsize i = 0; i < line->len; i++)
    if (g_ascii_iscntrl (line->str[i]))
      line->str[i] = ' ';
  g_string_append_c (line, '\n');
  written = write (STDERR_FILENO, line->str, line->len);
  (void) written;
}

void
afxdp_journal (AfxdpJournalLevel level, const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  va_list arguments;

  if (level > least)
    return;
  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  write_line (level, NULL, text);
}

static void
tell (AfxdpLogRoom room, AfxdpLogLevel level, const gchar *file,
    const gchar *function, gint line, const gchar *name, const gchar *format,
    va_list arguments)
{
  g_autofree gchar *text = g_strdup_vprintf (format, arguments);

  write_line (
      level == AFXDP_LOG_LEVEL_INFO ? AFXDP_JOURNAL_INFO : AFXDP_JOURNAL_DEBUG,
      name, text);
}

void
afxdp_journal_init (guint verbose)
{
  /* Whoever reads the log may go before us. */
  signal (SIGPIPE, SIG_IGN);
  to_journal = g_getenv ("JOURNAL_STREAM") != NULL;
  least = verbose < 2 ? AFXDP_JOURNAL_INFO : AFXDP_JOURNAL_DEBUG;
  highest = AFXDP_LOG_LEVEL_INFO - 1 + (gint) verbose;
  afxdp_log_init (tell, &highest);
}
