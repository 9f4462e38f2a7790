/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where settings come from: the command line, and the configuration file that it names.
 * What the command line says of a setting comes before the file.
 *
 * The file is one of GLib's key files: [distributor] with a key for each setting (a list
 * of interfaces and rules, with semicolons), and [user NAME] and [group NAME] with allow,
 * max-streams and max-memory of their own. NAME may be a number.
 *
 * For one thread. Reading the file may wait for the file system and the directory of
 * users.
 */
#pragma once

#include "daemonsettings.h"

G_BEGIN_DECLS

typedef struct _AfxdpOptions AfxdpOptions;

/* Parses the command line; with --help it prints that and ends the process. Errors: those
 * of GOption, AFXDP_ERROR_SETTINGS. */
AfxdpOptions *afxdp_options_new (gint argc, gchar **argv, GError **error);
void afxdp_options_free (AfxdpOptions *options);

gboolean afxdp_options_version (const AfxdpOptions *options);
gboolean afxdp_options_status (const AfxdpOptions *options);
gboolean afxdp_options_json (const AfxdpOptions *options);
/* Its path, or NULL. */
const gchar *afxdp_options_config (const AfxdpOptions *options);

/* Reads the file, if there is one, and puts all together. That there is an interface is
 * for who needs one. Errors: AFXDP_ERROR_SETTINGS, _NOT_FOUND (no such file, user or
 * group), _PERMISSION, _FAILED. */
AfxdpDaemonSettings *afxdp_options_read (
    const AfxdpOptions *options, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AfxdpOptions, afxdp_options_free)

G_END_DECLS
