/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tables of docs/statistics.md and docs/messages.md. */
#include "page.h"

#include <gst/check/gstcheck.h>
#include <string.h>

/* How the page calls types. */
static const struct
{
  const gchar *name, *type;
} types[] = {
  { "string", "gchararray" },
  { "boolean", "gboolean" },
  { "int", "gint" },
  { "uint", "guint" },
  { "uint64", "guint64" },
  { "double", "gdouble" },
  { "array", "GstValueArray" },
};

static const gchar *const pages[] = { STATISTICS_PAGE, MESSAGES_PAGE };

/* The text between a heading and the next one of its level or above, in the page that
 * has it. */
static gchar *
section (const gchar *title)
{
  g_autofree gchar *heading = g_strdup_printf ("\n## %s\n", title);
  gchar *found = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (pages); i++) {
    g_autofree gchar *page = NULL;
    const gchar *begin, *end;

    fail_unless (g_file_get_contents (pages[i], &page, NULL, NULL));
    begin = strstr (page, heading);
    if (!begin)
      continue;
    fail_if (found, "two sections %s", title);
    begin += strlen (heading);
    end = strstr (begin, "\n## ");
    found = end ? g_strndup (begin, end - begin) : g_strdup (begin);
  }
  fail_unless (found, "no section %s in the pages", title);
  return found;
}

/* Calls each for the rows whose first cell is in backquotes. */
static void
for_each_row (const gchar *title,
    void (*each) (const gchar *name, const gchar *cell, gpointer data),
    gpointer data)
{
  g_autofree gchar *text = section (title);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (guint i = 0; lines[i]; i++) {
    g_auto (GStrv) cells = NULL;
    g_autofree gchar *name = NULL;

    if (!g_str_has_prefix (lines[i], "| `"))
      continue;
    cells = g_strsplit (lines[i], "|", -1);
    g_strstrip (cells[1]);
    name = g_strndup (cells[1] + 1, strlen (cells[1]) - 2);
    each (name, g_strstrip (cells[2]), data);
  }
}

static void
note_field (const gchar *name, const gchar *cell, gpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_str_equal (cell, types[i].name)) {
      g_hash_table_insert (data, g_strdup (name), (gpointer) types[i].type);
      return;
    }
  fail ("%s has no type that is known: %s", name, cell);
}

void
page_assert_fields (const GstStructure *structure, const gchar *const *ignored)
{
  g_autoptr (GHashTable) fields =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree gchar *title =
      g_strdup_printf ("`%s`", gst_structure_get_name (structure));

  for_each_row (title, note_field, fields);
  for (gint i = 0; i < gst_structure_n_fields (structure); i++) {
    const gchar *name = gst_structure_nth_field_name (structure, i);
    const gchar *type =
        g_type_name (gst_structure_get_field_type (structure, name));

    if (ignored && g_strv_contains (ignored, name))
      continue;
    fail_unless (g_hash_table_contains (fields, name),
        "%s of %s is not in its page", name, title);
    fail_unless_equals_string (g_hash_table_lookup (fields, name), type);
    g_hash_table_remove (fields, name);
  }
  fail_unless_equals_int (g_hash_table_size (fields), 0);
}

static void
note_place (const gchar *name, const gchar *cell, gpointer data)
{
  g_strv_builder_add (data, name);
}

GStrv
page_places (void)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for_each_row ("Places", note_place, builder);
  return g_strv_builder_end (builder);
}
