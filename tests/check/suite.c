/* SPDX-FileCopyrightText: The afxdpsrc authors */
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program of tests. */
#include "suite.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SKIP 77

/* What tests have said that prove nothing; shared with their processes. */
typedef struct
{
  gint n;
  gchar words[2048]; /* names and reasons, each of them once */
} Skips;

static Skips *skips;

SuiteFunc suite_end;
const gchar *suite_test;

static GPtrArray *entries; /* SuiteEntry */

/* Called by constructors, in the order that the compiler likes. */
void
suite_add (const SuiteEntry *entry)
{
  if (!entries)
    entries = g_ptr_array_new ();
  g_ptr_array_add (entries, (gpointer) entry);
}

void
suite_skip (const gchar *format, ...)
{
  g_autofree gchar *reason = NULL, *words = NULL;
  va_list list;

  va_start (list, format);
  reason = g_strdup_vprintf (format, list);
  va_end (list);
  words =
      g_strconcat (suite_test ? suite_test : "a fixture", ": ", reason, NULL);
  fail_unless (g_strcmp0 (g_getenv ("CK_FORK"), "no"), "%s", words);
  if (!strstr (skips->words, words)) {
    if (skips->n)
      g_strlcat (skips->words, "; ", sizeof skips->words);
    g_strlcat (skips->words, words, sizeof skips->words);
  }
  g_atomic_int_inc (&skips->n);
  _exit (0);
}

static gint
compare_lines (gconstpointer a, gconstpointer b)
{
  const SuiteEntry *const *one = a, *const *other = b;

  return (gint) (*one)->line - (gint) (*other)->line;
}

static TCase *
add_case (Suite *suite, const gchar *name, guint seconds, SuiteFunc set_up,
    SuiteFunc tear_down)
{
  TCase *tcase = tcase_create (name);

  suite_add_tcase (suite, tcase);
  if (seconds)
    tcase_set_timeout (tcase, seconds);
  tcase_add_checked_fixture (tcase, set_up, tear_down);
  return tcase;
}

int
suite_run (int argc, char **argv, const gchar *name, guint seconds,
    SuiteFunc set_up, SuiteFunc tear_down)
{
  Suite *suite;
  TCase *tcase;
  int result;

  skips = mmap (NULL, sizeof *skips, PROT_READ | PROT_WRITE,
      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  /* Who had to look for plugins first has done it; GStreamer counts. */
  if (!gst_is_initialized ())
    gst_check_init (&argc, &argv);
  suite = suite_create (name);
  tcase = add_case (suite, name, seconds, set_up, tear_down);
  g_ptr_array_sort (entries, compare_lines);
  for (guint i = 0; i < entries->len; i++) {
    const SuiteEntry *entry = entries->pdata[i];

    if (entry->add)
      entry->add (tcase);
    else
      tcase = add_case (suite, name, seconds, entry->set_up, entry->tear_down);
  }
  g_clear_pointer (&entries, g_ptr_array_unref);
  result = gst_check_run_suite (suite, name, name);
  if (result || !skips->n)
    return result;
  printf ("skipped: %d of the tests: %s\n", skips->n, skips->words);
  return SKIP;
}

void
suite_run_scripts (const gchar *variable, guint seed, guint n, guint shortest,
    guint longest, void (*run) (const guint8 *bytes, gsize size))
{
  const gchar *given = g_getenv (variable);
  guint first = given ? g_ascii_strtoull (given, NULL, 10) : 1;
  g_autoptr (GRand) random = g_rand_new_with_seed (first + seed);
  g_autofree guint8 *bytes = g_new (guint8, longest);

  for (guint i = 0; i < n; i++) {
    guint size = g_rand_int_range (random, shortest, longest);

    for (guint j = 0; j < size; j++)
      bytes[j] = g_rand_int (random);
    g_test_message ("seed %u, script %u", first + seed, i);
    run (bytes, size);
  }
}
