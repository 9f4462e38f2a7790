/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line, and the configuration file. */
#include "options.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "error.h"

#define MAIN_SECTION "distributor"

struct _AfxdpOptions
{
  GPtrArray **texts; /* of each setting; NULL: nothing was said */
  gchar *config;
  gboolean status, json, version;
};

static const gchar summary[] =
    "Receives RTP streams of network interfaces by AF_XDP and gives them to "
    "the\n"
    "processes and containers that ask for them: each gets its packets in "
    "memory\n"
    "of its own, and needs no privileges. afxdpsrc asks by itself.";

static const gchar description[] =
    "Every setting may stand in the configuration file too, under "
    "[distributor],\n"
    "as in interfaces=eth1;eth2. Sections [user NAME] and [group NAME] have "
    "allow,\n"
    "max-streams and max-memory for these alone. The command line comes "
    "before the\n"
    "file. SIGHUP reads it again: what is allowed, and how much.\n\n"
    "SIGTERM and SIGINT (Ctrl-C) end it. Exit status: 0 it was ended; 1 it "
    "failed;\n"
    "2 an error of usage.\n";

/* The command line. */

static gint
find_setting (const gchar *name)
{
  for (guint i = 0; i < afxdp_settings_n (); i++)
    if (g_str_equal (afxdp_settings_table[i].name, name))
      return i;
  return -1;
}

static gboolean
note_text (
    const gchar *option, const gchar *value, gpointer data, GError **error)
{
  AfxdpOptions *options = data;
  gint which = find_setting (option + strlen ("--"));

  g_return_val_if_fail (which >= 0, FALSE);
  if (!options->texts[which])
    options->texts[which] = g_ptr_array_new_with_free_func (g_free);
  /* The last one counts where there can be only one. */
  if (!afxdp_settings_table[which].repeated)
    g_ptr_array_set_size (options->texts[which], 0);
  g_ptr_array_add (options->texts[which], g_strdup (value));
  return TRUE;
}

static GArray *
make_entries (AfxdpOptions *options)
{
  const GOptionEntry others[] = {
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &options->config,
        "Read this file, too", "FILE" },
    { "status", 0, 0, G_OPTION_ARG_NONE, &options->status,
        "Show what the daemon at --socket does, and end", NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &options->json, "With --status: as JSON",
        NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &options->version,
        "Show the version, and end", NULL },
  };
  GArray *entries = g_array_new (TRUE, TRUE, sizeof (GOptionEntry));

  for (guint i = 0; i < afxdp_settings_n (); i++) {
    const AfxdpSetting *setting = &afxdp_settings_table[i];
    const GOptionEntry entry = { setting->name, 0, 0, G_OPTION_ARG_CALLBACK,
      note_text, setting->about, setting->argument };

    g_array_append_val (entries, entry);
  }
  g_array_append_vals (entries, others, G_N_ELEMENTS (others));
  return entries;
}

static gboolean
parse (AfxdpOptions *options, gint argc, gchar **argv, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GArray) entries = make_entries (options);
  GOptionGroup *group = g_option_group_new (NULL, NULL, NULL, options, NULL);

  g_option_group_add_entries (group, (const GOptionEntry *) entries->data);
  g_option_context_set_main_group (context, group);
  g_option_context_set_summary (context, summary);
  g_option_context_set_description (context, description);
  if (!g_option_context_parse (context, &argc, &argv, error))
    return FALSE;
  if (argc > 1) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "%s is no option: --help shows them all", argv[1]);
    return FALSE;
  }
  if (!options->json || options->status)
    return TRUE;
  g_set_error_literal (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
      "--json is for --status: give that too, or leave it out");
  return FALSE;
}

AfxdpOptions *
afxdp_options_new (gint argc, gchar **argv, GError **error)
{
  g_autoptr (AfxdpOptions) options = g_new0 (AfxdpOptions, 1);

  options->texts = g_new0 (GPtrArray *, afxdp_settings_n ());
  return parse (options, argc, argv, error) ? g_steal_pointer (&options) : NULL;
}

void
afxdp_options_free (AfxdpOptions *options)
{
  if (!options)
    return;
  for (guint i = 0; i < afxdp_settings_n (); i++)
    g_clear_pointer (&options->texts[i], g_ptr_array_unref);
  g_free (options->texts);
  g_free (options->config);
  g_free (options);
}

gboolean
afxdp_options_version (const AfxdpOptions *options)
{
  return options->version;
}

gboolean
afxdp_options_status (const AfxdpOptions *options)
{
  return options->status;
}

gboolean
afxdp_options_json (const AfxdpOptions *options)
{
  return options->json;
}

const gchar *
afxdp_options_config (const AfxdpOptions *options)
{
  return options->config;
}

/* The file. */

static gboolean
find_user (const gchar *name, guint32 *id)
{
  const struct passwd *user = getpwnam (name);

  if (user)
    *id = user->pw_uid;
  return user != NULL;
}

static gboolean
find_group (const gchar *name, guint32 *id)
{
  const struct group *group = getgrnam (name);

  if (group)
    *id = group->gr_gid;
  return group != NULL;
}

/* Kinds of sections. */
static const struct
{
  const gchar *prefix;
  AfxdpSubjectKind kind;
  gboolean (*find) (const gchar *name, guint32 *id);
} sections[] = {
  { "user ", AFXDP_SUBJECT_USER, find_user },
  { "group ", AFXDP_SUBJECT_GROUP, find_group },
};

