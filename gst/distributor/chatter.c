/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines of the log that clients cause, and how many of them. */
#include "chatter.h"

/* As many as all streams of a user make that begin and end at once. */
#define MOST_LINES 256
#define PERIOD 10 /* s */

typedef struct
{
  guint n_told, n_left_out;
} User;

struct _AfxdpChatter
{
  GHashTable *users; /* uid -> User, of those that spoke in this period */
  guint source;      /* its end; 0: nobody has spoken */
};

static void
tell_left_out (gpointer uid, gpointer user, gpointer user_data)
{
  guint n = ((const User *) user)->n_left_out;

  if (n)
    afxdp_journal (AFXDP_JOURNAL_WARNING,
        "Clients of user %u: %u lines of this log were left out within %d s",
        GPOINTER_TO_UINT (uid), n, PERIOD);
}

static gboolean
on_period_over (gpointer user_data)
{
  AfxdpChatter *chatter = user_data;

  g_hash_table_foreach (chatter->users, tell_left_out, NULL);
  g_hash_table_remove_all (chatter->users);
  chatter->source = 0;
  return G_SOURCE_REMOVE;
}

AfxdpChatter *
afxdp_chatter_new (void)
{
  AfxdpChatter *chatter = g_new0 (AfxdpChatter, 1);

  chatter->users = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return chatter;
}

void
afxdp_chatter_free (AfxdpChatter *chatter)
{
  if (!chatter)
    return;
  g_clear_handle_id (&chatter->source, g_source_remove);
  on_period_over (chatter);
  g_hash_table_unref (chatter->users);
  g_free (chatter);
}

static User *
find (AfxdpChatter *chatter, guint32 uid)
{
  User *user = g_hash_table_lookup (chatter->users, GUINT_TO_POINTER (uid));

  if (!user) {
    user = g_new0 (User, 1);
    g_hash_table_insert (chatter->users, GUINT_TO_POINTER (uid), user);
  }
  if (!chatter->source)
    chatter->source = g_timeout_add_seconds (PERIOD, on_period_over, chatter);
  return user;
}

void
afxdp_chatter_tell (AfxdpChatter *chatter, guint32 uid, AfxdpJournalLevel level,
    const gchar *format, ...)
{
  User *user = find (chatter, uid);
  g_autofree gchar *text = NULL;
  va_list arguments;

  if (user->n_told == MOST_LINES) {
    user->n_left_out++;
    return;
  }
  user->n_told++;
  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  afxdp_journal (level, "%s", text);
}
