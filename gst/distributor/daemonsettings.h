/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the daemon is told to be. Each setting has a name, which is that of an option of
 * the command line and of a key in the configuration file, and comes as a text: one table
 * has them all. Where the texts come from is for options.h.
 *
 * For one thread.
 */
#pragma once

#include <gio/gio.h>

#include "rules.h"
#include "settings.h"

G_BEGIN_DECLS

typedef struct
{
  GPtrArray *interfaces; /* names */
  gchar *socket;         /* path of its file */
  gchar *group;          /* that owns the file; NULL: the process's */
  AfxdpMode mode;
  guint max_clients;
  GArray *cpus; /* guint, that workers are pinned to in turn; none: any */
  guint umem_frames;
  guint64 coalesce; /* ns */
  gchar *metrics;   /* where they are had by HTTP; NULL: nowhere */
  guint verbose; /* 0: own messages; 1, 2: those of rx/ too, INFO and DEBUG */
  AfxdpRules *rules; /* and quotas */
  gchar **texts;     /* of each setting, as it was given, to be compared */
} AfxdpDaemonSettings;

typedef struct _AfxdpSetting AfxdpSetting;

struct _AfxdpSetting
{
  const gchar *name;     /* of the option */
  const gchar *key;      /* in the file */
  const gchar *argument; /* as --help shows it; NULL: it is counted */
  const gchar *about;
  const gchar *preset; /* NULL: none */
  gboolean repeated;   /* a list in the file */
  gboolean personal; /* a user or a group may have its own; SIGHUP changes it */
  /* Errors are texts to be put behind the value. */
  gboolean (*set) (AfxdpDaemonSettings *settings, const AfxdpSetting *setting,
      AfxdpSubject subject, const gchar *text, GError **error);
  glong offset; /* of the field, where set() does not know it */
  guint64 least, most;
};

/* In the order of --help; ends with one without a name. */
extern const AfxdpSetting afxdp_settings_table[];
guint afxdp_settings_n (void);

/* As nobody has told anything. */
AfxdpDaemonSettings *afxdp_daemon_settings_new (void);
void afxdp_daemon_settings_free (AfxdpDaemonSettings *settings);

/* Sets one to texts, for whom it is said. where: what stands in front of a value that is
 * wrong, such as "--mode". Errors: AFXDP_ERROR_SETTINGS. */
gboolean afxdp_daemon_settings_set (AfxdpDaemonSettings *settings, guint which,
    AfxdpSubject subject, const gchar *const *texts, const gchar *where,
    GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpDaemonSettings, afxdp_daemon_settings_free)

G_END_DECLS