static gboolean
parse_section (const gchar *section, AfxdpSubject *subject, GError **error)
{
  guint64 id;

  subject->kind = AFXDP_SUBJECT_EVERYBODY;
  if (g_str_equal (section, MAIN_SECTION))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (sections); i++) {
    const gchar *name = section + strlen (sections[i].prefix);

    if (!g_str_has_prefix (section, sections[i].prefix))
      continue;
    subject->kind = sections[i].kind;
    if (sections[i].find (name, &subject->id))
      return TRUE;
    subject->id = 0;
    if (g_ascii_string_to_unsigned (name, 10, 0, G_MAXUINT32, &id, NULL)) {
      subject->id = id;
      return TRUE;
    }
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_NOT_FOUND,
        "[%s]: this host knows no %s\"%s\": mend the name, or write a number",
        section, sections[i].prefix, name);
    return FALSE;
  }
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
      "[%s] is no section: there are [distributor], [user NAME] and "
      "[group NAME]",
      section);
  return FALSE;
}

static gint
find_key (const gchar *key, gboolean personal)
{
  for (guint i = 0; i < afxdp_settings_n (); i++)
    if (g_str_equal (afxdp_settings_table[i].key, key) &&
        (!personal || afxdp_settings_table[i].personal))
      return i;
  return -1;
}

static GStrv
read_texts (GKeyFile *file, const gchar *section, const gchar *key,
    gboolean list, GError **error)
{
  GStrv texts;

  if (list) {
    texts = g_key_file_get_string_list (file, section, key, NULL, error);
  } else {
    texts = g_new0 (gchar *, 2);
    texts[0] = g_key_file_get_string (file, section, key, error);
    if (!texts[0])
      g_clear_pointer (&texts, g_strfreev);
  }
  for (guint i = 0; texts && texts[i]; i++)
    g_strstrip (texts[i]);
  return texts;
}

/* As if the key were not there, which for allow= is the contrary of what is written. */
static gboolean
is_said (const GStrv texts, const gchar *where, GError **error)
{
  if (*texts)
    return TRUE;
  g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
      "%s= is empty: leave the line out, or write what it shall be (allow=none "
      "allows nothing)",
      where);
  return FALSE;
}

/* What the command line says comes before what the file says to everybody. */
static gboolean
apply_key (const AfxdpOptions *options, AfxdpDaemonSettings *settings,
    GKeyFile *file, const gchar *section, AfxdpSubject subject,
    const gchar *key, GError **error)
{
  gboolean personal = subject.kind != AFXDP_SUBJECT_EVERYBODY;
  gint which = find_key (key, personal);
  g_autofree gchar *where = g_strdup_printf ("[%s] %s", section, key);
  g_auto (GStrv) texts = NULL;

  if (which < 0) {
    g_set_error (error, AFXDP_ERROR, AFXDP_ERROR_SETTINGS,
        "%s is unknown there: %s", where,
        personal ? "a user and a group have allow, max-streams and max-memory"
                 : "--help shows all settings");
    return FALSE;
  }
  if (!personal && options->texts[which])
    return TRUE;
  texts = read_texts (
      file, section, key, afxdp_settings_table[which].repeated, error);
  return texts && is_said (texts, where, error) &&
      afxdp_daemon_settings_set (
          settings, which, subject, (const gchar *const *) texts, where, error);
}

static gboolean
apply_section (const AfxdpOptions *options, AfxdpDaemonSettings *settings,
    GKeyFile *file, const gchar *section, GError **error)
{
  g_auto (GStrv) keys = g_key_file_get_keys (file, section, NULL, error);
  AfxdpSubject subject = { 0 };

  if (!keys || !parse_section (section, &subject, error))
    return FALSE;
  for (guint i = 0; keys[i]; i++)
    if (!apply_key (options, settings, file, section, subject, keys[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
load (GKeyFile *file, const gchar *path, GError **error)
{
  g_autoptr (GError) why = NULL;

  if (g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, &why))
    return TRUE;
  g_set_error (error, AFXDP_ERROR,
      g_error_matches (why, G_FILE_ERROR, G_FILE_ERROR_NOENT)
          ? AFXDP_ERROR_NOT_FOUND
          : AFXDP_ERROR_SETTINGS,
      "Could not read it: %s", why->message);
  return FALSE;
}

static gboolean
apply_file (
    const AfxdpOptions *options, AfxdpDaemonSettings *settings, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_auto (GStrv) names = NULL;

  if (!options->config)
    return TRUE;
  if (load (file, options->config, error)) {
    gboolean right = TRUE;

    names = g_key_file_get_groups (file, NULL);
    for (guint i = 0; right && names[i]; i++)
      right = apply_section (options, settings, file, names[i], error);
    if (right)
      return TRUE;
  }
  g_prefix_error (error, "%s: ", options->config);
  return FALSE;
}

static gboolean
apply_command_line (
    const AfxdpOptions *options, AfxdpDaemonSettings *settings, GError **error)
{
  for (guint i = 0; i < afxdp_settings_n (); i++) {
    g_autofree gchar *where =
        g_strdup_printf ("--%s", afxdp_settings_table[i].name);
    g_auto (GStrv) texts = NULL;

    if (!options->texts[i])
      continue;
    texts = g_new0 (gchar *, options->texts[i]->len + 1);
    for (guint j = 0; j < options->texts[i]->len; j++)
      texts[j] = g_strdup (options->texts[i]->pdata[j]);
    if (!afxdp_daemon_settings_set (settings, i, (AfxdpSubject){ 0 },
            (const gchar *const *) texts, where, error))
      return FALSE;
  }
  return TRUE;
}

AfxdpDaemonSettings *
afxdp_options_read (const AfxdpOptions *options, GError **error)
{
  g_autoptr (AfxdpDaemonSettings) settings = afxdp_daemon_settings_new ();

  if (!apply_file (options, settings, error) ||
      !apply_command_line (options, settings, error))
    return NULL;
  return g_steal_pointer (&settings);
}
